# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # First loop and figure
#
# One write-read loop of the reference device, Pt | 2.8 nm SrTiO3 | Nb:SrTiO3: run it, read numbers from it, draw it,
# change one parameter. The first run on a machine compiles the kernels, which takes up to a minute.

# %%
import otjdd

loop = otjdd.run("rv-loop", {"columns.count": 1, "columns.spread": {}})
loop

# %% [markdown]
# The result is an `xarray.Dataset` in SI units, energies in eV. `rv-loop` is a shipped case: 130 writes of 100 ms from
# 0 to 2.2, to -4.3 and back to 0 V, each followed by a read at 0.1 V. The second argument changes keys of the case. One
# column in place of five keeps this short: a real junction is not uniform, and the shipped case averages over a spread
# of the activation energy.

# %%
resistance = loop.read_resistance.values
print(f"high state {resistance.max():.3g} ohm, low state {resistance.min():.3g} ohm")

numbers = otjdd.synapse.loop(loop)
for name in ("ratio", "set_voltage", "reset_voltage"):
    print(f"{name:14} {numbers[name]:.4g}")

# %% [markdown]
# Positive voltage on Pt pushes the vacancies, which are positive, towards Nb:SrTiO3. There they lower the conduction
# band: low resistance. The figure shows the loop, and the conduction band in the state of lowest and of highest
# resistance.

# %%
figure = otjdd.figure(loop, ["loop", "bands"])
figure.savefig("first-loop.png", dpi=150)
figure

# %% [markdown]
# The currents tunnel. `tunnelling_share` is the part of the current below the top of the barrier, `transport_energy`
# its mean energy above the Fermi level of Nb:SrTiO3.

# %%
low, high = int(resistance.argmin()), int(resistance.argmax())
for name, read in (("low", low), ("high", high)):
    share, energy = loop.tunnelling_share.values[read], loop.transport_energy.values[read]
    print(f"{name:4} state: {share:.1%} of the current tunnels, at {energy:.2f} eV on average")

# %% [markdown]
# A thicker film. Other keys are listed by `otjdd show rv-loop`, and in the guide to case files.

# %%
thick = otjdd.run("rv-loop", {"columns.count": 1, "columns.spread": {}, "device.film.thickness": "3.2 nm"})
print(f"high over low: {numbers['ratio']:.3g} at 2.8 nm, {otjdd.synapse.loop(thick)['ratio']:.3g} at 3.2 nm")

# %% [markdown]
# Every result says by itself where it left the limits of the model: `model_limits` is empty when none was passed, else
# it names the limit, the time, and the value. A limit that is passed during the strongest writes does not spoil a read
# at 0.1 V, but the dynamics of these writes are to be taken with care. A result is kept with its case, its versions and
# a checksum, so that `otjdd rerun first-loop.nc` can repeat it.

# %%
print(loop.attrs["model_limits"] or "within the limits of the model")
otjdd.write(loop, "first-loop.nc")

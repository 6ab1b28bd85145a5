# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Arrhenius and Simmons against the transfer matrix
#
# Papers read barriers from I-V curves: from their temperature dependence (Arrhenius), or from their shape (Simmons).
# Here the barrier is known, for we put it in. What do the two methods return, and why?

# %%
import matplotlib.pyplot as plt
import numpy as np

import otjdd
from otjdd import fits, textbook

# %% [markdown]
# ## A rectangular barrier
#
# `rectangular-barrier.toml` is 2.5 nm between equal metals with a barrier of 1.0 eV at both, an electron mass of 1, and
# next to no vacancies. Simmons' formula is made for exactly this.

# %%
case = otjdd.load_case("tutorials/rectangular-barrier")
matrix = otjdd.run(case)
wkb = otjdd.run(case, {"device.transmission": "wkb"})
V, area = matrix.bias.values, np.pi * (1e-6) ** 2
simmons = area * textbook.simmons(V, 1.0, 2.5e-9)
cold = matrix.bias_current.sel(temperature=50.0).values[0]
cold_wkb = wkb.bias_current.sel(temperature=50.0).values[0]

for k in range(0, V.size, 5):
    print(f"{V[k]:.2f} V: WKB {cold_wkb[k] / simmons[k]:.2f}, transfer matrix {cold[k] / simmons[k]:.2f} times Simmons")

# %% [markdown]
# - At low voltage WKB is Simmons within some 15 %: the same exponent, and a sum over energies where Simmons has one
#   mean energy.
# - The transfer matrix lies above WKB by a factor of two, which WKB drops: how well the waves in the metal match the
#   decaying wave. For a thick rectangle and equal masses it is 16 k^2 kappa^2 / (k^2 + kappa^2)^2, with k^2 and kappa^2
#   as 5 and 1 eV. It depends on `device.left.mass` and `band_depth`, which no I-V curve shows.
# - Towards 1 V the WKB current rises faster: Simmons replaces the trapezoid by its mean height.

# %%
ideal = 16 * 5.0 * 1.0 / (5.0 + 1.0) ** 2
print(f"prefactor {ideal:.2f}; transfer matrix over WKB: {cold[0] / cold_wkb[0]:.2f} at {V[0]:.2f} V")
fit = fits.fit_trapezoid(V, cold, 2.5e-9, 1.0, area)
print(
    f"fitted to the transfer matrix: {fit.barrier_metal:.2f} and {fit.barrier_substrate:.2f} eV, in place of 1 and 1 eV"
)

# %% [markdown]
# The fit has no parameter for the prefactor, so it moves the barrier. The formula has the right exponent; the barrier
# from it is apparent.
#
# ## Arrhenius
#
# The current of this barrier hardly knows temperature; Simmons' thermal factor says the same.

# %%
hot = matrix.bias_current.sel(temperature=300.0).values[0]
k = int(np.argmin(np.abs(V - 0.2)))
factor = textbook.simmons_thermal_factor(V[k], 1.0, 2.5e-9, 300.0)
print(f"I(300 K) / I(50 K) = {hot[k] / cold[k]:.2f}; Simmons' factor {factor:.2f}")

# %% [markdown]
# The high state of the reference device is another matter. Its barrier at Pt is 0.62 eV, and the current grows with
# temperature:

# %%
curves = otjdd.run("iv", {"drive.states": {"HRS": [{"voltage": "-4.3 V", "duration": "100 ms"}]}})
state = curves.sel(state="HRS")
T = curves.temperature.values
for bias in (0.1, 0.3, 0.5):
    at = state.sel(bias=bias, method="nearest")
    energy = fits.activation_energy(T, at.bias_current.values)
    plain = fits.activation_energy(T, at.bias_current.values, richardson_form=False)
    share, mean = (
        float(at.bias_tunnelling_share.sel(temperature=300)),
        float(at.bias_transport_energy.sel(temperature=300)),
    )
    print(
        f"{bias:.1f} V: {energy.energy:.3f} eV from ln(I/T^2), {plain.energy:.3f} eV from ln I; "
        f"{share:.1%} tunnels, at {mean:.2f} eV on average"
    )

# %% [markdown]
# - The two forms of the plot differ by 2 kT, 0.05 eV at 300 K. Say which one a number comes from.
# - At 0.1 V the straight line looks like emission over a barrier of 0.3 to 0.4 eV. There is no such barrier: all but
#   0.6 % of the current tunnels, thermally assisted, below the top. The slope of ln I is close to the mean energy of
#   the current above the Fermi level of Nb:SrTiO3, from where the electrons come: that is what an Arrhenius plot
#   measures.
# - It falls by 0.7 eV per volt, far more than Schottky lowering would: seen from Nb:SrTiO3, the barrier at Pt goes down
#   with the Fermi level of Pt.

# %%
with plt.rc_context({"font.size": 8}):
    fig, axes = plt.subplots(1, 2, figsize=(6.8, 2.8), layout="constrained")
    axes[0].semilogy(V, cold, label="transfer matrix, 50 K")
    axes[0].semilogy(V, cold_wkb, "--", label="WKB, 50 K")
    axes[0].semilogy(V, simmons, ":", label="Simmons")
    axes[0].set(xlabel="voltage (V)", ylabel="current (A)", title="rectangular barrier of 1 eV, 2.5 nm")
    axes[0].legend(frameon=False)
    for bias in (0.1, 0.3, 0.5):
        current = state.bias_current.sel(bias=bias, method="nearest").values
        axes[1].semilogy(1000 / T, current, "o-", color="tab:blue", markersize=3)
        axes[1].annotate(f"{bias:.1f} V", (1000 / T[-1], current[-1]), (0, 5), textcoords="offset points")
    axes[1].set(xlabel="1000 K / temperature", ylabel="current (A)", title="high state of the reference device")
    axes[1].margins(y=0.12)
    fig.savefig("barriers.png", dpi=200)
fig

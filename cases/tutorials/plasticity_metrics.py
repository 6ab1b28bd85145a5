# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # LTP/LTD, PPF and STDP: metrics from results and from measured arrays
#
# The functions of `otjdd.synapse`, `otjdd.plasticity` and `otjdd.fits` take Datasets of a run, or plain arrays of a
# measurement.

# %%
import numpy as np

import otjdd

# %% [markdown]
# ## Potentiation and depression
#
# Two rounds of 20 pulses of +2.2 V and 20 of -2.5 V, 50 ns each, a read after each.

# %%
train = otjdd.run("ltp-ltd", {"drive.repeat": 2})
numbers = otjdd.synapse.potentiation(train, settling=1)
print(f"window {numbers['lowest'] * 1e6:.2f} to {numbers['highest'] * 1e6:.2f} uS")
print(f"states: {numbers['states_up']} up, {numbers['states_down']} down")
print(f"nonlinearity: {numbers['nonlinearity_up']:.2f} up, {numbers['nonlinearity_down']:.2f} down")

# %% [markdown]
# The same shape from arrays, as they come from an instrument: conductances after 0, 1, 2, ... pulses. These are of an
# ideal device with a nonlinearity of 3 up and 5 down, and 1 % of noise.

# %%
rng = np.random.default_rng(1)
p = np.linspace(0, 1, 21)
up = 2 + 8 * np.expm1(-3 * p) / np.expm1(-3) + rng.normal(0, 0.08, 21)
down = 10 - 8 * np.expm1(-5 * p) / np.expm1(-5) + rng.normal(0, 0.08, 21)
measured = otjdd.plasticity.nonlinearity(up * 1e-6, down * 1e-6)
print({name: round(value, 2) for name, value in measured.items()})

# %% [markdown]
# ## Paired-pulse facilitation
#
# Ten small pulses that leave no memory, through an instrument with a time constant of 1 us. The peaks grow from pulse
# to pulse: PPF compares the second with the first, PTP the last with the first.

# %%
for period in ("1 us", "300 ns"):
    short = otjdd.run("short-term", {"drive.parts[1].period": period})
    shown = otjdd.plasticity.facilitation(otjdd.plasticity.peaks(short))
    bare = otjdd.plasticity.facilitation(otjdd.plasticity.peaks(short, "conduction_current"))
    print(f"period {period}: PPF {shown['ppf']:.1%}, PTP {shown['ptp']:.1%}; of the junction itself {bare['ppf']:.2%}")

# %% [markdown]
# Nearly all of it is the instrument: it still shows charge of the last pulse when the next one comes. The junction's
# own current hardly grows. A measurement with a fast instrument would tell the two apart. From measured peaks:

# %%
print(otjdd.plasticity.facilitation([12.1e-9, 15.3e-9, 17.0e-9, 18.2e-9]))

# %% [markdown]
# ## Spike-timing-dependent plasticity
#
# One run for each delay. A positive delay means that the presynaptic spike comes first.

# %%
delays = np.array([-9, -4, -1, 1, 4, 9])
runs = [otjdd.run("stdp-antisymmetric", {"drive.parts[1].delay": f"{delay} us"}) for delay in delays]
changes = np.array([otjdd.synapse.lasting_change(run) for run in runs])
for delay, change in zip(delays, changes, strict=True):
    print(f"{delay:+3d} us: {change:+.1%}")

# %% [markdown]
# Exponentials through both branches. The fit is the same for measured changes: it takes two arrays.

# %%
for name, branch in (("pre first", delays > 0), ("post first", delays < 0)):
    fit = otjdd.fits.exponential(np.abs(delays[branch]) * 1e-6, changes[branch], offset=0.0)
    print(
        f"{name:10}: {fit.amplitude:+.0%} exp(-|dt| / {fit.scale * 1e6:.1f} us), "
        f"error of the time constant {fit.scale_error * 1e6:.1f} us"
    )

# %%
import matplotlib.pyplot as plt

with plt.rc_context({"font.size": 8}):
    fig, axes = plt.subplots(1, 2, figsize=(6.8, 2.6), layout="constrained")
    axes[0].plot(1e6 / train.read_resistance.values, ".-", markersize=3, linewidth=0.6)
    axes[0].set(xlabel="pulse", ylabel="conductance (uS)", title="potentiation and depression")
    axes[1].plot(delays, 100 * changes, "o", markersize=4)
    axes[1].axhline(0, color="0.6", linewidth=0.6)
    axes[1].set(xticks=delays, xlabel="delay (us)", ylabel="change of conductance (%)", title="spike timing")
    fig.savefig("plasticity.png", dpi=200)
fig

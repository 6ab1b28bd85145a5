# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A network that learns on the device
#
# A layer of weights is trained on handwritten digits by pulses: as many as the gradient asks for, each of which moves the
# device as this device moves. The steps come from a compact model of the junction, the same ones that `otjdd compact`
# exports for aihwkit. The network itself needs numpy alone; the digits, 1797 of 8 x 8 pixels, come with scikit-learn.

# %%
import numpy as np
from sklearn.datasets import load_digits

import otjdd
from otjdd.compact_models.exports import python_devices
from otjdd.compact_models.exports.pulses import pulse_cycle

# %% [markdown]
# ## From the junction to its steps
#
# The compact model is extracted from runs of the solver, here for the voltages and times of short pulses, on a coarse grid
# (resistances move by 5 %) and without measuring its error. `otjdd compact` measures it.

# %%
model = otjdd.compact("ltp-ltd", {"device.film.cells": 48}, voltage=(-2.5, 2.2), time=(50e-9, 1.0), measure=False)
pulses = pulse_cycle(model)
device = python_devices.steps(pulses)
low, high = pulses.up.min(), pulses.up.max()
raising, lowering, count = pulses.train
print(f"{count} pulses of {raising.voltage:g} V and of {lowering.voltage:g} V, {raising.width:g} s each")
print(f"conductance from {low * 1e6:.1f} to {high * 1e6:.1f} uS; a step is off by {device.error:.1e} of the range, rms")

# %% [markdown]
# A weight of -1 stands for the lowest conductance and 1 for the highest. The steps of the junction are large where it comes
# from and small where it goes to. One ideal device takes the mean step everywhere, another a twentieth of it.

# %%
even = np.ones(python_devices.NODES)
ideal = python_devices.WeightSteps(device.dw_min, 0.0, even, even, 0.0)
fine = python_devices.WeightSteps(device.dw_min / 20.0, 0.0, even, even, 0.0)
rise = device.dw_min * (1.0 + min(device.up_down, 0.0)) * device.up / 2.0
print(f"mean step {device.dw_min / 2:.0%} of the range; first step up {rise[0]:.0%}, last {rise[-1]:.1%}")

# %% [markdown]
# ## The network
#
# One layer of 65 x 10 weights (64 pixels and a constant), softmax, one digit at a time. The gradient says how far a weight
# should go; that many mean steps are pulses, the fraction by chance. A weight is one junction, or the difference of two
# that are only pulsed upwards: when one comes near its end, both are set back by the same amount.


# %%
def moved(steps, w, count, up):
    """Weights after as many pulses each, up or down."""
    for n in range(1, count.max(initial=0) + 1):
        w = np.where(count >= n, python_devices.after_one_pulse(steps, w, up), w)
    return w


def set_back(plus, minus):
    """Pairs, both set back by the same amount where one is near its end."""
    full = np.maximum(plus, minus) > 0.9
    shift = np.where(full, np.minimum(plus, minus) + 0.9, 0.0)
    return plus - shift, minus - shift


def trained(x, y, steps, pairs=False, epochs=5, rate=0.02, gain=6.0, seed=1):
    """Weights (65, 10) after each of some epochs."""
    rng = np.random.default_rng(seed)
    plus = minus = np.full((x.shape[1], 10), -0.9 if pairs else 0.0)
    weights = []
    for _ in range(epochs):
        for i in rng.permutation(len(x)):
            z = gain * x[i] @ (0.5 * (plus - minus) if pairs else plus)
            p = np.exp(z - z.max())
            p /= p.sum()
            p[y[i]] -= 1.0
            change = -rate * np.outer(x[i], p) / steps.dw_min
            count = np.floor(np.abs(change) + rng.random(change.shape)).astype(int)
            if pairs:
                plus = moved(steps, plus, count * (change > 0), True)
                minus = moved(steps, minus, count * (change < 0), True)
                plus, minus = set_back(plus, minus)
            else:
                plus = moved(steps, plus, count, change > 0)
        weights.append(0.5 * (plus - minus) if pairs else plus)
    return weights


# %%
x, y = load_digits(return_X_y=True)
x, order = np.column_stack((x / 16.0, np.ones(len(x)))), np.random.default_rng(1).permutation(len(x))
train, test = order[:1000], order[1000:]
networks = {
    "ideal device, fine steps": trained(x[train], y[train], fine),
    "ideal device": trained(x[train], y[train], ideal),
    "tunnel junction": trained(x[train], y[train], device),
    "pairs of tunnel junctions": trained(x[train], y[train], device, pairs=True),
}
right = {name: [(np.argmax(x[test] @ w, axis=1) == y[test]).mean() for w in ws] for name, ws in networks.items()}
for name, shares in right.items():
    print(f"{name}: {shares[-1]:.1%} of {len(test)} digits that it has not seen")

# %% [markdown]
# Fine steps lose nothing. Even steps as coarse as the junction's lose nearly as much as the junction does, so most
# of the loss is the size of the steps. The junction's depend on the weight besides: pulses up and down do not undo each
# other. Pairs, which are pulsed one way only, do better than either. One pulse moves a weight so far that the accuracy
# swings from epoch to epoch: differences of a few percent mean nothing here.
#
# Left out, because the compact model has none: noise from cycle to cycle and of reads. The devices are all alike.

# %%
import matplotlib.pyplot as plt

with plt.rc_context({"font.size": 8}):
    fig, axes = plt.subplots(1, 2, figsize=(6.8, 2.6), layout="constrained")
    axes[0].plot(pulses.up * 1e6, "o-", markersize=3, linewidth=0.6, label=f"{raising.voltage:+g} V")
    axes[0].plot(pulses.down * 1e6, "s-", markersize=3, linewidth=0.6, label=f"{lowering.voltage:+g} V")
    axes[0].set(xlabel="pulse", ylabel="conductance (uS)")
    axes[0].legend(frameon=False)
    for (name, shares), mark in zip(right.items(), "os^D", strict=True):
        axes[1].plot(range(1, len(shares) + 1), shares, mark + "-", markersize=3, linewidth=0.8, label=name)
    axes[1].set(xlabel="epoch", ylabel="digits that are right", ylim=(0.0, 1.0))
    axes[1].legend(frameon=False, fontsize=7)
    fig.savefig("digits.png", dpi=200)
fig

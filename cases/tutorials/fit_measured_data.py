# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # From a CSV to a fitted device, its errors, and a prediction
#
# `loop.csv` is an R-V loop as an instrument might store it: semicolons, decimal commas, and one reading over range. It
# was made by the model, with a barrier of 0.65 eV, an activation energy of 0.46 eV and 4 % of noise, so that the answer is
# known.

# %%
import numpy as np

import otjdd

data = otjdd.read_data("loop.csv")
print(data.attrs["understood"])

# %% [markdown]
# ## Fit
#
# The case says what is known: the film, the electrodes, the writes. Its barrier and activation energy belong to another
# device, and are where the search starts. The uncertainty of the data is not in the file; it is estimated from their
# scatter.

# %%
case = otjdd.load_case("rv-loop").replace({"columns.count": 1, "drive.step": "0.2 V"})
truth = {"device.left.barrier": 0.65, "ions.activation_energy": 0.46}
fit = otjdd.fit(data, case, list(truth))
for name, value, error in zip(fit.parameter.values, fit.value.values, fit.error.values, strict=True):
    off = (value - truth[name]) / error
    print(f"{name}: {value:.4f} +- {error:.4f} eV, {off:+.1f} standard errors from the answer")
print(f"reduced chi-square {fit.attrs['reduced_chi_square']:.2f}")
figure = otjdd.figure(fit)
figure.savefig("fit.png")
figure

# %% [markdown]
# ## What the data cannot tell
#
# Ions hop at a rate prefactor times exp(-activation energy / kT), and one temperature shows only the product. With the
# prefactor free as well, the fit says so, and the error of the energy is no longer one.

# %%
keys = ["device.left.barrier", "ions.activation_energy", "ions.prefactor"]
start = dict(zip(keys, map(float, fit.value.values), strict=False))
more = otjdd.fit(data, case, keys, changes=start)
print(more.attrs["warnings"])
print(f"error of the energy: {float(more.error[1] / fit.error[1]):.0f} times the previous one")

# %% [markdown]
# ## Which measurement next?
#
# The expected error after one more measurement, over the present one. The same loop once more only averages; another
# temperature tells the two apart.

# %%
table = otjdd.design(more, {"the loop again": {}, "the loop at 350 K": {"temperature": "350 K"}})
print(table.ratio.to_pandas().to_string(float_format="%.2g"))

# %% [markdown]
# ## A prediction with its band
#
# Twenty pulses of 1 V and 1 ms, which nobody has measured: draws from the errors of the fit give the band.

# %%
train = {"kind": "train", "voltage": "1 V", "width": "1 ms", "period": "2 ms", "count": 20, "read_each": True}
band = otjdd.predict(fit, train, count=40)
low, middle, high = (band.read_resistance.sel(percentile=p).values for p in (16, 50, 84))
print(f"after 20 pulses {middle[-1]:.3g} ohm, one standard error {100 * np.sqrt(high[-1] / low[-1]) - 100:.1f} %")

# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A study to a publication figure
#
# How long must a pulse be, and how high, to set the junction? A grid of amplitudes and widths answers that: a study is
# one case at many points, and its result is one Dataset with the varied keys as coordinates.

# %%
import matplotlib.pyplot as plt
import numpy as np

import otjdd

ds = otjdd.study(
    "switching-map",
    **{
        "columns.count": 1,
        "columns.spread": {},
        "device.film.cells": 50,
        "study.grid": {
            "drive.parts[1].voltage": {"start": "1.2 V", "stop": "2.6 V", "count": 8},
            "drive.parts[1].width": {"start": "1 ns", "stop": "1 ms", "count": 7, "spacing": "log"},
            "device.film.thickness": ["2.8 nm"],
        },
    },
).squeeze("device.film.thickness")
ds

# %% [markdown]
# `switching-map` is a shipped study; here its grid is one thickness, and one column of 50 cells stands for the
# junction, to be quick. With a folder, `otjdd.study("switching-map", "map", workers=2)`, every point is on disk as soon
# as it is done, and `resume=True` continues after any interruption.
#
# `change.ratio` is the resistance before the pulse over that after it: 1 where nothing lasts.

# %%
voltage, width = ds["drive.parts[1].voltage"], ds["drive.parts[1].width"]
ratio = ds["change.ratio"].transpose("drive.parts[1].width", "drive.parts[1].voltage")
print(f"{int((ds.status == 0).sum())} points done; ratio from {float(ratio.min()):.3g} to {float(ratio.max()):.3g}")

# %% [markdown]
# The voltage at which a pulse of each width changes the resistance tenfold, by interpolation of the logarithm. Its
# slope is the voltage per decade of time, the number that papers quote for the voltage-time dilemma.

# %%
threshold = np.array([np.interp(1.0, np.log10(row), voltage, left=np.nan, right=np.nan) for row in ratio.values])
known = np.isfinite(threshold)
slope = np.polyfit(np.log10(width.values[known]), threshold[known], 1)[0]
print(f"{-slope * 1e3:.0f} mV per decade of pulse width")

# %% [markdown]
# `otjdd.figure(ds)` draws the study quickly. For a journal, draw the Dataset with matplotlib: one column is 86 mm wide,
# text is 8 pt, and fonts stay text in the PDF.

# %%
style = {"font.size": 8, "axes.linewidth": 0.6, "pdf.fonttype": 42, "figure.dpi": 150}
with plt.rc_context(style):
    fig, ax = plt.subplots(figsize=(86 / 25.4, 64 / 25.4), layout="constrained")
    mesh = ax.pcolormesh(voltage, width, np.log10(ratio), shading="nearest", cmap="cividis", rasterized=True)
    ax.plot(threshold, width, "o-", color="white", markersize=3, linewidth=1)
    ax.set(yscale="log", xlabel="pulse amplitude (V)", ylabel="pulse width (s)")
    ax.text(0.05, 0.06, "line: tenfold change", color="white", transform=ax.transAxes)
    fig.colorbar(mesh, label="log$_{10}$ of resistance before / after")
    fig.savefig("switching-map.pdf")
    fig.savefig("switching-map.png", dpi=300)
fig

# %% [markdown]
# State in the caption: the case and its changes (`ds.attrs["case_resolved"]`), the version
# (`ds.attrs["otjdd_version"]`), that one column stands for the whole junction, and `model_limits` of single runs at the
# corners of the map.

# %%
corner = otjdd.run(
    "threshold-20ns",
    {"drive.parts[1].voltage": "2.6 V", "drive.parts[1].width": "1 ms", "columns.count": 1, "columns.spread": {}},
)
print(corner.attrs["model_limits"] or "within the limits of the model")

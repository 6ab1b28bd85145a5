"""A compact model and the solver: reads predicted against reads solved, and the error of each protocol.

Apart from `fit`, since compact models take long to load and no other figure needs them.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from otjdd.compact_models.error import constants
from otjdd.plot.style import BLUE, GREY, ORANGE, Figure, panels, style

ROW = 0.17  # inch, of a protocol
LEAST = 1e-4  # decades, least error that is drawn


def agreement(measured: xr.Dataset) -> Figure:
    """Figure of the measured error of a compact model. measured : the Dataset `CompactModel.measured`"""
    with style():
        fig, (left, right) = panels(2)
        solved, predicted = (1e6 * np.abs(measured[name].values) for name in ("sample_solved", "sample_predicted"))
        low, high = min(solved.min(), predicted.min()), max(solved.max(), predicted.max())
        left.plot([low, high], [low, high], color=GREY, linewidth=0.6)
        left.plot(solved, predicted, ".", color=BLUE, markersize=2, alpha=0.5, markeredgewidth=0)
        left.set(xscale="log", yscale="log", xlabel="read current, solver (μA)", ylabel="compact model (μA)")
        rms, worst = measured.error_rms.values, measured.error_worst.values
        constant, at = constants(measured)[:, 0], np.arange(measured.sizes["protocol"])
        names = [
            f"{name}{', worse than a constant' if off > alone else ''}"
            for name, off, alone in zip(measured.protocol.values, rms, constant, strict=True)
        ]
        fig.set_figheight(max(fig.get_figheight(), ROW * len(at)))
        right.plot(np.maximum(rms, LEAST), at, "o", color=BLUE, label="rms")
        right.plot(np.maximum(worst, LEAST), at, "|", color=ORANGE, markersize=7, label="largest")
        right.plot(np.maximum(constant, LEAST), at, "x", color=GREY, markersize=4, label="a constant")
        right.set(xscale="log", yticks=at, yticklabels=names, xlabel="error (decades)")
        right.invert_yaxis()
        fig.legend(*right.get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return fig

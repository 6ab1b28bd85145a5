"""A compact model beside the solver: reads predicted against reads solved, and the error of each protocol."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from otjdd.plot.style import BLUE, GREY, ORANGE, panels, style

ROW = 0.17  # inch, of a protocol


def agreement(measured: xr.Dataset) -> Figure:
    """Figure of the measured error of a compact model. measured : the Dataset `CompactModel.measured`"""
    with style():
        fig, (left, right) = panels(2)
        solved, predicted = (1e6 * np.abs(measured[name].values) for name in ("sample_solved", "sample_predicted"))
        low, high = min(solved.min(), predicted.min()), max(solved.max(), predicted.max())
        left.plot([low, high], [low, high], color=GREY, linewidth=0.6)
        left.plot(solved, predicted, ".", color=BLUE, markersize=2, alpha=0.5, markeredgewidth=0)
        left.set(xscale="log", yscale="log", xlabel="read current, solver (μA)", ylabel="compact model (μA)")
        names, at = measured.protocol.values, np.arange(measured.sizes["protocol"])
        fig.set_figheight(max(fig.get_figheight(), ROW * len(at)))
        right.plot(measured.error_rms.values, at, "o", color=BLUE, label="root mean square")
        right.plot(measured.error_worst.values, at, "|", color=ORANGE, markersize=7, label="largest")
        right.set(
            xlim=(0.0, 1.1 * measured.error_worst.values.max()),
            yticks=at,
            yticklabels=[str(name) for name in names],
            xlabel="error (decades)",
        )
        right.invert_yaxis()
        right.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    return fig

"""Panel of the kinds of columns: the current that each kind carries, in reads or at frozen ions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from otjdd.plot import reads
from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import CYCLE, GREY

if TYPE_CHECKING:
    import xarray as xr

STYLES = "-", "--", ":", "-."


def currents(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw |current| through each kind of columns and through all, in the reads or in the curves at frozen ions."""
    (of_reads if "kind_read_current" in runs[0].ds else of_curves)(axes, runs[0].ds)
    legend(axes)


def of_reads(axes: Axes, ds: xr.Dataset) -> None:
    """Draw the currents of the reads: against the write voltage of a loop, else against the number of the read."""
    swept = reads.steps_writes(ds)
    x = ds.write_voltage.values if swept else np.arange(1, ds.sizes["read"] + 1)
    total = np.abs(ds.read_current.values)
    drawn(axes, ds, x, total, np.abs(ds.kind_read_current.values), "-")
    axes.set(xlabel="write voltage (V)" if swept else "read")
    quantity_axis(axes, "y", total[total > 0.0], "current read", "A", log=True)


def of_curves(axes: Axes, ds: xr.Dataset) -> None:
    """Draw currents at frozen ions against the voltage, at the first temperature, with dashes for each state."""
    ds = ds.isel(temperature=0)
    total = np.abs(ds.bias_current.values)
    for i, state in enumerate(ds.state.values):
        own = np.abs(ds.kind_bias_current.values[i])
        named = f", {state}" if ds.sizes["state"] > 1 else ""
        drawn(axes, ds, ds.bias.values, total[i], own, STYLES[i % 4], named)
    axes.set(xlabel="voltage (V)")
    quantity_axis(axes, "y", total[total > 0.0], "|current|", "A", log=True)


def drawn(
    axes: Axes, ds: xr.Dataset, x: np.ndarray, total: np.ndarray, own: np.ndarray, style: str, named: str = ""
) -> None:
    """Draw currents of all (n,) and of each kind (n, kinds) over x; zeros are left out."""
    total, own = (np.where(values > 0.0, values, np.nan) for values in (total, own))
    axes.plot(x, total, color=GREY, linestyle=style, linewidth=2.5, alpha=0.5, label=f"all{named}")
    for i, kind in enumerate(ds.kind.values):
        share = float(ds.kind_share.values[i])
        axes.plot(x, own[:, i], reads.MARKERS[i % 6], linestyle=style, color=CYCLE[i % 6], linewidth=0.8, markersize=2.2,
                  label=f"{kind}, {share:.3g} of the area{named}")  # fmt: skip

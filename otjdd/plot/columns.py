"""Panels of the parts of a current, in reads or at frozen ions: kinds of columns, and channels of conduction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.plot import reads
from otjdd.plot.axes import NEAR_ZERO, legend, magnitude, quantity_axis
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import CYCLE, GREY

STYLES = "-", "--", ":", "-."
DEEPEST = 1e-4  # of the smallest current: smaller parts are not drawn


def currents(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw |current| through each kind of columns and through all columns, in the reads or in the curves at frozen ions."""
    ds = runs[0].ds
    labels = [
        f"{kind}, {share:.3g} of the area" for kind, share in zip(ds.kind.values, ds.kind_share.values, strict=True)
    ]
    if "kind_read_current" in ds:
        of_reads(axes, ds, np.abs(ds.kind_read_current.values), labels)
    else:
        of_curves(axes, ds, np.abs(ds.kind_bias_current.values), labels)
    legend(axes)


def channels(axes: Axes, runs: Sequence[NamedResult]) -> None:
    """Draw |current| by each channel of conduction and by all channels, in the reads or in the curves at frozen ions."""
    ds = runs[0].ds
    labels = [str(channel) for channel in ds.channel.values]
    if "read_channel_share" in ds:
        of_reads(axes, ds, np.abs(ds.read_current.values)[:, None] * ds.read_channel_share.values, labels)
    else:
        of_curves(axes, ds, np.abs(ds.bias_current.values)[..., None] * ds.bias_channel_share.values, labels)
    legend(axes)


def of_reads(axes: Axes, ds: xr.Dataset, parts: np.ndarray, labels: list[str]) -> None:
    """Draw the currents of the reads and their parts (n, parts): against the write voltage of a loop, else read by read."""
    swept = reads.steps_writes(ds)
    x = ds.write_voltage.values if swept else np.arange(1, ds.sizes["read"] + 1)
    total = np.abs(ds.read_current.values)
    drawn(axes, x, (total, parts), labels, "-")
    axes.set(xlabel="write voltage (V)" if swept else "read")
    positive = np.concatenate([total, parts.ravel()])
    quantity_axis(axes, "y", positive[positive > 0.0], "current read", "A", log=True)


def of_curves(axes: Axes, ds: xr.Dataset, parts: np.ndarray, labels: list[str]) -> None:
    """Draw currents at frozen ions and their parts (state, temperature, bias, parts), at the first temperature.

    Each state has dashes of its own.
    """
    total = np.abs(ds.bias_current.values[:, 0])
    for i, state in enumerate(ds.state.values):
        suffix = f", {state}" if ds.sizes["state"] > 1 else ""
        drawn(axes, ds.bias.values, (total[i], parts[i, 0]), labels, STYLES[i % 4], suffix)
    axes.set(xlabel="voltage (V)")
    far = np.abs(ds.bias.values) >= NEAR_ZERO * np.abs(ds.bias.values).max()
    drawn_currents = magnitude(np.concatenate([total[:, far].ravel(), parts[:, 0][:, far].ravel()]))
    quantity_axis(axes, "y", drawn_currents, "|current|", "A", log=True)
    lowest = max(np.nanmin(drawn_currents), DEEPEST * np.nanmin(magnitude(total[:, far])))
    axes.set_ylim(lowest / 3, np.nanmax(drawn_currents) * 3)


def drawn(
    axes: Axes, x: np.ndarray, currents: tuple[np.ndarray, np.ndarray], labels: list[str], style: str, suffix: str = ""
) -> None:
    """Draw the total current (n,) and its parts (n, parts), [A], over x (n,). Zeros are left out.

    currents : (total, parts)   suffix : end of all labels
    """
    total, parts = (np.where(values > 0.0, values, np.nan) for values in currents)
    axes.plot(x, total, color=GREY, linestyle=style, linewidth=2.5, alpha=0.5, label=f"all{suffix}")
    for i, label in enumerate(labels):
        axes.plot(x, parts[:, i], reads.MARKERS[i % 6], linestyle=style, color=CYCLE[i % 6], linewidth=0.8, markersize=2.2,
                  label=f"{label}{suffix}")  # fmt: skip

"""Panel of the kinds of columns: the current that each of them carries in the reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from otjdd.plot import reads
from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import CYCLE, GREY


def currents(axes: Any, runs: Sequence[NamedResult]) -> None:
    """|current| of each read through each kind, and of all, against the write voltage of a loop or read by read."""
    ds = runs[0].ds
    swept = reads.steps_writes(ds)
    x = ds.write_voltage.values if swept else np.arange(1, ds.sizes["read"] + 1)
    total = np.abs(ds.read_current.values)
    axes.plot(x, total, color=GREY, linewidth=2.5, alpha=0.5, label="all")
    for i, kind in enumerate(ds.kind.values):
        share = float(ds.kind_share.values[i])
        own = np.abs(ds.kind_read_current.values[:, i])
        axes.plot(x, own, reads.MARKERS[i % 6], linestyle="-", color=CYCLE[i % 6], linewidth=0.8, markersize=2.2,
                  label=f"{kind}, {share:.3g} of the area")  # fmt: skip
    axes.set(xlabel="write voltage (V)" if swept else "read")
    quantity_axis(axes, "y", total[total > 0.0], "current read", "A", log=True)
    legend(axes)

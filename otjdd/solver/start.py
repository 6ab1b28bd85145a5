"""What a run starts from, what it keeps, and where a result ends: the memory of a state by name, all of it or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.variables import OUTPUT

if TYPE_CHECKING:
    import xarray as xr

Start = dict[str, np.ndarray]  # memory of a state by name, see `otjdd.variables`; what is absent is as the case says


class KeptState(NamedTuple):
    """A state kept during a run."""

    time: float  # s
    voltage: float  # V, of the source
    junction_voltage: float  # V
    D_left: np.ndarray  # (K,) C/m2
    D_right: np.ndarray  # (K,)
    stack: np.ndarray  # (K, W) fields, band and charges, `integrate.stack_arrays` side by side
    start: Start  # of a run that goes on from here

    @property
    def c(self) -> np.ndarray:
        """Concentrations (K, N) [1/m3]."""
        return self.start["c"]


def at_snapshot(ds: xr.Dataset, number: int) -> Start:
    """State of a result at one of its snapshots, of which there are some."""
    return {name: ds[output].values[number] for name, output in OUTPUT.items() if output in ds}


def without(start: Start, *names: str) -> Start:
    """A start but for some of its variables."""
    return {name: value for name, value in start.items() if name not in names}

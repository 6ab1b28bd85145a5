"""What a run starts from, what it keeps, and where a result ends: the memory of a state by name, all of it or none.

The names are those of `physics.state.MEMORY`. A variable that is a row there, with a field here and an output, is kept,
started from, stored, and taken over by a run that goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr


class Start(NamedTuple):
    """What a run starts from: the arrays of `physics.state.MEMORY`; None for what a case says, or where there is none."""

    c: np.ndarray  # (K, N) 1/m3
    passed: np.ndarray | None = None  # (K, 2) 1/m2, vacancies that passed the electrodes before
    polarisation: np.ndarray | None = None  # (K,) C/m2
    temperature: np.ndarray | None = None  # (K,) K of a junction that its current warms
    advance: np.ndarray | None = None  # (K,) where the law of the polarisation stands, see `physics.polarisation`
    begun: np.ndarray | None = None  # (K,) C/m2
    towards: np.ndarray | None = None  # (K,)
    filling: np.ndarray | None = None  # (K, T) of traps whose filling takes time
    smooth: np.ndarray | None = None  # (K, N) 1/m3, around which single ions hop; None where it is c
    smooth_passed: np.ndarray | None = None  # (K, 2) 1/m2, its part of what passed
    draws: np.ndarray | None = None  # (1,) steps whose hops were drawn


# name -> output of a result that holds it, with a snapshot as the first dimension
OUTPUT = {name: f"state_{name}" for name in Start._fields} | {
    "c": "vacancy_concentration_columns", "polarisation": "snapshot_polarisation", "temperature": "snapshot_temperature",
    "filling": "trap_filling_groups",
}  # fmt: skip


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
        return self.start.c


def at_snapshot(ds: xr.Dataset, number: int) -> Start:
    """State of a result at one of its snapshots, of which there are some."""
    return Start(**{name: ds[output].values[number] for name, output in OUTPUT.items() if output in ds})

"""What a run starts from, and where a result ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr


class Start(NamedTuple):
    """What a run starts from."""

    c: np.ndarray  # (K, N) 1/m3
    polarisation: np.ndarray | None = None  # (K,) C/m2; None in films that have none
    temperature: np.ndarray | None = (
        None  # (K,) K of a junction that its current warms; None for that of the surroundings
    )
    passed: np.ndarray | None = None  # (K, 2) 1/m2, vacancies that passed the electrodes before; None for none
    smooth: np.ndarray | None = None  # (K, N) 1/m3, around which ions were drawn; None where it is c
    filling: np.ndarray | None = None  # (K, T) of traps whose filling takes time; None for that of the case


def at_snapshot(ds: xr.Dataset, number: int) -> Start:
    """State of a result at one of its snapshots, of which there are some."""
    warm = ds.get("snapshot_temperature")
    polar = ds.get("snapshot_polarisation")
    filled = ds.get("trap_filling_groups")
    return Start(
        ds.vacancy_concentration_columns.values[number],
        None if polar is None else polar.values[number],
        None if warm is None else warm.values[number],
        filling=None if filled is None else filled.values[number],
    )

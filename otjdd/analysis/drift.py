"""The drift time of the vacancies: the time scale of a set, independent of its effect on the current."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

SHARE = 0.01  # of the thickness of the film


def drift(ds: xr.Dataset) -> dict[str, float]:
    """Time [s] until the mean position of the vacancies has moved by SHARE of the film.

    It is interpolated between recorded times, so `record.every` should be "all". Raises ValueError if they move less.
    """
    time, moved = ds.time.values, abs(ds.vacancy_mean_position.values - float(ds.vacancy_mean_position[0]))
    share = moved / float(ds.cell_width.sum())
    if not len(share) or share.max() < SHARE:
        raise ValueError(f"the vacancies drift by less than {SHARE:g} of the film in the recorded times")
    i = int(np.argmax(share >= SHARE))
    return {"time": float(np.interp(SHARE, share[i - 1 : i + 1], time[i - 1 : i + 1]))}

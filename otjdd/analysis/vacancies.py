"""Numbers of the vacancies of a run: their drift time, the time scale of a set, and how many forming and cycles bring."""

from __future__ import annotations

import numpy as np

from otjdd.system.late import xr

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


def uptake(ds: xr.Dataset, settling: int = 1) -> dict[str, float]:
    """Numbers of a run with a read before forming, one after it, and two in each cycle that follows.

    settling : number of first cycles that `cycle` leaves out
    formed [1] : vacancies after forming over those before   cycle [1] : largest relative change of them over a cycle
    ratio [1] : high over low resistance of the last cycle
    Raises ValueError for a run with fewer reads.
    """
    count = np.interp(ds.read_time.values, ds.time.values, ds.vacancies.values)
    ends = count[3 + 2 * settling :: 2]
    if len(ends) < 2:
        raise ValueError(
            f"{len(count)} reads are less than one before forming, one after, and two in {settling + 2} cycles"
        )
    last = np.asarray(ds.read_resistance)[-2:]
    return {
        "formed": float(count[1] / count[0]),
        "cycle": float(np.abs(ends[1:] / ends[:-1] - 1.0).max()),
        "ratio": float(last.max() / last.min()),
    }

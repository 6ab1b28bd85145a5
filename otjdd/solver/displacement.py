"""The current that charges the junction, from the charge in recorded rows: at an instant, and its mean over an interval."""

from typing import NamedTuple

import numpy as np

SAME_SLOPE = 1e-6  # relative, of the voltage on both sides of a row in a straight piece


class Rates(NamedTuple):
    """Rates of a charge at recorded times: just before and just after each."""

    before: np.ndarray
    after: np.ndarray


def mean_rate(t: np.ndarray, charge: np.ndarray) -> np.ndarray:
    """Mean rate of a charge (T,) since the record before, 0 in the first.

    Right after a jump of the voltage a second record has the time of the one before it. What the jump charges is part of
    the rate in the interval that follows.
    """
    before = np.searchsorted(t, t) - 1  # last record of an earlier time
    before = np.searchsorted(t, t[before])  # the first one of that time
    took = t - t[before]
    later = np.diff(t, prepend=np.inf) > 0.0  # than the record before; the first has none
    mean: np.ndarray = np.divide(charge - charge[before], took, out=np.zeros(len(t)), where=later)
    return mean


def rates(t: np.ndarray, charge: np.ndarray, voltage: np.ndarray) -> Rates:
    """Rates (T,) of a charge at times t, on both sides of each.

    They are the slopes of the parabola through a record and its neighbours, within a straight piece of the source voltage;
    between two records without a third they are its mean. Both sides differ where the voltage has a corner. Right before
    and after a jump of the voltage, where the charge jumps too, and at both ends, they are those of the side that exists.
    """
    before, after = np.full(len(t), np.nan), np.full(len(t), np.nan)
    for start, end in pieces(t, voltage):
        if end > start:
            within = slice(start, end + 1)
            slope = np.gradient(charge[within], t[within], edge_order=2 if end > start + 1 else 1)
            after[start:end], before[start + 1 : end + 1] = slope[:-1], slope[1:]
    nowhere = np.isnan(before) & np.isnan(after)
    before, after = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    return Rates(np.where(nowhere, 0.0, before), np.where(nowhere, 0.0, after))


def pieces(t: np.ndarray, voltage: np.ndarray) -> list[tuple[int, int]]:
    """First and last rows of the straight pieces of a voltage (T,) at times t. Two pieces share the row at a corner."""
    if not len(t):
        return []
    took, changes = np.diff(t), np.diff(voltage)
    slope = np.divide(changes, took, out=np.zeros(len(took)), where=took > 0.0)
    rounding = np.divide(np.spacing(np.abs(voltage).max()), took, out=np.zeros(len(took)), where=took > 0.0)
    allowed = SAME_SLOPE * np.maximum(np.abs(slope[1:]), np.abs(slope[:-1])) + 2.0 * (rounding[1:] + rounding[:-1])
    corner = np.flatnonzero(np.abs(np.diff(slope)) > allowed) + 1
    jump = np.flatnonzero(took == 0.0)
    inner = np.concatenate((np.stack((corner, corner), 1), np.stack((jump, jump + 1), 1)))
    inner = np.unique(inner, axis=0)
    ends, starts = np.append(inner[:, 0], len(t) - 1), np.insert(inner[:, 1], 0, 0)
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True) if end >= start]

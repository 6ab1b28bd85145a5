"""The current that charges the junction, from the charge in recorded rows: at an instant, and its mean over an interval."""

from typing import NamedTuple

import numpy as np

SAME_SLOPE = 1e-6  # relative, of the voltage on both sides of a row in a straight piece
ROUND_OFF = 8.0  # last digits of a time, by which the ends of two blocks of a waveform may differ


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
    took = np.diff(t)
    lasting, mean = took > 0.0, quotients(np.diff(charge), took)
    inner = np.concatenate(([False], within_pieces(took, voltage), [False]))[: len(t)]
    curvature = np.zeros(len(t))  # of the parabola about an inner row
    curvature[inner] = (np.diff(mean) / np.maximum(took[1:] + took[:-1], np.finfo(float).tiny))[inner[1:-1]]
    at_start = np.where(inner[:-1], curvature[:-1], curvature[1:])  # the first row of a piece takes the next parabola
    at_end = np.where(inner[1:], curvature[1:], curvature[:-1])
    before, after = np.full(len(t), np.nan), np.full(len(t), np.nan)
    after[:-1][lasting], before[1:][lasting] = (mean - took * at_start)[lasting], (mean + took * at_end)[lasting]
    after[inner] = before[inner]  # of one parabola, whose slope from either side differs by round-off
    nowhere = np.isnan(before) & np.isnan(after)
    before, after = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    return Rates(np.where(nowhere, 0.0, before), np.where(nowhere, 0.0, after))


def simultaneous(t: np.ndarray) -> np.ndarray:
    """Times (T,) of records; times that differ by round-off from the one before are set equal to it."""
    same = np.concatenate(([False], t[1:] - t[:-1] <= ROUND_OFF * np.spacing(np.abs(t[1:]))))[: len(t)]
    return np.maximum.accumulate(np.where(same, -np.inf, t))


def within_pieces(took: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """True for those of the inner rows (T - 2,) at which a voltage (T,) has neither a corner nor a jump.

    took : (T - 1,) times between the rows [s]
    """
    if not len(took):
        return np.zeros(0, bool)
    slope = quotients(np.diff(voltage), took)
    rounding = quotients(np.full(len(took), np.spacing(np.abs(voltage).max())), took)
    allowed = SAME_SLOPE * np.maximum(np.abs(slope[1:]), np.abs(slope[:-1])) + 2.0 * (rounding[1:] + rounding[:-1])
    straight: np.ndarray = np.abs(np.diff(slope)) <= allowed
    return straight & (took[1:] > 0.0) & (took[:-1] > 0.0)


def quotients(changes: np.ndarray, took: np.ndarray) -> np.ndarray:
    """Changes (T - 1,) over the times that they took, 0 in intervals of no time."""
    return np.divide(changes, took, out=np.zeros(len(took)), where=took > 0.0)

"""Turning points and repeats of a swept quantity, and the noise floor of a current, from their values alone.

Second differences of a smooth curve keep their sign over many points. Second differences of white noise change their sign
from point to point in arccos(-2/3)/pi = 73 % of all cases.
"""

import numpy as np

JITTER = 1e-3  # of the range: smaller changes of a source that is read back are noise
APART = 0.4  # of the median step: largest difference of the values at one place of repeated sweeps


def branches(values: np.ndarray) -> np.ndarray:
    """Number (point,) of the monotonic piece that each point lies on, from 0. The turning point ends its piece."""
    least, marks, last = JITTER * max(np.ptp(values), np.finfo(float).tiny), [0], float(values[0])
    for i, value in enumerate(values.tolist()):  # a move is any number of steps that together are no noise
        if abs(value - last) >= least:
            marks.append(i)
            last = value
    signs, turns = np.sign(np.diff(values[marks])), []
    for k in np.flatnonzero(np.diff(signs)) + 1:
        near = signs[k - 1] * values[marks[k] : marks[k + 1]]
        end = int(np.argmax(near))
        # only a sweep of fine steps goes on to its turning point; a plateau there belongs to the piece after it
        fine = marks[k] - marks[k - 1] > 1 and near[end] - near[0] > 0.5 * np.abs(np.diff(near[: end + 1])).sum()
        turns.append(marks[k] + end * fine)
    return np.searchsorted(turns, np.arange(len(values)))


def period(values: np.ndarray) -> int:
    """Number of points after which the values repeat; the number of all points if they do not.

    A constant does not repeat, since it shows no sweep.
    """
    count, steps = len(values), np.abs(np.diff(values))
    if count < 4 or not np.ptp(values) > 0:
        return count
    moved = steps[steps > JITTER * np.ptp(values)]
    apart = APART * np.median(moved if moved.size else steps)  # each step of a slow sweep is that small
    for length in range(2, count // 2 + 1):
        if count % length == 0 and np.all(np.abs(values[length:] - values[:-length]) <= apart):
            return length
    return count


def same(values: np.ndarray, others: np.ndarray) -> bool:
    """True if two records have the same values of a swept quantity, within the accuracy of a source or a clock."""
    steps = np.abs(np.diff(values))
    moved = steps[steps > JITTER * max(np.ptp(values), np.finfo(float).tiny)]
    apart = APART * np.median(moved) if moved.size else JITTER * float(np.abs(values).max())
    return bool(np.all(np.abs(values - others) <= apart))


def restarts(time: np.ndarray) -> np.ndarray:
    """Number (point,) of the record of each point. A record begins where the time returns to its first value.

    Raises ValueError, with the index of the point, if the time runs back to another value.
    """
    back = np.flatnonzero(np.diff(time) < 0) + 1
    near = time[0] + 0.5 * max(time[1] - time[0], 0.0) if len(time) > 1 else time[0]
    for point in back:
        if time[point] > near:
            raise ValueError(int(point))
    return np.searchsorted(back, np.arange(len(time)), side="right")


ALTERNATE = 0.55  # share of changes of sign above which scatter is noise
FEWEST = 8  # least number of second differences for an estimate
LOST = 3.0  # currents below this multiple of the noise are lost in it
EVEN = 0.5  # noise of the smaller half over that of all, below which the scatter grows with the current and is no floor
SIGMA = 1.4826  # standard deviation over median absolute deviation, of a normal distribution
SECOND = np.sqrt(6.0)  # standard deviation of second differences over that of the noise


def noise_floor(current: np.ndarray) -> float:
    """Standard deviation [A] of the noise in which the smallest currents are lost; nan if none is lost.

    current : (n,) in the order of the measurement [A]
    """
    bends = np.diff(current, 2)
    sizes = np.abs(current)
    inside = np.maximum.reduce([sizes[:-2], sizes[1:-1], sizes[2:]])
    floor = np.nan
    for level in np.unique(np.quantile(sizes, np.linspace(0.1, 1.0, 19))) if len(sizes) > FEWEST else ():
        small = inside <= level
        pairs = small[1:] & small[:-1]
        if small.sum() < FEWEST or pairs.sum() < FEWEST // 2:
            continue
        sigma = deviation(bends[small])
        smaller = deviation(bends[small & (inside <= np.median(inside[small]))])
        turning = np.mean(np.sign(bends[1:][pairs]) != np.sign(bends[:-1][pairs]))
        lost = np.median(sizes[sizes <= level]) < LOST * sigma
        if turning >= ALTERNATE and lost and smaller > EVEN * sigma:
            floor = sigma
    return float(floor)


def deviation(bends: np.ndarray) -> float:
    """Standard deviation of white noise from its second differences (n,), robust against outliers."""
    return float(SIGMA * np.median(np.abs(bends)) / SECOND)

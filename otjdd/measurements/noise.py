"""The noise floor of a measured current, estimated from its scatter.

Second differences of a smooth curve keep their sign over many points. Second differences of white noise change their sign
from point to point in arccos(-2/3)/pi = 73 % of all cases.
"""

import numpy as np

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

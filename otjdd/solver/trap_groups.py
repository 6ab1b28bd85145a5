"""Into how many groups the traps of a case are divided: points on each piece of the band, and levels of a spread of depths.

A current by way of traps at x is about 1/cosh(a x/2), whose poles are pi/a from the axis: a = 4 kappa, by what a trap
loses of one electrode and gains of the other, and the field over kT, by which its level moves through the Fermi functions.
Gauss's rule with n points on a length l then errs by rho^-2n, rho = d + sqrt(1 + d^2) with d = 2 pi/(a l) (Trefethen, SIAM
Rev. 50, 67 (2008)). The lattice smooths what a Fermi function cuts, and hops have half of the decay, on one side of a trap.
The field is that of DROP over the film, whatever the drive: groups are the memory of a filling that takes time, and the
next drive goes on with them.
"""

import math
from itertools import product

import numpy as np

from otjdd.case.case import Case
from otjdd.case.traps import Trap
from otjdd.constants import BOLTZMANN_EV
from otjdd.laws.transmission import K0
from otjdd.physics.channels.traps import placed_traps
from otjdd.physics.junction import Channels, Junction, new_state
from otjdd.physics.traps.sites import FARTHEST, MOST_POINTS

DROP = 2.0  # eV
SHARE, LESS = 0.15, 0.25  # of rho^-2n that a current errs by, and points that are less than it asks for: at a tolerance
# of 1e-4 95 % of 70 random films of 2 to 14 nm at 77 to 400 K and up to 2.5 V are within 8e-5, and all within 3e-3
FEWEST_LEVELS = 19  # of a spread: steps of half a standard deviation
LEVEL_STEP = 1.0  # of kT, by which levels are apart at most


def coldest(case: Case) -> float:
    """Lowest temperature [K] of a case."""
    return min((case.temperature, *getattr(case.drive, "temperatures", ())))


def level_count(spread: float, kT: float) -> int:
    """Number of levels of a normal spread [eV] of depths, which are at most LEVEL_STEP kT apart."""
    if spread == 0.0:
        return 1
    return max(FEWEST_LEVELS, math.ceil(2.0 * FARTHEST * spread / (LEVEL_STEP * kT)) + 1)


def point_counts(trap: Trap, length: np.ndarray, mass: np.ndarray, kT: float, tolerance: float) -> np.ndarray:
    """Number of points (P,) that stand for traps on each piece of the band.

    length, mass : (P,) m and m0, of the pieces   tolerance : relative, of the current
    """
    by_barrier, by_field = 4.0 * np.sqrt(mass * K0 * trap.depth), DROP / length.sum() / kT
    if trap.relaxation_energy > 0.0:
        by_field *= 0.5
    if trap.hop_frequency > 0.0:
        by_barrier *= 0.5
    d = 2.0 * np.pi / ((by_barrier + by_field) * length)
    points = np.log(SHARE / tolerance) / (2.0 * np.arcsinh(d))
    counts: np.ndarray = np.clip(np.ceil(points - LESS), 2, MOST_POINTS).astype(np.int64)
    return counts


def channels_with_groups(
    case: Case, channels: Channels, length: np.ndarray, mass: np.ndarray, pieces: np.ndarray
) -> Channels:
    """Channels of a case with the groups of their traps.

    length, mass : (P,) as of `point_counts`   pieces : first piece of the band in each layer, and the one behind the last
    """
    kT, tolerance, groups = BOLTZMANN_EV * coldest(case), case.numerics.current_tolerance, [0, 0]
    levels, points = np.ones(len(channels.code), np.int64), np.ones((len(channels.code), len(length)), np.int64)
    for row, record in enumerate(case.device.beside_coherent.values(), 1):
        count = 0
        if isinstance(record, Trap):
            levels[row] = level_count(record.depth_spread, kT)
            points[row] = point_counts(record, length, mass, kT, tolerance)
            own = slice(None) if record.layer is None else slice(pieces[record.layer], pieces[record.layer + 1])
            count = int(points[row, own].sum() * levels[row]) if record.kinetic else 0
        groups.append(count)
    return channels._replace(first=np.cumsum(groups), levels=levels, points=points)


def regrouped(before: Junction, after: Junction, filling: np.ndarray) -> np.ndarray:
    """Filling (K, T) of the traps of a junction, along straight lines between those of another one, by place and level."""
    out: np.ndarray = np.zeros((len(filling), after.channels.first[-1]))
    for k, channel in product(range(len(filling)), np.flatnonzero(np.diff(after.channels.first))):
        old, new = (trap_places(junction, k, int(channel)) for junction in (before, after))
        first, start = before.channels.first[channel], after.channels.first[channel]
        own = filling[k, first : first + old[0].size * old[1].size].reshape(old[0].size, -1)
        along = np.column_stack([np.interp(new[0], old[0], of_level) for of_level in own.T])
        at = np.array([np.interp(new[1], old[1], of_place) for of_place in along])
        out[k, start : start + at.size] = at.ravel()
    return out


def trap_places(junction: Junction, k: int, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """Places [m] of the groups of traps of a channel in column k, and levels of each, over the outermost one."""
    without_fields = new_state(junction)
    levels = int(junction.channels.levels[channel])
    x: np.ndarray = placed_traps(junction, without_fields, k, channel).sites.x[::levels]
    return x, np.linspace(-1.0, 1.0, levels) if levels > 1 else np.zeros(1)

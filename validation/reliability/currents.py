"""Accuracy of the currents of random devices against a converged integral.

The devices are those of `devices` at rest, of 1 to 50 nm; every second one with electrons in its film, every third one with
a metal and the image force, every fourth one with WKB. Currents at the default tolerance are compared with those of the
same case at the tolerance FINE, where the bands have more pieces too.
"""

import math
import re
from typing import NamedTuple

import numpy as np

from validation.reliability import devices
from validation.reliability.devices import Shares

TOLERANCE, FINE = 1e-4, 1e-7
VOLTAGES = -2.0, -1.0, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 1.0, 2.0
SEED = 21
# Devices whose currents are the hardest to integrate: narrow levels, slow waves at the band edge of a lead, maxima at the
# top of the barrier, kinks of WKB. (seed, number of devices, thinnest, thickest film [m]) -> numbers of the devices.
HARD = {
    (2, 300, 3e-9, 10e-9): (19, 170, 180, 202, 224, 271, 277),
    (3, 150, 1e-9, 3e-9): (69, 116, 130, 131, 145),
    (4, 150, 10e-9, 50e-9): (17, 26, 29, 62, 78, 108, 120, 141),
    (SEED, 1000, 1e-9, 50e-9): (491, 747),
}


class Currents(NamedTuple):
    """Relative errors (n,) of the currents of a device.

    off : against the case at FINE   stated : error that the result itself states, `bias_current_level_error`
    """

    number: int
    off: np.ndarray
    stated: np.ndarray


def text(u: Shares, number: int, tolerance: float = TOLERANCE) -> str:
    """Case of a row at VOLTAGES, in one column without series resistance and compliance."""
    one = Shares(u.of | {"columns": 0.0, "resistance": 0.0, "compliance": 0.0, "transmission": float(number % 4 == 0)})
    written = (devices.with_electrons if number % 2 else devices.text)(one, number)
    voltages = ", ".join(f'"{V:g} V"' for V in VOLTAGES)
    written = re.sub(r"drive = .*\n", f'drive = {{kind = "iv", voltages = [{voltages}]}}\n', written)
    if number % 3 == 0 and '"metal"' in written:
        written = written.replace(
            "[device.film]\n", f"[device.film]\nimage_permittivity = {u.between('film_bend', 2, 5):g}\n"
        )
    return written.replace("[numerics]\n", f"[numerics]\ncurrent_tolerance = {tolerance:g}\n")


def at_rest_of(case) -> np.ndarray:
    """Columns (n, 2): conductance [S] of a case, and its stated error by levels. Raises SolverError."""
    from otjdd.physics.channels import transport
    from otjdd.solver import at_rest, integrate

    rows = []
    for _, run, V in at_rest.points_at_rest(case, [case.temperature]):
        integrate.jump(run, V)
        G, unseen, _, _, good = transport(run.junction, run.state, run.tangent.present, np.empty(1))
        rows.append((G if good else np.nan, unseen))
    return np.array(rows)


def compared(number: int, shares: Shares) -> Currents | None:
    """Errors of the currents of a device; None if a run stops with a SolverError."""
    from otjdd.case.case import parse_case
    from otjdd.errors import SolverError

    try:
        current, stated = at_rest_of(parse_case(text(shares, number))).T
        exact = at_rest_of(parse_case(text(shares, number, FINE)))[:, 0]
    except SolverError:
        return None
    known = exact > 1e-250  # S: squares of smaller numbers are outside the range of doubles
    return Currents(number, np.abs(current / np.where(known, exact, 1.0) - 1.0)[known], stated[known])


class Verdict(NamedTuple):
    """Counts over all currents. The currents in `stated` do not count in the others."""

    currents: int
    beyond: int  # errors above the tolerance
    far: int  # errors above ten tolerances
    stated: int  # currents with a stated error above the tolerance, by levels too narrow to resolve
    stopped: int  # devices whose run stopped
    worst: float  # relative error

    @property
    def good(self) -> bool:
        return self.far == 0 and self.beyond <= 0.001 * self.currents


def verdict(found: list[Currents | None]) -> Verdict:
    """Counts over devices."""
    some = [one for one in found if one is not None]
    off, stated = (np.concatenate([getattr(one, name) for one in some] or [np.zeros(0)]) for name in ("off", "stated"))
    off, silent = off[stated <= TOLERANCE], stated <= TOLERANCE
    beyond, far = (int((off > limit).sum()) for limit in (TOLERANCE, 10 * TOLERANCE))
    return Verdict(off.size, beyond, far, int((~silent).sum()), found.count(None), float(off.max(initial=0.0)))


def campaign(count: int, limit: float = 300.0, workers: int = 1) -> Verdict:
    """Verdict over random devices, each in its own process with a time limit [s]."""
    from otjdd.system.pool import team

    with team(workers, apart=True) as spread:
        jobs = enumerate(devices.drawn(count, SEED))
        return verdict(list(devices.in_order(spread(compared, jobs, limit=limit, lost=lambda arguments, error: None))))


def of_thickness(u: Shares, thinnest: float, thickest: float) -> Shares:
    """A row with a thickness between `thinnest` and `thickest` [m] instead of 1 and 50 nm."""
    nm = 1e9 * u.decades("thickness", thinnest, thickest)
    return Shares(u.of | {"thickness": math.log(nm) / math.log(50.0)})


def hard_ones() -> Verdict:
    """Verdict over the devices of HARD, in this process."""
    found = []
    for (seed, count, *thickness), numbers in HARD.items():
        rows = devices.drawn(count, seed)
        found += [compared(number, of_thickness(rows[number], *thickness)) for number in numbers]
    return verdict(found)

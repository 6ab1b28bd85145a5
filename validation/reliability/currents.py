"""Are the currents right? Random devices at random voltages, against a converged integral, and turned round.

A device of `devices` at rest, of 1 to 50 nm; every second with electrons in its film, every third with a metal and the
image force, every fourth by WKB. Its currents at the default tolerance are compared with those of the same case at FINE,
whose bands are cut into more pieces too, and with those of the device with its sides exchanged at the opposite voltages.
"""

import math
import re
from typing import NamedTuple

import numpy as np

from validation.reliability import devices
from validation.reliability.devices import Shares

TOLERANCE, FINE = 1e-4, 1e-7
VOLTAGES = -2.0, -1.0, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 1.0, 2.0
SAME = 1e-3  # of D: states of a device and its mirror image that differ by less are the same
SEED = 21
# Devices whose currents are the hardest to integrate: narrow levels, slow waves at the bottom of a lead, maxima at the top
# of the barrier, kinks of WKB; by seed, number of devices, range of thickness [m].
HARD = {
    (2, 300, 3e-9, 10e-9): (19, 170, 180, 202, 224, 271, 277),
    (3, 150, 1e-9, 3e-9): (69, 116, 130, 131, 145),
    (4, 150, 10e-9, 50e-9): (17, 26, 29, 62, 78, 108, 120, 141),
    (SEED, 1000, 1e-9, 50e-9): (491, 747),
}


class Currents(NamedTuple):
    """Relative errors of the currents of a device (n,), and what its result states of them.

    off : against the case at FINE   turned : against the mirrored device, nan where that has met the other of two stacks
    stated : by `bias_current_level_error`
    """

    number: int
    off: np.ndarray
    turned: np.ndarray
    stated: np.ndarray


def mirrored(u: Shares) -> Shares:
    """A device with its electrodes and its wells exchanged."""
    sides = {"left": "right", "right": "left"}
    name = {key: re.sub("left|right", lambda m: sides[m.group()], key) for key in u.of}
    return Shares({key: u.of[name[key]] for key in u.of})


def text(u: Shares, number: int, sign: float = 1.0, tolerance: float = TOLERANCE) -> str:
    """Case of a row at VOLTAGES times sign, without what limits its current. sign : -1 for a mirrored device"""
    one = Shares(u.of | {"columns": 0.0, "resistance": 0.0, "compliance": 0.0, "transmission": float(number % 4 == 0)})
    written = (devices.with_electrons if number % 2 else devices.text)(one, number)
    voltages = ", ".join(f'"{sign * V:g} V"' for V in VOLTAGES)
    written = re.sub(r"drive = .*\n", f'drive = {{kind = "iv", voltages = [{voltages}]}}\n', written)
    if number % 3 == 0 and '"metal"' in written:
        written = written.replace(
            "[device.film]\n", f"[device.film]\nimage_permittivity = {u.between('film_bend', 2, 5):g}\n"
        )
    written = written.replace("[numerics]\n", f"[numerics]\ncurrent_tolerance = {tolerance:g}\n")
    return written.replace('voltage = "0.3 V"', f'voltage = "{0.3 * sign:g} V"')


def at_rest_of(case) -> np.ndarray:
    """Conductances (n, 4) [S] of a case, the error stated by levels, D at the left and at the right [C/m2].

    Raises SolverError.
    """
    from otjdd.physics.transport import transport
    from otjdd.solver import at_rest, integrate

    rows = []
    for _, run, V in at_rest.points_at_rest(case, [case.temperature]):
        integrate.jump(run, V)
        G, unseen, _, _, good = transport(run.junction, run.state)
        rows.append((G if good else np.nan, unseen, run.state.D_left[0], run.state.D_right[0]))
    return np.array(rows)


def compared(number: int, shares: Shares) -> Currents | None:
    """Errors of the currents of a device; None where a run stops by name."""
    from otjdd.case.case import parse_case
    from otjdd.errors import SolverError

    try:
        current, stated, *D = at_rest_of(parse_case(text(shares, number))).T
        exact = at_rest_of(parse_case(text(shares, number, tolerance=FINE)))[:, 0]
        back, _, *D_back = at_rest_of(parse_case(text(mirrored(shares), number, -1.0))).T
    except SolverError:
        return None
    known = exact > 1e-250  # S: below it, squares leave the range of doubles
    size = np.where(known, exact, 1.0)
    apart = np.abs(D[0] + D_back[1]) + np.abs(D[1] + D_back[0])
    other = apart > SAME * (np.abs(D[0]) + np.abs(D[1]))
    off, turned = np.abs(current - exact) / size, np.where(other, np.nan, np.abs(current - back) / size)
    return Currents(number, off[known], turned[known], stated[known])


class Verdict(NamedTuple):
    """Counts over all currents; `stated` are left out of the others where their error is stated."""

    currents: int
    beyond: int  # one tolerance
    far: int  # ten tolerances
    turned: int  # mirrored currents apart by more than two tolerances
    stacks: int  # mirrored pairs that have met two stacks of electrons at one voltage, and are not compared
    stated: int  # currents with an error by levels too narrow to resolve, above the tolerance
    stopped: int  # devices
    worst: float  # relative error
    worst_turned: float

    @property
    def good(self) -> bool:
        return self.far == self.turned == 0 and self.beyond <= 0.001 * self.currents


def verdict(found: list[Currents | None]) -> Verdict:
    """Counts over devices."""
    some = [one for one in found if one is not None]
    off, turned, stated = (
        np.concatenate([getattr(one, name) for one in some] or [np.zeros(0)]) for name in ("off", "turned", "stated")
    )
    silent = stated <= TOLERANCE
    off, turned = off[silent], turned[silent]
    stacks, turned = int(np.isnan(turned).sum()), turned[~np.isnan(turned)]
    return Verdict(
        silent.size, int((off > TOLERANCE).sum()), int((off > 10 * TOLERANCE).sum()), int((turned > 2 * TOLERANCE).sum()),
        stacks, int((~silent).sum()), found.count(None), float(off.max(initial=0.0)), float(turned.max(initial=0.0)),
    )  # fmt: skip


def campaign(count: int, limit: float = 300.0, workers: int = 1) -> Verdict:
    """Verdict over random devices, each in a process of its own, with a limit of time [s]."""
    from otjdd.system.pool import team

    with team(workers, apart=True) as spread:
        jobs = enumerate(devices.drawn(count, SEED))
        return verdict(list(devices.in_order(spread(compared, jobs, limit=limit, lost=lambda arguments, error: None))))


def of_thickness(u: Shares, thinnest: float, thickest: float) -> Shares:
    """A row with its thickness between two [m] instead of 1 and 50 nm."""
    nm = 1e9 * u.decades("thickness", thinnest, thickest)
    return Shares(u.of | {"thickness": math.log(nm) / math.log(50.0)})


def hard_ones() -> Verdict:
    """Verdict over the devices of HARD, in this process."""
    found = []
    for (seed, count, *thickness), numbers in HARD.items():
        rows = devices.drawn(count, seed)
        found += [compared(number, of_thickness(rows[number], *thickness)) for number in numbers]
    return verdict(found)

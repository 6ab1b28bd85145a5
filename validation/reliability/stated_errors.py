"""Are the stated errors of reads honest? Random devices with errors estimated, against runs on far finer grids.

A device of `devices` on a grid of 48 or 96 cells: its reads, estimated and extrapolated, with their stated errors. The
truth is extrapolated from 192 and 384 cells with a tolerance of 1e-6, and with three times as many columns. Promised of all
reads: 95 % of the true errors are below three times the stated ones, and the median of stated over true is below 3.
"""

import math
import re
from typing import NamedTuple

import numpy as np

from validation.reliability import devices

KINDS = ("estimate", "extrapolate")
FINE = (384, 192)
MANY = 9  # columns of one that has three, of a normal distribution
STRICT = {"numerics.rtol": 1e-6, "numerics.atol": 1e-6, "numerics.current_tolerance": 1e-7}
WITHIN, SHARE, MEDIAN = 3.0, 0.95, 3.0
ROUND_OFF = 1e-7  # below it a true error is that of the truth


class Compared(NamedTuple):
    """Reads of one device with one kind of error: true and stated relative errors, of equal length."""

    number: int
    kind: str
    true: list[float]
    stated: list[float]


def case_of(number: int, shares, written=devices.text):
    """A random device with the default tolerances, 48 or 96 cells, and a grid that is not graded beyond 20."""
    from otjdd.case.case import parse_case

    text = re.sub(r"rtol = \S+\n", "", written(shares, number))
    case = parse_case(text)
    film = {"device.film.cells": 96 if number % 2 else 48, "device.film.grading": min(case.device.film.grading, 20.0)}
    return case.replace(film)


def compared(number: int, shares, written=devices.text) -> list[Compared]:
    """Both kinds for one device; none where a run stops or its reads carry no current."""
    from otjdd.errors import SolverError
    from otjdd.runs.error_estimate import extrapolated, logarithms
    from otjdd.runs.run import simulate

    case, found = case_of(number, shares, written), []
    strict = STRICT | ({"columns.count": MANY} if case.columns.count > 1 else {})
    try:
        fine = [simulate(case.replace(strict | {"device.film.cells": n})).read_resistance for n in FINE]
        exact = extrapolated(*map(logarithms, fine), FINE[0] / FINE[1])
        for kind in KINDS:
            ds = simulate(case.replace("numerics.error", kind))
            true, stated = np.abs(logarithms(ds.read_resistance) - exact), ds.read_resistance_error.values
            known = np.isfinite(true) & np.isfinite(stated)
            found.append(Compared(number, kind, true[known].tolist(), stated[known].tolist()))
    except SolverError:
        return []
    return found


class Verdict(NamedTuple):
    """All reads of one kind: their number, the share within WITHIN times the stated error, median of stated over true."""

    reads: int
    within: float
    median: float

    @property
    def honest(self) -> bool:
        return self.within >= SHARE and self.median < MEDIAN


def verdict(found: list[Compared]) -> Verdict:
    """The verdict on the reads of one kind."""
    true = np.array([e for one in found for e in one.true])
    stated = np.array([e for one in found for e in one.stated])
    if not true.size:
        return Verdict(0, math.nan, math.nan)
    within = true <= WITHIN * stated + ROUND_OFF
    return Verdict(true.size, float(within.mean()), float(np.median(stated / np.maximum(true, ROUND_OFF))))


def of_devices(count: int, seed: int, limit: float, workers: int, written=devices.text):
    """Results of `compared` for each random device, in a process of its own; None where it took longer than limit [s]."""
    from otjdd.system.pool import team

    def lost(arguments, error) -> None:
        if not isinstance(error, TimeoutError):
            raise error

    with team(workers, apart=True) as spread:
        jobs = ((number, shares, written) for number, shares in enumerate(devices.drawn(count, seed)))
        yield from devices.in_order(spread(compared, jobs, limit=limit, lost=lost))


class Campaign(NamedTuple):
    """Verdict on each kind, and numbers of the devices that are left out: over the limit of time, and without reads."""

    verdicts: dict[str, Verdict]
    slow: int
    without: int  # a run stopped, or its reads carry no current


def campaign(count: int, seed: int, limit: float = 150.0, workers: int = 1, written=devices.text) -> Campaign:
    """Verdicts over random devices, each given a limit of time [s]. written : `devices.text` or `devices.in_trains`"""
    found = list(of_devices(count, seed, limit, workers, written))
    reads = [one for each in found for one in each or ()]
    verdicts = {kind: verdict([one for one in reads if one.kind == kind]) for kind in KINDS}
    return Campaign(
        verdicts, found.count(None), sum(each is not None and not any(one.true for one in each) for each in found)
    )

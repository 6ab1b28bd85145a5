"""Stated errors of reads of random devices, against true errors from runs on much finer grids.

The devices are those of `devices` on a grid of 48 or 96 cells. Their reads are estimated and extrapolated, with stated
errors. The true values are extrapolated from 192 and 384 cells with a tolerance of 1e-6 and three times as many columns.
Required of all reads: 95 % of the true errors are below three times the stated ones, and the median of stated over true
errors is below 3.
"""

import math
import re
from typing import NamedTuple

import numpy as np

from validation.reliability import devices

KINDS = ("estimate", "extrapolate")
FINE = (384, 192)
MANY = 9  # columns for the true values of a device with three columns
STRICT = {"numerics.rtol": 1e-6, "numerics.atol": 1e-6, "numerics.current_tolerance": 1e-7}
WITHIN, SHARE, MEDIAN = 3.0, 0.95, 3.0
ROUND_OFF = 1e-7  # relative accuracy of the true values


class Compared(NamedTuple):
    """Reads of one device with one kind of error: true and stated relative errors (read,)."""

    number: int
    kind: str
    true: list[float]
    stated: list[float]


def case_of(number: int, shares, written=devices.text):
    """A random device with the default tolerances, 48 or 96 cells, and a grading of at most 20."""
    from otjdd.case.case import parse_case

    text = re.sub(r"rtol = \S+\n", "", written(shares, number))
    case = parse_case(text)
    film = {"device.film.cells": 96 if number % 2 else 48, "device.film.grading": min(case.device.film.grading, 20.0)}
    return case.replace(film)


def compared(number: int, shares, written=devices.text) -> list[Compared]:
    """Both kinds of errors of one device; [] if a run stops or its reads have no current."""
    from otjdd.errors import SolverError
    from otjdd.runs.error_estimate import logarithms
    from otjdd.runs.run import simulate
    from otjdd.solver.grid_error import extrapolated

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
    """All reads with one kind of error: their number, the share of true errors within WITHIN times the stated ones, and
    the median of stated over true errors."""

    reads: int
    within: float
    median: float

    @property
    def honest(self) -> bool:
        return self.within >= SHARE and self.median < MEDIAN


def verdict(found: list[Compared]) -> Verdict:
    """Verdict on all reads with one kind of error."""
    true = np.array([e for one in found for e in one.true])
    stated = np.array([e for one in found for e in one.stated])
    if not true.size:
        return Verdict(0, math.nan, math.nan)
    within = true <= WITHIN * stated + ROUND_OFF
    return Verdict(true.size, float(within.mean()), float(np.median(stated / np.maximum(true, ROUND_OFF))))


def of_devices(count: int, seed: int, limit: float, workers: int, written=devices.text):
    """Results of `compared` for each random device, in its own process; None if it took longer than limit [s]."""
    from otjdd.system.pool import team

    def lost(arguments, error) -> None:
        if not isinstance(error, TimeoutError):
            raise error

    with team(workers, apart=True) as spread:
        jobs = ((number, shares, written) for number, shares in enumerate(devices.drawn(count, seed)))
        yield from devices.in_order(spread(compared, jobs, limit=limit, lost=lost))


class Campaign(NamedTuple):
    """Verdict on each kind of error, and numbers of the devices left out: over the time limit, and without reads."""

    verdicts: dict[str, Verdict]
    slow: int
    without: int  # devices whose run stopped, or whose reads have no current


def campaign(count: int, seed: int, limit: float = 150.0, workers: int = 1, written=devices.text) -> Campaign:
    """Verdicts over random devices, each with a time limit [s]. written : `devices.text` or `devices.in_trains`"""
    found = list(of_devices(count, seed, limit, workers, written))
    reads = [one for each in found for one in each or ()]
    verdicts = {kind: verdict([one for one in reads if one.kind == kind]) for kind in KINDS}
    return Campaign(
        verdicts, found.count(None), sum(each is not None and not any(one.true for one in each) for each in found)
    )

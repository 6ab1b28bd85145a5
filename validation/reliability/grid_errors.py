"""Reads of random devices at default numerics against those on twice the cells: which runs tell of an error beyond 1 %?

The devices are those of `devices` at default cells, grading and tolerances; in turn bare, with electrons, polarised, both,
warmed by their current, and of two kinds of columns.
"""

import re
from typing import NamedTuple

import numpy as np

from validation.reliability import devices

SEEDS, BEYOND = (21, 22, 23), 0.01


class Grids(NamedTuple):
    """Largest difference of the reads of a device from those on twice the cells, and the error that its run tells."""

    number: int
    true: float
    stated: float


def text(u: devices.Shares, number: int) -> str:
    """Case of a row at default numerics, with what its number asks for."""
    written = (devices.text, devices.with_electrons, devices.with_polarisation, devices.with_both)
    case = re.sub(
        r"(rtol|cells|grading) = \S+\n", "", (written[number % 6] if number % 6 < 4 else devices.text)(u, number)
    )
    if number % 6 == 4:
        resistance, time = u.decades("rise", 1e4, 1e8), u.decades("rtol", 1e-10, 1e-4)
        case += f'[device.heat]\nresistance = "{resistance:.6e} K/W"\ntime_constant = "{time:.6e} s"\n'
    if number % 6 == 5:
        case, share = re.sub(r"columns = .*\n", "", case), round(u.between("columns", 0.05, 0.5), 4)
        density = float(re.search(r'density = "(\S+) 1/m\^3"\nsite', case)[1]) * u.between("rtol", 0.3, 1.0)
        case += (
            f'[[columns.kinds]]\nname = "a"\nshare = {share:.4f}\nset = {{ "ions.density" = "{density:.6e} 1/m^3" }}\n'
        )
        case += f'[[columns.kinds]]\nname = "b"\nshare = {1.0 - share:.4f}\n'
    return case


def compared(number: int, case_text: str) -> Grids | None:
    """The errors of a device; None if one of both runs stops."""
    from otjdd.case.case import parse_case
    from otjdd.errors import SolverError
    from otjdd.runs.error_estimate import coarser, logarithms
    from otjdd.runs.run import simulate

    case = parse_case(case_text)
    try:
        ds = simulate(case.replace("record.every", "none"), check_grid=True)
        fine = simulate(coarser(case, 2 * case.device.film.cells))
    except SolverError:
        return None
    off = np.abs(logarithms(ds.read_current) - logarithms(fine.read_current))
    return Grids(number, float(np.nanmax(off, initial=0.0)), float(ds.read_grid_error))


class Campaign(NamedTuple):
    """Numbers of devices compared, beyond BEYOND, told of these, told of others, and left out; the silent ones."""

    compared: int
    beyond: int
    told: int
    false: int
    slow: int
    silent: list[Grids]


def campaign(count: int, limit: float = 100.0, workers: int = 1, seeds=SEEDS) -> Campaign:
    """Random devices of each seed, each with a time limit [s]."""

    def lost(arguments, error) -> None:
        if not isinstance(error, TimeoutError):
            raise error

    from otjdd.system.pool import team

    outcomes = []
    for seed in seeds:
        with team(workers, apart=True) as spread:
            jobs = ((number, text(u, number)) for number, u in enumerate(devices.drawn(count, seed)))
            outcomes += list(devices.in_order(spread(compared, jobs, limit=limit, lost=lost)))
    grids = [outcome for outcome in outcomes if outcome is not None]
    beyond = [of for of in grids if of.true > BEYOND]
    silent = [of for of in beyond if not of.stated > BEYOND]
    told = sum(of.stated > BEYOND for of in grids)
    return Campaign(len(grids), len(beyond), len(beyond) - len(silent), told - len(beyond) + len(silent),
                    len(outcomes) - len(grids), silent)  # fmt: skip

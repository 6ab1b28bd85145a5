"""Converged reads of the cases in `cases`: computed with a strict tolerance, and extrapolated to small cells.

The order in the cell size is 2, so ln R is extrapolated from N/2 and N cells. The distance to the extrapolation from N/4
and N/2 cells bounds the remaining error. The numbers are kept in `cases/NAME.reads`, one read per line, so that all states
of the code are compared with the same reference.
"""

import math
from pathlib import Path
from typing import NamedTuple

CASES = Path(__file__).with_name("cases")


class Strict(NamedTuple):
    """Grid and tolerance of a reference."""

    cells: int  # of the finest grid
    rtol: float

    def changes(self, parts: int) -> dict:
        """Changes of a case for a grid with 1/parts of the cells and the grading of the finest grid."""
        tolerances = {"numerics.rtol": self.rtol, "numerics.atol": self.rtol, "numerics.current_tolerance": 1e-7}
        return tolerances | {"device.film.cells": self.cells // parts, "device.film.grading": 20.0}


STRICT = {"rv-loop": Strict(256, 1e-8), "ltp-ltd": Strict(256, 1e-8), "pulses": Strict(256, 1e-5)}
OWN = Strict(256, 1e-6)  # for the limit to which a state of the code itself converges


def extrapolated(coarse: list[float], fine: list[float]) -> list[float]:
    """Reads in the limit of small cells: Richardson's extrapolation of ln R. coarse : with half the cells of fine"""
    return [b * (b / a) ** (1 / 3) for a, b in zip(coarse, fine, strict=True)]


def errors(reads: list[float], exact: list[float]) -> tuple[float, float]:
    """Largest |ln(R/exact)| of all reads, and its root mean square."""
    off = [abs(math.log(a / b)) for a, b in zip(reads, exact, strict=True)]
    return max(off), math.sqrt(sum(e * e for e in off) / len(off))


def converged(state, name: str, strict: Strict) -> tuple[list[float], float]:
    """Converged reads [ohm] of a case by a state of the code, and how far ln R moved at most in the last extrapolation."""
    grids = [state.run(CASES / f"{name}.toml", strict.changes(parts)).reads for parts in (4, 2, 1)]
    found = extrapolated(*grids[1:])
    return found, errors(extrapolated(*grids[:2]), found)[0]


def write(name: str, reads: list[float]) -> None:
    """Keep the converged reads of a case [ohm]."""
    (CASES / f"{name}.reads").write_text("".join(f"{R:.9g}\n" for R in reads))


def read(name: str) -> list[float]:
    """Converged reads of a case [ohm]."""
    return [float(line) for line in (CASES / f"{name}.reads").read_text().split()]

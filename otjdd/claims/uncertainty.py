"""Numerical errors of the numbers of claims, from the same runs on half the cells, and there with smaller steps in time.

The scheme is of second order in the size of the cells: a third of the change from half the cells is the error of the grid
(Richardson, see `runs.error_estimate`). The change with a tenth of the tolerances, on half the cells, is that in time.
"""

import math
from collections.abc import Sequence

from otjdd.case.case import Case
from otjdd.case.numerics import LEAST_ATOL, LEAST_CURRENT_TOLERANCE, LEAST_RTOL
from otjdd.claims.trials import Trial

PARTS = 2  # into which the cells are merged
TIGHTER = 0.1  # of the tolerances


def coarse(case: Case) -> Case:
    """The case on half the cells."""
    return case.replace({"device.film.cells": case.device.film.cells // PARTS})


def strict(case: Case) -> Case:
    """The case on half the cells, with a tenth of the tolerances."""
    n = case.numerics
    return coarse(case).replace(
        {
            "numerics.rtol": max(LEAST_RTOL, TIGHTER * n.rtol),
            "numerics.atol": max(LEAST_ATOL, TIGHTER * n.atol),
            "numerics.current_tolerance": max(LEAST_CURRENT_TOLERANCE, TIGHTER * n.current_tolerance),
        }
    )


def varied(trials: Sequence[Trial], change) -> list[Trial]:
    """The trials of other cases. change : `coarse` or `strict`"""
    return [trial._replace(case=change(trial.case)) for trial in trials]


def errors(found: dict[str, float], on_half: dict[str, float], in_small_steps: dict[str, float]) -> dict[str, float]:
    """Error of each number [SI], from those of the three sets of runs; nan where one of them is missing."""
    grid = {name: (x - on_half.get(name, math.nan)) / (PARTS**2 - 1) for name, x in found.items()}
    return {
        name: abs(grid[name]) + abs(on_half.get(name, math.nan) - in_small_steps.get(name, math.nan)) for name in found
    }

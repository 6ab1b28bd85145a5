"""Numerical errors of the numbers of claims, from two runs on half the cells: with the same and with smaller time steps.

The scheme is of second order in the size of the cells: a third of the change between the full and half the number of cells
is the error of the grid (Richardson, see `runs.error_estimate`). The change on half the cells with a tenth of the
tolerances is the error in time.

Two runs can agree by chance, as in the difference of two equal currents. So the error in time is at least the change of
the number when each current changes at random within its tolerance.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from otjdd.case.case import Case
from otjdd.case.numerics import LEAST_ATOL, LEAST_CURRENT_TOLERANCE, LEAST_RTOL
from otjdd.claims import metrics
from otjdd.claims.claim import Claim
from otjdd.claims.trial import ClaimTrial

PARTS = 2  # divides the number of cells
TIGHTER = 0.1  # multiplies the tolerances
DRAWS = 16  # random changes of the currents: enough for a root mean square within a fifth
SEED = 1
CURRENTS = ("current", "conduction_current", "read_current", "read_resistance", "bias_current")


def coarse(case: Case) -> Case:
    """The case on half the cells."""
    film = case.device.film
    return case.replace(
        {"device.film": film.with_cells(film.cells // PARTS).model_dump(mode="json", exclude_none=True)}
    )


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


def varied(trials: Sequence[ClaimTrial], change: Callable[[Case], Case]) -> list[ClaimTrial]:
    """The trials with changed cases. change : `coarse` or `strict`"""
    return [trial._replace(case=change(trial.case)) for trial in trials]


def figure_errors(
    values: dict[str, float], on_half: dict[str, float], in_small_steps: dict[str, float], luck: dict[str, float]
) -> dict[str, float]:
    """Error [SI] of each number by name, from the numbers of the three sets of runs; nan where one is missing.

    luck : rms change [SI] of each number by the tolerances of the currents, from `noise`
    """
    stated = {}
    for name, x in values.items():
        half = on_half.get(name, math.nan)
        grid, time = abs(x - half) / (PARTS**2 - 1), abs(half - in_small_steps.get(name, math.nan))
        stated[name] = float(grid + np.maximum(time, luck.get(name, 0.0)))
    return stated


def noise(claim: Claim, trials: Sequence[ClaimTrial], values: dict[str, float]) -> dict[str, float]:
    """Root mean square change [SI] of each number when currents change at random within their tolerances.

    trials : with their Datasets   values : numbers of the metric from these trials
    nan for a number that cannot be measured with all changed currents.
    """
    random = np.random.default_rng(SEED)
    changes = []
    for _ in range(DRAWS if values else 0):
        try:
            moved = metrics.measured(claim.metric, [within_tolerance(t, random) for t in trials], **claim.settings)
        except ValueError:  # a fit without points raises ValueError
            moved = {}
        changes.append([moved.get(name, math.nan) - x for name, x in values.items()])
    rms = np.sqrt(np.mean(np.square(changes), axis=0)) if changes else ()
    return dict(zip(values, map(float, rms), strict=True))


def within_tolerance(trial: ClaimTrial, random: np.random.Generator) -> ClaimTrial:
    """The trial with each of its CURRENTS changed by a random factor within `current_tolerance`."""
    tolerance = trial.case.numerics.current_tolerance
    moved = {
        name: trial.ds[name] * (1 + tolerance * random.uniform(-1, 1, trial.ds[name].shape))
        for name in CURRENTS if name in trial.ds
    }  # fmt: skip
    return trial._replace(ds=trial.ds.assign(moved))

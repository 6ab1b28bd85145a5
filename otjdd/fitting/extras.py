"""Optional additions to a fit: profiles of the likelihood, and samples of the posterior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.fitting import covariance, posterior, profile
from otjdd.fitting.evaluate import evaluator
from otjdd.fitting.gradients import Gradient
from otjdd.fitting.least_squares import Solution
from otjdd.fitting.result import about
from otjdd.fitting.task import Task

if TYPE_CHECKING:
    import xarray as xr

    from otjdd.fitting.covariance import Errors
    from otjdd.fitting.evaluate import Evaluator


def added(
    ds: xr.Dataset, task: Task, *, profile: Sequence[str] = (), posterior: int = 0, seed: int = 1, workers: int = 1,
    words: Callable[[str], None] | None = None,
) -> xr.Dataset:  # fmt: skip
    """A fit with the profiles of parameters, and with samples of the posterior.

    profile : names of parameters   posterior : steps of each walker, 0 for none   words : called with the progress
    Adds profile_value and profile_chi_square (profile, place), and sample (draw, parameter) in coordinates.
    """
    if not profile and not posterior:
        return ds
    solution = solution_of(ds, task)
    found = covariance.standard_errors(task, solution)
    names = [parameter.name for parameter in task.parameters]
    with evaluator(task, workers) as evaluate:
        free = [name for name in profile if np.isfinite(found.error[names.index(name)])]
        if free:
            ds = with_profiles(ds, evaluate, solution, found, free, words)
        if posterior:
            ds = with_samples(ds, evaluate, solution, found, posterior, seed, words)
    return ds.assign_attrs(evaluations=int(ds.attrs["evaluations"]) + evaluate.count[0])


def solution_of(ds: xr.Dataset, task: Task) -> Solution:
    """Solution of a task from the Dataset of its fit."""
    values = task.aims + ds["residual"].values * task.sigma
    slopes = ds["jacobian"].values * task.sigma[:, None]
    gradient = Gradient(slopes, np.zeros(slopes.shape[1]))
    return Solution(ds["coordinate"].values, values, gradient, float(ds.attrs["solver_noise"]), 0, 0, ds.attrs["ended"])


def with_profiles(
    ds: xr.Dataset,
    evaluate: Evaluator,
    solution: Solution,
    found: Errors,
    names: Sequence[str],
    words: Callable[[str], None] | None,
) -> xr.Dataset:
    """A fit with the profiles of parameters."""
    rows = []
    for name in names:
        if words:
            words(f"profile of {name}")
        rows.append(
            profile.profile_likelihood(
                evaluate, solution, found, [p.name for p in evaluate.task.parameters].index(name)
            )
        )
    made = {
        "profile_value": (("profile", "place"), np.array([v for v, _ in rows]), about("value, in its unit")),
        "profile_chi_square": (("profile", "place"), np.array([s for _, s in rows]), about("least chi-square")),
    }
    return ds.assign(made).assign_coords(profile=("profile", names, about("key of the case")))


def with_samples(
    ds: xr.Dataset,
    evaluate: Evaluator,
    solution: Solution,
    found: Errors,
    steps: int,
    seed: int,
    words: Callable[[str], None] | None,
) -> xr.Dataset:
    """A fit with samples of its posterior."""

    def told(number: int) -> None:
        if words:
            words(f"posterior, step {number} of {steps}")

    samples, time = posterior.sample(evaluate, solution, found, steps, seed, told)
    ds = ds.assign(sample=(("draw", "parameter"), samples, about("coordinate, of the posterior")))
    ds.attrs["posterior_autocorrelation"] = time
    if not time < steps / 50:
        more = f"the posterior is short: {steps} steps for an autocorrelation of {time:.0f}; take {50 * time:.0f}"
        ds.attrs["warnings"] = "\n".join(filter(None, [ds.attrs["warnings"], more]))
    return ds

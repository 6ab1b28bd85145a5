"""Optional additions to a fit: profiles of the likelihood, and samples of the posterior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.fitting import covariance, posterior, profile
from otjdd.fitting.evaluate import Evaluator, evaluator
from otjdd.fitting.gradients import Gradient
from otjdd.fitting.least_squares import Solution
from otjdd.fitting.result import about
from otjdd.fitting.task import Task

if TYPE_CHECKING:
    import xarray as xr


def with_profiles(
    ds: xr.Dataset, task: Task, names: Sequence[str], workers: int = 1, words: Callable[[str], object] | None = None
) -> xr.Dataset:
    """A fit with the profiles of parameters: profile_value and profile_chi_square (profile, place).

    words : called with the progress. Raises KeyboardInterrupt with the fit and its complete profiles as its `partial`.
    """
    solution = solution_of(ds, task)
    errors = covariance.standard_errors(task, solution)
    order = [parameter.name for parameter in task.parameters]
    rows: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    with evaluator(task, workers) as evaluate:
        try:
            for name in names:
                if np.isfinite(errors.error[order.index(name)]):
                    if words:
                        words(f"profile of {name}")
                    rows[name] = profile.profile_likelihood(evaluate, solution, errors, order.index(name))
        except KeyboardInterrupt as error:
            error.partial = assign_profiles(ds, rows)  # type: ignore[attr-defined]  # an exception takes any attribute
            raise
    return with_evaluations(assign_profiles(ds, rows), evaluate)


def assign_profiles(ds: xr.Dataset, rows: dict[str, tuple[np.ndarray, np.ndarray]]) -> xr.Dataset:
    """A fit with profiles: name of the parameter -> values and least chi-squares (place,)."""
    if not rows:
        return ds
    values, squares = (np.array(column) for column in zip(*rows.values(), strict=True))
    profiles = {
        "profile_value": (("profile", "place"), values, about("value, in its unit")),
        "profile_chi_square": (("profile", "place"), squares, about("least chi-square")),
    }
    return ds.assign(profiles).assign_coords(profile=("profile", [*rows], about("key of the case")))


def with_posterior(
    ds: xr.Dataset, task: Task, steps: int, seed: int = 1, workers: int = 1,
    progress: Callable[[float], object] | None = None,
) -> xr.Dataset:  # fmt: skip
    """A fit with samples of its posterior: sample (draw, parameter) in coordinates.

    steps : of each walker   progress : called with the fraction done
    Raises KeyboardInterrupt with the fit and the samples so far as its `partial`; OSError without emcee.
    """
    solution = solution_of(ds, task)
    errors = covariance.standard_errors(task, solution)
    with evaluator(task, workers) as evaluate:
        try:
            samples, time = posterior.sample(evaluate, solution, errors, steps, seed, progress)
        except KeyboardInterrupt as error:
            partial = getattr(error, "partial", None)
            error.partial = assign_samples(ds, *partial) if partial else ds  # type: ignore[attr-defined]
            raise
    return with_evaluations(assign_samples(ds, samples, time), evaluate)


def assign_samples(ds: xr.Dataset, samples: np.ndarray, time: float) -> xr.Dataset:
    """A fit with samples (draw, parameter) of its posterior. time : of their autocorrelation, in steps"""
    steps = len(samples) / (1.0 - posterior.BURN) / posterior.walkers(ds.sizes["parameter"])
    ds = ds.assign(sample=(("draw", "parameter"), samples, about("coordinate, of the posterior")))
    ds.attrs["posterior_autocorrelation"] = time
    if not time < steps / 50:
        more = f"the posterior is short: {steps:.0f} steps for an autocorrelation of {time:.0f}; take {50 * time:.0f}"
        ds.attrs["warnings"] = "\n".join(filter(None, [ds.attrs["warnings"], more]))
    return ds


def with_evaluations(ds: xr.Dataset, evaluate: Evaluator[Task]) -> xr.Dataset:
    """A fit whose number of evaluations includes those of an evaluator."""
    return ds.assign_attrs(evaluations=int(ds.attrs["evaluations"]) + evaluate.count[0])


def solution_of(ds: xr.Dataset, task: Task) -> Solution:
    """Solution of a task from the Dataset of its fit."""
    values = task.aims + ds["residual"].values * task.sigma
    slopes = ds["jacobian"].values * task.sigma[:, None]
    gradient = Gradient(slopes, np.zeros(slopes.shape[1]), np.zeros(slopes.shape[1], bool))
    return Solution(ds["coordinate"].values, values, gradient, float(ds.attrs["solver_noise"]), 0, 0, ds.attrs["ended"])

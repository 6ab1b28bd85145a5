"""Errors of parameters: from the derivatives at the solution, profiles of the likelihood, samples of the posterior.

The covariance is the inverse of the Fisher information J^T J, where J are the derivatives of the residuals, in units of
their uncertainty, by the coordinates. Where uncertainties are estimated, the covariance is multiplied by the reduced
chi-square; with a robust loss, by Huber's factor (`curves.covariance_factor`). A parameter at its bound is fixed.

A profile is the least chi-square with one parameter fixed at each of several values, and all others fitted. The covariance
approximates it by a parabola that is 1 above its least value at one standard error. The profile shows asymmetric errors,
and parameters that the data do not determine.

The posterior is sampled by the ensemble sampler of emcee (Foreman-Mackey et al., PASP 125, 306 (2013)). The prior is flat
in the coordinates of the search, within the bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from otjdd.analysis.sweeps import SIGMA
from otjdd.fitting.curves import ESTIMATED, LINEAR, covariance_factor
from otjdd.fitting.least_squares import UNSURE, Gradient, Solution, cost, minimise
from otjdd.fitting.search import Evaluator, evaluator
from otjdd.fitting.task import Task
from otjdd.results.outputs import about
from otjdd.system.late import emcee, xr

AT = 2e-3  # natural steps: a parameter within this of its bound counts as at the bound
ALIKE = 0.95  # correlation above which two parameters are reported as inseparable
SAME = 0.9995  # correlation that is written as 1.000
WEAK = 0.1  # singular value of J with columns of length 1, below which a combination of parameters is badly determined
FAR_FROM_1 = 2.0  # factor from 1 beyond which a reduced chi-square is reported
CHANCE = 4.0  # standard deviations of the reduced chi-square of normal noise, within which a deviation is not reported
OUTLYING = 4.0  # robust scatters of the residuals, beyond which a residual belongs to an outlier
MOST_OUTLIERS = 20  # most outliers that are listed


class Errors(NamedTuple):
    """Uncertainty of a solution, in coordinates of the search.

    covariance, correlation : (parameter, parameter); parameters at a bound or without effect have 0, and 1 on the diagonal
        of the correlation
    error : (parameter,), nan for these parameters   at_bound : (parameter,) of bool
    reduced : chi-square over the degrees of freedom   scaled : True if the covariance is multiplied by `reduced`
    spread : factor of the covariance, see the module   warnings : undetermined parameters and other remarks
    outliers : points far from the fit, the worst first, in words
    """

    covariance: np.ndarray
    correlation: np.ndarray
    error: np.ndarray
    at_bound: np.ndarray
    reduced: float
    scaled: bool
    spread: float
    warnings: tuple[str, ...]
    outliers: tuple[str, ...]


def standard_errors(task: Task, solution: Solution) -> Errors:
    """Errors of the parameters of a solution, from its gradient."""
    gradient = solution.gradient
    assert gradient is not None  # only an interrupted search has none
    J = gradient.slopes / task.sigma[:, None]
    low, high = task.ends
    at_bound = (solution.x - low < AT) | (high - solution.x < AT)
    lengths = np.linalg.norm(J, axis=0)
    silent = ~(lengths > 0)
    free = np.flatnonzero(~at_bound & ~silent)
    freedom = len(J) - len(free)
    reduced = solution.chi_square(task) / freedom if freedom > 0 else np.nan
    scaled = task.loss == LINEAR and any(curve.uncertainty == ESTIMATED for curve in task.curves) and freedom > 0
    factor = covariance_factor(task.loss, task.residuals(solution.values), max(freedom, 1))
    factor = float(reduced) if scaled else factor
    covariance = np.zeros((len(lengths), len(lengths)))
    covariance[np.ix_(free, free)] = inverse_information(J[:, free]) * factor
    error = np.full(len(lengths), np.nan)
    error[free] = np.sqrt(np.diag(covariance)[free])
    correlation = np.eye(len(lengths))
    correlation[np.ix_(free, free)] = covariance[np.ix_(free, free)] / np.outer(error[free], error[free])
    names = [parameter.name for parameter in task.parameters]
    warnings = [f"{names[i]} is at its bound and was held" for i in np.flatnonzero(at_bound)]
    warnings += [f"{names[i]} changes nothing in these data" for i in np.flatnonzero(silent)]
    warnings += [f"the slope by {names[i]} is uncertain by {gradient.error[i]:.0%}: lower numerics.rtol" for i in free
             if gradient.error[i] > UNSURE]  # fmt: skip
    warnings += [f"the slope by {names[i]} comes from independent runs: the one along the steps of another fails or jumps"
                 for i in free if gradient.independent[i]]  # fmt: skip
    warnings += inseparable(J[:, free], correlation[np.ix_(free, free)], [names[i] for i in free])
    chance = CHANCE * np.sqrt(2 / freedom) if freedom > 0 else np.inf
    if reduced > max(FAR_FROM_1, 1 + chance):
        whose = "their scatter from point to point" if scaled else "their uncertainty"
        warnings.append(f"reduced chi-square {reduced:.3g}: the model misses the data by more than {whose}")
    elif reduced < min(1 / FAR_FROM_1, 1 - chance) and not scaled:
        less = "the data scatter less than their uncertainty says; errors are too large"
        warnings.append(f"reduced chi-square {reduced:.3g}: {less}")
    outlying = outliers(task, solution)
    return Errors(covariance, correlation, error, at_bound, float(reduced), scaled, factor, tuple(warnings), outlying)


def outliers(task: Task, solution: Solution) -> tuple[str, ...]:
    """Points with residuals beyond OUTLYING times the larger of 1 and their robust scatter, the worst first."""
    residuals = task.residuals(solution.values)
    size = np.abs(residuals)
    limit = OUTLYING * max(1.0, SIGMA * float(np.median(size)))
    sentences = []
    for number in np.argsort(-size)[:MOST_OUTLIERS]:
        if size[number] > limit:
            curve, at = task.point(int(number))
            way = "below" if residuals[number] > 0 else "above"
            where = f"{curve.label} line {curve.lines[at]}, {curve.axis} {curve.x[at]:g}"
            sentences.append(f"{where}: {size[number]:.1f} uncertainties {way} the fit")
    return tuple(sentences)


def inverse_information(J: np.ndarray) -> np.ndarray:
    """Inverse (parameter, parameter) of J^T J, by the singular values of J (point, parameter) with normalised columns."""
    lengths = np.linalg.norm(J, axis=0)
    _, s, V = np.linalg.svd(J / lengths, full_matrices=False)
    scaled = (V.T / np.maximum(s, 1e-12) ** 2) @ V
    return np.asarray(scaled / np.outer(lengths, lengths))


def inseparable(J: np.ndarray, correlation: np.ndarray, names: list[str]) -> list[str]:
    """Sentences on pairs of parameters that the data cannot separate, from the small singular values of J."""
    if len(names) < 2:
        return []
    _, s, V = np.linalg.svd(J / np.linalg.norm(J, axis=0), full_matrices=False)
    sentences = {}
    for direction in V[s < WEAK][::-1]:
        i, j = sorted(np.argsort(-np.abs(direction))[:2])
        if abs(correlation[i, j]) > ALIKE:
            sentences[i, j] = f"{names[i]} and {names[j]}: correlation {correlation[i, j]:.3f}; fix one"
    for i, j in np.argwhere(np.triu(np.abs(correlation) >= SAME, 1)).tolist():  # of a combination of three or more
        sentences.setdefault((i, j), f"{names[i]} and {names[j]}: correlation {correlation[i, j]:.3f}; fix one")
    return list(sentences.values())


REACH = 3.0  # standard errors to either side of the solution
COUNT = 9  # values, the solution among them
MOST = 6  # most evaluations of scipy at each value


def profile_likelihood(
    evaluate: Evaluator[Task], solution: Solution, errors: Errors, index: int
) -> tuple[np.ndarray, np.ndarray]:
    """Values (COUNT,) [SI] of a parameter around the solution, and the least chi-square (COUNT,) at each."""
    task = evaluate.task
    parameter, low, high = task.parameters[index], *(end[index] for end in task.ends)
    moves = np.linspace(-REACH, REACH, COUNT) * errors.error[index]
    places = np.clip(solution.x[index] + moves, low, high)
    rest = np.arange(len(solution.x)) != index
    follow = errors.covariance[rest, index] / errors.covariance[index, index]
    others = tuple(other for other in task.parameters if other is not parameter)
    squares = np.full(COUNT, np.nan)
    for i, place in enumerate(places):
        fixed = {parameter.key: parameter.value(place)}
        runs = tuple(
            run._replace(case=run.case.replace(fixed)) if parameter.data in (None, run.curves[0].data) else run
            for run in task.runs
        )
        task_held = replace(task, runs=runs, parameters=others)
        start = solution.x[rest] + follow * (place - solution.x[index])
        evaluate_others = Evaluator(task_held, evaluate.compute, evaluate.count, steps={}, alike={})
        if not rest.any():
            squares[i] = cost(task_held, evaluate_others([start])[0])
            continue
        optimum = minimise(evaluate_others, start, most=MOST, final=False, noise=solution.noise)
        squares[i] = cost(task_held, optimum.values)
    return np.array([parameter.value(place) for place in places]), squares


BURN = 0.3  # share of the steps that are left out at the beginning
WALKERS = 4  # walkers for each parameter


def walkers(parameters: int) -> int:
    """Number of walkers of a fit of some parameters."""
    return max(2, WALKERS * parameters // 2 * 2)


def sample(
    evaluate: Evaluator[Task], solution: Solution, errors: Errors, steps: int, seed: int,
    progress: Callable[[float], object] | None = None,
) -> tuple[np.ndarray, float]:  # fmt: skip
    """Samples (draw, parameter) of the posterior in coordinates, and the longest autocorrelation time [steps].

    steps : of each walker   progress : called with the fraction done
    Raises OSError without emcee, with what to install; KeyboardInterrupt with the samples so far as its `partial`.
    """
    task, rng = evaluate.task, np.random.default_rng(seed)
    low, high = task.ends
    count = walkers(len(solution.x))
    width = np.nan_to_num(errors.error, nan=1e-3)
    begin = np.clip(solution.x + width * rng.standard_normal((count, len(width))), low + 1e-9, high - 1e-9)

    def log_probability(places: np.ndarray) -> np.ndarray:
        inside = np.all((places >= low) & (places <= high), axis=1)
        out = np.full(len(places), -np.inf)
        if inside.any():
            out[inside] = [-cost(task, values) / errors.spread / 2 for values in evaluate(list(places[inside]))]
        return out

    try:
        sampler = emcee.EnsembleSampler(count, len(width), log_probability, vectorize=True)
    except ImportError as error:
        raise OSError("the posterior needs emcee: pip install 'otjdd[posterior]'") from error
    sampler.random_state = np.random.RandomState(seed).get_state()
    try:
        for number, _ in enumerate(sampler.sample(begin, iterations=steps), start=1):
            if progress:
                progress(number / steps)
    except KeyboardInterrupt as error:
        if sampler.iteration > 1:
            error.partial = samples_of_chain(sampler.get_chain()[: sampler.iteration])  # type: ignore[attr-defined]
        raise
    return samples_of_chain(sampler.get_chain())


def samples_of_chain(chain: np.ndarray) -> tuple[np.ndarray, float]:
    """Samples (draw, parameter) of a chain (step, walker, parameter) after BURN, and its autocorrelation time [steps]."""
    samples = chain[int(BURN * len(chain)) :].reshape(-1, chain.shape[2])
    return samples, float(np.max(emcee.autocorr.integrated_time(chain, quiet=True, tol=0)))


def with_profiles(
    ds: xr.Dataset, task: Task, names: Sequence[str], workers: int = 1, words: Callable[[str], object] | None = None
) -> xr.Dataset:
    """A fit with the profiles of parameters: profile_value and profile_chi_square (profile, place).

    words : called with the progress. Raises KeyboardInterrupt with the fit and its complete profiles as its `partial`.
    """
    solution = solution_of(ds, task)
    errors = standard_errors(task, solution)
    order = [parameter.name for parameter in task.parameters]
    rows: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    with evaluator(task, workers) as evaluate:
        try:
            for name in names:
                if np.isfinite(errors.error[order.index(name)]):
                    if words:
                        words(f"profile of {name}")
                    rows[name] = profile_likelihood(evaluate, solution, errors, order.index(name))
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
    errors = standard_errors(task, solution)
    with evaluator(task, workers) as evaluate:
        try:
            samples, time = sample(evaluate, solution, errors, steps, seed, progress)
        except KeyboardInterrupt as error:
            partial = getattr(error, "partial", None)
            error.partial = assign_samples(ds, *partial) if partial else ds  # type: ignore[attr-defined]
            raise
    return with_evaluations(assign_samples(ds, samples, time), evaluate)


def assign_samples(ds: xr.Dataset, samples: np.ndarray, time: float) -> xr.Dataset:
    """A fit with samples (draw, parameter) of its posterior. time : of their autocorrelation, in steps"""
    steps = len(samples) / (1.0 - BURN) / walkers(ds.sizes["parameter"])
    ds = ds.assign(sample=(("draw", "parameter"), samples, about("coordinate, of the posterior")))
    ds.attrs["posterior_autocorrelation"] = time
    if not time < steps / 50:
        more = f"the posterior is short: {steps:.0f} steps for an autocorrelation of {time:.0f}; take {50 * time:.0f}"
        ds.attrs["warnings"] = "\n".join(filter(None, [ds.attrs["warnings"], more]))
    return ds


def with_evaluations(ds: xr.Dataset, evaluate: Evaluator[Task]) -> xr.Dataset:
    """A fit whose number of evaluations includes the ones of an evaluator."""
    return ds.assign_attrs(evaluations=int(ds.attrs["evaluations"]) + evaluate.count[0])


def solution_of(ds: xr.Dataset, task: Task) -> Solution:
    """Solution of a task from the Dataset of its fit."""
    values = task.aims + ds["residual"].values * task.sigma
    slopes = ds["jacobian"].values * task.sigma[:, None]
    gradient = Gradient(slopes, np.zeros(slopes.shape[1]), np.zeros(slopes.shape[1], bool))
    return Solution(ds["coordinate"].values, values, gradient, float(ds.attrs["solver_noise"]), 0, 0, ds.attrs["ended"])

"""Posterior of the parameters by the ensemble sampler of emcee (Foreman-Mackey et al., PASP 125, 306 (2013)).

The prior is flat in the coordinates of the search, within the bounds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otjdd.fitting.covariance import Errors
from otjdd.fitting.evaluate import Evaluator
from otjdd.fitting.least_squares import Solution, cost
from otjdd.fitting.task import Task

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
    try:
        import emcee
    except ImportError as error:
        raise OSError("the posterior needs emcee: pip install 'otjdd[posterior]'") from error
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

    sampler = emcee.EnsembleSampler(count, len(width), log_probability, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    try:
        for number, _ in enumerate(sampler.sample(begin, iterations=steps), start=1):
            if progress:
                progress(number / steps)
    except KeyboardInterrupt as error:
        if sampler.iteration > 1:
            error.partial = drawn(sampler.get_chain()[: sampler.iteration])  # type: ignore[attr-defined]
        raise
    return drawn(sampler.get_chain())


def drawn(chain: np.ndarray) -> tuple[np.ndarray, float]:
    """Samples (draw, parameter) of a chain (step, walker, parameter) after BURN, and its autocorrelation time [steps]."""
    from emcee.autocorr import integrated_time

    samples = chain[int(BURN * len(chain)) :].reshape(-1, chain.shape[2])
    return samples, float(np.max(integrated_time(chain, quiet=True, tol=0)))

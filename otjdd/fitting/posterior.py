"""Posterior of the parameters by the ensemble sampler of emcee (Foreman-Mackey et al., PASP 125, 306 (2013)).

The prior is flat in the coordinates of the search, within the bounds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otjdd.fitting.covariance import Errors
from otjdd.fitting.evaluate import Evaluator
from otjdd.fitting.least_squares import Solution, cost

BURN = 0.3  # share of the steps that are left out at the beginning
WALKERS = 4  # walkers for each parameter


def sample(
    evaluate: Evaluator, solution: Solution, found: Errors, steps: int, seed: int,
    progress: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, float]:  # fmt: skip
    """Samples (draw, parameter) of the posterior in coordinates, and the longest autocorrelation time [steps].

    steps : of each walker   progress : called with the number of steps done
    Raises OSError without emcee, with what to install.
    """
    try:
        import emcee
    except ImportError as error:
        raise OSError("the posterior needs emcee: pip install 'otjdd[posterior]'") from error
    task, rng = evaluate.task, np.random.default_rng(seed)
    low, high = task.ends
    count = max(2, WALKERS * len(solution.x) // 2 * 2)
    width = np.nan_to_num(found.error, nan=1e-3)
    begin = np.clip(solution.x + width * rng.standard_normal((count, len(width))), low + 1e-9, high - 1e-9)

    def log_probability(places: np.ndarray) -> np.ndarray:
        inside = np.all((places >= low) & (places <= high), axis=1)
        out = np.full(len(places), -np.inf)
        if inside.any():
            out[inside] = [-cost(task, values) / found.spread / 2 for values in evaluate(list(places[inside]))]
        return out

    sampler = emcee.EnsembleSampler(count, len(width), log_probability, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    for number, _ in enumerate(sampler.sample(begin, iterations=steps), start=1):
        if progress:
            progress(number)
    tau = sampler.get_autocorr_time(quiet=True, tol=0)
    return sampler.get_chain(discard=int(BURN * steps), flat=True), float(np.max(tau))

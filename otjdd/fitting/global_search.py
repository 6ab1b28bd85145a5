"""The global search: CMA-ES (Hansen, arXiv:1604.00772) in the unit cube, from a place or from the best of many.

It needs no derivatives, and learns the correlations between parameters. Fits of measured files and calibrations on
claims use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

POPULATION = 16


def low_discrepancy(count: int, dimensions: int, seed: int) -> np.ndarray:
    """Scrambled Sobol points (count, dimensions), which fill the unit cube evenly."""
    from scipy.stats import qmc

    power = math.ceil(math.log2(max(count, 1)))
    return qmc.Sobol(dimensions, rng=np.random.default_rng(seed)).random_base2(power)[:count]


def search_globally(
    evaluate: Callable[[Sequence[np.ndarray]], list[tuple[float, Any]]], start: np.ndarray, *, evaluations: int,
    spread: float = 0.1, seed: int = 1, at_start: tuple[float, Any] | None = None,
    progress: Callable[[int, float, np.ndarray], None] | None = None,
) -> tuple[np.ndarray, Any, int]:  # fmt: skip
    """Find the place of the unit cube with the lowest score.

    evaluate : places -> (score, outcome) of each; an outcome is any object   at_start : those of the start, if known
    spread : first step   progress : called with evaluations done, best score and best place after each generation
    Returns the best place, its outcome, and the number of evaluations. A KeyboardInterrupt that ends the search has
    these as its attribute `partial`.
    """
    import cma

    start = np.asarray(start, dtype=float)
    score, of_best = at_start or evaluate([start])[0]
    best, done = start, 0
    options: dict[str, Any] = {
        "bounds": [0.0, 1.0], "maxfevals": evaluations, "seed": seed, "verbose": -9, "tolfun": 1e-3,
        "popsize": POPULATION, "signals_filename": "",  # "": do not read options from a file in the working folder
    }  # fmt: skip
    if len(start) == 1:
        options["maxstd_boundrange"] = math.inf  # cma cannot limit the step of a single parameter, and raises an error
    strategy = cma.CMAEvolutionStrategy(start, spread, options)
    try:
        while done < evaluations and not strategy.stop():
            places = strategy.ask()
            outcomes = evaluate(places)
            strategy.tell(places, [value for value, _ in outcomes])
            done += len(places)
            for place, (value, outcome) in zip(places, outcomes, strict=True):
                if value < score:
                    best, score, of_best = np.array(place), value, outcome
            if progress:
                progress(done, score, best)
    except KeyboardInterrupt as error:
        error.partial = best, of_best, done  # type: ignore[attr-defined]  # an exception takes any attribute
        raise
    return best, of_best, done

"""What fits and calibrations share: the global search, its memory of visited places, and checkpoints.

The global search is CMA-ES (Hansen, arXiv:1604.00772) in the unit cube between ends, from a place or from the best of many
that fill the cube. It needs no derivatives, and learns the correlations between parameters.

All places of a search follow from its beginning, its seed and the numbers at earlier places. A resumed search therefore
visits the same places again and reads their numbers instead of simulating. Its result is that of a search without
interruption.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from otjdd.fitting.evaluate import Evaluator
from otjdd.results.outputs import about
from otjdd.solver.checkpoint import checkpoint_path
from otjdd.system.limits import shielded

if TYPE_CHECKING:
    import xarray as xr

POPULATION = 16
SAVED = 1.0  # s, at least, between two writes of a search that goes on
SHARE = 0.05  # of the time of a search that these writes take, at most
Latest = TypeVar("Latest")


class Best(NamedTuple):
    """The best place (parameter,) of a search, the numbers (n,) there and their score."""

    x: np.ndarray
    values: np.ndarray
    score: float


def globally(
    evaluate: Evaluator[Any], score: Callable[[np.ndarray], float], start: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray], *, evaluations: int, filling: int = 0, spread: float = 0.1, seed: int = 1,
    progress: Callable[[Best, Sequence[float]], None] | None = None,
) -> tuple[Best, list[float]]:  # fmt: skip
    """The best place between two ends (parameter,), the one with the lowest score, and the scores of all in order.

    start : coordinates (parameter,)   score : of the numbers (n,) of a place
    evaluations : at most, and whole generations   filling : how many of them fill the cube evenly before the others
    spread : first step of the others   progress : called with the best place and all scores after each generation
    """
    import cma
    from scipy.stats import qmc

    low, high = ends
    (values,) = evaluate([start])
    best = Best(start, values, score(values))
    scores = [best.score]

    def visit(cubes: Sequence[np.ndarray]) -> list[float]:
        nonlocal best
        places = [np.asarray(low + np.asarray(cube) * (high - low)) for cube in cubes]
        rows = evaluate(places)
        new = [score(row) for row in rows]
        scores.extend(new)
        least = int(np.argmin(new))
        if new[least] < best.score:
            best = Best(places[least], rows[least], new[least])
        if progress:
            progress(best, scores)
        return new

    power = math.ceil(math.log2(max(filling, 1)))
    filled = qmc.Sobol(len(start), rng=np.random.default_rng(seed)).random_base2(power)[:filling]
    for number in range(0, filling, POPULATION):
        visit(list(filled[number : number + POPULATION]))
    options: dict[str, Any] = {
        "bounds": [0.0, 1.0], "maxfevals": evaluations - filling, "seed": seed, "verbose": -9, "tolfun": 1e-3,
        "popsize": POPULATION, "signals_filename": "",  # "": do not read options from a file in the working folder
    }  # fmt: skip
    if len(start) == 1:
        options["maxstd_boundrange"] = math.inf  # cma cannot limit the step of a single parameter, and raises an error
    strategy = cma.CMAEvolutionStrategy(np.clip((best.x - low) / (high - low), 0.0, 1.0), spread, options)
    done = filling
    while done < evaluations and not strategy.stop():
        cubes = strategy.ask()
        strategy.tell(cubes, visit(cubes))
        done += len(cubes)
    return best, scores


def visits(visited: Mapping[bytes, np.ndarray], dim: str) -> dict[str, tuple[Any, ...]]:
    """Variables of the places (visit, parameter) of a search and of the numbers (visit, `dim`) there."""
    places = np.array([np.frombuffer(place) for place in visited])
    return {
        "visited_point": (("visit", "parameter"), places, about("coordinates at which the search has simulated")),
        "visited_values": (("visit", dim), np.array(list(visited.values())), about("numbers there")),
    }


def visits_of(ds: xr.Dataset) -> dict[bytes, np.ndarray]:
    """Bytes of a place -> numbers (n,) there, of a search in a Dataset; {} if it holds none."""
    if "visited_point" not in ds:
        return {}
    places = np.ascontiguousarray(ds["visited_point"].values)
    return {place.tobytes(): values for place, values in zip(places, ds["visited_values"].values, strict=True)}


def now_and_then(write: Callable[[Latest], None]) -> Callable[[Latest], None]:
    """Function to call after each evaluation of a search: from time to time it writes the search so far."""
    due = time.monotonic() + SAVED

    def save(latest: Latest) -> None:
        nonlocal due
        now = time.monotonic()
        if now > due:
            with shielded():
                write(latest)
            due = time.monotonic() + max(SAVED, (time.monotonic() - now) / SHARE)

    return save


def earlier(out: Path) -> Path | None:
    """File to resume a search from: the checkpoint of a killed search, else the result; None if neither exists."""
    return next((path for path in (checkpoint_path(out), out) if path.exists()), None)

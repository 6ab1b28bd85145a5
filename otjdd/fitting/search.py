"""What fits and calibrations share: evaluation by several processes, the global search, and the record of visited places.

The global search is CMA-ES (Hansen, arXiv:1604.00772) in the unit cube between ends, from a place or from the best of many
that fill the cube. It needs no derivatives, and learns the correlations between parameters.

All places of a search follow from its beginning, its seed and the numbers at earlier places. A resumed search therefore
visits the same places again and reads their numbers instead of simulating. Its result is the same as of a search without
interruption.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from otjdd.case.case import Case
from otjdd.case.drive_curves import Prepared
from otjdd.case.fit import LOSSES
from otjdd.fitting.parameters import Parameter
from otjdd.results import store
from otjdd.results.outputs import about
from otjdd.solver.checkpoint import checkpoint_path
from otjdd.solver.start import NO_STEPS, Steps
from otjdd.system.late import cma, scipy, xr
from otjdd.system.limits import shielded
from otjdd.system.pool import team

Compute = Callable[..., Iterable[tuple[int, Any]]]  # runs jobs in several processes, see `pool.team`
MOST_PLACES = 4  # last places of the search whose time steps are stored


class Simulated(NamedTuple):
    """Result of a job: numbers (n,), and the time steps of its run (see `solver.start`)."""

    numbers: np.ndarray
    steps: Steps = NO_STEPS


def noise_along(case: Case) -> float:
    """Noise of the logarithms of currents along the time steps of another run, from the tolerances of fields and currents.

    A curve at frozen ions chooses the energies of each current anew, with a noise of 2e-7 (rms) after a set.
    """
    return 2e-7 if isinstance(case.drive, Prepared) else 2e-9


def takes_trail(case: Case) -> bool:
    """True for a case whose run can take the time steps of another one."""
    return case.drive.kind != "patterns" and case.numerics.error == "none" and case.ions.noise == "none"


@dataclass(frozen=True, kw_only=True)
class Searched(ABC):
    """A task over parameters, which has runs for each place of a search, and numbers of these."""

    parameters: tuple[Parameter, ...]

    @property
    @abstractmethod
    def simulate(self) -> Callable[..., Simulated]:
        """Function that simulates a job. An optional last argument is the steps of another run, which this run takes."""

    @property
    @abstractmethod
    def simulated_cases(self) -> Sequence[Case]:
        """Cases of all runs."""

    @abstractmethod
    def jobs(self, x: np.ndarray) -> list[tuple[Any, ...]]:
        """Arguments of `simulate` for each job at a place x (parameter,) of the search."""

    def joined(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Numbers (n,) on their scales, from those of all jobs of a place, in order."""
        return np.concatenate(parts)

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates (parameter,) of the lower and of the upper bounds."""
        low, high = np.array([parameter.ends for parameter in self.parameters]).T
        return low, high

    @property
    def follows(self) -> bool:
        """True if every run can take the time steps of another one."""
        return all(map(takes_trail, self.simulated_cases))

    @property
    def noise_along(self) -> float:
        """Noise of the numbers of runs that take the time steps of another one."""
        return max(map(noise_along, self.simulated_cases))


@dataclass(frozen=True, kw_only=True)
class Aimed(Searched):
    """A task whose numbers have aims.

    loss : of the residuals, one of `case.fit.LOSSES`
    rough : True if numbers may take few values, or fail and have residuals nevertheless
    """

    loss: str = LOSSES[0]
    rough: bool = False

    def global_ends(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ends (parameter,) of the global search from a place (parameter,): the bounds."""
        return self.ends

    @abstractmethod
    def global_score(self, numbers: np.ndarray) -> float:
        """What the global search minimises, finite for any numbers (n,)."""

    def check_start(self, numbers: np.ndarray) -> None:
        """Raise DataError if a search cannot start from a place with numbers (n,). Any place may be a start here."""

    @abstractmethod
    def residuals(self, numbers: np.ndarray) -> np.ndarray:
        """Residuals (residual,) of numbers (n,), whose loss the search minimises."""

    @abstractmethod
    def jacobian(self, numbers: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives (residual, parameter) of the residuals, from the slopes (n, parameter) of numbers (n,)."""


AnyTask = TypeVar("AnyTask", bound=Searched)
AimedTask = TypeVar("AimedTask", bound=Aimed)


class Evaluator(NamedTuple, Generic[AnyTask]):
    """Evaluates a task at places of the search.

    compute : runs jobs in several processes, see `pool.team`   count : of evaluations and of Jacobians so far
    visited : bytes of a place -> numbers (n,), which are not simulated again; None to simulate every place
    report : called with each simulated place that is added to `visited`, and with its numbers
    chosen : (n,) of bool, the numbers that are asked for; None for all
    steps : bytes of a place -> steps of the runs there, of the last places; None to store no steps
    alike : bytes of a place whose runs took the steps of runs nearby -> True if they evaluated as many currents in each
        call as the runs nearby
    """

    task: AnyTask
    compute: Compute
    count: list[int]  # type: ignore[assignment]  # in the place of the method of tuples
    visited: dict[bytes, np.ndarray] | None = None
    report: Callable[[np.ndarray, np.ndarray], None] | None = None
    steps: dict[bytes, list[Steps]] | None = None
    alike: dict[bytes, bool] | None = None
    chosen: np.ndarray | None = None

    def __call__(self, points: Sequence[np.ndarray], near: np.ndarray | None = None) -> np.ndarray:
        """Simulated numbers (place, n), at places (parameter,) of the search. The numbers of a run that fails are nan.

        near : place (parameter,) whose time steps the runs take; None to choose them
        """
        self.count[0] += len(points)
        rows = np.array(self.simulated(points, near=near) if self.visited is None else self.recalled(points, near))
        return rows if self.chosen is None else rows[:, self.chosen]

    def recalled(self, points: Sequence[np.ndarray], near: np.ndarray | None) -> list[np.ndarray]:
        """Numbers (n,) of each place. Only those that are not in `visited` are simulated."""
        visited = self.visited
        assert visited is not None
        new = {x.tobytes(): x for x in map(np.asarray, points) if x.tobytes() not in visited}
        names = list(new)

        def remember(place: int, values: np.ndarray) -> None:
            visited[names[place]] = values
            if self.report:
                self.report(new[names[place]], values)

        self.simulated(list(new.values()), remember, near)
        return [visited[np.asarray(x).tobytes()] for x in points]

    def simulated(
        self, points: Sequence[np.ndarray], done: Callable[[int, np.ndarray], None] | None = None,
        near: np.ndarray | None = None,
    ) -> list[np.ndarray]:  # fmt: skip
        """Numbers (n,) of each place, simulated again.

        done : called with the index of a place and its numbers as soon as the last of its jobs has ended
        """
        jobs = [self.task.jobs(x) for x in points]
        given = self.steps_at(near) if near is not None and points else []
        if given:
            jobs = [[(*job, steps) for job, steps in zip(at, given, strict=True)] for at in jobs]
        owners = [(place, part) for place, of_place in enumerate(jobs) for part in range(len(of_place))]
        parts: list[dict[int, Simulated]] = [{} for _ in jobs]
        rows = [np.empty(0)] * len(jobs)
        for number, simulated in self.compute(self.task.simulate, [job for of_place in jobs for job in of_place]):
            place, part = owners[number]
            parts[place][part] = simulated
            if len(parts[place]) == len(jobs[place]):
                in_order = [parts[place][i] for i in range(len(jobs[place]))]
                rows[place] = self.task.joined([part.numbers for part in in_order])
                self.keep_steps(points[place], [part.steps for part in in_order], given)
                if done:
                    done(place, rows[place])
        return rows

    def keep_steps(self, x: np.ndarray, steps: list[Steps], given: Sequence[Steps] = ()) -> None:
        """Store the steps of the runs at a place (parameter,), or only in `alike` whether they are like the `given` steps.

        Beyond MOST_PLACES places the oldest steps are dropped.
        """
        name = np.asarray(x).tobytes()
        if given and self.alike is not None:
            self.alike[name] = all(own.alike(other) for own, other in zip(steps, given, strict=True))
        if not given and self.steps is not None:
            self.steps[name] = steps
            for old in list(self.steps)[:-MOST_PLACES]:
                del self.steps[old]

    def steps_at(self, x: np.ndarray) -> list[Steps]:
        """Steps of the runs at a place (parameter,). A place whose steps are not stored is simulated once more."""
        if self.steps is None or x.tobytes() not in self.steps:
            self.simulated([x])
        return [] if self.steps is None else self.steps[x.tobytes()]

    def all_alike(self, points: Sequence[np.ndarray], near: np.ndarray) -> bool:
        """True if the runs at places (parameter,) evaluated as many currents in each call as the runs at `near`.

        The runs took the time steps of the runs at `near`. Places of a resumed search, of which only numbers are stored,
        are simulated once more.
        """
        if self.alike is None:
            return False
        self.simulated([x for x in points if np.asarray(x).tobytes() not in self.alike], near=near)
        return all(self.alike[np.asarray(x).tobytes()] for x in points)


@contextmanager
def evaluator(
    task: AnyTask, workers: int, visited: dict[bytes, np.ndarray] | None = None
) -> Iterator[Evaluator[AnyTask]]:
    """Context with an Evaluator, whose processes end with the block. visited : as in `Evaluator`"""
    with team(workers) as compute:
        yield Evaluator(task, compute, [0, 0], visited, steps={}, alike={})


POPULATION = 16
SAVED = 1.0  # s, at least, between two writes of a search that goes on
SHARE = 0.05  # of the time of a search that these writes take, at most
Latest = TypeVar("Latest")


class SearchSettings(NamedTuple):
    """SearchSettings of a search.

    evaluations : of the global search, at most, and whole generations; 0 for none
    filling : share of them that fill the cube evenly before the others   spread : first step of the others
    seed : of the global search   jacobians : most of the least squares; 0 for none
    final : True to measure the gradient at the end
    """

    evaluations: int = 0
    filling: float = 0.0
    spread: float = 0.1
    seed: int = 1
    jacobians: int = 30
    final: bool = True


def global_search(
    evaluate: Evaluator[AimedTask], start: np.ndarray, settings: SearchSettings
) -> tuple[np.ndarray, list[float]]:
    """The place (parameter,) with the lowest `global_score` between the ends, and the scores of all places in order.

    start : coordinates (parameter,)
    """
    score, (low, high) = evaluate.task.global_score, evaluate.task.global_ends(start)
    filling, seed = int(settings.evaluations * settings.filling), settings.seed
    best, scores = start, [score(evaluate([start])[0])]

    def visit(cubes: Sequence[np.ndarray]) -> list[float]:
        nonlocal best
        places = [np.asarray(low + np.asarray(cube) * (high - low)) for cube in cubes]
        new = [score(row) for row in evaluate(places)]
        if min(new) < min(scores):
            best = places[int(np.argmin(new))]
        scores.extend(new)
        return new

    power = math.ceil(math.log2(max(filling, 1)))
    filled = scipy.stats.qmc.Sobol(len(start), rng=np.random.default_rng(seed)).random_base2(power)[:filling]
    for number in range(0, filling, POPULATION):
        visit(list(filled[number : number + POPULATION]))
    options: dict[str, Any] = {
        "bounds": [0.0, 1.0], "maxfevals": settings.evaluations - filling, "seed": seed, "verbose": -9, "tolfun": 1e-3,
        "popsize": POPULATION, "signals_filename": "",  # "": do not read options from a file in the working folder
    }  # fmt: skip
    if len(start) == 1:
        options["maxstd_boundrange"] = math.inf  # cma cannot limit the step of a single parameter, and raises an error
    strategy = cma.CMAEvolutionStrategy(np.clip((best - low) / (high - low), 0.0, 1.0), settings.spread, options)
    done = filling
    while done < settings.evaluations and not strategy.stop():
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


def now_and_then(write: Callable[[Latest], None], progress: Callable[[Latest], object]) -> Callable[[Latest], None]:
    """Function to call after each evaluation of a search: it shows the progress, and now and then writes the search."""
    due = time.monotonic() + SAVED

    def save(latest: Latest) -> None:
        nonlocal due
        progress(latest)
        now = time.monotonic()
        if now > due:
            with shielded():
                write(latest)
            due = time.monotonic() + max(SAVED, (time.monotonic() - now) / SHARE)

    return save


def write_ended(ds: xr.Dataset, out: Path, contents: Mapping[Path, bytes], ours: Iterable[Path] = ()) -> None:
    """Write the Dataset of a search together with other files, and remove its checkpoint. Arguments of `store.write_with`.

    Raises ResultError.
    """
    with shielded():
        store.write_with(ds, out, contents, ours)
        checkpoint_path(out).unlink(missing_ok=True)

"""Simulated numbers of a task at places of the search, by several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from otjdd.system.pool import team

Compute = Callable[..., Iterable[tuple[int, Any]]]  # runs jobs in several processes, see `pool.team`
MOST_TRAILS = 4  # places whose trails are kept, the last ones


class Simulated(NamedTuple):
    """What comes of a job: numbers (n,), and the trail of its run (see `solver.trail`), (0,) without one."""

    numbers: np.ndarray
    trail: np.ndarray = np.zeros(0)


class Searched(Protocol):
    """What a search needs of its task, be it one of measured curves or one of targets."""

    @property
    def numbers(self) -> Callable[..., Simulated]:
        """Function of a job. One more argument is a trail that the run of the job takes."""

    def jobs(self, x: np.ndarray) -> list[tuple[Any, ...]]:
        """Arguments of `numbers` for each job at a place x (parameter,) of the search."""


AnyTask = TypeVar("AnyTask", bound=Searched)


class Evaluator(NamedTuple, Generic[AnyTask]):
    """Evaluates a task at places of the search.

    compute : runs jobs in several processes, see `pool.team`   count : list of one number, the evaluations so far
    visited : bytes of a place -> numbers (n,), which are not simulated again; None to simulate every place
    report : called with the numbers of each place that was simulated and is remembered in `visited`
    trails : bytes of a place -> trails of its jobs, of the last places; None to keep none
    """

    task: AnyTask
    compute: Compute
    count: list[int]  # type: ignore[assignment]  # in the place of the method of tuples
    visited: dict[bytes, np.ndarray] | None = None
    report: Callable[[np.ndarray], None] | None = None
    trails: dict[bytes, list[np.ndarray]] | None = None

    def __call__(self, points: Sequence[np.ndarray], near: np.ndarray | None = None) -> np.ndarray:
        """Simulated numbers (place, n), at places (parameter,) of the search. The numbers of a run that fails are nan.

        near : place (parameter,) whose time steps the runs take; None to choose them
        """
        self.count[0] += len(points)
        if self.visited is None:
            return np.array(self.simulated(points, near=near))
        visited = self.visited
        new = {x.tobytes(): x for x in map(np.asarray, points) if x.tobytes() not in visited}
        names = list(new)

        def remember(place: int, values: np.ndarray) -> None:
            visited[names[place]] = values
            if self.report:
                self.report(values)

        self.simulated(list(new.values()), remember, near)
        return np.array([visited[np.asarray(x).tobytes()] for x in points])

    def simulated(
        self, points: Sequence[np.ndarray], done: Callable[[int, np.ndarray], None] | None = None,
        near: np.ndarray | None = None,
    ) -> list[np.ndarray]:  # fmt: skip
        """Numbers (n,) of each place, simulated anew: those of its jobs, end to end.

        done : called with the index of a place and its numbers as soon as the last of its jobs has ended
        """
        jobs = [self.task.jobs(x) for x in points]
        if near is not None and points:
            jobs = [[(*job, trail) for job, trail in zip(at, self.trails_at(near), strict=True)] for at in jobs]
        owners = [(place, part) for place, of_place in enumerate(jobs) for part in range(len(of_place))]
        parts: list[dict[int, Simulated]] = [{} for _ in jobs]
        rows = [np.empty(0)] * len(jobs)
        for number, simulated in self.compute(self.task.numbers, [job for of_place in jobs for job in of_place]):
            place, part = owners[number]
            parts[place][part] = simulated
            if len(parts[place]) == len(jobs[place]):
                in_order = [parts[place][i] for i in range(len(jobs[place]))]
                rows[place] = np.concatenate([part.numbers for part in in_order])
                if near is None:
                    self.keep_trails(points[place], [part.trail for part in in_order])
                if done:
                    done(place, rows[place])
        return rows

    def keep_trails(self, x: np.ndarray, trails: list[np.ndarray]) -> None:
        """Keep the trails of a place (parameter,), and drop those of the first of more than MOST_TRAILS places."""
        if self.trails is not None:
            self.trails[np.asarray(x).tobytes()] = trails
            for old in list(self.trails)[:-MOST_TRAILS]:
                del self.trails[old]

    def trails_at(self, x: np.ndarray) -> list[np.ndarray]:
        """Trails of the jobs at a place (parameter,), which is simulated once more if it is not one of the last."""
        if self.trails is None or x.tobytes() not in self.trails:
            self.simulated([x])
        return [] if self.trails is None else self.trails[x.tobytes()]


@contextmanager
def evaluator(
    task: AnyTask, workers: int, visited: dict[bytes, np.ndarray] | None = None
) -> Iterator[Evaluator[AnyTask]]:
    """Context with an Evaluator, whose processes end with the block. visited : as in `Evaluator`"""
    with team(workers) as compute:
        yield Evaluator(task, compute, [0], visited, trails={})

"""Simulated numbers of a task at places of the search, by several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from otjdd.system.pool import team

Compute = Callable[..., Iterable[tuple[int, np.ndarray]]]  # runs jobs in several processes, see `pool.team`


class Searched(Protocol):
    """What a search needs of its task, be it one of measured curves or one of targets."""

    @property
    def numbers(self) -> Callable[..., np.ndarray]:
        """Function of a job, which returns the simulated numbers (n,) of that job."""

    def jobs(self, x: np.ndarray) -> list[tuple[Any, ...]]:
        """Arguments of `numbers` for each job at a place x (parameter,) of the search."""


AnyTask = TypeVar("AnyTask", bound=Searched)


class Evaluator(NamedTuple, Generic[AnyTask]):
    """Evaluates a task at places of the search.

    compute : runs jobs in several processes, see `pool.team`   count : list of one number, the evaluations so far
    visited : bytes of a place -> numbers (n,), which are not simulated again; None to simulate every place
    report : called with the numbers of each place that was simulated and is remembered in `visited`
    """

    task: AnyTask
    compute: Compute
    count: list[int]  # type: ignore[assignment]  # in the place of the method of tuples
    visited: dict[bytes, np.ndarray] | None = None
    report: Callable[[np.ndarray], None] | None = None

    def __call__(self, points: Sequence[np.ndarray]) -> np.ndarray:
        """Simulated numbers (place, n), at places (parameter,) of the search. The numbers of a run that fails are nan."""
        self.count[0] += len(points)
        if self.visited is None:
            return np.array(self.simulated(points))
        visited = self.visited
        new = {x.tobytes(): x for x in map(np.asarray, points) if x.tobytes() not in visited}
        names = list(new)

        def remember(place: int, values: np.ndarray) -> None:
            visited[names[place]] = values
            if self.report:
                self.report(values)

        self.simulated(list(new.values()), remember)
        return np.array([visited[np.asarray(x).tobytes()] for x in points])

    def simulated(
        self, points: Sequence[np.ndarray], done: Callable[[int, np.ndarray], None] | None = None
    ) -> list[np.ndarray]:
        """Numbers (n,) of each place, simulated anew: those of its jobs, end to end.

        done : called with the index of a place and its numbers as soon as the last of its jobs has ended
        """
        jobs = [self.task.jobs(x) for x in points]
        owners = [(place, part) for place, of_place in enumerate(jobs) for part in range(len(of_place))]
        parts: list[dict[int, np.ndarray]] = [{} for _ in jobs]
        rows = [np.empty(0)] * len(jobs)
        for number, values in self.compute(self.task.numbers, [job for of_place in jobs for job in of_place]):
            place, part = owners[number]
            parts[place][part] = values
            if len(parts[place]) == len(jobs[place]):
                rows[place] = np.concatenate([parts[place][i] for i in range(len(jobs[place]))])
                if done:
                    done(place, rows[place])
        return rows


@contextmanager
def evaluator(
    task: AnyTask, workers: int, visited: dict[bytes, np.ndarray] | None = None
) -> Iterator[Evaluator[AnyTask]]:
    """Context with an Evaluator, whose processes end with the block. visited : as in `Evaluator`"""
    with team(workers) as compute:
        yield Evaluator(task, compute, [0], visited)

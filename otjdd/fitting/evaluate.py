"""Simulated numbers of a task at places of the search, by several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.problem import Problem
from otjdd.errors import CaseError, DataError, SolverError
from otjdd.fitting.curves import ComparedRun, MeasuredCurve, simulated_values
from otjdd.fitting.task import Task
from otjdd.runs.run import simulate
from otjdd.system.pool import team

Compute = Callable[..., Iterable[tuple[int, np.ndarray]]]  # runs jobs in several processes


class Evaluator(NamedTuple):
    """Evaluates a task at places of the search.

    compute : runs jobs in several processes, see `pool.team`   count : list of one number, the evaluations so far
    visited : bytes of a place -> numbers (point,), which are not simulated again; None to simulate every place
    """

    task: Task
    compute: Compute
    count: list[int]  # type: ignore[assignment]  # in the place of the method of tuples
    visited: dict[bytes, np.ndarray] | None = None

    def __call__(self, points: Sequence[np.ndarray]) -> np.ndarray:
        """Simulated numbers (place, point) on their scales, at places (parameter,) of the search.

        The points of a run that fails have nan.
        """
        self.count[0] += len(points)
        if self.visited is None:
            return self.simulated(points)
        new = {x.tobytes(): x for x in map(np.asarray, points) if x.tobytes() not in self.visited}
        self.visited.update(zip(new, self.simulated(list(new.values())), strict=True))
        return np.array([self.visited[np.asarray(x).tobytes()] for x in points])

    def simulated(self, points: Sequence[np.ndarray]) -> np.ndarray:
        """As `__call__`, without `visited`."""
        jobs = [[(run, values_by_key(self.task, x, run.curves[0].data)) for run in self.task.runs] for x in points]
        return np.array(computed(self.compute, numbers, jobs))


def computed(
    compute: Compute, function: Callable[..., np.ndarray], jobs: Sequence[Sequence[tuple[Any, ...]]],
    done: Callable[[int, np.ndarray], None] | None = None,
) -> list[np.ndarray]:  # fmt: skip
    """Numbers of each place: those that a function returns for its jobs, end to end.

    compute : runs jobs in several processes, see `pool.team`   jobs : arguments of the jobs of each place
    done : called with the index of a place and its numbers as soon as the last of its jobs has ended
    """
    owners = [(place, part) for place, of_place in enumerate(jobs) for part in range(len(of_place))]
    parts: list[dict[int, np.ndarray]] = [{} for _ in jobs]
    rows = [np.empty(0)] * len(jobs)
    for number, values in compute(function, [job for of_place in jobs for job in of_place]):
        place, part = owners[number]
        parts[place][part] = values
        if len(parts[place]) == len(jobs[place]):
            rows[place] = np.concatenate([parts[place][i] for i in range(len(jobs[place]))])
            if done:
                done(place, rows[place])
    return rows


@contextmanager
def evaluator(task: Task, workers: int) -> Iterator[Evaluator]:
    """Context with an Evaluator, whose processes end with the block."""
    with team(workers) as compute:
        yield Evaluator(task, compute, [0])


def values_by_key(task: Task, x: np.ndarray, data: int) -> dict[str, float]:
    """Key -> value [SI] of the parameters that the runs of a data set depend on. x : (parameter,) coordinates"""
    return {
        parameter.key: parameter.value(coordinate)
        for parameter, coordinate in zip(task.parameters, x, strict=True)
        if parameter.data is None or parameter.data == data
    }


def numbers(run: ComparedRun, values: dict[str, float]) -> np.ndarray:
    """Simulated numbers (point,) of the curves of a run, on their scales; nan if it fails. Raises DataError."""
    try:
        case = run.case.replace(values)
        ds = simulate(case)
    except (SolverError, CaseError, ValueError):
        return np.full(sum(len(curve.y) for curve in run.curves), np.nan)
    return np.concatenate(
        [curve.scale.apply(of_one_sign(curve, simulated_values(curve, case, ds))) for curve in run.curves]
    )


def of_one_sign(curve: MeasuredCurve, values: np.ndarray) -> np.ndarray:
    """The same values (n,). Raises DataError if most have another sign than measured, which a logarithm would hide."""
    wrong = np.flatnonzero(values * curve.y < 0)
    if curve.scale.kind == "log" and not curve.magnitude and len(wrong) > len(values) / 2:
        expected = f"a {curve.quantity} of the sign of the run; voltages are those of the left electrode"
        got = f"{curve.y[wrong[0]]:g} where the run has {values[wrong[0]]:g}"
        raise DataError([Problem(curve.label, int(curve.lines[wrong[0]]), 1, "", expected, got)])
    return values

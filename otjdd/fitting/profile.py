"""Profile likelihood: the least chi-square with one parameter fixed at each of several values, and all others fitted.

The covariance approximates it by a parabola that is 1 above its least value at one standard error. The profile shows
asymmetric errors, and parameters that the data do not determine.
"""

from __future__ import annotations

import numpy as np

from otjdd.fitting.covariance import Errors
from otjdd.fitting.evaluate import Evaluator
from otjdd.fitting.least_squares import Solution, cost, minimise
from otjdd.fitting.task import Task

REACH = 3.0  # standard errors to either side of the solution
COUNT = 9  # values, the solution among them
MOST = 6  # most evaluations of scipy at each value


def holding_one(task: Task, index: int, value: float) -> Task:
    """The task with one parameter fixed at a value [SI]."""
    fixed = task.parameters[index]
    runs = tuple(
        run._replace(case=run.case.replace({fixed.key: value})) if fixed.data in (None, run.curves[0].data) else run
        for run in task.runs
    )
    return task._replace(runs=runs, parameters=tuple(p for i, p in enumerate(task.parameters) if i != index))


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
    squares = np.full(COUNT, np.nan)
    for i, place in enumerate(places):
        task_held = holding_one(task, index, parameter.value(place))
        start = solution.x[rest] + follow * (place - solution.x[index])
        evaluate_others = Evaluator(task_held, evaluate.compute, evaluate.count, steps={}, alike={})
        if not rest.any():
            squares[i] = cost(task_held, evaluate_others([start])[0])
            continue
        squares[i] = minimise(evaluate_others, start, most=MOST, final=False, noise=solution.noise).cost(task_held)
    return np.array([parameter.value(place) for place in places]), squares

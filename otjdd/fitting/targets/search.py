"""The task of a calibration, and the search for parameters with which its runs meet their targets.

A calibration file has its cases, the free parameters with their bounds, and the runs with their targets. It has one case,
`case = "li2019.toml"`, or several, each in a table [cases.NAME]. Such a table names either a case file, and this file
states its runs, or another calibration, from which this one takes case, runs and parameters. A target is what one number of
a run should be. Its residual is its distance in units of the tolerance: the limit is at 1.

CMA-ES, the global search of fits, comes first. Damped least-squares steps (`polish`) follow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from otjdd.analysis.goal import Goal
from otjdd.case.base import Number, Record
from otjdd.case.case import Case
from otjdd.case.drive import Drive
from otjdd.case.keys import value_in_case
from otjdd.errors import CaseError, NotAsExpected, SolverError
from otjdd.fitting import least_squares
from otjdd.fitting.parameters import Parameter
from otjdd.fitting.search import Evaluator, Simulated, globally
from otjdd.runs.run import simulate
from otjdd.studies import plan
from otjdd.system.late import xr
from otjdd.units import DIMENSIONS, brief, parse


class Target(Record):
    """What one number of a run should be: one of its reads, or a number as in `[expect]`.

    read : index of the read   over : index of a read to divide by   quantity : column of the reads
    number : its name, such as "loop.set_voltage"   against : name of an earlier run, whose same number divides this one
    value, at_least, at_most : of the quantity in SI   within : a factor, or a difference when linear
    """

    name: str
    read: int | None = None
    over: int | None = None
    number: str = ""
    against: str = ""
    quantity: Literal["read_resistance", "read_conductance", "transport_energy", "tunnelling_share"] = "read_resistance"
    value: Number | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    within: Annotated[Number, Field(gt=0)] = 2.0
    linear: bool = False

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if all(v is None for v in (self.value, self.at_least, self.at_most)):
            raise ValueError("a target needs value, at_least, at_most or a claim that gives them")
        if self.read is None and not self.number and not self.aim:
            raise ValueError("a target needs a number, the index of a read, or a claim that defines one")
        return self

    @property
    def aim(self) -> str:
        """Name of the aim that it shares with other targets, "" for an aim of its own."""
        return ""

    def measured(self, case: Case, ds: xr.Dataset) -> float:
        """The number [SI] of a run, from its case and Dataset. Raises ValueError when it cannot be measured."""
        if self.number:
            return float(plan.measure(ds, [self.number])[self.number].values)
        reciprocal = self.quantity == "read_conductance"
        values = 1 / ds.read_resistance.values if reciprocal else ds[self.quantity].values
        return float(values[self.read] if self.over is None else values[self.read] / values[self.over])

    def fault(self, drive: Drive) -> tuple[str, str, str] | None:
        """(key, expected, actual) if a run with a drive does not have the number of the target; else None."""
        wrong = plan.not_one(self.number) if self.number else ""
        return ("number", "one number of a run", wrong) if wrong else None

    @property
    def goal(self) -> Goal:
        """The goal [SI] of the search."""
        return Goal(self.value, self.at_least, self.at_most, self.within, not self.linear)

    def distance(self, value: float) -> float:
        """Distance of a number [SI] in tolerances, met up to 1; nan for nan."""
        return math.nan if math.isnan(value) else abs(self.goal.residual(value))


Bound = str | Number
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # of a case: files are named after it


class FreeParameter(Record):
    """One free parameter: its dotted key, its bounds as text, its dimension ("" for plain numbers) and its scale.

    case : name of the case, or names of the cases, whose value it sets, the same in all; by default all cases
    start : value at the beginning of the search; by default the value of the first of these cases
    source : of the bounds   published : range of the literature, stated where the bounds reach beyond it
    """

    key: str
    case: str | tuple[str, ...] = ()
    low: Bound
    high: Bound
    start: Bound | None = None
    dimension: str = ""
    log: bool = False
    source: str = ""
    published: tuple[Bound, Bound] | None = None

    @model_validator(mode="after")
    def check_bounds(self) -> Self:
        if self.dimension and self.dimension not in DIMENSIONS:
            raise NotAsExpected(f"a dimension, one of {', '.join(DIMENSIONS)}", brief(self.dimension))
        others = [value for value in (self.start, *(self.published or ())) if value is not None]
        for value in (self.low, self.high, *others):
            if isinstance(value, str) != bool(self.dimension):
                raise NotAsExpected(
                    "bounds as text with units if there is a dimension, as numbers otherwise", brief(value)
                )
        low, high = self.number(self.low), self.number(self.high)
        if not (low < high and (low > 0 or not self.log)):
            raise NotAsExpected(
                f"low below high{' and above 0' if self.log else ''}", f"{brief(self.low)} and {brief(self.high)}"
            )
        if self.start is not None and not low <= self.number(self.start) <= high:
            raise NotAsExpected(f"a start from {brief(self.low)} to {brief(self.high)}", brief(self.start))
        return self

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the cases whose value it sets, () for all."""
        return (self.case,) if isinstance(self.case, str) else self.case

    def of(self, case: str) -> bool:
        """True if it sets the value of the case of this name."""
        return not self.cases or case in self.cases

    def number(self, value: Bound) -> float:
        """A bound [SI]."""
        return parse(value, self.dimension) if isinstance(value, str) else float(value)

    def parameter(self, case: Case) -> Parameter:
        """The parameter of a fit. case : whose value it starts from, if the file states no start. Raises CaseError."""
        start = value_in_case(case, self.key)[0] if self.start is None else self.number(self.start)
        return Parameter(self.key, self.dimension, self.number(self.low), self.number(self.high), self.log, start)


class TargetedRun(Record):
    """One run: changes of the case, a drive at least, and the targets that its result should meet.

    case : name of the case of this run; "" in a calibration of one case
    set : dotted key -> value   scale : dotted key of a number -> factor on its value in the evaluated case
    """

    name: str
    case: str = ""
    set: dict[str, Any]
    scale: dict[str, Annotated[Number, Field(gt=0)]] = Field(default_factory=dict)
    target: Annotated[tuple[Target, ...], Field(min_length=1)]

    def of(self, case: Case) -> Case:
        """The case that this run simulates. case : the calibrated one at the evaluated point. Raises CaseError."""
        scaled = {key: factor * value_in_case(case, key)[0] for key, factor in self.scale.items()}
        return case.replace(**scaled).replace(**self.set)


class CasePart(Record):
    """One of several cases: a case file, or a calibration of one case.

    A run of this file replaces the run of the same name of the named calibration.
    vary : keys of the parameters of the named calibration that stay free; by default those that this file does not state
    set, coarse : as in a calibration of one case; they are put on top of the ones of the named calibration
    """

    case: str = ""
    calibration: str = ""
    vary: tuple[str, ...] | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    coarse: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def check_source(self) -> Self:
        if bool(self.case) == bool(self.calibration):
            both = "both" if self.case else "neither"
            raise NotAsExpected("a case file as `case`, or a file like this one as `calibration`", both)
        if self.vary is not None and not self.calibration:
            raise NotAsExpected("`vary` with a `calibration`, whose parameters it names", "it with a case file")
        return self


class Calibration(Record):
    """A calibration file: one case or several, the free parameters, and the runs.

    set : changes of the only case   coarse : further changes, of cells or rtol, that make the runs of the search faster
    """

    case: str = ""
    cases: dict[Name, CasePart] = Field(default_factory=dict)
    set: dict[str, Any] = Field(default_factory=dict)
    coarse: dict[str, Any] = Field(default_factory=dict)
    parameter: tuple[FreeParameter, ...] = ()
    run: tuple[TargetedRun, ...] = ()

    @model_validator(mode="after")
    def check_cases(self) -> Self:
        if bool(self.case) == bool(self.cases):
            both = "both" if self.case else "neither"
            raise NotAsExpected("the file of a case as `case`, or a table [cases.NAME] for each of several", both)
        if self.cases and (self.set or self.coarse):
            raise NotAsExpected("`set` and `coarse` in the tables [cases.NAME]", "them outside")
        if self.case and not (self.parameter and self.run):
            raise NotAsExpected("at least one [[parameter]] and one [[run]]", f"none with {brief(self.case)}")
        return self


DIGITS = 4  # significant digits of the values of parameters
SAFE = 0.7  # residual up to which a target counts as met and has little weight
CAP = 4.0  # residuals beyond this count by their logarithm, so that one unreachable target does not hide the others


class TargetedCase(NamedTuple):
    """A case of a calibration, with the runs that judge it.

    name : "" for the only one   file : of the case   case : with the `set` of the calibration
    coarse : the same with the numerics of the search
    """

    name: str
    file: Path
    case: Case
    coarse: Case
    runs: tuple[TargetedRun, ...]

    @property
    def labels(self) -> list[str]:
        """Name of each target; with the name of its run where several targets have the same name."""
        named = [(run.name, target.name) for run in self.runs for target in run.target]
        count = Counter(target for _, target in named)
        return [f"{run}: {target}" if count[target] > 1 else target for run, target in named]


class Evaluation(NamedTuple):
    """One evaluation: the values (targets,) of all targets, in SI, and their residuals (targets,)."""

    values: np.ndarray
    residuals: np.ndarray

    @property
    def pulls(self) -> np.ndarray:
        """Weighted residuals (targets,): the excess over SAFE, and a small share of the rest, damped beyond CAP."""
        size = np.abs(self.residuals)
        size = np.where(size < CAP, size, CAP * (1 + np.log(np.maximum(size, CAP) / CAP)))
        return np.copysign(np.sqrt(np.maximum(0.0, size - SAFE) ** 2 + 0.05 * size**2), self.residuals)

    @property
    def score(self) -> float:
        """Sum of the squares of the pulls, which the search minimises."""
        return float(np.sum(self.pulls**2))


class TargetTask(NamedTuple):
    """All inputs of a fit with targets. Its search runs in the unit cube between the bounds of the parameters.

    stated : how the file states each parameter
    """

    cases: tuple[TargetedCase, ...]
    parameters: tuple[Parameter, ...]
    stated: tuple[FreeParameter, ...]

    @property
    def targets(self) -> list[Target]:
        """All targets, in the order of the cases and their runs."""
        return [target for part in self.cases for run in part.runs for target in run.target]

    @property
    def target_names(self) -> list[str]:
        """Name of each target, with the name of its case where there are several."""
        return [f"{part.name}: {label}" if part.name else label for part in self.cases for label in part.labels]

    @property
    def aims(self) -> list[str]:
        """Aim of each target: the one that it shares with others, else the target itself."""
        return [target.aim or name for target, name in zip(self.targets, self.target_names, strict=True)]

    @property
    def parameter_names(self) -> list[str]:
        """Key of each parameter, with the names of its cases unless it belongs to all."""
        names = [part.name for part in self.cases]
        owners = [[name for name in names if stated.of(name)] for stated in self.stated]
        return [
            f"{', '.join(owned)}: {stated.key}" if len(owned) < len(names) else stated.key
            for stated, owned in zip(self.stated, owners, strict=True)
        ]

    @property
    def start(self) -> np.ndarray:
        """Point (parameters,) of the unit cube from which the search starts, moved into the bounds."""
        return np.array([parameter.share(parameter.start) for parameter in self.parameters])

    @property
    def simulate(self) -> Callable[..., Simulated]:
        """Function of a job, which returns the values (target,) of the runs of a case."""
        return target_values

    def jobs(self, x: np.ndarray) -> list[tuple[Any, ...]]:
        """Arguments of `simulate` for each case, at a point x of the unit cube."""
        return [(part, self.changes(x, part.name)) for part in self.cases]

    def with_own_numerics(self) -> Self:
        """The same task without coarse numerics."""
        return self._replace(cases=tuple(part._replace(coarse=part.case) for part in self.cases))

    def evaluation(self, values: np.ndarray) -> Evaluation:
        """Evaluation with the values (targets,) of all targets."""
        pairs = zip(self.targets, values, strict=True)
        return Evaluation(values, np.array([target.goal.residual(value) for target, value in pairs]))

    def values(self, x: np.ndarray) -> dict[str, Any]:
        """Name of each parameter -> its value as text at a point x in the unit cube."""
        return {name: share_text(p, v) for name, p, v in zip(self.parameter_names, self.parameters, x, strict=True)}

    def changes(self, x: np.ndarray, case: str) -> dict[str, Any]:
        """Changes of the case of this name at a point x in the unit cube: dotted key -> value as text."""
        moving = zip(self.parameters, self.stated, x, strict=True)
        return {p.key: share_text(p, v) for p, stated, v in moving if stated.of(case)}


def share_text(parameter: Parameter, x: float) -> str | float:
    """Value at a coordinate 0 to 1 of the unit cube, rounded to DIGITS, as a case file has it."""
    return parameter.text(parameter.at_share(x), DIGITS)


def value_at_coordinate(parameter: Parameter, x: float) -> float:
    """Value [SI] at a coordinate 0 to 1 of the unit cube, rounded as in `share_text`."""
    text = share_text(parameter, x)
    return parse(text, parameter.dimension) if isinstance(text, str) else text


def target_values(part: TargetedCase, changes: dict[str, Any]) -> Simulated:
    """Values (target,) of a case with changes; nan for the targets of a run that fails, or that cannot have the changes."""
    values: list[float] = []
    ended: dict[str, tuple[Case, xr.Dataset]] = {}
    for run in part.runs:
        try:
            ran = run.of(part.coarse.replace(changes))
            ended[run.name] = ran, simulate(ran)
            values += [
                target.measured(*ended[run.name]) / (target.measured(*ended[target.against]) if target.against else 1.0)
                for target in run.target
            ]
        except (SolverError, CaseError, ValueError, KeyError):
            values += [math.nan] * len(run.target)
    return Simulated(np.array(values))


GAIN = 1e-3  # of the score: a step that gains less ends a search
DAMPINGS = (0.3, 3.0, 30.0)  # dampings tried in a round, relative to the best one of the round before


class SearchResult(NamedTuple):
    """Result of a calibration: the best point of the unit cube, and its outcome."""

    x: np.ndarray
    outcome: Evaluation


def outcomes(evaluate: Evaluator[TargetTask], points: Sequence[np.ndarray]) -> list[Evaluation]:
    """Evaluations at points of the unit cube."""
    return [evaluate.task.evaluation(values) for values in evaluate(points)]


def search(
    evaluate: Evaluator[TargetTask], start: np.ndarray, *, evaluations: int = 1000, spread: float = 0.1, seed: int = 1
) -> SearchResult:
    """Search by CMA-ES from a point, see `TargetTask.start`. spread : first step, as a fraction of the bounds"""
    task, ends = evaluate.task, (np.zeros(len(start)), np.ones(len(start)))
    best, _ = globally(
        evaluate, lambda values: task.evaluation(values).score, start, ends,
        evaluations=evaluations, spread=spread, seed=seed,
    )  # fmt: skip
    return SearchResult(best.x, task.evaluation(best.values))


def best_visited(task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> SearchResult:
    """The best of the points that a search has visited."""
    results = [SearchResult(np.frombuffer(x), task.evaluation(values)) for x, values in visited.items()]
    return min(results, key=lambda result: result.outcome.score)


def fine_evaluation(evaluate: Evaluator[TargetTask], x: np.ndarray) -> Evaluation:
    """Evaluation at a point of the unit cube without coarse numerics."""
    (values,) = evaluate._replace(task=evaluate.task.with_own_numerics()).simulated([x])
    return evaluate.task.evaluation(values)


def neighbours(
    evaluate: Evaluator[TargetTask], x: np.ndarray, step: float = 0.012
) -> tuple[list[SearchResult], np.ndarray]:
    """Evaluations one step from x along each axis, inside the cube, and the signed steps (parameters,)."""
    steps = np.where(np.asarray(x) + step <= 1.0, step, -step)
    points = [np.array(x) + move for move in np.diag(steps)]
    return [SearchResult(*pair) for pair in zip(points, outcomes(evaluate, points), strict=True)], steps


def sensitivities(evaluate: Evaluator[TargetTask], result: SearchResult) -> np.ndarray:
    """Derivatives (targets, parameters) of the residuals, per range of the bounds, by one-sided differences."""
    around, steps = neighbours(evaluate, result.x)
    changes = [near.outcome.residuals - result.outcome.residuals for near in around]
    return np.column_stack([change / h for change, h in zip(changes, steps, strict=True)])


def polish(evaluate: Evaluator[TargetTask], result: SearchResult, *, rounds: int = 20) -> SearchResult:
    """Damped least-squares steps on the pulls from the best point of the search, as long as the score falls.

    Near a solution residuals are smooth, and each depends on a few parameters: least squares gains there where CMA-ES
    stagnates. The slopes are measured once and then updated after each step (`least_squares.updated`). When a step no
    longer gains, they are measured again; when a step with new slopes does not gain either, the search ends. Each round
    tries several dampings around the best one of the round before. Values of parameters are rounded and some
    metrics take few values, so that slopes are differences over a hundredth of the bounds and no derivatives along steps.
    """
    damping, slopes, fresh = 1.0, None, False
    for _ in range(rounds):
        if slopes is None:
            around, steps = neighbours(evaluate, result.x)
            changes = [near.outcome.pulls - result.outcome.pulls for near in around]
            slopes = np.column_stack([change / h for change, h in zip(changes, steps, strict=True)])
            least = best_of(around, result)
            result, fresh = result if least is None else around[least], True
        pulls, tried = result.outcome.pulls, [damping * factor for factor in DAMPINGS]
        moves = [least_squares.damped_move(slopes, pulls, result.x, value) for value in tried]
        points = [result.x + move for move in moves]
        ahead = [SearchResult(*pair) for pair in zip(points, outcomes(evaluate, points), strict=True)]
        for move, outcome in sorted(
            zip(moves, (step.outcome for step in ahead), strict=True), key=lambda pair: -pair[1].score
        ):  # the best counts last
            slopes = least_squares.updated(slopes, move, outcome.pulls - pulls)
        if (least := best_of(ahead, result)) is not None:
            result, damping, fresh = ahead[least], tried[least], False
        elif fresh:
            break
        else:
            slopes = None
    return result


def best_of(results: Sequence[SearchResult], before: SearchResult) -> int | None:
    """Index of the result with the lowest score if it is lower than the score of `before` by GAIN at least, else None."""
    scores = [result.outcome.score for result in results]
    least = int(np.argmin(scores))
    return least if scores[least] <= before.outcome.score - GAIN else None

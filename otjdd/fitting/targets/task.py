"""The task of a calibration: find parameters with which runs meet their targets.

A calibration file has its cases, the free parameters with their bounds, and the runs with their targets. It has one case,
`case = "li2019.toml"`, or several, each in a table [cases.NAME]. Such a table names either a case file, and this file
states its runs, or another calibration, from which this one takes case, runs and parameters. A target is what one number of
a run should be. Its residual is its distance in units of the tolerance: the limit is at 1. The search is that of fits.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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
from otjdd.fitting.parameters import Parameter
from otjdd.fitting.search import Aimed, Simulated
from otjdd.runs.run import simulate
from otjdd.solver.start import Steps, Trail
from otjdd.studies import points
from otjdd.system.late import xr
from otjdd.units import DIMENSIONS, brief, in_si


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
            return float(points.measure(ds, [self.number])[self.number].values)
        reciprocal = self.quantity == "read_conductance"
        values = 1 / ds.read_resistance.values if reciprocal else ds[self.quantity].values
        return float(values[self.read] if self.over is None else values[self.read] / values[self.over])

    def fault(self, drive: Drive) -> tuple[str, str, str] | None:
        """(key, expected, actual) if a run with a drive does not have the number of the target; else None."""
        wrong = points.not_one(self.number) if self.number else ""
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
        return in_si(value, self.dimension)

    def parameter(self, case: Case) -> Parameter:
        """The parameter of a fit, which starts within its bounds. Raises CaseError.

        case : whose value it starts from, if the file states no start
        """
        start = value_in_case(case, self.key)[0] if self.start is None else self.number(self.start)
        low, high = self.number(self.low), self.number(self.high)
        return Parameter(self.key, self.dimension, low, high, self.log, min(max(start, low), high))


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


DIGITS = 4  # significant digits of the values of parameters, where they are written
SAFE = 0.7  # residual up to which a target counts as met and has little weight
LIGHT = 0.05  # this weight, of the square of a residual
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

    def held_against(self, run: TargetedRun) -> list[Target]:
        """Targets of later runs that are held against a run."""
        later = self.runs[self.runs.index(run) + 1 :]
        return [target for other in later for target in other.target if target.against == run.name]


class Evaluation(NamedTuple):
    """One evaluation: the values (targets,) of all targets, in SI, and their residuals (targets,)."""

    values: np.ndarray
    residuals: np.ndarray

    @property
    def score(self) -> float:
        """Sum of the squares of the weighted residuals, which the search minimises."""
        return float(np.sum(weighted(self.residuals)[0] ** 2))


def weighted(residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted residuals (targets,), the excess over SAFE and a share of the rest, damped beyond CAP; their derivatives."""
    size = np.abs(residuals)
    far = np.maximum(size, CAP)
    damped = np.where(size < CAP, size, CAP * (1 + np.log(far / CAP)))
    excess = np.maximum(0.0, damped - SAFE)
    root = np.sqrt(excess**2 + LIGHT * damped**2)
    slopes = np.where(size > 0, (excess + LIGHT * damped) / np.where(size > 0, root, 1.0), np.sqrt(LIGHT)) * CAP / far
    return np.copysign(root, residuals), slopes


@dataclass(frozen=True, kw_only=True)
class TargetTask(Aimed):
    """All inputs of a fit with targets. Its numbers are on the scales of their goals, in tolerances.

    stated : how the file states each parameter
    """

    cases: tuple[TargetedCase, ...]
    stated: tuple[FreeParameter, ...]
    rough: bool = True

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
        """Coordinates (parameter,) from which the search starts."""
        return np.zeros(len(self.parameters))

    def global_score(self, numbers: np.ndarray) -> float:
        """Score of numbers (target,)."""
        return self.evaluation(numbers).score

    @property
    def simulate(self) -> Callable[..., Simulated]:
        return target_values

    @property
    def simulated_cases(self) -> list[Case]:
        return [run.of(part.coarse) for part in self.cases for run in part.runs]

    def jobs(self, x: np.ndarray) -> list[tuple[Any, ...]]:
        """Each run with its targets and those held against it, at coordinates x (parameter,)."""
        return [
            (part.coarse, run, (*run.target, *part.held_against(run)), self.changes(x, part.name))
            for part in self.cases
            for run in part.runs
        ]

    def joined(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Numbers (target,) of all targets, from the values of each run and of those that others are held against."""
        numbers, rest = list[float](), iter(parts)
        for case in self.cases:
            divisors: dict[int, float] = {}
            for run, values in zip(case.runs, rest, strict=False):
                for target, value in zip(run.target, values, strict=False):
                    numbers.append(target.goal.scaled(value / divisors[id(target)] if target.against else value))
                divisors |= dict(zip(map(id, case.held_against(run)), values[len(run.target) :], strict=True))
        return np.array(numbers)

    def with_own_numerics(self) -> Self:
        """The same task without coarse numerics."""
        return replace(self, cases=tuple(part._replace(coarse=part.case) for part in self.cases))

    def evaluation(self, numbers: np.ndarray) -> Evaluation:
        """Evaluation of numbers (target,)."""
        goals = [target.goal for target in self.targets]
        values = [goal.unscaled(float(number)) for goal, number in zip(goals, numbers, strict=True)]
        residuals = [goal.residual(value) for goal, value in zip(goals, values, strict=True)]
        return Evaluation(np.array(values), np.array(residuals))

    def residuals(self, numbers: np.ndarray) -> np.ndarray:
        """Weighted residuals (target,) of numbers (target,), see `weighted`."""
        return weighted(self.evaluation(numbers).residuals)[0]

    def jacobian(self, numbers: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives (target, parameter) of the weighted residuals, from the slopes (target, parameter) of numbers.

        They are 0 within limits.
        """
        residuals = self.evaluation(numbers).residuals
        outside = (residuals != 0) | [target.value is not None for target in self.targets]
        return np.asarray((weighted(residuals)[1] * outside)[:, None] * np.nan_to_num(slopes))

    def changes(self, x: np.ndarray, case: str) -> dict[str, float]:
        """Changes of the case of this name at coordinates x (parameter,): dotted key -> value [SI]."""
        moving = zip(self.parameters, self.stated, x, strict=True)
        return {p.key: p.value(coordinate) for p, stated, coordinate in moving if stated.of(case)}

    def written(self, x: np.ndarray) -> dict[str, str | float]:
        """Name of each parameter -> its value at coordinates x (parameter,) as files state it, rounded to DIGITS."""
        moving = zip(self.parameter_names, self.parameters, x, strict=True)
        return {name: p.text(p.value(coordinate), DIGITS) for name, p, coordinate in moving}

    def rounded(self, x: np.ndarray) -> np.ndarray:
        """Coordinates (parameter,) of the values at x, rounded to DIGITS."""
        values = [float(f"{p.value(coordinate):.{DIGITS}g}") for p, coordinate in zip(self.parameters, x, strict=True)]
        return np.array([p.coordinate(value) for p, value in zip(self.parameters, values, strict=True)])


def target_values(
    case: Case, run: TargetedRun, targets: Sequence[Target], changes: dict[str, float], given: Steps | None = None
) -> Simulated:
    """Values (target,) [SI] of a run of a case with changes, and its steps; nan if it fails or cannot have the changes.

    given : steps of another run, to be taken; None to choose its own
    """
    trail = Trail(given)
    try:
        ran = run.of(case.replace(changes))
        ds = simulate(ran, trail=trail)
        return Simulated(np.array([target.measured(ran, ds) for target in targets]), trail.steps)
    except (SolverError, CaseError, ValueError, KeyError):
        return Simulated(np.full(len(targets), np.nan))

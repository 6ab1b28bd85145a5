"""A claim of a paper as data: the statement, the cases to run, the numbers of a metric that express it, their tolerances.

The claims of a paper are in the file claims.toml of its folder. A case with a [study] is run at each of its points. The
claim is met if and only if every number is within its limits. A claim can give a reason for a miss, which reports print;
the reason does not change the verdict.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, PrivateAttr, model_validator

from otjdd import units
from otjdd.analysis.goal import Goal, around
from otjdd.case.base import Number, Record
from otjdd.results.summary import finite_or_none
from otjdd.solver import model_limits


class Figure(Record):
    """One number of a metric and its limits.

    name : of the number in the metric   label : the same in words   unit : of the limits
    value, within : value of the paper, and its tolerance: "x2" a factor, "30 %" relative, a number absolute
    at_least, at_most : limits in place of a value; without any limit the number is only reported
    best : the best possible value of a number with one limit, such as 1 for a share
    window : interval in which the number of this version of otjdd is expected
    """

    name: str
    label: str
    unit: str = "1"
    value: Number | None = None
    within: Number | Annotated[str, Field(pattern=r"^(x[0-9.]+|[0-9.]+ %)$")] | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    best: Number | None = None
    window: tuple[Number, Number] | None = None

    @model_validator(mode="after")
    def check_limits(self) -> Self:
        if (self.value is None) != (self.within is None):
            raise ValueError("value and within belong together")
        if self.value is not None and not (self.at_least is None and self.at_most is None):
            raise ValueError("a value has a tolerance, and neither at_least nor at_most")
        if self.best is not None and (self.at_least is None) == (self.at_most is None):
            raise ValueError("best belongs to one limit, at_least or at_most")
        if self.best is not None and not self.goal.met(self.best):
            raise ValueError("the best value keeps the limit")
        if self.window is not None and not self.window[0] <= self.window[1]:
            raise ValueError("a window has its lower end first")
        units.unit(self.unit)
        return self

    def in_unit(self, value: float) -> float:
        """Value in `unit` of a number [SI]."""
        return value / 10.0 ** units.unit(self.unit).exponent

    def si(self, number: float) -> float:
        """Value [SI] of a number in `unit`."""
        return number * 10.0 ** units.unit(self.unit).exponent

    @property
    def goal(self) -> Goal:
        """The goal in `unit`."""
        if self.value is not None and self.within is not None:
            return around(self.value, self.within)
        return Goal(low=self.at_least, high=self.at_most, best=self.best)

    def met(self, value: float) -> bool:
        """True when a number [SI] is within all limits; False for nan."""
        return self.goal.met(self.in_unit(value))

    def distance(self, value: float) -> float:
        """Distance of a number [SI] in tolerances; nan for nan, and without limits."""
        return self.goal.distance(self.in_unit(value))

    def expected(self, value: float) -> bool:
        """True when a number [SI] lies in its window, or has none."""
        return self.window is None or self.window[0] <= self.in_unit(value) <= self.window[1]

    @property
    def published(self) -> tuple[float, float, float]:
        """Value of the paper with the ends of its tolerance, in `unit`. Raises ValueError for a figure without a value."""
        value, low, high = self.goal[:3]
        if value is None or low is None or high is None:
            raise ValueError(f"the figure {self.name!r} has no value of the paper")
        return value, low, high

    def text(self, number: float, error: str = "") -> str:
        """A number in `unit` as text, with `error` and the unit behind it."""
        return to_digits(number) + error + (f" {self.unit}" if self.unit != "1" else "")

    @property
    def paper(self) -> str:
        """Value of the paper as text; "" if it has none."""
        return "" if self.value is None else self.text(self.value)

    @property
    def tolerance(self) -> str:
        """Tolerance of the value as text; "" without a value."""
        if self.within is None:
            return ""
        return self.within if isinstance(self.within, str) else f"±{self.text(self.within)}"

    @property
    def allowed(self) -> str:
        """Allowed interval as text; "" without limits."""
        low, high = self.goal.low, self.goal.high
        if low is not None and high is not None:
            return f"{to_digits(low)} to {self.text(high)}"
        if low is not None:
            return f"at least {self.text(low)}"
        return "" if high is None else f"at most {self.text(high)}"


class Measured(NamedTuple):
    """A figure of a claim with its value [SI] in the runs, None without a result.

    error : numerical error of the value [SI]; None where none was computed, nan where a run for the error gave no value
    """

    figure: Figure
    value: float | None
    error: float | None = None

    @property
    def status(self) -> str:
        """ "met", "missed", or "told" for a number without limits, which is only reported."""
        if not self.figure.allowed:
            return "told"
        return "met" if self.value is not None and self.figure.met(self.value) else "missed"

    @property
    def distance(self) -> float:
        """Distance in tolerances; nan for a number without limits or without a result."""
        return math.nan if self.value is None else self.figure.distance(self.value)

    @property
    def distance_text(self) -> str:
        """The distance as text, "" where there is none."""
        if math.isnan(self.distance):
            return ""
        return f"{self.distance:.2f}" if self.distance < 10 else to_digits(self.distance)

    @property
    def otjdd(self) -> str:
        """The value and its numerical error as text; "no result" without a value."""
        if self.value is None:
            return "no result"
        error = "" if self.error is None else f" ± {to_digits(self.figure.in_unit(self.error), 1)}"
        return self.figure.text(self.figure.in_unit(self.value), error)

    @property
    def surprise(self) -> str:
        """Message for a number outside of its window; "" otherwise."""
        if self.figure.window is None or (self.value is not None and self.figure.expected(self.value)):
            return ""
        low, high = self.figure.window
        return f"{self} (expected {to_digits(low)} to {self.figure.text(high)})"

    def row(self) -> dict[str, Any]:
        """The figure as a dictionary for JSON: value and error in its unit, None where they are not finite."""
        number = None if self.value is None else self.figure.in_unit(self.value)
        return {
            "name": self.figure.name,
            "label": self.figure.label,
            "unit": self.figure.unit,
            "value": finite_or_none(number),
            "error": None if self.error is None else finite_or_none(self.figure.in_unit(self.error)),
            "distance": finite_or_none(self.distance),
            "status": self.status,
        }

    def __str__(self) -> str:
        return f"{self.figure.label}: {self.otjdd}"


def to_digits(number: float, digits: int = 3) -> str:
    """A number to some significant digits: 1.8e8."""
    return f"{number:.{digits}g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


class ClaimTrial(NamedTuple):
    """One run of a claim, as metrics take it.

    name : of the case in the claim   value : of the varied key [SI], nan without a study; for several keys the number of
        the point, from 1
    ds : Dataset, or the reason of the failure in words; None before the run   text : the value as the case file has it
    key : the one key that the study varies, "" for none or several   source : text of the case file
    """

    name: str
    value: float
    case: Any  # a `case.case.Case`
    ds: Any = None
    text: str = ""
    key: str = ""
    source: str = ""


Trials = Sequence[ClaimTrial]


def by_radius(trials: Trials) -> list[ClaimTrial]:
    """Trials from the smallest junction to the largest."""
    return sorted(trials, key=lambda trial: trial.case.device.disc_radius)


class Claim(Record):
    """A claim: the statement and its place in the paper, the runs, the metric and its numbers, and choices.

    device : the measured device; default: the device of the paper   doubtful : what the paper leaves open
    chosen : choices of the simulation   expected : verdict of this version   reason : why the claim is missed, if it is
    cases : name -> a file in the folder of the paper, or the name of a shipped case   metric : of its numbers
    settings : keyword arguments of the metric; a setting can name a table of measured numbers, see `papers.MeasuredTable`
    quick : name of a case -> dotted keys and values for a quick run
    """

    claim: str
    source: str
    device: str = ""
    metric: str
    cases: Annotated[dict[str, str], Field(min_length=1)]
    expected: Literal["met", "missed"] = "met"
    doubtful: str = ""
    chosen: str = ""
    reason: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    quick: dict[str, dict[str, Any]] = Field(default_factory=dict)
    figure: Annotated[tuple[Figure, ...], Field(min_length=1)]
    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """Folder of the paper, with its cases, data and metrics."""
        return self._folder


class Verdict(NamedTuple):
    """A judged claim.

    values : name of a number -> its value [SI] in the runs   missed : figures whose values are outside of their limits
    failure : why the claim has no values, else ""   errors : name -> numerical error [SI], where computed
    """

    id: str
    claim: Claim
    values: dict[str, float]
    missed: tuple[Figure, ...]
    failure: str = ""
    trials: tuple[ClaimTrial, ...] = ()
    errors: Mapping[str, float] = MappingProxyType({})

    @property
    def status(self) -> str:
        return "missed" if self.missed or self.failure else "met"

    @property
    def measured(self) -> tuple[Measured, ...]:
        """All figures of the claim with their values in the runs, None without a result."""
        return tuple(
            Measured(figure, self.values.get(figure.name), self.errors.get(figure.name)) for figure in self.claim.figure
        )

    @property
    def distance(self) -> float:
        """Largest distance of the numbers with limits, in tolerances (`otjdd.analysis.goal`); nan without a result."""
        distances = [n.distance for n in self.measured if not math.isnan(n.distance)]
        return max(distances, default=math.nan)

    @property
    def surprises(self) -> list[str]:
        """Differences from what the claim expects, in words: verdict, numbers outside of their windows, failure."""
        texts = [f"expected {self.claim.expected}, found {self.status}"] if self.status != self.claim.expected else []
        return texts + ([self.failure] if self.failure else []) + [n.surprise for n in self.measured if n.surprise]

    @property
    def cause(self) -> str:
        """Known cause of a miss: the failure, and the reason of the claim; "" when the claim is met."""
        return "" if self.status == "met" else " ".join(filter(None, [self.failure, self.claim.reason]))

    @property
    def reason(self) -> str:
        """Reason of a miss: the numbers that miss, and the cause; "" when the claim is met."""
        misses = "; ".join(f"{n} ({n.figure.allowed})" for n in self.measured if self.values and n.status == "missed")
        return " ".join(filter(None, [misses and f"{misses}.", self.cause]))

    @property
    def beyond(self) -> dict[str, int]:
        """Limit of the model (`otjdd.solver.model_limits`) -> number of runs of the claim that exceed it."""
        texts = [getattr(trial.ds, "attrs", {}).get(model_limits.ATTRIBUTE, "") for trial in self.trials]
        return dict(Counter(name for text in texts for name in model_limits.names(text)))

    def row(self) -> dict[str, Any]:
        """The verdict for JSON: texts for people, and the same as numbers and names."""
        figures = self.claim.figure
        return {
            "id": self.id,
            "paper": "; ".join(f"{f.label}: {f.paper or f.allowed}" for f in figures if f.allowed),
            "otjdd": "; ".join(map(str, self.measured)) if self.values else "no result",
            "tolerance": "; ".join(dict.fromkeys(filter(None, (f.tolerance for f in figures)))) or "as stated",
            "status": self.status,
            "reason": self.reason,
            "device": self.claim.device,
            "expected": self.claim.expected,
            "distance": finite_or_none(self.distance),
            "values": [number.row() for number in self.measured],
            "runs": len(self.trials),
            "model_limits": self.beyond,
        }


def root_mean_square(verdicts: Sequence[Verdict]) -> float:
    """Root mean square of the distances of claims, in tolerances. Claims without a result are left out."""
    distances = [verdict.distance for verdict in verdicts if not math.isnan(verdict.distance)]
    return math.sqrt(sum(x * x for x in distances) / len(distances)) if distances else math.nan

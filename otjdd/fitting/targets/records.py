"""A calibration file: its cases, the free parameters with their bounds, and the runs with their targets.

A calibration has one case, `case = "li2019.toml"`, or several, each in a table [cases.NAME]. Such a table names either a
case file, and this file states its runs, or another calibration, from which this one takes case, runs and parameters.

A target is what one number of a run should be. Its residual is its distance in units of the tolerance: the limit is at 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from otjdd.analysis.goal import Goal
from otjdd.case.base import Number, Record
from otjdd.case.case import Case
from otjdd.case.drive import Drive
from otjdd.case.keys import value_in_case
from otjdd.errors import NotAsExpected
from otjdd.fitting.parameters import Parameter
from otjdd.studies import keep
from otjdd.units import DIMENSIONS, brief, parse

if TYPE_CHECKING:
    import xarray as xr


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
            raise ValueError("a target needs a number, the index of a read, or a claim that tells how to measure it")
        return self

    @property
    def aim(self) -> str:
        """Name of the aim that it shares with other targets, "" for an aim of its own."""
        return ""

    def measured(self, case: Case, ds: xr.Dataset) -> float:
        """The number [SI] of a run, from its case and Dataset. Raises ValueError when it cannot be measured."""
        if self.number:
            return float(keep.measure(ds, [self.number])[self.number].values)
        reciprocal = self.quantity == "read_conductance"
        values = 1 / ds.read_resistance.values if reciprocal else ds[self.quantity].values
        return float(values[self.read] if self.over is None else values[self.read] / values[self.over])

    def fault(self, drive: Drive) -> tuple[str, str, str] | None:
        """(key, expected, actual) if a run with a drive does not have the number of the target; else None."""
        wrong = keep.not_one(self.number) if self.number else ""
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
    start : value at the beginning of the search; by default that of the first of these cases
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
    set, coarse : as in a calibration of one case; they are put on top of those of the named calibration
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

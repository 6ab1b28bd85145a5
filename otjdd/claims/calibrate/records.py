"""A calibration file: its cases, the free parameters, and the runs with their targets.

A calibration has one case, `case = "li2019.toml"`, or several, each in a table [cases.NAME]. Such a table names either a
case file, and this file states its runs, or another calibration, from which this one takes case, runs and parameters.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from otjdd.case.base import Number, Record
from otjdd.case.case import Case
from otjdd.claims.calibrate.parameter import FreeParameter
from otjdd.claims.calibrate.target import Target
from otjdd.errors import NotAsExpected
from otjdd.fitting.parameters import value_in_case
from otjdd.units import brief

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # of a case: files are named after it


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

    A run of the named calibration gives way to a run of this file with the same name.
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
            raise NotAsExpected("`vary` beside a `calibration`, whose parameters it names", "it beside a case file")
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
            raise NotAsExpected("at least one [[parameter]] and one [[run]]", f"none beside {brief(self.case)}")
        return self

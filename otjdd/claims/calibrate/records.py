"""A calibration file: its cases, the free parameters, and the runs with their targets.

A calibration is of one case, `case = "li2019.toml"`, or of several, a table [cases.NAME] for each. A table names a case
file, whose runs this file states, or another calibration, of which it takes the case, the runs and the parameters.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from otjdd.case.base import Number, Record
from otjdd.case.case import Case
from otjdd.claims.calibrate.parameter import Parameter
from otjdd.claims.calibrate.target import Target
from otjdd.errors import NotAsExpected
from otjdd.fitting.parameters import value_in_case
from otjdd.units import brief

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # of a case: files are named after it


class Experiment(Record):
    """One run: changes to the case (a drive at least) and the targets that it should meet.

    case : name of its case, where a calibration has several
    set : dotted key -> value   scale : dotted key of a number -> factor that multiplies its value in the evaluated case
    """

    name: str
    case: str = ""
    set: dict[str, Any]
    scale: dict[str, Annotated[Number, Field(gt=0)]] = Field(default_factory=dict)
    target: Annotated[tuple[Target, ...], Field(min_length=1)]

    def of(self, case: Case) -> Case:
        """The case of this run. case : with the values of the evaluated point. Raises CaseError."""
        scaled = {key: factor * value_in_case(case, key)[0] for key, factor in self.scale.items()}
        return case.replace(**scaled).replace(**self.set)


class Part(Record):
    """One of several cases: a case file, or a calibration of one case, whose runs are those of this file where names agree.

    vary : keys of the parameters of that calibration that are free here; without it all that this file does not state
    set, coarse : as those of a calibration of one case; on top of those of the named calibration
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
    """A calibration file: one case or several, the free parameters, the runs.

    set : changes of the only case
    coarse : more of them, for the runs of the search alone, which make these faster: cells, rtol
    """

    case: str = ""
    cases: dict[Name, Part] = Field(default_factory=dict)
    set: dict[str, Any] = Field(default_factory=dict)
    coarse: dict[str, Any] = Field(default_factory=dict)
    parameter: tuple[Parameter, ...] = ()
    run: tuple[Experiment, ...] = ()

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

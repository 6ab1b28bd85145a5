"""[fit] and [expect] of a case: measured data and the parameters that may move to meet them; a number of the result.

An expectation is one number of the result. It holds for the case as its file states it. It is therefore not inherited
through `base`, and dropped when `--set` or `replace` changes the case.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, Strict, model_validator

from otjdd.analysis.goal import Goal
from otjdd.case.base import Count, Number, Record, key
from otjdd.case.study_axes import Amount, Name, check_rising, of_one_dimension


class Expect(Record):
    """A number of a result, and the window that it lies in, ends included.

    number : its name, as in `keep` of a study (`read_resistance[-1]`, `loop.ratio`)
    point : for a study, the number of the point, from 0, the last axis fastest
    """

    number: Name
    low: Amount
    high: Amount
    point: Annotated[Count, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def check_window(self) -> Self:
        check_rising(self.low, self.high, equal=True)
        return self

    @property
    def goal(self) -> Goal:
        """The window in SI."""
        low, high = of_one_dimension(self.low, self.high)[0]
        return Goal(low=low, high=high)

    @property
    def dimension(self) -> str:
        """Kind of quantity of the window, "" for plain numbers."""
        return of_one_dimension(self.low, self.high)[1]

    @property
    def words(self) -> str:
        """The expectation in words."""
        point = "" if self.point is None else f" at point {self.point}"
        return f"{self.number} from {self.low} to {self.high}{point}"


LossName = Literal["linear", "soft-l1", "huber", "cauchy", "arctan"]
LOSSES: tuple[str, ...] = get_args(LossName)


class Vary(Record):
    """A parameter to fit. Bounds and scale that are not given are taken from its key.

    log : fit the logarithm   each : fit a value for each data set
    """

    low: Amount | None = key("lower bound; default: the lower bound of the key", None, example="0.5 eV")
    high: Amount | None = key("upper bound; default: the upper bound of the key", None, example="0.8 eV")
    log: Annotated[bool, Strict()] | None = key(
        "a logarithmic scale; default: for quantities that are positive", None, example=True
    )
    each: Annotated[bool, Strict()] = key("a value for each data set", False, example=True)

    @model_validator(mode="after")
    def check_ends(self) -> Self:
        if self.low is not None and self.high is not None:
            check_rising(self.low, self.high)
        return self


class FitData(Record):
    """A data set: its file, the changes of the case that describe its measurement, and what of the file is used."""

    file: Annotated[str, Field(min_length=1, max_length=4096)] = key("file of measured data", example="loop.csv")
    set: dict[str, Any] = key("changes of the case for these data", example={"temperature": "350 K"}, factory=dict)
    weight: Annotated[Number, Field(gt=0, le=1e6)] = key("weight of the squares of these data", 1.0, example=0.5)
    state: Annotated[str, Field(max_length=64)] = key("state of a drive of curves at frozen ions", "", example="LRS")
    noise: Amount | None = key(
        "noise of the instrument of these data; default: the noise of the fit", None, example="1 pA"
    )
    columns: dict[Name, Name] = key("quantity -> header of its column", example={"current": "Reading 2"}, factory=dict)
    sheet: Annotated[str, Field(max_length=200)] = key(
        "sheet of a workbook, or table of a file; default: the first with a curve", "", example="Run1"
    )
    skip: Annotated[tuple[tuple[Count, Count], ...], Field(max_length=1000)] = key(
        "first and last lines of the file that are left out", (), example=[[12, 20]]
    )
    range: dict[Name, tuple[Amount, Amount]] = key(
        "quantity -> ends of the points that are taken", example={"voltage": ["-1 V", "2 V"]}, factory=dict
    )
    from_name: Annotated[str, Field(max_length=200)] = key(
        "what the name of the file says of the measurement", "", example="{temperature}K"
    )

    @model_validator(mode="after")
    def check_ranges(self) -> Self:
        for low, high in self.range.values():
            of_one_dimension(low, high)
        return self

    def reading(self) -> dict[str, Any]:
        """Arguments of the reader of measured data."""
        keep = {name: tuple(of_one_dimension(*ends)[0]) for name, ends in self.range.items()}
        named = {"names": self.columns, "sheet": self.sheet, "from_name": self.from_name}
        return named | {"without": self.skip, "keep": keep}


class Fit(Record):
    """Parameters by dotted key, and data sets.

    loss : how residuals count, as in scipy's least_squares   noise : of data sets that state none of their own
    """

    vary: Annotated[dict[Name, Vary], Field(min_length=1, max_length=100)] = key(
        "dotted key -> bounds and scale", example={"device.left.barrier": {}}, title="A parameter of a fit"
    )
    data: Annotated[tuple[FitData, ...], Field(max_length=100)] = key(
        "data sets", (), example=[{"file": "loop.csv"}], title="A data set of a fit"
    )
    loss: LossName = key("how residuals count; all but the linear loss bear outliers", "linear", example="soft-l1")
    noise: Amount | None = key("noise of the instrument, which adds to the relative uncertainty", None, example="1 pA")

"""A target of a fit: what one number of a run should be.

The residual of a target is its distance in units of the tolerance: the limit is at 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from otjdd.case.base import Number, Record
from otjdd.case.case import Case
from otjdd.case.drive import Drive
from otjdd.studies import keep

if TYPE_CHECKING:
    import xarray as xr


FAILED = 30.0  # residual of every target of a run that cannot be computed


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

    def residual(self, value: float) -> float:
        """Signed distance in tolerances; 0 where a one-sided target is met."""
        if not (math.isfinite(value) and (self.linear or value * (self.value or 1.0) > 0)):
            return FAILED

        def distance(goal: float) -> float:
            return (value - goal) / self.within if self.linear else math.log(value / goal) / math.log(self.within)

        if self.value is not None:
            return distance(self.value)
        below = min(0.0, distance(self.at_least)) if self.at_least is not None else 0.0
        return below + (max(0.0, distance(self.at_most)) if self.at_most is not None else 0.0)

    def distance(self, value: float) -> float:
        """Distance in tolerances, met up to 1; nan for nan."""
        return math.nan if math.isnan(value) else abs(self.residual(value))

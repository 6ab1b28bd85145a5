"""A target of a calibration: what one number of a run should be.

The residual of a target is its distance in units of the tolerance: the limit is at 1.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from otjdd.analysis.metrics import METRICS
from otjdd.analysis.trial import Trial
from otjdd.case.base import Number, Record
from otjdd.case.case import Case
from otjdd.claims import claim as claims
from otjdd.claims.figure import Figure
from otjdd.studies import keep

if TYPE_CHECKING:
    import xarray as xr

FAILED = 30.0  # residual of every target of a run that cannot be computed


class Target(Record):
    """What one number of a run should be: one of its reads, a number as in `[expect]`, or the figure of a claim.

    read : index of the read   over : index of a read to divide by   quantity : column of the reads
    number : its name, such as "loop.set_voltage"   against : name of an earlier run, whose same number divides this one
    value, at_least, at_most : of the quantity in SI   within : a factor, or a difference when linear
    claim : figure of a claim, "rv-hrs.pristine", which supplies the limits that are not given here. Without `read` and
        `number` the figure itself is measured, from this run alone
    """

    name: str
    read: int | None = None
    over: int | None = None
    number: str = ""
    against: str = ""
    quantity: Literal["read_resistance", "read_conductance", "transport_energy", "tunnelling_share"] = "read_resistance"
    claim: str = ""
    value: Number | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    within: Annotated[Number, Field(gt=0)] = 2.0
    linear: bool = False

    @model_validator(mode="before")
    @classmethod
    def ask_claim(cls, data: Any) -> Any:
        claim = data.get("claim") if isinstance(data, dict) else None
        return goal(claims.claim_and_figure(claim)[1]) | data if isinstance(claim, str) else data

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if all(v is None for v in (self.value, self.at_least, self.at_most)):
            raise ValueError("a target needs value, at_least, at_most or a claim that gives them")
        if self.read is None and not (self.number or self.claim):
            raise ValueError("a target needs a number, the index of a read, or a claim that tells how to measure it")
        return self

    def measured(self, case: Case, ds: xr.Dataset) -> float:
        """The number [SI] of a run, from its case and Dataset. Raises ValueError when it cannot be measured."""
        if self.number:
            return float(keep.measure(ds, [self.number])[self.number].values)
        if self.read is None:
            claim, figure = claims.claim_and_figure(self.claim)
            return METRICS[claim.metric].measured([Trial("", math.nan, case, ds)], **claim.settings)[figure.name]
        reciprocal = self.quantity == "read_conductance"
        values = 1 / ds.read_resistance.values if reciprocal else ds[self.quantity].values
        return float(values[self.read] if self.over is None else values[self.read] / values[self.over])

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
        """Distance in tolerances, met up to 1: of a claim in the claim's own, else in those of the target; nan for nan."""
        if self.claim:
            return figure_of(self.claim).distance(value)
        return math.nan if math.isnan(value) else abs(self.residual(value))


@cache
def figure_of(claim: str) -> Figure:
    """The figure of a claim, "rv-hrs.pristine". All sets of a search ask for it: its file is read once."""
    return claims.claim_and_figure(claim)[1]


def goal(figure: Figure) -> dict[str, Any]:
    """Limits of the figure of a claim as fields of a target."""
    limits = {name: getattr(figure, name) for name in ("value", "at_least", "at_most")}
    fields = {name: figure.si(limit) for name, limit in limits.items() if limit is not None}
    if isinstance(figure.within, str):
        value, *ends = figure.published
        ratios = [bound / value for bound in ends]
        return fields | {"within": max(max(ratio, 1 / ratio) for ratio in ratios)}
    return fields if figure.within is None else fields | {"within": figure.si(figure.within), "linear": True}

"""A free parameter of a calibration: its key, its bounds, and the cases whose value it sets."""

from __future__ import annotations

import math
from typing import Self

from pydantic import model_validator

from otjdd.case.base import Number, Record
from otjdd.errors import NotAsExpected
from otjdd.units import DIMENSIONS, brief, parse, write

Bound = str | Number


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
                raise NotAsExpected("bounds as text with units beside a dimension, as numbers without", brief(value))
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

    def bounds(self) -> tuple[float, float]:
        """Bounds in the coordinate of the search: SI, or its logarithm."""
        low, high = self.number(self.low), self.number(self.high)
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def text(self, x: float) -> str | float:
        """Value at a search coordinate in 0..1, rounded to 4 digits, as a case file has it."""
        low, high = self.bounds()
        value = low + (high - low) * min(1.0, max(0.0, x))
        return self.written(math.exp(value) if self.log else value)

    def written(self, value: float) -> str | float:
        """A value [SI], rounded to 4 digits, as a case file has it."""
        value = float(f"{value:.4g}")
        return write(value, self.dimension) if self.dimension else value

    def si(self, x: float) -> float:
        """Value [SI] at a search coordinate in 0..1, rounded as in `text`."""
        return self.number(self.text(x))

    def beyond(self, x: float) -> bool:
        """True if the value at a search coordinate in 0..1 is outside of the published range."""
        if self.published is None:
            return False
        low, high = map(self.number, self.published)
        return not low <= self.si(x) <= high

    def inside(self, value: float) -> float:
        """Search coordinate, 0 to 1, of a value [SI]; a value beyond a bound counts as that bound."""
        low, high = self.number(self.low), self.number(self.high)
        return min(1.0, max(0.0, self.coordinate(min(high, max(low, value)))))

    def coordinate(self, value: float) -> float:
        """Search coordinate of a value [SI]."""
        low, high = self.bounds()
        return ((math.log(value) if self.log else value) - low) / (high - low)

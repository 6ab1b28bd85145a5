"""What a claim runs: each of its cases once, once for each value of a sweep, or once for each of some draws."""

import math
from collections.abc import Iterator
from decimal import Decimal
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from otjdd import units
from otjdd.case.case import Case, load_case
from otjdd.case.record import Count, Record


class Trial(NamedTuple):
    """One run of a claim: stem of its case file, value [SI] of its sweep (nan without), case, result.

    ds : Dataset, or in words why there is none   text : the value as the claim has it
    """

    name: str
    value: float
    case: Case
    ds: Any = None
    text: str = ""


class Once(Record):
    """A case as it is."""

    def trials(self, path: Path, changes: dict, quick: bool) -> Iterator[Trial]:
        """The runs of a case file. changes : on top of it   quick : fewer runs where there may be"""
        yield Trial(path.stem, math.nan, load_case(path, changes))


class Sweep(Record):
    """Runs of one case that differ in one value."""

    key: str
    values: Annotated[tuple[str, ...], Field(min_length=1)]
    quick: Annotated[tuple[str, ...], Field(min_length=1)] | None = None

    def trials(self, path: Path, changes: dict, quick: bool) -> Iterator[Trial]:
        for text in (quick and self.quick) or self.values:
            yield Trial(path.stem, quantity(text), load_case(path, changes | {self.key: text}), text=text)


class Draws(Record):
    """Runs of one case with values drawn about its own: `count` of them, a normal distribution for each key.

    spread : dotted key -> standard deviation, with its unit   quick : count for a quick look
    """

    count: Annotated[Count, Field(ge=1, le=10_000)]
    seed: Annotated[Count, Field(ge=0)]
    spread: Annotated[dict[str, str], Field(min_length=1)]
    quick: Annotated[Count, Field(ge=1, le=10_000)] | None = None

    def trials(self, path: Path, changes: dict, quick: bool) -> Iterator[Trial]:
        case = load_case(path, changes)
        for i in range(1, 1 + ((quick and self.quick) or self.count)):
            yield Trial(path.stem, float(i), case.replace(**self.changes(case, i)), text=f"draw {i}")

    def changes(self, case: Case, number: int) -> dict[str, str]:
        """Dotted key -> value of one draw, in the unit of its spread; the same for a number however many are drawn.

        Raises ValueError for a key that the case does not have.
        """
        normal = np.random.default_rng([self.seed, number]).standard_normal(len(self.spread))
        return {key: about(case, key, sigma, z) for (key, sigma), z in zip(self.spread.items(), normal, strict=True)}


def about(case: Case, key: str, sigma: str, z: float) -> str:
    """The value of a case, z standard deviations away."""
    try:
        middle = reduce(getattr, key.split("."), case)
    except AttributeError:
        raise ValueError(f"there is no {key!r} to draw about") from None
    width, dimension = units.quantity(sigma)
    return units.write(middle + width * float(z), dimension)  # as text: a spread in another unit is refused


def quantity(text: str) -> float:
    """A number with a unit, of whatever dimension, in SI. Raises ValueError."""
    match = units.NUMBER.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no number with a unit")
    return float(Decimal(match[1]).scaleb(units.unit(match[2]).exponent))

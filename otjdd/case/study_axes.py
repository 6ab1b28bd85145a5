"""The [study] of a case: its records, and the axes with their values.

Each entry of `grid` is an axis of its own; `zip`, `points` and `sample` are one axis each, along which several keys change
together. A study is the product of all its axes. Values are text with units, numbers, or tables, as in a case file.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from otjdd.case import toml_text
from otjdd.case.base import Count, Record, key
from otjdd.case.distributions import MAX_COUNT, Amount, Flat, Name, Sample, check_difference, together, value_text
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief, plain_unit

ROWS = {"zip": "row", "points": "point", "sample": "sample"}  # entry -> name of its dimension in the Dataset


class EvenlySpaced(Record):
    """Evenly spaced values from `start` to `stop`, both included: `count` values, or a fixed `step`."""

    start: Amount
    stop: Amount
    count: Annotated[Count, Field(ge=2, le=MAX_COUNT)] | None = key("", None, instead_of=("step",))
    step: Amount | None = None
    spacing: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def check(self) -> Self:
        (start, stop), _ = together(self.start, self.stop)
        if (self.count is None) == (self.step is None):
            raise ValueError("give either count or step")
        if self.spacing == "log" and not (self.count and start > 0 and stop > 0):
            raise ValueError("logarithmic spacing needs a count, and start and stop above zero")
        if self.step is not None:
            (step, _), _ = together(self.step, self.start)
            check_difference(self.step)
            if step <= 0 or not (stop - start) / step <= MAX_COUNT:
                raise NotAsExpected(f"a step above zero, at most {MAX_COUNT} of them", brief(self.step))
        if start >= stop:
            raise NotAsExpected(f"a stop above the start of {brief(self.start)}", brief(self.stop))
        return self

    @property
    def size(self) -> int:
        if self.step is None:
            return self.count or 0
        (start, stop, step), _ = together(self.start, self.stop, self.step)
        return 1 + math.floor((stop - start) / step * (1 + 1e-12) + 1e-9)

    def values(self) -> list[Amount]:
        (start, stop), dimension = together(self.start, self.stop)
        whole = isinstance(self.start, int) and isinstance(self.stop, int)
        if self.step is not None:
            (step, _), _ = together(self.step, self.start)
            numbers = start + step * np.arange(self.size)
        else:
            numbers = (np.geomspace if self.spacing == "log" else np.linspace)(start, stop, self.size)
        return [value_text(v, dimension, whole) for v in numbers.tolist()]


def form_of_values(value: object) -> str:
    return "range" if isinstance(value, dict | EvenlySpaced) else "list"


Values = Annotated[
    Annotated[EvenlySpaced, Tag("range")]
    | Annotated[Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_COUNT)], Tag("list")],
    Discriminator(form_of_values),
]
Axes = Annotated[dict[Name, Values], Flat, Field(max_length=32)]


class Study(Record):
    """Keys to vary, and outputs to keep of each point.

    grid : dotted key -> values, one axis per key   zip : keys that change together   points : the same, row by row
    sample : draws from distributions
    keep : outputs (`read_resistance`, `read_resistance[-1]`) and metrics (`loop`, `loop.ratio`); the reads by default
    time_limit : longest time for one point [s]
    """

    grid: Axes = key(
        "keys whose values are all combined", example={"device.film.thickness": ["2.6 nm", "3 nm"]}, factory=dict
    )
    zip: Axes = key(
        "keys that change together, lists of one length", example={"temperature": ["250 K", "350 K"]}, factory=dict
    )
    points: Annotated[tuple[dict[Name, Any], ...], Field(max_length=MAX_COUNT)] = key(
        "tables of keys, a point each", (), example=[{"temperature": "250 K"}]
    )
    sample: Sample | None = key(
        "draws: method, count, seed, over", None, example={"count": 8, "over": {"temperature": {"values": ["9 K"]}}}
    )
    keep: Annotated[tuple[Name, ...], Field(max_length=200)] = key(
        "outputs and metrics that are kept", (), example=["read_resistance[-1]", "loop.ratio"]
    )
    time_limit: Annotated[float, Quantity("time", "1 ms", "1e9 s")] | None = key(
        "most time that a point may take", None, example="60 s"
    )

    @field_validator("points")
    @classmethod
    def check_points(cls, points: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for row in points:
            if set(row) != set(points[0]):
                raise NotAsExpected(f"the same keys in every point, {', '.join(points[0])}", ", ".join(row))
        return points

    @model_validator(mode="after")
    def check(self) -> Self:
        sizes = {size_of(values) for values in self.zip.values()}
        if len(sizes) > 1:
            raise NotAsExpected("lists of the same length in zip", " and ".join(map(str, sorted(sizes))))
        keys = [
            *self.grid,
            *self.zip,
            *(self.points[0] if self.points else ()),
            *(self.sample.over if self.sample else ()),
        ]
        if not keys:
            raise ValueError("nothing is varied: give grid, zip, points or sample")
        for name in keys:
            if keys.count(name) > 1:
                raise NotAsExpected("every key varied once", f"{name} twice")
        return self

    @property
    def sizes(self) -> dict[str, int]:
        """Dimension -> length, without computing any value."""
        lengths = {key: size_of(values) for key, values in self.grid.items()}
        if self.zip:
            lengths[ROWS["zip"]] = size_of(next(iter(self.zip.values())))
        if self.points:
            lengths[ROWS["points"]] = len(self.points)
        if self.sample:
            lengths[ROWS["sample"]] = self.sample.size
        return lengths


def size_of(values: EvenlySpaced | Sequence[Any]) -> int:
    return values.size if isinstance(values, EvenlySpaced) else len(values)


class StudyAxis(NamedTuple):
    """One dimension of a study: name, keys that change along it, and their values, one row per index."""

    name: str
    keys: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def column(self, key: str) -> list[Any]:
        return [row[self.keys.index(key)] for row in self.rows]


def axes(study: Study) -> list[StudyAxis]:
    """All axes of a study, with their values."""

    def listed(values: EvenlySpaced | Sequence[Any]) -> list[Any]:
        return values.values() if isinstance(values, EvenlySpaced) else list(values)

    axes_of_study = [StudyAxis(key, (key,), [(v,) for v in listed(values)]) for key, values in study.grid.items()]
    if study.zip:
        rows = list(zip(*map(listed, study.zip.values()), strict=True))
        axes_of_study.append(StudyAxis(ROWS["zip"], tuple(study.zip), rows))
    if study.points:
        keys = tuple(study.points[0])
        axes_of_study.append(StudyAxis(ROWS["points"], keys, [tuple(row[key] for key in keys) for row in study.points]))
    if study.sample:
        axes_of_study.append(StudyAxis(ROWS["sample"], tuple(study.sample.over), study.sample.rows()))
    return axes_of_study


def coordinate(values: Sequence[Any]) -> tuple[np.ndarray, str]:
    """Values of a key as an array, and its unit: SI floats, plain numbers, or text for anything else."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return np.array(values, dtype=float), "1"
    try:
        numbers, dimension = together(*values)
        return np.array(numbers), plain_unit(dimension)
    except (ValueError, TypeError, AttributeError):
        text = [v if isinstance(v, str) else toml_text.toml_value(v) for v in values]
        return np.array(text, dtype=object), "1"

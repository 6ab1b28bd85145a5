"""The [study] of a case: its axes with their values, and distributions of uncertain values with samples from a seed.

Each entry of `grid` is an axis of its own; `zip`, `points` and `sample` are one axis each, along which several keys change
together. A study is the product of all its axes. Values are text with units, numbers, or tables, as in a case file.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from otjdd.case import toml_text
from otjdd.case.base import Count, Number, Quantity, Record, form_by, key
from otjdd.errors import NotAsExpected
from otjdd.system.late import scipy
from otjdd.units import brief, difference, plain_unit, quantity, write

MAX_COUNT = 1_000_000
DIGITS = 12  # of computed values: 2.2 nm and not 2.2000000000000002 nm

Amount = str | Count | Number
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def flat_keys(table: Any) -> Any:
    """Flatten nested tables to dotted keys: {ions: {density: [..]}} -> {"ions.density": [..]}.

    Tables with one of the keys LEAVES describe a value and are kept.
    """
    by_key: dict[str, Any] = {}
    for name, value in table.items() if isinstance(table, dict) else ():
        if isinstance(value, dict) and not set(value) & LEAVES:
            by_key |= {f"{name}.{inner}": deep for inner, deep in flat_keys(value).items()}
        else:
            by_key[name] = value
    return by_key or table


LEAVES = {"start", "stop", "low", "high", "mean", "median", "values"}
Flat = BeforeValidator(flat_keys)


def of_one_dimension(*amounts: Amount) -> tuple[list[float], str]:
    """Amounts [SI], and their common dimension, "" for plain numbers. Raises NotAsExpected for different dimensions."""
    read = [quantity(a) if isinstance(a, str) else (float(a), "") for a in amounts]
    for (_, dimension), text in zip(read, amounts, strict=True):
        if dimension != read[0][1]:
            raise NotAsExpected(f"the same kind of quantity as {brief(amounts[0])}", brief(text))
    return [value for value, _ in read], read[0][1]


def check_rising(low: Amount, high: Amount, equal: bool = False) -> float:
    """The lower end [SI]. Raises NotAsExpected for a higher one that is not above it. equal : it may be the same"""
    (bottom, top), _ = of_one_dimension(low, high)
    if bottom > top or (bottom == top and not equal):
        raise NotAsExpected(f"a high end above the low one of {brief(low)}", brief(high))
    return bottom


def value_text(value: float, dimension: str, whole: bool = False) -> Amount:
    """A computed value [SI] as a case file has it: text with a unit, or a plain number when `dimension` is "".

    whole : write numbers without a fraction as integers
    """
    value = float(f"{value:.{DIGITS}g}")
    if dimension:
        return write(value, dimension)
    return int(value) if whole and value.is_integer() else value


def check_difference(amount: Amount) -> None:
    """Raise UnitError for a step or deviation in degC, whose zero is not the zero of the scale."""
    if isinstance(amount, str):
        difference(amount)


class Uniform(Record):
    """Uniform between `low` and `high`; uniform in the logarithm with spacing "log"."""

    low: Amount
    high: Amount
    spacing: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def check(self) -> Self:
        if check_rising(self.low, self.high) <= 0 and self.spacing == "log":
            raise ValueError("logarithmic spacing needs a low end above zero")
        return self

    def quantiles(self, u: np.ndarray) -> tuple[np.ndarray, str]:
        """Quantiles [SI] at probabilities u, and their dimension."""
        (low, high), dimension = of_one_dimension(self.low, self.high)
        return (low * (high / low) ** u if self.spacing == "log" else low + (high - low) * u), dimension


class Normal(Record):
    """Normal distribution, truncated at `low` and `high` if given."""

    mean: Amount
    deviation: Amount
    low: Amount | None = None
    high: Amount | None = None

    @model_validator(mode="after")
    def check(self) -> Self:
        of_one_dimension(self.mean, self.deviation)
        check_difference(self.deviation)
        check_spread(si_value(self.deviation) > 0, "a deviation above zero", self.deviation)
        check_ends(self.mean, self.low, self.high)
        return self

    def quantiles(self, u: np.ndarray) -> tuple[np.ndarray, str]:
        (mean, deviation), dimension = of_one_dimension(self.mean, self.deviation)
        return mean + deviation * truncated(
            u, *((end - mean) / deviation for end in ends(self.low, self.high))
        ), dimension


class Lognormal(Record):
    """Log-normal distribution, truncated at `low` and `high` if given. factor : exp of the deviation of the logarithm"""

    median: Amount
    factor: Annotated[Number, Field(gt=1, le=1e6)]
    low: Amount | None = None
    high: Amount | None = None

    @model_validator(mode="after")
    def check(self) -> Self:
        check_spread(si_value(self.median) > 0, "a median above zero", self.median)
        check_ends(self.median, self.low, self.high)
        return self

    def quantiles(self, u: np.ndarray) -> tuple[np.ndarray, str]:
        (median,), dimension = of_one_dimension(self.median)
        sigma = math.log(self.factor)
        logs = (math.log(end) if end > 0 else -math.inf for end in ends(self.low, self.high))
        return median * np.exp(sigma * truncated(u, *((x - math.log(median)) / sigma for x in logs))), dimension


class Choice(Record):
    """One of the listed values, with equal probabilities."""

    values: Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_COUNT)]


def si_value(amount: Amount) -> float:
    return of_one_dimension(amount)[0][0]


def check_spread(good: bool, expected: str, amount: Amount) -> None:
    if not good:
        raise NotAsExpected(expected, brief(amount))


def check_ends(middle: Amount, low: Amount | None, high: Amount | None) -> None:
    """Raise NotAsExpected unless the ends lie on either side of the middle."""
    of_one_dimension(middle, *(end for end in (low, high) if end is not None))
    bottom, top = ends(low, high)
    if not bottom < si_value(middle) < top:
        raise NotAsExpected(f"ends on either side of {brief(middle)}", f"{brief(low)} and {brief(high)}")


def ends(low: Amount | None, high: Amount | None) -> tuple[float, float]:
    return (-math.inf if low is None else si_value(low)), (math.inf if high is None else si_value(high))


def truncated(u: np.ndarray, low: float, high: float) -> np.ndarray:
    """Quantiles of the standard normal distribution, truncated at two ends."""
    bottom, top = scipy.special.ndtr(low), scipy.special.ndtr(high)
    return np.clip(scipy.special.ndtri(bottom + u * (top - bottom)), low, high)


Distribution = Annotated[
    Annotated[Uniform, Tag("uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Lognormal, Tag("log-normal")]
    | Annotated[Choice, Tag("choice")],
    Discriminator(form_by({"mean": "normal", "median": "log-normal", "values": "choice"}, "uniform")),
]


class Sample(Record):
    """Joint draws of several keys from a seed, the same on every machine.

    method : "sobol" (scrambled, a power of 2 as count), "latin-hypercube", "random", or "saltelli", a design of
        count * (keys + 2) points from which Sobol indices are estimated
    over : dotted key -> distribution
    """

    method: Literal["sobol", "latin-hypercube", "random", "saltelli"] = "sobol"
    count: Annotated[Count, Field(ge=1, le=MAX_COUNT)]
    seed: Annotated[Count, Field(ge=0, lt=2**63)] = 0
    over: Annotated[dict[Name, Distribution], Flat, Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.method in ("sobol", "saltelli") and self.count & (self.count - 1):
            below = 1 << (self.count.bit_length() - 1)
            raise NotAsExpected(f"a count that is a power of 2, such as {below} or {2 * below}", str(self.count))
        return self

    @property
    def size(self) -> int:
        return self.count * (len(self.over) + 2 if self.method == "saltelli" else 1)

    def rows(self) -> list[tuple[Amount, ...]]:
        """Values of the keys, one row per draw; for "saltelli" the blocks A, B, and A with one column of B each."""
        if self.method == "saltelli":
            both, d = unit_cube("sobol", self.count, 2 * len(self.over), self.seed), len(self.over)
            A, B = both[:, :d], both[:, d:]
            cube = np.concatenate([A, B, *(np.where(np.arange(d) == i, B, A) for i in range(d))])
        else:
            cube = unit_cube(self.method, self.count, len(self.over), self.seed)
        return list(zip(*(drawn_values(d, u) for d, u in zip(self.over.values(), cube.T, strict=True)), strict=True))


def unit_cube(method: str, count: int, dimensions: int, seed: int) -> np.ndarray:
    """Points (count, dimensions) of the open unit cube."""
    rng = np.random.default_rng(seed)
    if method == "random":
        return rng.random((count, dimensions))
    if method == "sobol":
        points = scipy.stats.qmc.Sobol(dimensions, rng=rng).random(count)
    else:
        points = latin_hypercube(rng, count, dimensions)
    return np.clip(points, 2.0**-64, 1 - 2.0**-53)


def latin_hypercube(rng: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    """Points (count, dimensions) of the unit cube, one in each of `count` slices of each dimension.

    McKay, Beckman & Conover, Technometrics 21, 239 (1979). The points equal the ones of `scipy.stats.qmc.LatinHypercube`,
    whose import takes 0.7 s.
    """
    (own,) = rng.spawn(1)  # as scipy does, for the same points
    place, slices = own.random((count, dimensions)), np.tile(np.arange(1, count + 1), (dimensions, 1))
    for row in slices:
        own.shuffle(row)
    return (slices.T - place) / count


def drawn_values(distribution: Any, u: np.ndarray) -> list[Amount]:
    """Values of a distribution at probabilities u (n,), as a case file has them."""
    if isinstance(distribution, Choice):
        n = len(distribution.values)
        return [distribution.values[min(int(x * n), n - 1)] for x in u]
    values, dimension = distribution.quantiles(u)
    return [value_text(v, dimension) for v in values.tolist()]


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
        (start, stop), _ = of_one_dimension(self.start, self.stop)
        if (self.count is None) == (self.step is None):
            raise ValueError("give either count or step")
        if self.spacing == "log" and not (self.count and start > 0 and stop > 0):
            raise ValueError("logarithmic spacing needs a count, and start and stop above zero")
        if self.step is not None:
            (step, _), _ = of_one_dimension(self.step, self.start)
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
        (start, stop, step), _ = of_one_dimension(self.start, self.stop, self.step)
        return 1 + math.floor((stop - start) / step * (1 + 1e-12) + 1e-9)

    def values(self) -> list[Amount]:
        (start, stop), dimension = of_one_dimension(self.start, self.stop)
        whole = isinstance(self.start, int) and isinstance(self.stop, int)
        if self.step is not None:
            (step, _), _ = of_one_dimension(self.step, self.start)
            numbers = start + step * np.arange(self.size)
        else:
            numbers = (np.geomspace if self.spacing == "log" else np.linspace)(start, stop, self.size)
        return [value_text(v, dimension, whole) for v in numbers.tolist()]


Values = Annotated[
    Annotated[EvenlySpaced, Tag("range")]
    | Annotated[Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_COUNT)], Tag("list")],
    Discriminator(form_by({dict: "range"}, "list")),
]
Axes = Annotated[dict[Name, Values], Flat, Field(max_length=32)]


class Study(Record):
    """Keys to vary, and outputs to keep of each point; the reads by default."""

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
        numbers, dimension = of_one_dimension(*values)
        return np.array(numbers), plain_unit(dimension)
    except (ValueError, TypeError, AttributeError):
        text = [v if isinstance(v, str) else toml_text.toml_value(v) for v in values]
        return np.array(text, dtype=object), "1"

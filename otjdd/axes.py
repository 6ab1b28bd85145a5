"""What a study varies: the records of [study], and the values that they stand for.

Each entry of `grid` is an axis of its own; `zip`, `points` and `sample` are one axis each along which several keys change
together. A study is the product of all its axes. Values are text with units, numbers, or tables, as in a case file.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from otjdd.device import Count, Number, Record
from otjdd.units import NotAsExpected, Quantity, brief, plain_unit, quantity, write

MAX_COUNT = 1_000_000
DIGITS = 12  # of computed values: 2.2 nm and not 2.2000000000000002 nm
ROWS = {"zip": "row", "points": "point", "sample": "sample"}  # their dimensions in the Dataset

Amount = str | Count | Number
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def flat(table):
    """Nested tables as dotted keys, down to lists and to the tables of a record: {ions: {density: [..]}}."""
    found = {}
    for key, value in table.items() if isinstance(table, dict) else ():
        if isinstance(value, dict) and not set(value) & LEAVES:
            found |= {f"{key}.{inner}": deep for inner, deep in flat(value).items()}
        else:
            found[key] = value
    return found or table


LEAVES = {"start", "stop", "low", "high", "mean", "median", "values"}
Flat = BeforeValidator(flat)


def together(*amounts: Amount) -> tuple[list[float], str]:
    """Amounts in SI and their common dimension, "" for plain numbers. Raises NotAsExpected."""
    read = [quantity(a) if isinstance(a, str) else (float(a), "") for a in amounts]
    for (_, dimension), text in zip(read, amounts, strict=True):
        if dimension != read[0][1]:
            raise NotAsExpected(f"the same kind of quantity as {brief(amounts[0])}", brief(text))
    return [value for value, _ in read], read[0][1]


def value_text(value: float, dimension: str, whole: bool = False) -> Amount:
    """A computed value as a case file has it. whole : numbers without a fraction are whole numbers."""
    value = float(f"{value:.{DIGITS}g}")
    if dimension:
        return write(value, dimension)
    return int(value) if whole and value.is_integer() else value


class Range(Record):
    """Evenly spaced values from `start` to `stop`, both included: `count` of them, or one each `step`."""

    start: Amount
    stop: Amount
    count: Annotated[Count, Field(ge=2, le=MAX_COUNT)] | None = None
    step: Amount | None = None
    spacing: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def check(self):
        (start, stop), _ = together(self.start, self.stop)
        if (self.count is None) == (self.step is None):
            raise ValueError("give either count or step")
        if self.spacing == "log" and not (self.count and start > 0 and stop > 0):
            raise ValueError("logarithmic spacing needs a count, and start and stop above zero")
        if self.step is not None:
            (step, _), _ = together(self.step, self.start)
            if step <= 0 or not (stop - start) / step <= MAX_COUNT:
                raise NotAsExpected(f"a step above zero, at most {MAX_COUNT} of them", brief(self.step))
        if start >= stop:
            raise NotAsExpected(f"a stop above the start of {brief(self.start)}", brief(self.stop))
        return self

    @property
    def size(self) -> int:
        if self.count is not None:
            return self.count
        (start, stop, step), _ = together(self.start, self.stop, self.step)
        return 1 + math.floor((stop - start) / step * (1 + 1e-12) + 1e-9)

    def values(self) -> list[Amount]:
        (start, stop), dimension = together(self.start, self.stop)
        whole = isinstance(self.start, int) and isinstance(self.stop, int)
        if self.step is not None:
            (step, _), _ = together(self.step, self.start)
            found = start + step * np.arange(self.size)
        else:
            found = (np.geomspace if self.spacing == "log" else np.linspace)(start, stop, self.count)
        return [value_text(v, dimension, whole) for v in found.tolist()]


class Uniform(Record):
    """Equally likely between `low` and `high`; with spacing "log", their logarithms are."""

    low: Amount
    high: Amount
    spacing: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def check(self):
        (low, high), _ = together(self.low, self.high)
        if low >= high:
            raise NotAsExpected(f"a high end above the low one of {brief(self.low)}", brief(self.high))
        if self.spacing == "log" and low <= 0:
            raise ValueError("logarithmic spacing needs a low end above zero")
        return self

    def at(self, u: np.ndarray) -> tuple[np.ndarray, str]:
        """Values [SI] below which a share u of all lies, and their dimension."""
        (low, high), dimension = together(self.low, self.high)
        return (low * (high / low) ** u if self.spacing == "log" else low + (high - low) * u), dimension


class Normal(Record):
    """Gaussian; with `low` or `high` truncated there."""

    mean: Amount
    deviation: Amount
    low: Amount | None = None
    high: Amount | None = None

    @model_validator(mode="after")
    def check(self):
        together(self.mean, self.deviation)
        check_spread(quantity_of(self.deviation) > 0, "a deviation above zero", self.deviation)
        check_ends(self.mean, self.low, self.high)
        return self

    def at(self, u: np.ndarray) -> tuple[np.ndarray, str]:
        (mean, deviation), dimension = together(self.mean, self.deviation)
        return mean + deviation * truncated(
            u, *((end - mean) / deviation for end in ends(self.low, self.high))
        ), dimension


class Lognormal(Record):
    """Logarithm Gaussian: `median`, and the factor of one standard deviation; with `low` or `high` truncated there."""

    median: Amount
    factor: Annotated[Number, Field(gt=1, le=1e6)]
    low: Amount | None = None
    high: Amount | None = None

    @model_validator(mode="after")
    def check(self):
        check_spread(quantity_of(self.median) > 0, "a median above zero", self.median)
        check_ends(self.median, self.low, self.high)
        return self

    def at(self, u: np.ndarray) -> tuple[np.ndarray, str]:
        (median,), dimension = together(self.median)
        sigma = math.log(self.factor)
        logs = (math.log(end) if end > 0 else -math.inf for end in ends(self.low, self.high))
        return median * np.exp(sigma * truncated(u, *((x - math.log(median)) / sigma for x in logs))), dimension


class Choice(Record):
    """One of the listed values, each equally likely."""

    values: Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_COUNT)]


def quantity_of(amount: Amount) -> float:
    return together(amount)[0][0]


def check_spread(good: bool, expected: str, amount: Amount):
    if not good:
        raise NotAsExpected(expected, brief(amount))


def check_ends(middle: Amount, low: Amount | None, high: Amount | None):
    """Truncation must leave the middle where it is."""
    together(middle, *(end for end in (low, high) if end is not None))
    bottom, top = ends(low, high)
    if not bottom < quantity_of(middle) < top:
        raise NotAsExpected(f"ends on either side of {brief(middle)}", f"{brief(low)} and {brief(high)}")


def ends(low: Amount | None, high: Amount | None) -> tuple[float, float]:
    return (-math.inf if low is None else quantity_of(low)), (math.inf if high is None else quantity_of(high))


def truncated(u: np.ndarray, low: float, high: float) -> np.ndarray:
    """Quantiles of the standard normal distribution between two ends."""
    from scipy.special import ndtr, ndtri

    bottom, top = ndtr(low), ndtr(high)
    return np.clip(ndtri(bottom + u * (top - bottom)), low, high)


def form_of(value) -> str:
    """Which distribution a table is, by its keys."""
    keys = set(value) if isinstance(value, dict) else set(vars(value)) if isinstance(value, Record) else set()
    return next((key for key in ("mean", "median", "values") if key in keys), "low")


Distribution = Annotated[
    Annotated[Uniform, Tag("low")]
    | Annotated[Normal, Tag("mean")]
    | Annotated[Lognormal, Tag("median")]
    | Annotated[Choice, Tag("values")],
    Discriminator(form_of),
]


class Sample(Record):
    """Draws of several keys together, from a seed: the same numbers on every machine.

    method : "sobol" (scrambled, counts are powers of 2), "latin-hypercube", "random", or "saltelli", the design from which
    Sobol indices are estimated: count * (keys + 2) points
    """

    method: Literal["sobol", "latin-hypercube", "random", "saltelli"] = "sobol"
    count: Annotated[Count, Field(ge=1, le=MAX_COUNT)]
    seed: Annotated[Count, Field(ge=0, lt=2**63)] = 0
    over: Annotated[dict[Name, Distribution], Flat, Field(min_length=1, max_length=1000)]

    @model_validator(mode="after")
    def check(self):
        if self.method in ("sobol", "saltelli") and self.count & (self.count - 1):
            below = 1 << (self.count.bit_length() - 1)
            raise NotAsExpected(f"a count that is a power of 2, such as {below} or {2 * below}", str(self.count))
        return self

    @property
    def size(self) -> int:
        return self.count * (len(self.over) + 2 if self.method == "saltelli" else 1)

    def rows(self) -> list[tuple]:
        """Values of the keys, one row a draw; those of "saltelli" are the blocks A, B, and A with one column of B."""
        if self.method == "saltelli":
            both, d = unit_cube("sobol", self.count, 2 * len(self.over), self.seed), len(self.over)
            A, B = both[:, :d], both[:, d:]
            cube = np.concatenate([A, B, *(np.where(np.arange(d) == i, B, A) for i in range(d))])
        else:
            cube = unit_cube(self.method, self.count, len(self.over), self.seed)
        return list(zip(*(drawn(d, u) for d, u in zip(self.over.values(), cube.T, strict=True)), strict=True))


def unit_cube(method: str, count: int, dimensions: int, seed: int) -> np.ndarray:
    """Points (count, dimensions) of the open unit cube."""
    rng = np.random.default_rng(seed)
    if method == "random":
        return rng.random((count, dimensions))
    from scipy.stats import qmc

    engine = (qmc.Sobol if method == "sobol" else qmc.LatinHypercube)(dimensions, rng=rng)
    return np.clip(engine.random(count), 2.0**-64, 1 - 2.0**-53)


def drawn(distribution, u: np.ndarray) -> list:
    """Values of a case file at shares u of a distribution."""
    if isinstance(distribution, Choice):
        n = len(distribution.values)
        return [distribution.values[min(int(x * n), n - 1)] for x in u]
    found, dimension = distribution.at(u)
    return [value_text(v, dimension) for v in found.tolist()]


def form_of_values(value) -> str:
    return "range" if isinstance(value, dict | Range) else "list"


Values = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_COUNT)], Tag("list")],
    Discriminator(form_of_values),
]
Axes = Annotated[dict[Name, Values], Flat, Field(max_length=32)]


class Study(Record):
    """What is varied, and what is kept of each point.

    grid : dotted key -> values, an axis each   zip : keys that change together   points : the same, row by row
    sample : draws from distributions
    keep : outputs (`read_resistance`, `read_resistance[-1]`) and metrics (`loop`, `loop.ratio`); by default the reads
    time_limit : of one point [s]
    """

    grid: Axes = Field(default_factory=dict)
    zip: Axes = Field(default_factory=dict)
    points: Annotated[tuple[dict[Name, Any], ...], Field(max_length=MAX_COUNT)] = ()
    sample: Sample | None = None
    keep: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    time_limit: Annotated[float, Quantity("time", "1 ms", "1e9 s")] | None = None

    @field_validator("points")
    @classmethod
    def check_points(cls, points):
        for row in points:
            if set(row) != set(points[0]):
                raise NotAsExpected(f"the same keys in every point, {', '.join(points[0])}", ", ".join(row))
        return points

    @model_validator(mode="after")
    def check(self):
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
        for key in keys:
            if keys.count(key) > 1:
                raise NotAsExpected("every key varied once", f"{key} twice")
        return self

    @property
    def sizes(self) -> dict[str, int]:
        """Dimension -> length, without working out any value."""
        found = {key: size_of(values) for key, values in self.grid.items()}
        if self.zip:
            found[ROWS["zip"]] = size_of(next(iter(self.zip.values())))
        if self.points:
            found[ROWS["points"]] = len(self.points)
        if self.sample:
            found[ROWS["sample"]] = self.sample.size
        return found


def size_of(values) -> int:
    return values.size if isinstance(values, Range) else len(values)


class Axis(NamedTuple):
    """One dimension of a study: its name, the keys that change along it, and their values, one row a place."""

    name: str
    keys: tuple[str, ...]
    rows: list[tuple]

    def column(self, key: str) -> list:
        return [row[self.keys.index(key)] for row in self.rows]


def axes(study: Study) -> list[Axis]:
    """All axes of a study with their values."""

    def listed(values):
        return values.values() if isinstance(values, Range) else list(values)

    found = [Axis(key, (key,), [(v,) for v in listed(values)]) for key, values in study.grid.items()]
    if study.zip:
        rows = list(zip(*map(listed, study.zip.values()), strict=True))
        found.append(Axis(ROWS["zip"], tuple(study.zip), rows))
    if study.points:
        keys = tuple(study.points[0])
        found.append(Axis(ROWS["points"], keys, [tuple(row[key] for key in keys) for row in study.points]))
    if study.sample:
        found.append(Axis(ROWS["sample"], tuple(study.sample.over), study.sample.rows()))
    return found


def coordinate(values: Sequence) -> tuple[np.ndarray, str]:
    """Values of a key as an array and its unit: SI floats, plain numbers, or text where they are neither."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return np.array(values, dtype=float), "1"
    try:
        found, dimension = together(*values)
        return np.array(found), plain_unit(dimension)
    except (ValueError, TypeError, AttributeError):
        from otjdd import toml

        text = [v if isinstance(v, str) else toml.toml_value(v) for v in values]
        return np.array(text, dtype=object), "1"

"""The [columns] of a case: parallel columns that share the junction voltage, their kinds, and the keys that differ."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    create_model,
    model_validator,
)
from typing_extensions import TypedDict

from otjdd.case.base import Count, Name, Number, Quantity, Record, facts_of, is_list, key, marks_of, records_of
from otjdd.case.device import Device, Ions
from otjdd.case.study_axes import Flat
from otjdd.errors import NotAsExpected
from otjdd.system.late import scipy
from otjdd.system.text_files import QuantityColumn, is_number, lines, numbers_of, units_of
from otjdd.units import brief

MOST_COLUMNS = 256
Nodes = Literal["gauss-hermite", "gauss-legendre", "draws"]
HowMany = Annotated[Count, Field(ge=1, le=MOST_COLUMNS)]
Seed = Annotated[Count, Field(ge=0, lt=2**63)]
SIGN = "-"  # before a key of `together` that falls where the first key rises


def law(name: str, dimension: str, **fields: Any) -> Any:
    """Make the record of a law of distribution, tagged by its name.

    The class becomes a global name of this module, so that its instances can be pickled.
    """
    title = f"{name.title().replace('-', '')}Of{dimension.title()}"
    keys: dict[str, Any] = {"law": (Literal[name], ...)} | {name: (kind, ...) for name, kind in fields.items()}
    record = globals()[title] = create_model(title, __base__=Record, **keys)
    return Annotated[record, Tag(name)]


def form(value: Any) -> str:
    """Tag of the value of a key of `spread`: the name of its law, or "deviation"."""
    name = value.get("law", "") if isinstance(value, dict) else getattr(value, "law", None)
    return "deviation" if name is None else name


@cache
def spread_type(dimension: str, most: str) -> Any:
    """Type of the distribution of a key around its value in the case.

    It is a standard deviation, whose distribution `nodes` names, or a table with a law and its keys:

        normal                  deviation
        uniform                 width, from end to end
        exponential             scale, positive for a tail to larger values ("deeper"), negative to smaller ones
        two-sided-exponential   scale
        log-normal              factor of one standard deviation; the value in the case is the median
        table                   file with two columns, value and weight, which replace the value in the case
    """
    unit = most.partition(" ")[2]
    size = Annotated[float, Quantity(dimension, f"0 {unit}", most)]
    signed = Annotated[float, Quantity(dimension, f"-{most}", most)]
    laws = (
        Annotated[size, Tag("deviation")]
        | law("normal", dimension, deviation=size)
        | law("uniform", dimension, width=size)
        | law("exponential", dimension, scale=signed)
        | law("two-sided-exponential", dimension, scale=size)
        | law("table", dimension, file=Annotated[str, Field(min_length=1, max_length=4096)])
    )
    if dimension != "energy":  # positive by nature
        laws = laws | law("log-normal", dimension, factor=Annotated[Number, Field(gt=1, le=1e6)])
    return Annotated[laws, Discriminator(form)]


def keys_of_spread(path: str, record: type[BaseModel]) -> Iterator[tuple[str, tuple[str, str]]]:
    """(dotted key, its dimension and the largest deviation) of the keys of a table that may differ between columns."""
    for name, field in record.model_fields.items():
        most, place = facts_of(field).spread, f"{path}.{name}"
        quantity = next((mark for mark in marks_of(field) if isinstance(mark, Quantity)), None)
        if isinstance(most, str) and most and quantity:
            yield place, (quantity.dimension, most)
        elif most is not False and not is_list(field.annotation):
            for inner in records_of(field.annotation):
                yield from keys_of_spread(place, inner)


OF_SPREAD = dict(  # in the order of `solver.model.Member`
    sorted({*keys_of_spread("ions", Ions), *keys_of_spread("device", Device)}, key=lambda of: (of[0].count("."), of[0]))
)
if TYPE_CHECKING:
    Spread = dict[str, Any]
else:
    Spread = TypedDict("Spread", {name: spread_type(*of) for name, of in OF_SPREAD.items()}, total=False)
    Spread.__pydantic_config__ = ConfigDict(extra="forbid")


class Columns(Record):
    """Parallel columns that share the junction voltage and differ in the values of some keys.

    count : of each key that is spread, or of all keys that move together
    nodes : of standard deviations: "gauss-hermite" quadrature; "gauss-legendre" quadrature of a uniform distribution of the
        same standard deviation, which has ends; or seeded "draws", of all laws
    together : keys of `spread`; "-ions.density" moves against the first of them
    """

    count: HowMany = key("columns for each key that is spread", 1, example=5)
    nodes: Nodes = key(
        "where values with a standard deviation lie: normal, uniform, or drawn",
        "gauss-hermite",
        example="gauss-legendre",
    )
    seed: Seed = key("seed of draws", 0, example=1)
    spread: Spread = key(
        "dotted key -> standard deviation or law", example={"ions.activation_energy": "60 meV"}, factory=dict
    )
    together: Annotated[tuple[str, ...], Field(min_length=2)] | None = key(
        "keys that move along one quantile", None, example=["ions.activation_energy", "-device.left.barrier"]
    )
    kinds: Annotated[tuple["ColumnKind", ...], Field(min_length=1, max_length=16)] | None = key(
        "parts of the area that differ in device or ions", None, title="A kind of columns"
    )

    @model_validator(mode="after")
    def check_together(self) -> Self:
        check_together(self.together, self.spread)
        return self


class ColumnKind(Record):
    """A part of the area whose columns are of one kind. Keys that it leaves out are taken from [columns]."""

    name: Name = key("name in results and pictures", example="background")
    share: Annotated[Number, Field(gt=0, le=1)] = key("fraction of the area; the rest insulates", example=0.01)
    set: Annotated[dict[str, Any], Flat, AfterValidator(lambda table: dict(sorted(table.items())))] = key(
        "dotted keys of device and ions with their values here", example={"device.left.barrier": "0.7 eV"}, factory=dict
    )
    count: HowMany | None = key("columns of this kind; default: as in [columns]", None, example=1)
    nodes: Nodes | None = key("default: as in [columns]", None, example="gauss-legendre")
    seed: Seed | None = key("default: as in [columns]", None, example=1)
    spread: Spread | None = key("default: as in [columns]", None, example={"ions.activation_energy": "60 meV"})
    together: Annotated[tuple[str, ...], Field(min_length=2)] | None = key(
        "default: as in [columns]", None, example=["ions.activation_energy", "ions.density"]
    )

    @model_validator(mode="after")
    def check_together(self) -> Self:
        if self.together is not None and self.spread is not None:
            check_together(self.together, self.spread)
        return self


def check_together(together: tuple[str, ...] | None, spread: Mapping[str, Any]) -> None:
    """Raise NotAsExpected for a key that moves together with others and is not spread, or is named twice."""
    keys = [name.removeprefix(SIGN) for name in together or ()]
    for name in keys:
        if name not in spread or keys.count(name) > 1:
            raise NotAsExpected("keys of the spread, each once" if spread else "keys of a spread", brief(name))


TAIL = 1e-5  # probability beyond the last edge of the slices; the outermost slice takes it


class Standard(NamedTuple):
    """A distribution in units of its own scale: quantiles z(u) at probabilities 0 <= u <= 1."""

    edges: Callable[[int], np.ndarray]  # number n of slices -> probabilities u (n+1,) of their edges
    quantile: Callable[[np.ndarray], np.ndarray]  # z(u)
    integral: Callable[[np.ndarray], np.ndarray]  # of z from 0 to u; gives the exact means of slices


def normal_law() -> Standard:
    ndtr, ndtri = scipy.special.ndtr, scipy.special.ndtri

    def density(u: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * ndtri(u) ** 2) / np.sqrt(2.0 * np.pi)

    end = -ndtri(TAIL)
    return Standard(lambda n: closed(ndtr(np.linspace(-end, end, n + 1))), ndtri, lambda u: -density(u))


def exponential_law() -> Standard:
    return Standard(
        lambda n: closed(-np.expm1(np.linspace(0.0, np.log(TAIL), n + 1))),
        lambda u: -np.log1p(-u),
        lambda u: u + scipy.special.xlogy(1.0 - u, 1.0 - u),
    )


def two_sided() -> Standard:
    def edges(n: int) -> np.ndarray:
        z = np.linspace(np.log(2.0 * TAIL), -np.log(2.0 * TAIL), n + 1)
        return closed(np.where(z < 0.0, 0.5 * np.exp(-abs(z)), 1.0 - 0.5 * np.exp(-abs(z))))

    def outer(u: np.ndarray) -> np.ndarray:  # distance from the nearer end
        return np.minimum(u, 1.0 - u)

    return Standard(
        edges,
        lambda u: np.sign(u - 0.5) * -np.log(2.0 * outer(u)),
        lambda u: scipy.special.xlogy(outer(u), 2.0 * outer(u)) - outer(u),
    )


def listed_law(values: np.ndarray, weights: np.ndarray) -> Standard:
    """The law of listed values with weights. Slices are equally wide in value; empty ones are left out."""
    order = np.argsort(values, kind="stable")
    z, p = values[order], weights[order] / weights.sum()
    u, sums = np.concatenate(([0.0], np.cumsum(p))), np.concatenate(([0.0], np.cumsum(p * z)))
    u[-1] = 1.0

    def edges(n: int) -> np.ndarray:
        if n >= len(z):
            return np.unique(u)
        ends = np.searchsorted(z, np.linspace(z[0], z[-1], n + 1)[1:-1], side="right")
        return np.unique(np.concatenate(([0.0], u[ends], [1.0])))

    return Standard(
        edges, lambda v: z[np.clip(np.searchsorted(u, v) - 1, 0, len(z) - 1)], lambda v: np.interp(v, u, sums)
    )


DISTRIBUTIONS = {
    "normal": normal_law,
    "log-normal": normal_law,
    "uniform": lambda: Standard(
        lambda n: np.linspace(0.0, 1.0, n + 1), lambda u: u - 0.5, lambda u: 0.5 * u * (u - 1.0)
    ),
    "exponential": exponential_law,
    "two-sided-exponential": two_sided,
}


def closed(u: np.ndarray) -> np.ndarray:
    """Edges of slices with the outermost moved to 0 and 1, in place, so that the outermost slices take the tails."""
    u[0], u[-1] = 0.0, 1.0
    return u


@cache
def standard(name: str) -> Standard:
    return DISTRIBUTIONS[name]()


def distribution_of(key: str, law: Any) -> Standard:
    """The distribution of a key of `spread`. Raises OSError, ValueError ("file:line: ...") for its table."""
    return listed_law(*read_table(law.file, OF_SPREAD[key][0])) if law.law == "table" else standard(law.law)


def read_table(path: str, dimension: str) -> tuple[np.ndarray, np.ndarray]:
    """Values [SI, eV] and weights of a text file of two columns. Raises OSError, ValueError ("file:line: ...")."""
    columns, rows_of_text = (QuantityColumn("value", dimension), QuantityColumn("weight", "")), lines(path)
    if not rows_of_text or is_number(rows_of_text[0].cells[0]):
        raise ValueError(f"{path}:1: expected a header with the unit of the values, such as `value (eV), weight`")
    scale = units_of(path, rows_of_text[0], columns)
    rows = [
        [value * (unit or 1.0) for value, unit in zip(numbers_of(path, line, columns), scale, strict=True)]
        for line in rows_of_text[1:]
    ]
    bad = [line.number for line, (_, weight) in zip(rows_of_text[1:], rows, strict=True) if not weight >= 0.0]
    if bad or not any(weight > 0.0 for _, weight in rows):
        at = bad[0] if bad else rows_of_text[-1].number
        raise ValueError(f"{path}:{at}: weights are not negative, and one at least is above zero")
    values, weights = np.array([row for row in rows if row[1] > 0.0]).T
    return values, weights


def values_at(law: Any, value: float, z: np.ndarray) -> np.ndarray:
    """Values of a key [SI, eV] at quantiles z of its law.

    law : record of `columns.spread_type`   value : of the key in the case
    """
    if law.law == "table":
        return z
    if law.law == "log-normal":
        return np.asarray(value * law.factor**z)
    return value + next(getattr(law, size) for size in ("deviation", "width", "scale") if hasattr(law, size)) * z


# rule -> its nodes and weights, and the factor to unit variance: a uniform distribution of it ends at sqrt(3)
QUADRATURES: dict[str, tuple[Callable[[int], Any], float]] = {
    "gauss-hermite": (np.polynomial.hermite_e.hermegauss, 1.0),
    "gauss-legendre": (np.polynomial.legendre.leggauss, math.sqrt(3.0)),
}


@cache
def quadrature(rule: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (count,) of zero mean and unit variance, and weights of sum 1, of a rule in QUADRATURES."""
    nodes_of, scale = QUADRATURES[rule]
    nodes, weights = nodes_of(count)
    return scale * nodes, weights / weights.sum()


def column_values(columns: Any, value: dict[str, float]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values (K,) [SI, eV] of each key that is spread, and the shares (K,) of the columns.

    columns : a `case.columns.Columns`   value : key -> its value in the case
    Keys that move together share their nodes. The columns are all combinations of the nodes of the other keys.
    Raises OSError, ValueError ("file:line: ...") for the table of a law.
    """
    spread = {key: law for key, law in columns.spread.items() if law}
    if not spread:
        return {}, np.full(columns.count, 1.0 / columns.count)
    together = {name.removeprefix(SIGN): name.startswith(SIGN) for name in columns.together or ()}
    together = {key: falls for key, falls in together.items() if key in spread}
    if columns.nodes == "draws":
        return drawn_columns(columns, spread, value, together)
    groups = [{key: False} for key in sorted(spread) if key not in together] + ([together] if together else [])
    of_groups = [group_values(group, spread, columns, value) for group in groups]
    places = list(product(*(range(len(weights)) for _, weights in of_groups)))
    by_key = {
        key: np.array([values[place[g]] for place in places])
        for g, (of, _) in enumerate(of_groups)
        for key, values in of.items()
    }
    return by_key, np.array([prod(of_groups[g][1][i] for g, i in enumerate(place)) for place in places])


def group_values(
    keys: dict[str, bool], spread: dict[str, Any], columns: Any, value: dict[str, float]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values (n,) of keys that share their quantiles, and the weights (n,) of the nodes.

    keys : key -> True where it falls as the others rise
    """
    leader = next(iter(keys))
    nodes = None
    if hasattr(spread[leader], "law"):
        u = distribution_of(leader, spread[leader]).edges(columns.count)
        weights = np.diff(u)
    else:
        nodes, weights = quadrature(columns.nodes, columns.count)
        u = closed(np.concatenate(([0.0], np.cumsum(weights))))
    values = {}
    for name, falls in keys.items():
        law = spread[name]
        if not hasattr(law, "law"):
            z = means(standard("normal"), u) if nodes is None else nodes
            values[name] = value[name] + law * (-z if falls else z)
        else:
            own = distribution_of(name, law)
            z = means(own, (1.0 - u)[::-1])[::-1] if falls else means(own, u)
            values[name] = values_at(law, value[name], z)
    return values, weights


def means(law: Standard, u: np.ndarray) -> np.ndarray:
    """Means (n,) of a law in slices between probabilities u (n+1,)."""
    return np.diff(law.integral(u)) / np.diff(u)


def drawn_columns(
    columns: Any, spread: dict[str, Any], value: dict[str, float], together: dict[str, bool]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values (K,) of columns drawn at random from the laws, and their equal shares (K,). together : as in `group_values`"""
    keys = sorted(spread)
    z = dict(zip(keys, np.random.default_rng(columns.seed).standard_normal((columns.count, len(keys))).T, strict=True))
    leader = next(iter(together), "")
    z |= {key: -z[leader] if falls != together[leader] else z[leader] for key, falls in together.items()}
    values = {}
    for name in keys:
        law = spread[name]
        if hasattr(law, "law"):
            values[name] = values_at(law, value[name], distribution_of(name, law).quantile(scipy.special.ndtr(z[name])))
        else:
            values[name] = value[name] + law * z[name]
    return values, np.full(columns.count, 1.0 / columns.count)

"""Values of the keys that differ between columns, and the share of each column: quadratures of the laws of a case.

A thermally activated switch has a width of some kT on an axis of barriers, whatever their distribution. The columns
of a law are therefore slices of equal width on that axis. Each has the probability and the mean of its slice. For a
process that is a step of width w on the axis, the error falls exponentially once slices are narrower than some 1.5 w,
as with the trapezoidal rule. Example: an exponential law of 62 meV at 300 K. 20 columns give the power law of time
within 1e-4 over three decades, and its local slope within 0.01; 20 Gauss-Laguerre nodes give 0.002 and 0.18. The
remaining error is of second order in the width of a slice.
"""

from collections.abc import Callable
from functools import cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.columns import OF_SPREAD, SIGN
from otjdd.system.text_table import QuantityColumn, is_number, lines, numbers_of, units_of

TAIL = 1e-5  # probability beyond the last edge of the slices; the outermost slice takes it


class Standard(NamedTuple):
    """A distribution in units of its own scale: quantiles z(u) at probabilities 0 <= u <= 1."""

    edges: Callable[[int], np.ndarray]  # number n of slices -> probabilities u (n+1,) of their edges
    quantile: Callable[[np.ndarray], np.ndarray]  # z(u)
    integral: Callable[[np.ndarray], np.ndarray]  # of z from 0 to u; gives the exact means of slices


def normal_law() -> Standard:
    from scipy.special import ndtr, ndtri

    def density(u: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * ndtri(u) ** 2) / np.sqrt(2.0 * np.pi)

    end = -ndtri(TAIL)
    return Standard(lambda n: closed(ndtr(np.linspace(-end, end, n + 1))), ndtri, lambda u: -density(u))


def exponential_law() -> Standard:
    from scipy.special import xlogy

    return Standard(
        lambda n: closed(-np.expm1(np.linspace(0.0, np.log(TAIL), n + 1))),
        lambda u: -np.log1p(-u),
        lambda u: u + xlogy(1.0 - u, 1.0 - u),
    )


def two_sided() -> Standard:
    from scipy.special import xlogy

    def edges(n: int) -> np.ndarray:
        z = np.linspace(np.log(2.0 * TAIL), -np.log(2.0 * TAIL), n + 1)
        return closed(np.where(z < 0.0, 0.5 * np.exp(-abs(z)), 1.0 - 0.5 * np.exp(-abs(z))))

    def outer(u: np.ndarray) -> np.ndarray:  # distance from the nearer end
        return np.minimum(u, 1.0 - u)

    return Standard(
        edges,
        lambda u: np.sign(u - 0.5) * -np.log(2.0 * outer(u)),
        lambda u: xlogy(outer(u), 2.0 * outer(u)) - outer(u),
    )


def uniform_law() -> Standard:
    return Standard(lambda n: np.linspace(0.0, 1.0, n + 1), lambda u: u - 0.5, lambda u: 0.5 * u * (u - 1.0))


def of_table(values: np.ndarray, weights: np.ndarray) -> Standard:
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


LAWS = {
    "normal": normal_law,
    "log-normal": normal_law,
    "uniform": uniform_law,
    "exponential": exponential_law,
    "two-sided-exponential": two_sided,
}


def closed(u: np.ndarray) -> np.ndarray:
    """Edges of slices with the outermost moved to 0 and 1, in place, so that the outermost slices take the tails."""
    u[0], u[-1] = 0.0, 1.0
    return u


@cache
def standard(name: str) -> Standard:
    return LAWS[name]()


def law_of(key: str, law: Any) -> Standard:
    """The distribution of a key of `spread`. Raises OSError, ValueError ("file:line: ...") for its table."""
    return of_table(*read_table(law.file, OF_SPREAD[key][0])) if law.law == "table" else standard(law.law)


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
    bad = next(
        (line.number for line, (_, weight) in zip(rows_of_text[1:], rows, strict=True) if not weight >= 0.0), None
    )
    if bad or not rows or not any(weight > 0.0 for _, weight in rows):
        raise ValueError(
            f"{path}:{bad or rows_of_text[-1].number}: weights are not negative, and one at least is above zero"
        )
    values, weights = np.array([row for row in rows if row[1] > 0.0]).T
    return values, weights


def values_at(key: str, law: Any, value: float, z: np.ndarray) -> np.ndarray:
    """Values of a key [SI, eV] at quantiles z of its law.

    law : record of `columns.spread_of`   value : of the key in the case
    """
    values: np.ndarray
    if law.law == "table":
        values = z
    elif law.law == "log-normal":
        values = value * law.factor**z
    else:
        values = value + next(getattr(law, size) for size in ("deviation", "width", "scale") if hasattr(law, size)) * z
    return values


@cache
def quadrature(rule: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (count,) of zero mean and unit variance, and weights of sum 1, of a rule in QUADRATURES."""
    nodes, weights = QUADRATURES[rule](count)
    return nodes, weights / weights.sum()


def uniform_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights of the uniform distribution of unit variance, which ends at sqrt(3)."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return np.sqrt(3.0) * nodes, weights


QUADRATURES = {"gauss-hermite": np.polynomial.hermite_e.hermegauss, "gauss-legendre": uniform_nodes}


def column_values(columns: Any, value: dict[str, float]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values (K,) [SI, eV] of each key that is spread, and the shares (K,) of the columns.

    columns : a `case.columns.Columns`   value : key -> its value in the case
    Keys that move together share their nodes. The columns are all combinations of the nodes of the other keys.
    Raises OSError, ValueError ("file:line: ...") for the table of a law.
    """
    spread = {key: law for key, law in columns.spread.items() if law}
    if not spread:
        return {}, np.full(columns.count, 1.0 / columns.count)
    if columns.nodes == "draws":
        return drawn_columns(columns, spread, value)
    together = [name for name in columns.together or () if name.removeprefix(SIGN) in spread]
    bound = [name.removeprefix(SIGN) for name in together]
    groups = [[key] for key in sorted(spread) if key not in bound] + ([together] if together else [])
    of_groups = [group_values(group, spread, columns, value) for group in groups]
    places = list(product(*(range(len(weights)) for _, weights in of_groups)))
    by_key = {
        key: np.array([values[place[g]] for place in places])
        for g, (of, _) in enumerate(of_groups)
        for key, values in of.items()
    }
    return by_key, np.array([prod(of_groups[g][1][i] for g, i in enumerate(place)) for place in places])


def group_values(
    keys: list[str], spread: dict[str, Any], columns: Any, value: dict[str, float]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values (n,) of keys that share their quantiles, and the weights (n,) of the nodes."""
    first = spread[keys[0].removeprefix(SIGN)]
    if not hasattr(first, "law"):
        nodes, weights = quadrature(columns.nodes, columns.count)
        u = closed(np.concatenate(([0.0], np.cumsum(weights))))
    else:
        u = law_of(keys[0].removeprefix(SIGN), first).edges(columns.count)
        weights = np.diff(u)
    values = {}
    for name in keys:
        key = name.removeprefix(SIGN)
        law = spread[key]
        if not hasattr(law, "law"):
            z = nodes if first is law or not hasattr(first, "law") else means(standard("normal"), u)
            values[key] = value[key] + law * (-z if name.startswith(SIGN) else z)
        else:
            z = means(law_of(key, law), (1.0 - u)[::-1])[::-1] if name.startswith(SIGN) else means(law_of(key, law), u)
            values[key] = values_at(key, law, value[key], z)
    return values, weights


def means(law: Standard, u: np.ndarray) -> np.ndarray:
    """Means (n,) of a law in slices between probabilities u (n+1,)."""
    return np.diff(law.integral(u)) / np.diff(u)


def drawn_columns(
    columns: Any, spread: dict[str, Any], value: dict[str, float]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values (K,) of columns drawn at random from the laws, and their equal shares (K,)."""
    keys = sorted(spread)
    z = np.random.default_rng(columns.seed).standard_normal((columns.count, len(keys)))
    bound = {
        name.removeprefix(SIGN): name.startswith(SIGN)
        for name in columns.together or ()
        if name.removeprefix(SIGN) in spread
    }
    leader = next(iter(bound), "")
    values = {}
    for i, key in enumerate(keys):
        own = z[:, keys.index(leader)] if key in bound else z[:, i]
        own = -own if bound.get(key, False) != bound.get(leader, False) else own
        law = spread[key]
        if hasattr(law, "law"):
            from scipy.special import ndtr

            values[key] = values_at(key, law, value[key], law_of(key, law).quantile(ndtr(own)))
        else:
            values[key] = value[key] + law * own
    return values, np.full(columns.count, 1.0 / columns.count)

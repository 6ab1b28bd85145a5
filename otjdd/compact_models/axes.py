"""Axes of a compact model: quantities of its case over which it interpolates, such as the temperature or a barrier.

A model is extracted at a few values of each quantity, the nodes. Between them a polynomial in u through the nodes is used;
u is the quantity scaled to -1 to 1 from the first to the last node. The logarithm of a rate of hops is linear in 1/T, so u
is linear in the inverse of a temperature. Nodes of several axes are all combinations of their values. Tables at all nodes
share their knots of the voltage; the states of each node span its own range.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.document import split_key
from otjdd.case.keys import fault, movable_number
from otjdd.case.problem import Source
from otjdd.compact_models.tables import SETTLING, Tables, Use, common_knots, monotone, spline
from otjdd.errors import NotAsExpected
from otjdd.units import DIMENSIONS, in_si, write

LOGARITHMIC = ("emptying",)  # numbers whose logarithm is interpolated


def tables_between_nodes(of_nodes: Sequence[Tables], share: np.ndarray) -> Tables:
    """Tables interpolated between those at the nodes, which share their knots. share : (N,) of `node_weights`"""
    by_name: dict[str, Any] = {}
    for name in Tables._fields:
        values = np.array([getattr(tables, name) for tables in of_nodes])
        blended = np.exp(share @ np.log(values)) if name in LOGARITHMIC else np.tensordot(share, values, axes=1)
        by_name[name] = float(blended) if values.ndim == 1 else blended
    mixed = Tables(**by_name)
    return mixed._replace(
        voltage=of_nodes[0].voltage, conductance_voltage=of_nodes[0].conductance_voltage,
        rest=np.clip(mixed.rest, mixed.state[0], mixed.state[-1]),
        way=np.clip(mixed.way, 0.0, 1.0), share=of_nodes[0].share, electron_ratio=np.maximum(mixed.electron_ratio, 0.0),
    )  # fmt: skip


def on_common_knots(of_nodes: Sequence[Tables], use: Use, rate_tolerance: float, tolerance: float) -> list[Tables]:
    """Tables at all nodes on the same knots of the voltage, as few as tolerances [decades] allow."""
    voltage = np.unique(np.concatenate([tables.voltage for tables in of_nodes]))
    read = np.unique(np.concatenate([tables.conductance_voltage for tables in of_nodes]))
    moved = [
        tables._replace(
            voltage=voltage,
            rest=monotone(tables.voltage, tables.rest)(voltage),
            log_rate=spline(tables.voltage, tables.log_rate)(voltage),
            log_limit=spline(tables.voltage, tables.log_limit)(voltage),
            conductance_voltage=read,
            log_conductance=spline(tables.conductance_voltage, tables.log_conductance)(read),
            charge=spline(tables.conductance_voltage, tables.charge)(read),
            electron_ratio=np.interp(read, tables.conductance_voltage, tables.electron_ratio),
            **{name: spline(tables.voltage, getattr(tables, name))(voltage) for name in SETTLING},
        )
        for tables in of_nodes
    ]
    return common_knots(moved, use, rate_tolerance, tolerance)


TEMPERATURE = "temperature"
NODES = 3  # by default
FEWEST, MOST = 2, 6  # values of an axis
FEWEST_TEMPERATURES = 3
MOST_PARAMETERS = 2  # beside the temperature
MOST_AXES = 1 + MOST_PARAMETERS
LOWEST, HIGHEST = 20.0, 1500.0  # K, limits of the temperature
CLOSE = 0.35  # of the distance of two nodes: the value of the case replaces an inner node this near
OUTER = ("device", "film", "ions", "circuit")  # tables of a case that the name of a parameter leaves out
PARAMETERS = {
    "device.radius": "area",
    "device.area": "area",
    "circuit.series_resistance": "rs",
}  # that every Verilog-A module has


class ModelAxis(NamedTuple):
    """A quantity of a case, and its values at the nodes."""

    key: str  # dotted
    dimension: str  # of `units.DIMENSIONS`, "" for plain numbers
    values: tuple[float, ...]  # SI, energies in eV, ascending

    @property
    def name(self) -> str:
        """Name of the parameter: "thickness" of `device.film.thickness`, "left_barrier" of `device.left.barrier`."""
        parts = [str(part) for part in split_key(self.key, Source("vary", None))]
        return "_".join(part for part in parts if part not in OUTER)

    @property
    def unit(self) -> str:
        """Unit of the values as a case file has it, "" for plain numbers."""
        return DIMENSIONS[self.dimension].unit if self.dimension else ""

    def text(self, value: float) -> str:
        """A value with its unit, of four digits."""
        value = float(f"{value:.4g}")
        return write(value, self.dimension) if self.dimension else f"{value:g}"

    def within(self, value: float) -> bool:
        """True for a value between the first and the last node."""
        return self.values[0] <= value <= self.values[-1]


def linear_measure(axis: ModelAxis, value: float | np.ndarray) -> np.ndarray:
    """The quantity in which u is linear: 1/T of a temperature, the value itself of another axis."""
    return 1.0 / np.asarray(value) if axis.key == TEMPERATURE else np.asarray(value)


def scale(axis: ModelAxis) -> tuple[float, float]:
    """Middle and half width of the range of an axis, in the quantity of `linear_measure`."""
    first, last = sorted(float(linear_measure(axis, axis.values[end])) for end in (0, -1))
    return 0.5 * (first + last), 0.5 * (last - first)


def powers(axis: ModelAxis, values: Sequence[float]) -> np.ndarray:
    """Powers (n, N) of u from 0 to N - 1 at values (n,) of an axis with N nodes."""
    middle, half = scale(axis)
    return np.vander((linear_measure(axis, np.array(values)) - middle) / half, len(axis.values), increasing=True)


def node_counts(axes: Sequence[ModelAxis]) -> tuple[int, ...]:
    """Numbers of nodes along the axes; (1,) without an axis."""
    return tuple(len(axis.values) for axis in axes) or (1,)


def points(axes: Sequence[ModelAxis]) -> list[tuple[float, ...]]:
    """Values of all axes at each node; those of the last axis vary fastest."""
    return list(product(*(axis.values for axis in axes)))


def middles_of_nodes(axes: Sequence[ModelAxis]) -> list[tuple[float, ...]]:
    """Points in the middle between neighbouring nodes along all axes at once, as values of all axes."""
    between = []
    for axis in axes:
        halfway = linear_measure(axis, np.array(axis.values))
        between.append(tuple(map(float, linear_measure(axis, 0.5 * (halfway[1:] + halfway[:-1])))))
    return list(product(*between))


def monomials(values: np.ndarray, axes: Sequence[ModelAxis]) -> np.ndarray:
    """Coefficients (..., n, m) by the powers of u of each axis, of the polynomial through values (N, ...) at the nodes.

    (..., 1) without an axis.
    """
    coefficients = np.reshape(values, (*node_counts(axes), *np.shape(values)[1:]))
    for axis in axes:
        coefficients = np.moveaxis(coefficients, 0, -1) @ np.linalg.inv(powers(axis, axis.values)).T
    return coefficients if axes else np.moveaxis(coefficients, 0, -1)


def node_weights(point: Sequence[float], axes: Sequence[ModelAxis]) -> np.ndarray:
    """Weights (N,) of the values at the nodes in their polynomial at a value of each axis."""
    whole = np.ones(1)
    for value, axis in zip(point, axes, strict=True):
        along = powers(axis, [value])[0] @ np.linalg.inv(powers(axis, axis.values))
        whole = np.kron(whole, along)
    return whole


def chosen_point(
    axes: Sequence[ModelAxis], own: Sequence[float], values: Mapping[str, float | str]
) -> tuple[float, ...]:
    """A value of each axis [SI]: that of `values` by the name of its parameter, a number or text with a unit, or its `own`.

    Raises NotAsExpected for a name that no axis has, and for a value beyond the nodes.
    """
    names = [axis.name for axis in axes]
    for name in values:
        if name not in names:
            some = f"one of the parameters of this model ({', '.join(names)})" if names else "a model with parameters"
            raise NotAsExpected(some, name)
    point = []
    for axis, of_model in zip(axes, own, strict=True):
        value = values.get(axis.name, of_model)
        number = in_si(value, axis.dimension)
        if not axis.within(number):
            raise NotAsExpected(
                f"a {axis.name} of {axis.text(axis.values[0])} to {axis.text(axis.values[-1])}, for which the model was "
                "extracted", axis.text(number),
            )  # fmt: skip
        point.append(number)
    return tuple(point)


def axes_of(case: Case, vary: Mapping[str, Sequence[Any]]) -> tuple[ModelAxis, ...]:
    """Axes of numbers of a case, the temperature first.

    vary : dotted key -> lowest and highest value, numbers or text with a unit, and the number of nodes if it is not NODES
    Raises CaseError for keys, values and numbers of nodes that make no axis.
    """
    axes = [axis_of(case, key, (low, high), *count) for key, (low, high, *count) in vary.items()]
    names = [axis.name for axis in axes]
    for axis in axes:
        if not axis.name.isidentifier() or names.count(axis.name) > 1:
            raise fault(axis.key, "keys that give parameters names of their own", axis.name)
    others = [axis.key for axis in axes if axis.key != TEMPERATURE]
    if len(others) > MOST_PARAMETERS:
        raise fault(others[-1], f"{MOST_PARAMETERS} keys at most with the temperature", ", ".join(others))
    return tuple(sorted(axes, key=lambda axis: axis.key != TEMPERATURE))


def axis_of(case: Case, key: str, ends: tuple[Any, Any], count: int = NODES) -> ModelAxis:
    """The axis of a number of a case: `count` nodes from end to end, evenly spaced in `linear_measure`, and its own value.

    An inner node that is CLOSE to that value is left out.
    """
    own, dimension, _, _ = movable_number(case, key)
    try:
        low, high = (in_si(end, dimension) for end in ends)
    except ValueError as error:  # of units too
        raise fault(key, "two values as a case file has them", f"{ends[0]} and {ends[1]}", str(error)) from None
    axis = ModelAxis(key, dimension, (low, high))
    between = f"{axis.text(low)} to {axis.text(high)}"
    if key in PARAMETERS:
        raise fault(key, "another key", f"one that every module has as its parameter {PARAMETERS[key]}")
    if not low < high:
        raise fault(key, "the lower value first", between)
    if key == TEMPERATURE and not LOWEST <= low < high <= HIGHEST:
        raise fault(key, f"two temperatures from {LOWEST:g} K to {HIGHEST:g} K", between)
    fewest = FEWEST_TEMPERATURES if key == TEMPERATURE else FEWEST
    if not fewest <= count <= MOST:
        raise fault(key, f"{fewest} to {MOST} nodes", str(count))
    if not axis.within(own):
        raise fault(key, f"values around the case's own, {axis.text(own)}", between)
    even = np.linspace(linear_measure(axis, low), linear_measure(axis, high), count)
    inner = [float(value) for value in linear_measure(axis, even[1:-1])]
    apart = np.abs(even[1:-1] - linear_measure(axis, own)) / abs(even[1] - even[0])
    if own not in (low, high) and apart.min(initial=np.inf) <= CLOSE:
        inner.pop(int(np.argmin(apart)))
    return axis._replace(values=tuple(sorted({low, *inner, high, own})))

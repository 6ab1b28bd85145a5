"""Tables over temperature: tables at a few temperatures, the nodes, and a polynomial in 1/T through them.

The logarithm of a rate of hops is linear in 1/T, and that of a current bends little between tunnelling and emission over
the barrier. So a few nodes are enough. Tables at all nodes share their knots of the voltage; the states of each node span
its own range.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from otjdd.compact_models.tables import SETTLING, Tables, Use, common_knots, monotone, spline
from otjdd.errors import NotAsExpected

FEWEST, MOST = 3, 6  # limits of the number of nodes
LOWEST, HIGHEST = 20.0, 1500.0  # K, limits of the temperature
CLOSE = 0.35  # of the distance of two nodes in 1/T: the temperature of the case replaces an inner node this near
LOGARITHMIC = ("emptying",)  # numbers whose logarithm is interpolated


def chosen_nodes(low: float, high: float, count: int, own: float) -> tuple[float, ...]:
    """Temperatures [K] to extract at: `count` values evenly spaced in 1/T, and that of the case, `own`.

    An inner value that is CLOSE to that of the case is left out. Raises NotAsExpected.
    """
    if not (LOWEST <= low < high <= HIGHEST):
        raise NotAsExpected(f"two temperatures from {LOWEST:g} K to {HIGHEST:g} K", f"{low:g} K and {high:g} K")
    if not low <= own <= high:
        raise NotAsExpected(f"temperatures around that of the case, {own:g} K", f"{low:g} K to {high:g} K")
    if not FEWEST <= count <= MOST:
        raise NotAsExpected(f"{FEWEST} to {MOST} temperatures", str(count))
    inverse = np.linspace(1.0 / low, 1.0 / high, count)
    apart = np.abs(inverse[1:-1] - 1.0 / own) / abs(inverse[1] - inverse[0])
    temperatures = [low, *(1.0 / inverse[1:-1]), high]
    if own not in (low, high) and apart.min() <= CLOSE:
        temperatures.pop(1 + int(np.argmin(apart)))
    return tuple(sorted({*map(float, temperatures), own}))


def reduced(temperature: float | np.ndarray, nodes: Sequence[float]) -> np.ndarray:
    """1/T scaled to u, from -1 at the hottest to 1 at the coldest node."""
    middle, half = scale(nodes)
    return (1.0 / np.asarray(temperature) - middle) / half


def scale(nodes: Sequence[float]) -> tuple[float, float]:
    """Middle and half of the range of 1/T [1/K]."""
    cold, hot = 1.0 / min(nodes), 1.0 / max(nodes)
    return 0.5 * (cold + hot), 0.5 * (cold - hot)


def monomials(values: np.ndarray, nodes: Sequence[float]) -> np.ndarray:
    """Coefficients (N, ...) of u^0 to u^(N - 1) of the polynomial through values (N, ...) at the nodes [K]."""
    if len(nodes) == 1:
        return np.asarray(values)
    flat = np.reshape(values, (len(nodes), -1))
    coefficients = np.linalg.solve(np.vander(reduced(np.array(nodes), nodes), increasing=True), flat)
    return np.asarray(coefficients.reshape(np.shape(values)))


def weights(temperature: float, nodes: Sequence[float]) -> np.ndarray:
    """Weights (N,) of the values at the nodes in their polynomial at a temperature [K]."""
    at = np.vander([float(reduced(temperature, nodes))], len(nodes), increasing=True)[0]
    return at @ monomials(np.eye(len(nodes)), nodes)


def between(of_nodes: Sequence[Tables], share: np.ndarray) -> Tables:
    """Tables interpolated between those at the nodes, which share their knots. share : (N,) of `weights`"""
    by_name: dict[str, Any] = {}
    for name in Tables._fields:
        values = np.array([getattr(tables, name) for tables in of_nodes])
        blended = np.exp(share @ np.log(values)) if name in LOGARITHMIC else np.tensordot(share, values, axes=1)
        by_name[name] = float(blended) if values.ndim == 1 else blended
    mixed = Tables(**by_name)
    return mixed._replace(
        voltage=of_nodes[0].voltage, conductance_voltage=of_nodes[0].conductance_voltage,
        rest=np.clip(np.maximum.accumulate(mixed.rest), mixed.state[0], mixed.state[-1]),
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

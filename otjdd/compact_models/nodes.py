"""Tables interpolated between nodes: the tables at a few temperatures or values of other quantities, see `axes`.

Tables at all nodes share their knots of the voltage; the states of each node span its own range.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from otjdd.compact_models.tables import SETTLING, Tables, Use, common_knots, monotone, spline

LOGARITHMIC = ("emptying",)  # numbers whose logarithm is interpolated


def between(of_nodes: Sequence[Tables], share: np.ndarray) -> Tables:
    """Tables interpolated between those at the nodes, which share their knots. share : (N,) of `axes.weights`"""
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

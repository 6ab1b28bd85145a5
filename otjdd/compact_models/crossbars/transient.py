"""Lines with a capacitance: the voltages of their nodes follow the drivers with a delay.

Each node has the capacitance of the piece of line that leads to it, and both nodes of a cell without access the
charge of its junction, Q. They take the net current into the node:

    C dv/dt +- dQ/dt = source - (conductance of the lines) v - (currents of the cells)

A time step is that of RODAS3, a linearly implicit method of four stages with one factored matrix (Sandu et al., Atmos.
Environ. 31, 3459 (1997)). It is of third order, damps changes faster than the step, and its last stage is its error.
The charges of junctions are unknowns beside the voltages, Q = Q(u - w), so no capacitance is that of one end of a step.
Energies from the drivers and into the cells are unknowns too, so that one step may pass over the peak of a current.
"""

from typing import Any, NamedTuple

import numpy as np

from otjdd.compact_models.crossbars.network import (
    DENSE,
    Crossbar,
    DrivenLines,
    NetworkSolution,
    Passed,
    Point,
    ReadLines,
    at,
    charges_of_cells,
    lines_and_cells,
    lu_factors,
    solution,
    solve,
)

GAMMA = 0.5  # of RODAS3: share of a step in its matrix
STAGES = ((), ()), ((), (4.0,)), ((2.0, 0.0), (1.0, -1.0)), ((2.0, 0.0, 1.0), (1.0, -1.0, -8.0 / 3.0))  # factors of the
# stages before: where the currents are evaluated, () for the stage before; what is added to them
END = 2.0, 0.0, 1.0, 1.0  # factors of all stages in the step
ERROR = 2e-4  # of the highest voltage: allowed error of a step; with 1e-3, voltages of cells are 3 % off
READ_ERROR = 2e-3  # of a current that is read, or of its steady value
LOWEST = 1e-3  # V: lines below it count as discharged, so that errors refer to it
SMALLEST = 1e-10  # V along the first piece of a bit line: smaller currents are not resolved
SETTLED = 0.01  # of the steady currents: deviation below which lines count as settled


class Sensed(NamedTuple):
    """Currents of the bit lines in time."""

    time: list[float]  # s
    current: list[np.ndarray]  # (C,) A


def sensing(
    crossbar: Crossbar, driven: DrivenLines, states: np.ndarray, start: NetworkSolution, bit: int | None
) -> DrivenLines:
    """Lines of a read, in whose steps the error of each read current refers to that current. bit : the line, None for all

    After a write, lines lose their charge while they are read. An error of 0.002 of the highest voltage is then as large as
    the currents of cells that conduct little.
    """
    bits = np.arange(crossbar.bit_lines) if bit is None else np.array([bit])
    steady = solve(crossbar, driven, states, start._replace(factor=None, point=None)).nodes
    drop = np.abs(steady[crossbar.count + bits] - driven.bits[bits])
    return driven._replace(read=ReadLines(bits, np.maximum(drop, SMALLEST)))


def network_before_step(crossbar: Crossbar, driven: DrivenLines, states: np.ndarray) -> NetworkSolution:
    """The network as the drivers change: its nodes still have the voltages from before."""
    nodes = crossbar.line_voltages.copy()
    return charging_network(crossbar, driven, nodes, at(crossbar, driven, states, nodes))


def charging_network(crossbar: Crossbar, driven: DrivenLines, nodes: np.ndarray, point: Point) -> NetworkSolution:
    """The network at voltages (2 R C,) of its nodes, whose capacitances take the net currents."""
    now = solution(crossbar, nodes, point, None, driven.aside is not None)
    return now._replace(charging=-point.missing.reshape(2, *now.voltage.shape))


def network_after_step(
    crossbar: Crossbar, driven: DrivenLines, states: np.ndarray, before: NetworkSolution, step: float
) -> tuple[NetworkSolution, float]:
    """The network after a step [s] with fixed states (R C, ...), and the error in units of the allowed one."""
    n, nodes = crossbar.count, before.nodes
    charge, farads = junction_charges(crossbar, states, nodes)
    matrix = capacitance_matrix(crossbar, farads)
    begin = point = at(crossbar, driven, states, nodes)
    factor = lu_factors(driven.conductance + matrix / (GAMMA * step), begin.slope)
    stages: list[np.ndarray] = []
    moved: list[np.ndarray] = []  # stages of the charges
    energies: list[np.ndarray] = []
    there, off = nodes, np.zeros(n)
    for place, mix in STAGES:
        if place:
            there = nodes + sum_of_stages(place, stages)
            point = at(crossbar, driven, states, there, point)
            off = junction_charges(crossbar, states, there)[0] - charge - sum_of_stages(place, moved)
        into = (sum_of_stages(mix, moved) if mix else 0.0) - off / GAMMA
        lines = crossbar.line_capacitance * sum_of_stages(mix, stages) if mix else 0.0
        stages.append(factor((lines + np.append(into, -into)) / step - point.missing))
        moved.append(farads * (stages[-1][:n] - stages[-1][n:]) + off)
        steep = (begin.current + begin.cell * begin.slope) * (stages[-1][:n] - stages[-1][n:])
        rate = np.append(point.cell * point.current + steep, power_of(crossbar, driven, there + stages[-1]))
        energies.append(GAMMA * (step * rate + sum_of_stages(mix, energies) if mix else step * rate))
    there = nodes + sum_of_stages(END, stages)
    mean = sum_of_stages(END, energies) / step
    highest = max(float(np.abs(there).max()), float(np.abs(nodes).max()), LOWEST)
    share = float(np.abs(stages[-1]).max()) / (ERROR * highest)
    if driven.read is not None:
        first = n + driven.read.bits
        drop = np.maximum(np.abs(there[first] - driven.bits[driven.read.bits]), driven.read.drop)
        share = max(share, float((np.abs(stages[-1][first]) / drop).max()) / READ_ERROR)
    end = charging_network(crossbar, driven, there, at(crossbar, driven, states, there, point))
    passed = Passed(float(mean[-1]), abs(float(energies[-1][-1])) / step, mean[:-1].reshape(end.voltage.shape))
    return end._replace(passed=passed), float(np.cbrt(share))


def sum_of_stages(factors: tuple[float, ...], stages: list[np.ndarray]) -> Any:
    """Sum of stages times factors."""
    return sum(factor * stage for factor, stage in zip(factors, stages, strict=True) if factor)


def junction_charges(crossbar: Crossbar, states: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Charges [C] and capacitances [F] (R C,) of junctions at voltages (2 R C,) of nodes; 0 where cells have access."""
    n = crossbar.count
    if crossbar.cells.access is not None:
        return np.zeros(n), np.zeros(n)
    return charges_of_cells(crossbar.cells, states, nodes[:n] - nodes[n:])


def capacitance_matrix(crossbar: Crossbar, farads: np.ndarray) -> Any:
    """Matrix (2 R C, 2 R C) [F] of lines, and of junctions with farads (R C,); sparse from DENSE nodes on."""
    from scipy.sparse import eye

    n = crossbar.count
    if 2 * n > DENSE:
        return lines_and_cells(crossbar.line_capacitance * eye(2 * n, format="csc"), farads)
    matrix = np.diag(crossbar.line_capacitance + np.tile(farads, 2))
    matrix[np.arange(n), n + np.arange(n)] = matrix[n + np.arange(n), np.arange(n)] = -farads
    return matrix


def power_of(crossbar: Crossbar, driven: DrivenLines, nodes: np.ndarray) -> float:
    """Power [W] from the drivers at voltages (2 R C,) [V] of the nodes."""
    n, first = crossbar.count, 1.0 / (crossbar.line_resistance + crossbar.driver_resistance)
    drops = driven.words - nodes[: n : crossbar.bit_lines], driven.bits - nodes[n : n + crossbar.bit_lines]
    return first * float(
        sum(np.nan_to_num(volts * drop).sum() for volts, drop in zip((driven.words, driven.bits), drops, strict=True))
    )


def rise_time(time: list[float], voltage: list[np.ndarray]) -> float:
    """Time [s] after which all cells have come to 1 - SETTLED of their largest voltage. voltage : (M,) [V] at each time"""
    size = np.abs(np.array(voltage))
    off = (1.0 - size / np.maximum(size.max(axis=0), 1e-300)).max(axis=1)
    return last_crossing(time[: 1 + int(np.argmax(off <= SETTLED))], off)


def settling_time_of_currents(sensed: Sensed, steady: np.ndarray) -> float:
    """Time [s] after which the currents stay within SETTLED of the steady ones (C,) [A]; nan where they never get there."""
    off = np.abs(np.array(sensed.current) - steady).max(axis=1) / max(np.abs(steady).max(), 1e-300)
    return last_crossing(sensed.time, off)


def last_crossing(time: list[float], off: np.ndarray) -> float:
    """The last of times (T,) [s] at which deviations (T,) come below SETTLED; nan where the last one is above."""
    off = off[: len(time)]
    beyond = np.flatnonzero(off > SETTLED)
    if not beyond.size:
        return 0.0
    last = int(beyond[-1])
    if last + 1 == off.size:
        return float("nan")
    first, after = time[last], time[last + 1]
    share = np.log(off[last] / SETTLED) / np.log(off[last] / max(off[last + 1], 1e-12))
    return float(first + share * (after - first))

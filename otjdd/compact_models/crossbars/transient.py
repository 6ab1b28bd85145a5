"""Lines with a capacitance: the voltages of their nodes follow the drivers with a delay.

Each node has the capacitance of the piece of line that leads to it, and both nodes of a cell without access that of its
junction, K. They take the net current into the node:

    C dv/dt +- K d(u - w)/dt = source - (conductance of the lines) v - (currents of the cells)

A time step consists of one implicit Euler step, and of two of half its length. Both damp changes faster than the step. The
difference of their results is the error of the one step; twice the result of the two less that of the one is of second
order, and is the result of the time step. The drivers give the charge of each implicit step, so that one step may pass over
the peak of their current as they rise.
"""

from typing import Any, NamedTuple

import numpy as np

from otjdd.compact_models.crossbars.cells import capacitances
from otjdd.compact_models.crossbars.ladders import DENSE, across
from otjdd.compact_models.crossbars.network import (
    Crossbar,
    DrivenLines,
    NetworkSolution,
    Passed,
    Point,
    ReadLines,
    at,
    solution,
    solve,
)

ERROR = 2e-3  # of the highest voltage: allowed difference of one step and two halves; the result is off by far less
READ_ERROR = 4e-3  # of a current that is read, or of its steady value: 0.01 of what 13 time constants leave of a charge
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


def begun(crossbar: Crossbar, driven: DrivenLines, states: np.ndarray) -> NetworkSolution:
    """The network as the drivers change: its nodes still have the voltages from before."""
    nodes = crossbar.line_voltages.copy()
    return charged(crossbar, driven, nodes, at(crossbar, driven, states, nodes))


def charged(crossbar: Crossbar, driven: DrivenLines, nodes: np.ndarray, point: Point) -> NetworkSolution:
    """The network at voltages (2 R C,) of its nodes, whose capacitances take the net currents."""
    now = solution(crossbar, nodes, point, None, driven.aside is not None)
    return now._replace(charging=-point.missing.reshape(2, *now.voltage.shape))


def advanced(
    crossbar: Crossbar, driven: DrivenLines, states: np.ndarray, before: NetworkSolution, step: float
) -> tuple[NetworkSolution, float]:
    """The network after a step [s] with fixed states (R C, ...), and the error in units of the allowed one."""
    matrix = capacitance_matrix(crossbar, states, before)
    whole = implicit(crossbar, driven, states, before, step, matrix)
    half = implicit(crossbar, driven, states, before, 0.5 * step, matrix)
    halves = implicit(crossbar, driven, states, half, 0.5 * step, matrix)
    powers = [power_of(crossbar, driven, solved.nodes) for solved in (whole, half, halves)]
    heats = [solved.voltage * solved.current for solved in (whole, half, halves)]
    in_halves = 0.5 * (powers[1] + powers[2])
    passed = Passed(2.0 * in_halves - powers[0], abs(in_halves - powers[0]), heats[1] + heats[2] - heats[0])
    nodes = 2.0 * halves.nodes - whole.nodes
    highest = max(highest_of(nodes), highest_of(before.nodes))
    off = np.abs(halves.nodes - whole.nodes)
    share = float(off.max()) / (ERROR * highest)
    if driven.read is not None:
        first = crossbar.count + driven.read.bits
        drop = np.maximum(np.abs(nodes[first] - driven.bits[driven.read.bits]), driven.read.drop)
        share = max(share, float((off[first] / drop).max()) / READ_ERROR)
    end = charged(crossbar, driven, nodes, at(crossbar, driven, states, nodes))
    return end._replace(passed=passed), float(np.sqrt(share))


def implicit(
    crossbar: Crossbar, driven: DrivenLines, states: np.ndarray, before: NetworkSolution, step: float, matrix: Any
) -> NetworkSolution:
    """The network after one implicit Euler step [s]. matrix : of the capacitances [F]"""
    along = matrix / step
    stiff = driven._replace(
        conductance=driven.conductance + along, source=driven.source + along @ before.nodes
    )  # fmt: skip
    return solve(crossbar, stiff, states, before._replace(factor=None, point=None), highest_of(before.nodes))


def capacitance_matrix(crossbar: Crossbar, states: np.ndarray, now: NetworkSolution) -> Any:
    """Matrix (2 R C, 2 R C) [F] of lines, and of junctions where cells have no access; sparse from DENSE nodes on."""
    from scipy.sparse import eye

    n, alone = crossbar.count, crossbar.cells.access is None
    farads = capacitances(crossbar.cells, states, now.voltage.ravel()) if alone else np.zeros(n)
    if 2 * n > DENSE:
        return across(crossbar.line_capacitance * eye(2 * n, format="csc"), farads)
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


def highest_of(nodes: np.ndarray) -> float:
    """Highest voltage [V] of nodes, from LOWEST up."""
    return max(float(np.abs(nodes).max()), LOWEST)


def rise_time(time: list[float], voltage: list[np.ndarray]) -> float:
    """Time [s] after which all cells have come to 1 - SETTLED of their largest voltage. voltage : (M,) [V] at each time"""
    size = np.abs(np.array(voltage))
    off = (1.0 - size / np.maximum(size.max(axis=0), 1e-300)).max(axis=1)
    return crossing(time[: 1 + int(np.argmax(off <= SETTLED))], off)


def settling_time(sensed: Sensed, steady: np.ndarray) -> float:
    """Time [s] after which the currents stay within SETTLED of the steady ones (C,) [A]; nan where they never get there."""
    off = np.abs(np.array(sensed.current) - steady).max(axis=1) / max(np.abs(steady).max(), 1e-300)
    return crossing(sensed.time, off)


def crossing(time: list[float], off: np.ndarray) -> float:
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

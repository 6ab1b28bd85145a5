"""Lines with a capacitance: the voltages of their nodes follow the drivers with a delay.

Each node has the capacitance of the piece of line that leads to it, which takes the net current into the node:

    C dv/dt = source - (conductance of the lines) v - (currents of the cells)

A time step consists of one implicit Euler step, and of two of half its length. Both damp changes faster than the step. The
difference of their results is the error of the one step; twice the result of the two less that of the one is of second
order, and is the result of the time step.
"""

from typing import NamedTuple

import numpy as np

from otjdd.compact_models.crossbars.network import (
    Crossbar,
    DrivenLines,
    NetworkSolution,
    Point,
    ReadLines,
    at,
    solution,
    solve,
)

ERROR = 2e-3  # of the highest voltage: allowed difference of one step and two halves; the result is off by far less
READ_ERROR = 1e-3  # of a current that is read, or of its steady value: 0.01 of what 13 time constants leave of a charge
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
    whole = implicit(crossbar, driven, states, before, step)
    half = implicit(crossbar, driven, states, before, 0.5 * step)
    halves = implicit(crossbar, driven, states, half, 0.5 * step)
    nodes = 2.0 * halves.nodes - whole.nodes
    highest = max(highest_of(nodes), highest_of(before.nodes))
    off = np.abs(halves.nodes - whole.nodes)
    share = float(off.max()) / (ERROR * highest)
    if driven.read is not None:
        first = crossbar.count + driven.read.bits
        drop = np.maximum(np.abs(nodes[first] - driven.bits[driven.read.bits]), driven.read.drop)
        share = max(share, float((off[first] / drop).max()) / READ_ERROR)
    return charged(crossbar, driven, nodes, at(crossbar, driven, states, nodes)), float(np.sqrt(share))


def implicit(
    crossbar: Crossbar, driven: DrivenLines, states: np.ndarray, before: NetworkSolution, step: float
) -> NetworkSolution:
    """The network after one implicit Euler step [s]."""
    from scipy.sparse import eye

    along = crossbar.line_capacitance / step
    matrix = driven.conductance + along * eye(before.nodes.size, format="csc")
    stiff = driven._replace(conductance=matrix, source=driven.source + along * before.nodes)
    return solve(crossbar, stiff, states, before._replace(factor=None, point=None), highest_of(before.nodes))


def highest_of(nodes: np.ndarray) -> float:
    """Highest voltage [V] of nodes, from LOWEST up."""
    return max(float(np.abs(nodes).max()), LOWEST)


def settling_time(sensed: Sensed, steady: np.ndarray) -> float:
    """Time [s] after which the currents stay within SETTLED of the steady ones (C,) [A]; nan where they never get there."""
    off = np.abs(np.array(sensed.current) - steady).max(axis=1) / max(np.abs(steady).max(), 1e-300)
    beyond = np.flatnonzero(off > SETTLED)
    if not beyond.size:
        return 0.0
    last = int(beyond[-1])
    if last + 1 == off.size:
        return float("nan")
    first, after = sensed.time[last], sensed.time[last + 1]
    share = np.log(off[last] / SETTLED) / np.log(off[last] / max(off[last + 1], 1e-12))
    return float(first + share * (after - first))

"""The cells of a crossbar, and Kirchhoff's law on its lines while the cells are frozen.

A cell has a device and, in series with it, a switch, a selector or nothing. A switch conducts on the chosen word line, a
selector has a law of its own. Cells with the same device and the same state of the switch form a group, for which the
kernels are called once.

    word line i:  driver -r- u_i0 -r- u_i1 - ...        one segment r between neighbours, and before the first
    bit line j:   driver -r- w_0j -r- w_1j - ...
    cell i, j:    from u_ij (the metal) to w_ij, with its switch or selector

There are 2 R C nodes. A line without driver floats. The current of a cell rises with its voltage. So the voltages of the
nodes minimise a convex function, the co-content of the network, whose gradient is the net current out of each node.
Newton's iteration with a line search converges to these voltages from any start. A factored matrix is used again as long
as its steps become shorter: for many solutions, if the cells hardly change between them.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd import compact_models
from otjdd.case.crossbar import Selector, Switch
from otjdd.compact_models.model import READ_STREAM, CompactModel
from otjdd.compact_models.tables import NO_STREAMS
from otjdd.errors import NetworkError, NotAsExpected
from otjdd.system.late import scipy


class Cells(NamedTuple):
    """The cells of R word lines and C bit lines, word line by word line."""

    devices: tuple[CompactModel, ...]  # share their tables
    lookups: "tuple[compact_models.kernels.Lookup, ...]"  # arguments of the kernels, for each device
    dealt: np.ndarray  # (R C,) index of the device of each cell
    access: Switch | Selector | None = None
    streams: np.ndarray = NO_STREAMS  # (R C, 3) of random numbers, changed in place as cells move; (0, 3) without noise
    drawn: np.random.Generator | None = None  # random numbers of reads; None without noise

    def per_cell(self, values: "list[Any]") -> np.ndarray:
        """Values (R C, ...) of the cells. values : of the devices"""
        return np.array(values)[self.dealt]


def cells_of_devices(
    devices: tuple[CompactModel, ...],
    dealt: np.ndarray,
    access: Switch | Selector | None = None,
    seed: int | None = None,
) -> Cells:
    """Cells of devices. dealt : (R C,) index of the device of each cell   seed : of their noise, None for none

    Devices with the tables of the first, or drawn from its spread, share its dense tables. Raises NotAsExpected for a seed
    beside a model of the mean.
    """
    first = devices[0].lookup
    lookups = [
        first._replace(
            kind=device.kind.astype(np.int64), speed=device.speed, weight=device.weight,
            ions=device.ions if device.noise is not None else first.ions,
        )._replace(**device.differences) if device.kinds is devices[0].kinds else device.lookup
        for device in devices
    ]  # fmt: skip
    streams = devices[0].streams(dealt.size, seed)
    drawn = None if seed is None else np.random.default_rng([seed, READ_STREAM])
    return Cells(devices, tuple(lookups), dealt, access, streams, drawn)


def calm(cells: Cells) -> Cells:
    """The same cells, whose states move without noise; their reads still scatter."""
    return cells._replace(streams=NO_STREAMS)


def noiseless(cells: Cells) -> Cells:
    """The same cells without noise of their states and of their reads."""
    return calm(cells)._replace(drawn=None)


def beginning(cells: Cells) -> np.ndarray:
    """Initial states (R C, ...) of the cells, those of their devices; unsettled shares are 0 where a device has none."""
    of_devices = [device.states(1)[0] for device in cells.devices]
    padded = np.zeros((len(of_devices), max(map(len, of_devices))))
    for row, states in zip(padded, of_devices, strict=True):
        row[: states.size] = states
    return cells.per_cell(list(padded))


def groups(
    cells: Cells, chosen: np.ndarray, which: np.ndarray
) -> "Iterator[tuple[np.ndarray, compact_models.kernels.Lookup]]":
    """Yield the groups of the cells `which` (M,): positions within `which`, and the arguments of the kernels.

    chosen : (R C,) True for cells on a word line that is written or read   which : indices of cells
    """
    access, kernels = cells.access, compact_models.kernels
    state = chosen[which] if isinstance(access, Switch) else np.zeros(which.size, bool)
    for number in np.unique(cells.dealt[which]):
        for on in (False, True):
            mine = np.flatnonzero((cells.dealt[which] == number) & (state == on))
            lookup = cells.lookups[number]
            if isinstance(access, Switch):
                more = access.on_resistance if on else access.off_resistance
                lookup = lookup._replace(resistance=lookup.resistance + more)
            elif isinstance(access, Selector):
                lookup = lookup._replace(
                    resistance=lookup.resistance + access.on_resistance,
                    law=kernels.THRESHOLD if access.law == "threshold" else kernels.EXPONENTIAL,
                    bend_voltage=access.voltage, bend_current=access.current,
                )  # fmt: skip
            if mine.size:
                yield mine, lookup


def linearise_cells(
    cells: Cells, chosen: np.ndarray, which: np.ndarray, states: np.ndarray, voltage: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Currents (M,) [A] of the cells `which` at voltages (M,) [V], and their slopes (M,) [S]; states (M, ...) are fixed."""
    current, slope = np.empty(which.size), np.empty(which.size)
    for mine, lookup in groups(cells, chosen, which):
        some, steep = np.empty(mine.size), np.empty(mine.size)
        compact_models.kernels.linearise_junctions(lookup, states[mine], voltage[mine], some, steep)
        current[mine], slope[mine] = some, steep
    return current, slope


def hold_cells(
    cells: Cells, chosen: np.ndarray, which: np.ndarray, states: np.ndarray, voltage: np.ndarray, duration: float
) -> None:
    """Hold the cells `which` (M,) at voltages (M,) [V] for a duration [s]; their states, of (R C, ...), change in place.

    Raises NotAsExpected for voltages or a duration beyond the range of the model.
    """
    cells.devices[0].check_duration(duration)
    cells.devices[0].check_voltages(voltage)
    for mine, lookup in groups(cells, chosen, which):
        at = which[mine]
        part, streams = states[at], cells.streams[at] if cells.streams.size else cells.streams
        compact_models.kernels.hold_junctions(
            lookup, part, voltage[mine], float(duration), np.empty(mine.size), streams
        )
        if streams.size:
            cells.streams[at] = streams
        states[at] = part


def charges_of_cells(cells: Cells, states: np.ndarray, voltage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Charges (R C,) [C] of the junctions, but for a constant, and capacitances (R C,) [F], at voltages (R C,) [V].

    states : (R C, ...)   Beyond the voltages of a model the capacitance is that at the end.
    """
    charge, farads = np.zeros((2, voltage.size))
    for number in np.unique(cells.dealt):
        device, lookup, mine = cells.devices[number], cells.lookups[number], np.flatnonzero(cells.dealt == number)
        at = (voltage[mine] - lookup.low) * lookup.per_volt
        for k, t in enumerate(device.kind):
            table = device.charges[t]
            last, most = (size - 1 for size in table.shape[1:])
            place = np.clip((states[mine, k] - lookup.first[t]) * lookup.per_state[t], 0.0, most)
            j, i = (np.clip(x.astype(int), 0, end - 1) for x, end in ((place, most), (at, last)))
            b = place - j
            (Q, lower), (_, upper) = ((1.0 - b) * table[:, n, j] + b * table[:, n, j + 1] for n in (i, i + 1))
            inside = np.clip(at - i, 0.0, 1.0)
            slope = lower + inside * (upper - lower)
            share = device.area * device.weight[k] / device.weight.sum()
            farads[mine] += share * slope
            charge[mine] += share * (Q + (0.5 * inside * (lower + slope) + (at - i - inside) * slope) / lookup.per_volt)
    return charge, farads


DENSE = 300  # nodes of a network whose matrix is not sparse: factors of a sparse one take ten times as long


def lu_factors(conductance: Any, slope: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Voltages (2 R C,) [V] of a network as a function of the currents (2 R C,) [A] out of its nodes, by LU factors.

    conductance : matrix of its lines [S]   slope : conductances (R C,) [S] of the cells; negative ones count as 0
    """
    slope = np.maximum(slope, 0.0)
    if 2 * slope.size <= DENSE:
        matrix, n = dense(conductance), slope.size
        at = np.arange(n)
        matrix[at, at] += slope
        matrix[n + at, n + at] += slope
        matrix[at, n + at] -= slope
        matrix[n + at, at] -= slope
        factor = scipy.linalg.lu_factor(matrix, overwrite_a=True, check_finite=False)
        return partial(scipy.linalg.lu_solve, factor, check_finite=False)
    symmetric = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}
    return scipy.sparse.linalg.splu(lines_and_cells(conductance, slope), **symmetric).solve


def lines_and_cells(conductance: Any, between: np.ndarray) -> Any:
    """A sparse matrix of the lines with values (R C,) between both nodes of each cell."""
    G = scipy.sparse.diags(between)
    return (conductance + scipy.sparse.bmat([[G, -G], [-G, G]])).tocsc()


def dense(conductance: Any) -> np.ndarray:
    """A matrix of the lines as a new array."""
    array: np.ndarray = conductance.copy() if isinstance(conductance, np.ndarray) else conductance.toarray()
    return array


TOLERANCE = 2e-6  # of the highest voltage of the drivers: size of the last step of the voltages at the cells
NOISE = 1e-7  # V: accuracy of the voltage of a junction in the kernels
LOCAL = 1e-4  # V: smaller steps have no line search, which would take round-off of the currents for a slope
KEEP = 0.5  # of the step before: a longer step with an old factor leads to a new factor, at the cost of three steps
STRAIGHT_ASIDE = 1e-3  # V, as STRAIGHT, for cells that only load the lines: linear to 1e-4
STRAIGHT = 1e-5  # V from the last evaluation of a cell, within which its current is linear to 1e-7
ENOUGH = 0.5  # of the slope at the beginning of a step: the line search ends below it
MOST_TURNS = 100
MOST_HALVINGS = 40
LEAK = 1e-15  # S from every node to ground, so that the voltage of a floating line is defined
NO_VOLTAGES = np.zeros(0)
READ = 0.1  # V, of the output cell_conductance


class Crossbar(NamedTuple):
    """Cells at the crossings of word lines and bit lines; resistances [ohm] of a line between two cells and of a driver.

    line_capacitance : [F] to ground of a line from cell to cell, at the node of the farther cell; see `pulses`
    """

    cells: Cells
    word_lines: int
    bit_lines: int
    line_resistance: float
    driver_resistance: float = 0.0
    line_capacitance: float = 0.0
    line_voltages: np.ndarray = NO_VOLTAGES  # (2 R C,) V of nodes, changed in place; () without capacitance

    @property
    def count(self) -> int:  # type: ignore[override]  # of its cells; a tuple has a method of the name
        """Number of cells."""
        return self.word_lines * self.bit_lines

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of word lines and bit lines."""
        return self.word_lines, self.bit_lines

    @property
    def model(self) -> CompactModel:
        """The device of the first kind of cells, with which all others share their limits."""
        return self.cells.devices[0]

    def on_lines(self, chosen: np.ndarray | None) -> np.ndarray:
        """True (R C,) for the cells on chosen word lines. chosen : True (R,) for these, None for none"""
        lines = np.zeros(self.word_lines, bool) if chosen is None else np.asarray(chosen, bool)
        return np.repeat(lines, self.bit_lines)


def cell_conductances(crossbar: Crossbar, states: np.ndarray) -> np.ndarray:
    """Chord conductances (R, C) [S] of the junctions at READ, without lines and access."""
    cells, every = crossbar.cells._replace(access=None), np.arange(crossbar.count)
    off = np.zeros(crossbar.count, bool)
    current, _ = linearise_cells(cells, off, every, states, np.full(crossbar.count, READ))
    return (current / READ).reshape(crossbar.shape)


class ReadLines(NamedTuple):
    """Bit lines that are read, while all lines have a capacitance."""

    bits: np.ndarray  # (B,) indices
    drop: np.ndarray  # (B,) V from the first node to the driver, when the lines have settled


class DrivenLines(NamedTuple):
    """The lines with their drivers, as a linear network."""

    words: np.ndarray  # (R,) V at the drivers of the word lines, nan for lines that float
    bits: np.ndarray  # (C,)
    conductance: Any  # sparse (2 R C, 2 R C) S, nodes of the word lines first
    source: np.ndarray  # (2 R C,) A, driver voltage times conductance at the first node of each line
    chosen: np.ndarray  # (R C,) True for cells on a word line that is written or read
    aside: np.ndarray | None = None  # (R C,) True for cells that only load the lines, while others are followed in time
    read: "ReadLines | None" = None  # for reads of lines with a capacitance


class NetworkSolution(NamedTuple):
    """Voltages and currents of all cells, and the start of the next solution with the same lines."""

    voltage: np.ndarray  # (R, C) V, from word line to bit line
    current: np.ndarray  # (R, C) A
    nodes: np.ndarray  # (2 R C,) V
    factor: Any  # of the matrix at this or an earlier solution, see `factors`
    point: "Point | None" = None  # where cells aside are not evaluated again as long as their voltages stay
    charging: np.ndarray | None = None  # (2, R, C) A into the capacitances of word lines and bit lines; None without
    passed: "Passed | None" = None  # of the time step that led here, with a capacitance of the lines

    @property
    def word_current(self) -> np.ndarray:
        """Currents (R,) [A] out of the drivers of the word lines."""
        through = self.current.sum(axis=1)
        return through if self.charging is None else through + self.charging[0].sum(axis=1)

    @property
    def bit_current(self) -> np.ndarray:
        """Currents (C,) [A] into the drivers of the bit lines."""
        through = self.current.sum(axis=0)
        return through if self.charging is None else through - self.charging[1].sum(axis=0)


class Passed(NamedTuple):
    """Means over a time step of lines with a capacitance."""

    power: float  # W from the drivers
    off: float  # W, estimate of the error of that power
    heat: np.ndarray  # (R, C) W into the cells


class Point(NamedTuple):
    """The network at given voltages of its nodes."""

    cell: np.ndarray  # (R C,) V across the cells
    current: np.ndarray  # (R C,) A
    slope: np.ndarray  # (R C,) S, at the voltages in `evaluated`
    missing: np.ndarray  # (2 R C,) A, net current out of each node, zero at the solution
    evaluated: tuple[np.ndarray, np.ndarray]  # (R C,) V and A of each cell at its last evaluation by the kernels


def lines_with_drivers(
    crossbar: Crossbar, words: ArrayLike, bits: ArrayLike, chosen: np.ndarray | None = None
) -> DrivenLines:
    """Lines with drivers at voltages words (R,) and bits (C,) [V], nan for lines that float.

    chosen : True (R,) for word lines that are written or read, whose switches conduct

    Raises NotAsExpected for a line without resistance, and for drivers beyond the range of the model.
    """
    if not crossbar.line_resistance > 0.0:
        raise NotAsExpected("a resistance of the lines above 0 ohm", f"{crossbar.line_resistance:g} ohm")
    words, bits = np.asarray(words, dtype=float), np.asarray(bits, dtype=float)
    crossbar.model.check_voltages(np.subtract.outer(words[np.isfinite(words)], bits[np.isfinite(bits)]))
    n, driver = crossbar.count, crossbar.line_resistance + crossbar.driver_resistance
    source = np.zeros(2 * n)
    source[: n : crossbar.bit_lines] = np.nan_to_num(words) / driver
    source[n : n + crossbar.bit_lines] = np.nan_to_num(bits) / driver
    on = tuple(np.isfinite(words).tolist()), tuple(np.isfinite(bits).tolist())
    matrix = line_conductances(*on, 1.0 / crossbar.line_resistance, 1.0 / driver)
    return DrivenLines(words, bits, matrix, source, crossbar.on_lines(chosen))


@lru_cache(maxsize=4)
def line_conductances(words: tuple[bool, ...], bits: tuple[bool, ...], along: float, first: float) -> Any:
    """Sparse matrix (2 R C, 2 R C) [S] of the lines and their drivers, which is not to be changed.

    words, bits : (R,), (C,) False for lines that float   along, first : from cell to cell, from a driver to its first cell
    """
    R, C = len(words), len(bits)
    u, w = np.arange(R * C).reshape(R, C), R * C + np.arange(R * C).reshape(R, C)
    a = np.concatenate((u[:, :-1].ravel(), w[:-1].ravel()))
    b = np.concatenate((u[:, 1:].ravel(), w[1:].ravel()))
    diagonal = np.full(2 * R * C, LEAK)
    np.add.at(diagonal, np.concatenate((a, b)), along)
    diagonal[u[:, 0]] += first * np.array(words)
    diagonal[w[0]] += first * np.array(bits)
    i = np.concatenate((a, b, np.arange(2 * R * C)))
    j = np.concatenate((b, a, np.arange(2 * R * C)))
    values = np.concatenate((np.full(2 * a.size, -along), diagonal))
    return scipy.sparse.coo_matrix((values, (i, j)), shape=(2 * R * C, 2 * R * C)).tocsc()


def solve(
    crossbar: Crossbar,
    driven: DrivenLines,
    states: np.ndarray,
    before: NetworkSolution | None = None,
    highest: float = 0.0,
) -> NetworkSolution:
    """Voltages and currents of all cells, with fixed states (R C, ...).

    before : a solution with the same lines and other states, to start from
    highest : voltage [V] of the network, where it is above those of the drivers
    Raises NetworkError if the iteration does not converge.
    """
    n = crossbar.count
    highest = float(max(highest, *(np.abs(np.nan_to_num(line)).max() for line in (driven.words, driven.bits))))
    nodes, factor = (nodes_without_resistance(driven), None) if before is None else (before.nodes, before.factor)
    point = network_at(crossbar, driven, states, nodes, None if before is None else before.point)
    last: float | None = None
    for _ in range(MOST_TURNS):
        if fresh := factor is None:
            factor = lu_factors(driven.conductance, point.slope)
        step = -factor(point.missing)
        moved = float(np.abs(step[:n] - step[n:]).max())
        ahead, share = network_at(crossbar, driven, states, nodes + step, point), 1.0
        if moved > LOCAL:
            share, ahead = line_search(crossbar, driven, states, NewtonStep(nodes, step, point), ahead)
        nodes, point = nodes + share * step, ahead
        contracts = fresh or (last is not None and moved <= max(KEEP * last, NOISE))
        if moved <= TOLERANCE * highest and contracts:
            return solution_at(crossbar, nodes, point, factor, driven.aside is not None)
        if share < 1.0 or (last is not None and not contracts):
            factor = None
        last = moved
    raise NetworkError("LINES_NOT_SOLVED", 0.0, highest, 0.0, moved, 0.0)


def nodes_without_resistance(driven: DrivenLines) -> np.ndarray:
    """Voltages (2 R C,) of nodes on lines without resistance; 0 V where a line floats."""
    words, bits = np.nan_to_num(driven.words), np.nan_to_num(driven.bits)
    return np.concatenate((np.repeat(words, bits.size), np.tile(bits, words.size)))


def solution_at(crossbar: Crossbar, nodes: np.ndarray, point: Point, factor: Any, keep: bool) -> NetworkSolution:
    """The solution at a point. keep : store the point too. Raises NotAsExpected for a cell out of the range."""
    crossbar.model.check_voltages(point.cell)
    voltage, current = (values.reshape(crossbar.shape) for values in (point.cell, point.current))
    return NetworkSolution(voltage, current, nodes, factor, point if keep else None)


def network_at(
    crossbar: Crossbar, driven: DrivenLines, states: np.ndarray, nodes: np.ndarray, near: Point | None = None
) -> Point:
    """The network at voltages (2 R C,) [V] of its nodes. Beyond the range of the model a cell keeps its last conductance.

    near : the network at other voltages, with the same states of all cells, or of those aside; cells within STRAIGHT of it,
        or those aside within STRAIGHT_ASIDE, are not evaluated again
    """
    n = nodes.size // 2
    cell = nodes[:n] - nodes[n:]
    evaluated: tuple[np.ndarray, np.ndarray]
    if near is None:
        current, slope = linearise_cells(crossbar.cells, driven.chosen, np.arange(n), states, cell)
        evaluated = cell.copy(), current
    else:
        evaluated, slope = (near.evaluated[0].copy(), near.evaluated[1].copy()), near.slope.copy()
        moved = np.abs(cell - evaluated[0])
        followed = -1.0  # their states have moved
        far = np.flatnonzero(
            moved > (STRAIGHT if driven.aside is None else np.where(driven.aside, STRAIGHT_ASIDE, followed))
        )
        some, steep = linearise_cells(crossbar.cells, driven.chosen, far, states[far], cell[far])
        evaluated[0][far], evaluated[1][far], slope[far] = cell[far], some, steep
    current = evaluated[1] + slope * (cell - evaluated[0])
    missing = driven.conductance @ nodes - driven.source
    missing[:n] += current
    missing[n:] -= current
    return Point(cell, current, slope, missing, evaluated)


class NewtonStep(NamedTuple):
    """A Newton step."""

    nodes: np.ndarray  # (2 R C,) V before the step
    step: np.ndarray  # (2 R C,) V
    point: Point  # the network before the step


def line_search(
    crossbar: Crossbar, driven: DrivenLines, states: np.ndarray, step: NewtonStep, ahead: Point
) -> tuple[float, Point]:
    """Line search: the share of a step that nearly minimises the co-content along it, and the point there.

    ahead : the point after the whole step
    """
    downhill = -float(step.step @ step.point.missing)
    low, high, share = 0.0, 1.0, 1.0
    for _ in range(MOST_HALVINGS):
        along = float(step.step @ ahead.missing)
        if along <= ENOUGH * downhill and (share == 1.0 or along >= -ENOUGH * downhill):
            break
        low, high = (low, share) if along > 0.0 else (share, high)
        share = 0.5 * (low + high)
        ahead = network_at(crossbar, driven, states, step.nodes + share * step.step, ahead)
    return share, ahead

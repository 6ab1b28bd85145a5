"""A crossbar in time: cells are written, read, or left at rest.

While the drivers hold their voltages the cells change, and with them the voltages on the lines. A time step moves the cells
at the voltages of its beginning, solves for the voltages at its end, and moves the cells once more from the beginning, at
the mean of both voltages. The difference of the two moves is the error of the first move, and far above the error of the
second, whose states are the result.

Lines with a capacitance delay this: the voltages of their nodes follow the drivers. Each node has the capacitance of the
piece of line that leads to it, and both nodes of a cell without access the charge of its junction, Q. They take the net
current into the node:

    C dv/dt +- dQ/dt = source - (conductance of the lines) v - (currents of the cells)

A time step of these is that of RODAS3, a linearly implicit method of four stages with one factored matrix (Sandu et al.,
Atmos. Environ. 31, 3459 (1997)). It is of third order, damps changes faster than the step, and its last stage is its error.
The charges of junctions are unknowns beside the voltages, Q = Q(u - w), so no capacitance is that of one end of a step.
Energies from the drivers and into the cells are unknowns too, so that one step may pass over the peak of a current.

Sensed currents of the cells of a word line: those of the bit lines.

Ions within the wells make reads of a noisy junction scatter at one state, anew for each read, as in `CompactModel.run`.
Sneak currents, which pass through many cells, have no such scatter.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.crossbar import PatternRead, PatternRest, PatternWrite
from otjdd.compact_models.crossbars.network import (
    DENSE,
    Crossbar,
    DrivenLines,
    NetworkSolution,
    Passed,
    Point,
    ReadLines,
    calm,
    charges_of_cells,
    dense,
    hold_cells,
    lines_and_cells,
    lines_with_drivers,
    lu_factors,
    network_at,
    solution_at,
    solve,
)
from otjdd.errors import NotAsExpected
from otjdd.system.late import scipy

SCHEMES = {"half": (0.5, 0.5), "third": (1.0 / 3.0, 2.0 / 3.0)}  # of the write voltage, on unselected words and bits
ERROR = 5e-3  # of a state: allowed difference of the two moves of a step
STILL = 1e-7  # of a state: smaller moves change no current, to 1e-5 of it
SAME = 1e-4  # V: cells whose voltage changes by less are not moved again, an error of 0.4 % of the move
CHANGE = 0.4  # of the power: allowed change in a step, an error of 1.4 % of the trapezoidal rule for the energy
NEGLIGIBLE = 0.1  # of the energy so far: least energy of a step that its error refers to, with a capacitance of lines
EXTRAPOLATED = 0.05  # of the energy of a step with a capacitance of the lines: error of that of a step
WRITTEN = 0.9  # of the largest voltage of the drivers across a cell, from which on a cell is written
FIRST, SHORTEST = 0.02, 1e-9  # of the duration: default of the first time step, and the shortest one


class DriverPiece(NamedTuple):
    """Result of an interval in which the drivers hold their voltages."""

    end: NetworkSolution
    energy: float  # J from the drivers
    heat: np.ndarray  # (R, C) J, into each cell
    voltage: np.ndarray  # (R, C) V, of largest magnitude across each cell
    current: np.ndarray  # (R, C) A, of largest magnitude through each cell
    step: float  # s, the first time step that its error would have allowed, for the next pulse of the kind
    drivers: "Drivers"
    settled: float = (
        0.0  # s, from which on read currents stay near their steady values, nan if not before the end; until
    )
    # which written cells have come near to their largest voltage


class Followed(NamedTuple):
    """The cells that `hold_drivers` follows in time, if not all of the crossbar."""

    cells: np.ndarray  # (M,) indices; the states of all others stay
    before: NetworkSolution | None = None  # at drivers of similar voltages, to start from


class Drivers(NamedTuple):
    """Voltages of the drivers."""

    words: np.ndarray  # (R,) V, nan for lines that float
    bits: np.ndarray  # (C,) V
    chosen: np.ndarray  # (R,) True for word lines that are written or read
    read: tuple[int, int | None] | None = None  # word line, and the bit line of a cell read alone; None for no read


class DriverStep(NamedTuple):
    """An interval in which the drivers hold their voltages."""

    drivers: Drivers
    duration: float  # s

    def bits_read(self, count: int) -> Sequence[int]:
        """Bit lines out of `count` whose current is read at the end."""
        if self.drivers.read is None:
            return ()
        bit = self.drivers.read[1]
        return range(count) if bit is None else (bit,)


def hold_drivers(
    crossbar: Crossbar, states: np.ndarray, drivers: Drivers, duration: float, first: float = 0.0,
    followed: Followed | None = None,
) -> DriverPiece:  # fmt: skip
    """Hold the drivers for a duration [s]. The states (R C, ...) change in place.

    first : first time step [s], 0 for the default   followed : None for all cells
    Raises NetworkError, NotAsExpected for voltages beyond the range of the model.
    """
    driven, delayed = driven_lines(crossbar, drivers, followed), crossbar.line_voltages.size > 0
    followed = followed or Followed(np.arange(crossbar.count))
    solution = (
        network_before_step(crossbar, driven, states) if delayed else solve(crossbar, driven, states, followed.before)
    )
    if delayed and drivers.read:
        driven = lines_of_read(crossbar, driven, states, solution, drivers.read[1])
    read = Sensed([0.0], [solution.bit_current])
    across, written = [], written_cells(drivers)
    voltage, current, heat = solution.voltage, solution.current, np.zeros(solution.current.shape)
    now, energy, taken = 0.0, 0.0, 0.0
    delay = crossbar.line_capacitance * (crossbar.line_resistance + crossbar.driver_resistance)
    step = first or (min(FIRST * duration, delay) if delayed else FIRST * duration)
    while now < duration:
        step = min(step, duration - now)
        moved, new, error = step_of_cells(crossbar, driven, states, solution, step, followed.cells)
        mean, off = mean_power(solution, new, drivers)
        scale = max(abs(mean), NEGLIGIBLE * abs(energy) / step if delayed else 0.0, 1e-300)
        error = max(error, off / scale)
        next_step = step * min(10.0, max(0.1, 0.9 / max(error, 1e-3)))
        if error <= 1.0 or step <= SHORTEST * duration:
            if crossbar.cells.streams.size:
                middle, moved = 0.5 * (solution.voltage + new.voltage).ravel()[followed.cells], states.copy()
                hold_cells(crossbar.cells, driven.chosen, followed.cells, moved, middle, step)
                new, _ = network_ahead(crossbar, driven, moved, solution, step, new)
                mean, _ = mean_power(solution, new, drivers)
            heats = [at_end.voltage * at_end.current for at_end in (solution, new)]
            heat += step * (0.5 * (heats[0] + heats[1]) if new.passed is None else new.passed.heat)
            states[...], solution, taken = moved, new, taken or min(next_step, duration)
            energy += step * mean
            now = duration if step >= duration - now else now + step
            read.time.append(now)
            read.current.append(new.bit_current)
            across.append(new.voltage[written])
            voltage, current = (larger_magnitude(*pair) for pair in ((voltage, new.voltage), (current, new.current)))
        step = next_step
    piece = DriverPiece(solution, energy, heat, voltage, current, taken, drivers)
    if not delayed:
        return piece
    crossbar.line_voltages[...] = solution.nodes
    if drivers.read:
        steady = solve(crossbar, driven, states, solution._replace(factor=None, point=None))
        return piece._replace(settled=settling_time_of_currents(read, steady.bit_current))
    settled = rise_time(read.time, [0.0 * across[0], *across]) if written.any() else 0.0
    return piece._replace(settled=settled)


def driven_lines(crossbar: Crossbar, drivers: Drivers, followed: Followed | None) -> DrivenLines:
    """The lines with these drivers."""
    driven = lines_with_drivers(crossbar, drivers.words, drivers.bits, drivers.chosen)
    if followed is not None:
        aside = np.ones(crossbar.count, bool)
        aside[followed.cells] = False
        driven = driven._replace(aside=aside)
    if 0 < crossbar.line_voltages.size <= DENSE:
        driven = driven._replace(conductance=dense(driven.conductance))
    return driven


def written_cells(drivers: Drivers) -> np.ndarray:
    """True (R, C) for cells of chosen word lines that have the largest voltage of the drivers; none in a read."""
    volts = np.abs(np.nan_to_num(np.subtract.outer(drivers.words, drivers.bits))) * drivers.chosen[:, None]
    largest: np.ndarray = (volts >= WRITTEN * volts.max()) & (volts > 0.0) & (drivers.read is None)
    return largest


def mean_power(before: NetworkSolution, after: NetworkSolution, drivers: Drivers) -> tuple[float, float]:
    """Mean power [W] from the drivers in a time step, and its error over the allowed one [W]."""
    if after.passed is not None:
        return after.passed.power, after.passed.off / EXTRAPOLATED
    words, bits = np.nan_to_num(drivers.words), np.nan_to_num(drivers.bits)
    first, last = (float(words @ ends.word_current - bits @ ends.bit_current) for ends in (before, after))
    larger_one = max(abs(first), abs(last), 1e-300)
    mean = 0.5 * (first + last)
    return mean, abs(last - first) / (CHANGE * larger_one) * abs(mean)


def step_of_cells(
    crossbar: Crossbar,
    driven: DrivenLines,
    states: np.ndarray,
    solution: NetworkSolution,
    step: float,
    followed: np.ndarray,
) -> tuple[np.ndarray, NetworkSolution, float]:
    """States (R C, ...) after a step [s], the solution there, and the error of the step in units of the allowed one.

    followed : (M,) indices of the cells whose states change
    """
    K, cells, first = states.shape[1] // 2, calm(crossbar.cells), states.copy()
    hold_cells(cells, driven.chosen, followed, first, solution.voltage.ravel()[followed], step)
    still = bool(np.abs(first - states).max() <= STILL)
    if still and not crossbar.line_voltages.size:
        return first, solution, 0.0
    new, lag = network_ahead(crossbar, driven, first, solution, step, solution)
    if still:
        return first, new, lag
    changed = followed[np.abs(new.voltage - solution.voltage).ravel()[followed] > SAME]
    second = first.copy()
    second[changed] = states[changed]
    hold_cells(cells, driven.chosen, changed, second, 0.5 * (solution.voltage + new.voltage).ravel()[changed], step)
    off = float(np.abs(second[:, :K] - first[:, :K]).max())
    if not crossbar.cells.streams.size:  # with noise, `hold_drivers` solves for the scattered states
        new, lag = network_ahead(crossbar, driven, second, solution, step, new)
    return second, new, max(lag, float(np.sqrt(off / ERROR)))


def network_ahead(
    crossbar: Crossbar,
    driven: DrivenLines,
    states: np.ndarray,
    before: NetworkSolution,
    step: float,
    near: NetworkSolution,
) -> tuple[NetworkSolution, float]:
    """The network with states (R C, ...) a step [s] after `before`, and its error by line delays over the allowed error.

    near : a solution to start from
    """
    if crossbar.line_voltages.size:
        return network_after_step(crossbar, driven, states, before, step)
    return solve(crossbar, driven, states, near), 0.0


def larger_magnitude(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The value of larger magnitude, element by element."""
    return np.where(np.abs(second) > np.abs(first), second, first)


def writing_drivers(chosen: np.ndarray, voltage: float, scheme: str = "half") -> Drivers:
    """Drivers that write the chosen cells (R, C), all on one word line, at a voltage [V].

    Raises NotAsExpected for an unknown scheme, and for chosen cells on several word lines.
    """
    if scheme not in SCHEMES:
        raise NotAsExpected(f"a scheme out of {', '.join(SCHEMES)}", repr(scheme))
    selected: np.ndarray = np.asarray(np.asarray(chosen, dtype=bool).any(axis=1))
    if np.count_nonzero(selected) != 1:
        raise NotAsExpected("chosen cells on one word line", f"on {np.count_nonzero(selected)}")
    on_words, on_bits = (share * voltage for share in SCHEMES[scheme])
    words = np.where(selected, voltage, on_words)
    return Drivers(words, np.where(np.any(chosen, axis=0), 0.0, on_bits), selected)


def programming_drivers(voltages: np.ndarray, count: int, word: int, scheme: str) -> Drivers:
    """Drivers of `count` word lines that write cells of one of them, each at a voltage of its own.

    voltages : (C,) [V] across the cells, of one sign; nan for cells that are not written
    """
    on_words, on_bits = SCHEMES[scheme]
    voltage = voltages[np.nanargmax(np.abs(voltages))]
    chosen = np.arange(count) == word
    bits = np.where(np.isnan(voltages), on_bits * voltage, voltage - voltages)
    return Drivers(np.where(chosen, voltage, on_words * voltage), bits, chosen)


def drivers_at_rest(crossbar: Crossbar) -> Drivers:
    """Drivers that are all at 0 V."""
    return Drivers(np.zeros(crossbar.word_lines), np.zeros(crossbar.bit_lines), np.zeros(crossbar.word_lines, bool))


def reading_drivers(crossbar: Crossbar, voltage: float, word: int, bit: int | None = None) -> Drivers:
    """Drivers that read a word line at a voltage [V]; the other word lines are at 0 V.

    bit : the one bit line that is at 0 V, while all other lines float; None for all of them
    """
    words, bits = np.zeros(crossbar.word_lines), np.zeros(crossbar.bit_lines)
    if bit is not None:
        words[:], bits[:] = np.nan, np.nan
        bits[bit] = 0.0
    words[word] = voltage
    return Drivers(words, bits, np.arange(crossbar.word_lines) == word, (word, bit))


def steps_of_part(
    part: PatternWrite | PatternRead | PatternRest, scheme: str, crossbar: Crossbar
) -> Iterator[DriverStep]:
    """The steps of a part of a drive whose pulses are known before: word line by word line, all at 0 V in pauses and rests.

    Raises NotAsExpected for an unknown scheme.
    """
    still = drivers_at_rest(crossbar)
    if isinstance(part, PatternRest):
        yield DriverStep(still, part.duration)
    elif isinstance(part, PatternRead):
        bits = range(crossbar.bit_lines) if part.unselected == "floating" else [None]
        for word, bit in product(range(crossbar.word_lines), bits):
            yield DriverStep(reading_drivers(crossbar, part.voltage, word, bit), part.duration)
    else:
        pattern = part.cells(*crossbar.shape)
        for row in np.flatnonzero(pattern.any(axis=1)):
            on_line = np.arange(crossbar.word_lines)[:, None] == row
            pulse = [DriverStep(writing_drivers(pattern & on_line, part.voltage, scheme), part.width)]
            pulse += [DriverStep(still, part.pause)] if part.pause > 0.0 else []
            yield from part.count * pulse


def apply_step(crossbar: Crossbar, states: np.ndarray, step: DriverStep, first: float = 0.0) -> DriverPiece | None:
    """Apply a step of the drivers; None where all are at 0 V. The states (R C, ...) change in place.

    first : first time step [s], 0 for the default   Raises as `hold_drivers`.
    """
    if step.drivers.chosen.any():
        return hold_drivers(crossbar, states, step.drivers, step.duration, first)
    leave_alone(crossbar, states, step.duration)
    return None


def leave_alone(crossbar: Crossbar, states: np.ndarray, duration: float) -> None:
    """Keep all lines at 0 V for a duration [s]. The states (R C, ...) change in place."""
    if crossbar.line_voltages.size:
        hold_drivers(crossbar, states, drivers_at_rest(crossbar), duration)
        return
    off, every = np.zeros(crossbar.count, bool), np.arange(crossbar.count)
    hold_cells(crossbar.cells, off, every, states, np.zeros(crossbar.count), duration)


def sensed_currents(crossbar: Crossbar, states: np.ndarray, driven: DriverPiece, word: int) -> np.ndarray:
    """Currents (C,) [A] of the bit lines at the end of a read of a word line. states : (R C, ...) at that time"""
    exact, cells = driven.end.bit_current, crossbar.cells
    if cells.drawn is None:
        return exact
    line = slice(word * crossbar.bit_lines, (word + 1) * crossbar.bit_lines)
    through, voltage = driven.end.current[word], driven.end.voltage[word]
    sigma, dealt, states = np.empty(voltage.size), cells.dealt[line], states[line]
    for number in np.unique(dealt):  # of ln I, by ions within the wells
        device, mine = cells.devices[number], dealt == number
        sigma[mine] = device.read_sigma(voltage[mine], states[mine][:, : device.kind.size])
    return exact + through * (np.exp(sigma * cells.drawn.standard_normal(sigma.size)) - 1.0)


GAMMA = 0.5  # of RODAS3: share of a step in its matrix
STAGES = ((), ()), ((), (4.0,)), ((2.0, 0.0), (1.0, -1.0)), ((2.0, 0.0, 1.0), (1.0, -1.0, -8.0 / 3.0))  # factors of the
# stages before: where the currents are evaluated, () for the stage before; what is added to them
END = 2.0, 0.0, 1.0, 1.0  # factors of all stages in the step
LINE_ERROR = 2e-4  # of the highest voltage: allowed error of a step; with 1e-3, voltages of cells are 3 % off
READ_ERROR = 2e-3  # of a current that is read, or of its steady value
LOWEST = 1e-3  # V: lines below it count as discharged, so that errors refer to it
SMALLEST = 1e-10  # V along the first piece of a bit line: smaller currents are not resolved
SETTLED = 0.01  # of the steady currents: deviation below which lines count as settled


class Sensed(NamedTuple):
    """Currents of the bit lines in time."""

    time: list[float]  # s
    current: list[np.ndarray]  # (C,) A


def lines_of_read(
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
    return charging_network(crossbar, driven, nodes, network_at(crossbar, driven, states, nodes))


def charging_network(crossbar: Crossbar, driven: DrivenLines, nodes: np.ndarray, point: Point) -> NetworkSolution:
    """The network at voltages (2 R C,) of its nodes, whose capacitances take the net currents."""
    now = solution_at(crossbar, nodes, point, None, driven.aside is not None)
    return now._replace(charging=-point.missing.reshape(2, *now.voltage.shape))


def network_after_step(
    crossbar: Crossbar, driven: DrivenLines, states: np.ndarray, before: NetworkSolution, step: float
) -> tuple[NetworkSolution, float]:
    """The network after a step [s] with fixed states (R C, ...), and the error in units of the allowed one."""
    n, nodes = crossbar.count, before.nodes
    charge, farads = junction_charges(crossbar, states, nodes)
    matrix = capacitance_matrix(crossbar, farads)
    begin = point = network_at(crossbar, driven, states, nodes)
    factor = lu_factors(driven.conductance + matrix / (GAMMA * step), begin.slope)
    stages: list[np.ndarray] = []
    moved: list[np.ndarray] = []  # stages of the charges
    energies: list[np.ndarray] = []
    there, off = nodes, np.zeros(n)
    for place, mix in STAGES:
        if place:
            there = nodes + sum_of_stages(place, stages)
            point = network_at(crossbar, driven, states, there, point)
            off = junction_charges(crossbar, states, there)[0] - charge - sum_of_stages(place, moved)
        into = (sum_of_stages(mix, moved) if mix else 0.0) - off / GAMMA
        lines = crossbar.line_capacitance * sum_of_stages(mix, stages) if mix else 0.0
        stages.append(factor((lines + np.append(into, -into)) / step - point.missing))
        moved.append(farads * (stages[-1][:n] - stages[-1][n:]) + off)
        steep = (begin.current + begin.cell * begin.slope) * (stages[-1][:n] - stages[-1][n:])
        rate = np.append(point.cell * point.current + steep, power_from_drivers(crossbar, driven, there + stages[-1]))
        energies.append(GAMMA * (step * rate + sum_of_stages(mix, energies) if mix else step * rate))
    there = nodes + sum_of_stages(END, stages)
    mean = sum_of_stages(END, energies) / step
    highest = max(float(np.abs(there).max()), float(np.abs(nodes).max()), LOWEST)
    share = float(np.abs(stages[-1]).max()) / (LINE_ERROR * highest)
    if driven.read is not None:
        first = n + driven.read.bits
        drop = np.maximum(np.abs(there[first] - driven.bits[driven.read.bits]), driven.read.drop)
        share = max(share, float((np.abs(stages[-1][first]) / drop).max()) / READ_ERROR)
    end = charging_network(crossbar, driven, there, network_at(crossbar, driven, states, there, point))
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
    n = crossbar.count
    if 2 * n > DENSE:
        return lines_and_cells(crossbar.line_capacitance * scipy.sparse.eye(2 * n, format="csc"), farads)
    matrix = np.diag(crossbar.line_capacitance + np.tile(farads, 2))
    matrix[np.arange(n), n + np.arange(n)] = matrix[n + np.arange(n), np.arange(n)] = -farads
    return matrix


def power_from_drivers(crossbar: Crossbar, driven: DrivenLines, nodes: np.ndarray) -> float:
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

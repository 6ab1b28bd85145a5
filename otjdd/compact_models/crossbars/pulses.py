"""A crossbar in time: cells are written, read, or left at rest.

While the drivers hold their voltages the cells change, and with them the voltages on the lines. A time step moves the cells
at the voltages of its beginning, solves for the voltages at its end, and moves the cells once more from the beginning, at
the mean of both voltages. The difference of the two moves is the error of the first move, and far above the error of the
second, whose states are the result.

Sensed currents of the cells of a word line: those of the bit lines.

Ions within the wells make reads of a noisy junction scatter at one state, anew for each read, as in `CompactModel.run`.
Sneak currents, which pass through many cells, have no such scatter.
"""

from typing import NamedTuple

import numpy as np

from otjdd.compact_models.crossbars import transient
from otjdd.compact_models.crossbars.network import (
    DENSE,
    Crossbar,
    DrivenLines,
    NetworkSolution,
    calm,
    dense,
    hold_cells,
    linearise_cells,
    lines_with_drivers,
    solve,
)
from otjdd.errors import NotAsExpected

SCHEMES = {"half": (0.5, 0.5), "third": (1.0 / 3.0, 2.0 / 3.0)}  # of the write voltage, on unselected words and bits
ERROR = 5e-3  # of a state: allowed difference of the two moves of a step
STILL = 1e-7  # of a state: smaller moves change no current, to 1e-5 of it
SAME = 1e-4  # V: cells whose voltage changes by less are not moved again, an error of 0.4 % of the move
CHANGE = 0.4  # of the power: allowed change in a step, an error of 1.4 % of the trapezoidal rule for the energy
NEGLIGIBLE = (
    0.1  # of the energy so far: with a capacitance of the lines, the least energy of a step that its error refers to
)
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
        transient.network_before_step(crossbar, driven, states)
        if delayed
        else solve(crossbar, driven, states, followed.before)
    )
    if delayed and drivers.read:
        driven = transient.sensing(crossbar, driven, states, solution, drivers.read[1])
    read = transient.Sensed([0.0], [solution.bit_current])
    across, written = [], written_cells(drivers)
    voltage, current, heat = solution.voltage, solution.current, np.zeros(solution.current.shape)
    now, energy, taken = 0.0, 0.0, 0.0
    delay = crossbar.line_capacitance * (crossbar.line_resistance + crossbar.driver_resistance)
    step = first or (min(FIRST * duration, delay) if delayed else FIRST * duration)
    while now < duration:
        step = min(step, duration - now)
        moved, new, error = stepped(crossbar, driven, states, solution, step, followed.cells)
        mean, off = mean_power(solution, new, drivers)
        scale = max(abs(mean), NEGLIGIBLE * abs(energy) / step if delayed else 0.0, 1e-300)
        error = max(error, off / scale)
        next_step = step * min(10.0, max(0.1, 0.9 / max(error, 1e-3)))
        if error <= 1.0 or step <= SHORTEST * duration:
            if crossbar.cells.streams.size:
                middle, moved = 0.5 * (solution.voltage + new.voltage).ravel()[followed.cells], states.copy()
                hold_cells(crossbar.cells, driven.chosen, followed.cells, moved, middle, step)
                new, _ = ahead(crossbar, driven, moved, solution, step, new)
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
        return piece._replace(settled=transient.settling_time_of_currents(read, steady.bit_current))
    settled = transient.rise_time(read.time, [0.0 * across[0], *across]) if written.any() else 0.0
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
    first, last = (power(at_end, drivers.words, drivers.bits) for at_end in (before, after))
    larger_one = max(abs(first), abs(last), 1e-300)
    mean = 0.5 * (first + last)
    return mean, abs(last - first) / (CHANGE * larger_one) * abs(mean)


def stepped(
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
    new, lag = ahead(crossbar, driven, first, solution, step, solution)
    if still:
        return first, new, lag
    changed = followed[np.abs(new.voltage - solution.voltage).ravel()[followed] > SAME]
    second = first.copy()
    second[changed] = states[changed]
    hold_cells(cells, driven.chosen, changed, second, 0.5 * (solution.voltage + new.voltage).ravel()[changed], step)
    off = float(np.abs(second[:, :K] - first[:, :K]).max())
    if not crossbar.cells.streams.size:  # with noise, `hold_drivers` solves for the scattered states
        new, lag = ahead(crossbar, driven, second, solution, step, new)
    return second, new, max(lag, float(np.sqrt(off / ERROR)))


def ahead(
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
        return transient.network_after_step(crossbar, driven, states, before, step)
    return solve(crossbar, driven, states, near), 0.0


def larger_magnitude(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The value of larger magnitude, element by element."""
    return np.where(np.abs(second) > np.abs(first), second, first)


def power(solution: NetworkSolution, words: np.ndarray, bits: np.ndarray) -> float:
    """Power [W] from the drivers at voltages words (R,) and bits (C,) [V]."""
    return float(np.nan_to_num(words) @ solution.word_current - np.nan_to_num(bits) @ solution.bit_current)


def write_cells(
    crossbar: Crossbar,
    states: np.ndarray,
    chosen: np.ndarray,
    pulse: tuple[float, float],
    scheme: str = "half",
    first: float = 0.0,
) -> DriverPiece:
    """Apply one pulse (voltage [V], width [s]) to the chosen cells (R, C), all on one word line; see `hold_drivers`.

    Raises NotAsExpected for an unknown scheme, and for chosen cells on several word lines.
    """
    voltage, width = pulse
    return hold_drivers(crossbar, states, writing(chosen, voltage, scheme), width, first)


def writing(chosen: np.ndarray, voltage: float, scheme: str) -> Drivers:
    """Drivers that write the chosen cells (R, C), all on one word line, at a voltage [V]. Raises NotAsExpected."""
    if scheme not in SCHEMES:
        raise NotAsExpected(f"a scheme out of {', '.join(SCHEMES)}", repr(scheme))
    selected: np.ndarray = np.asarray(np.asarray(chosen, dtype=bool).any(axis=1))
    if np.count_nonzero(selected) != 1:
        raise NotAsExpected("chosen cells on one word line", f"on {np.count_nonzero(selected)}")
    on_words, on_bits = (share * voltage for share in SCHEMES[scheme])
    words = np.where(selected, voltage, on_words)
    return Drivers(words, np.where(np.any(chosen, axis=0), 0.0, on_bits), selected)


def programming(voltages: np.ndarray, count: int, word: int, scheme: str) -> Drivers:
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
    R, C = crossbar.word_lines, crossbar.bit_lines
    return Drivers(np.zeros(R), np.zeros(C), np.zeros(R, bool))


def reading_drivers(shape: tuple[int, int], voltage: float, word: int, bit: int | None = None) -> Drivers:
    """Drivers that read a word line at a voltage [V]; bit : see `read_cells`."""
    words, bits = np.zeros(shape[0]), np.zeros(shape[1])
    if bit is not None:
        words[:], bits[:] = np.nan, np.nan
        bits[bit] = 0.0
    words[word] = voltage
    chosen = np.zeros(shape[0], bool)
    chosen[word] = True
    return Drivers(words, bits, chosen, (word, bit))


def read_cells(
    crossbar: Crossbar, states: np.ndarray, word: int, pulse: tuple[float, float], bit: int | None = None
) -> DriverPiece:
    """Hold a word line at a voltage [V] for a time [s], all other lines at 0 V; see `hold_drivers`.

    bit : the one bit line that is at 0 V, while all other lines float; None for all of them
    """
    shape = crossbar.word_lines, crossbar.bit_lines
    return hold_drivers(crossbar, states, reading_drivers(shape, pulse[0], word, bit), pulse[1])


def leave_alone(crossbar: Crossbar, states: np.ndarray, duration: float) -> None:
    """Keep all lines at 0 V for a duration [s]. The states (R C, ...) change in place."""
    if crossbar.line_voltages.size:
        hold_drivers(crossbar, states, drivers_at_rest(crossbar), duration)
        return
    off, every = np.zeros(crossbar.count, bool), np.arange(crossbar.count)
    hold_cells(crossbar.cells, off, every, states, np.zeros(crossbar.count), duration)


def cell_conductances(crossbar: Crossbar, states: np.ndarray, voltage: float = 0.1) -> np.ndarray:
    """Chord conductances (R, C) [S] of the junctions at a voltage [V], without lines and access."""
    cells, every = crossbar.cells._replace(access=None), np.arange(crossbar.count)
    off = np.zeros(crossbar.count, bool)
    current, _ = linearise_cells(cells, off, every, states, np.full(crossbar.count, voltage))
    return (current / voltage).reshape(crossbar.word_lines, crossbar.bit_lines)


def sensed(crossbar: Crossbar, states: np.ndarray, driven: DriverPiece, word: int) -> np.ndarray:
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

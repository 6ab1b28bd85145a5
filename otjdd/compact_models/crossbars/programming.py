"""Write-verify: the cells of a word line are read, pulsed towards their targets and read again, all of them at once.

During a pulse the word line is at the largest voltage that one of its cells needs. The bit line of a cell is at the excess
of this voltage over that of its own pulse, and from the end of its own pulse on at the voltage of the scheme. Set pulses
and reset pulses follow each other.

Meanwhile the cells of all other word lines load the network. Their states move once for each pulse instead of in its time
steps, unless they move by more than ERROR. The times that these cells spend near 0 V, or in reads, are added up; their
states move for this sum, at 0 V, at the end of the word line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from otjdd.case.crossbar import PatternProgram, ProgramPulse
from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.network import Crossbar, NetworkSolution, calm, hold_cells
from otjdd.compact_models.crossbars.pulses import sensed

DrivenPieces = Iterator[tuple[pulses.DriverPiece | None, float]]  # results, None for rests at 0 V; durations [s]
UP, DOWN = 1, -1  # directions of a conductance
QUIET = 2e-3  # V: a cell at a lower voltage moves as at 0 V


@dataclass
class Programming:
    """The cells of a crossbar while they are programmed. All maps are (R, C)."""

    crossbar: Crossbar
    scheme: str
    states: np.ndarray  # (R C, ...) of `CompactModel.states`
    part: PatternProgram
    target: np.ndarray  # S
    conductance: np.ndarray = field(init=False)  # S, of the last read
    pulses: np.ndarray = field(init=False)
    energy: np.ndarray = field(init=False)  # J, into each cell while its word line is programmed
    time: np.ndarray = field(init=False)  # s, from the beginning of its word line to the last read that it needed
    share: float = 0.0  # of the word lines that are done

    def __post_init__(self) -> None:
        self.pulses, self.energy, self.time = (np.zeros(self.target.shape) for _ in range(3))
        self.conductance = np.full(self.target.shape, np.nan)

    @property
    def error(self) -> np.ndarray:
        """Conductances relative to their targets, less 1."""
        return self.conductance / self.target - 1.0

    @property
    def missed(self) -> np.ndarray:
        """True for cells that are further from their target than the tolerance."""
        return ~(np.abs(self.error) <= self.part.tolerance)

    def run(self) -> DrivenPieces:
        """Program all cells, and read them at the end of each round; as an iterator over what the drivers do."""
        R = self.target.shape[0]
        words = list(range(R))
        for turn in range(self.part.rounds):
            for word in words:
                yield from WordLine(self, word).run()
                self.share = (turn + (word + 1) / R) / self.part.rounds
            for word in range(R):
                yield from WordLine(self, word).read()
            words = np.flatnonzero(self.missed.any(axis=1)).tolist()
            if not words:
                break


@dataclass
class WordLine:
    """A word line while its cells are programmed. All vectors are (C,)."""

    of: Programming
    word: int
    owed: np.ndarray = field(init=False)  # (R C,) s, time at 0 V by which cells of other word lines have yet to move
    now: float = 0.0  # s since the beginning
    last: dict[object, tuple[pulses.Drivers, NetworkSolution, float]] = field(
        default_factory=dict
    )  # kind of pulse -> its end

    def __post_init__(self) -> None:
        self.owed = np.zeros(self.of.crossbar.count)

    def run(self) -> DrivenPieces:
        """Read and pulse the cells until all are at their targets or have had their pulses."""
        of, word, part = self.of, self.word, self.of.part
        level, going = np.zeros(of.target.shape[1]), np.zeros(of.target.shape[1])
        began = of.time[word].copy()
        yield from self.read()
        while (unfinished := of.missed[word] & (of.pulses[word] < part.most_pulses)).any():
            way = np.where(of.error[word] < 0.0, UP, DOWN)
            level = np.where(unfinished, np.where(way == going, level + 1.0, 0.0), level)
            going = np.where(unfinished, way, going)
            for direction, kind in ((UP, part.set_pulse), (DOWN, part.reset_pulse)):
                if (mine := unfinished & (way == direction)).any():
                    yield from self.pulse(mine, level, kind)
            yield from self.read()
            of.time[word, unfinished] = began[unfinished] + self.now
        off = np.zeros(of.crossbar.count, bool)
        for time in np.unique(
            self.owed[self.owed > 0.0]
        ):  # the cells of all other word lines now spend these times at 0 V
            due = np.flatnonzero(self.owed == time)
            hold_cells(of.crossbar.cells, off, due, of.states, np.zeros(due.size), float(time))
        self.owed[:] = 0.0

    def read(self) -> DrivenPieces:
        """Read the cells."""
        part = self.of.part
        drivers = pulses.reading_drivers(self.of.target.shape, part.read_voltage, self.word)
        driven = self.hold("read", drivers, part.read_duration)
        current = sensed(self.of.crossbar, self.of.states, driven, self.word)
        self.of.conductance[self.word] = current / part.read_voltage
        yield driven, part.read_duration

    def pulse(self, mine: np.ndarray, level: np.ndarray, kind: ProgramPulse) -> DrivenPieces:
        """Apply one pulse to each of the cells `mine`. level : number of pulses of the kind directly before, by cell"""
        highest, longest = kind.last
        voltage = np.minimum(abs(kind.voltage) + level * kind.voltage_step, abs(highest)) * np.sign(kind.voltage)
        grown = np.log(kind.width) + level * np.log(kind.width_factor)
        width = np.where(grown < np.log(longest), np.exp(grown), longest)
        self.of.pulses[self.word, mine] += 1.0
        began = 0.0
        for end in np.unique(width[mine]):
            on = np.where(mine & (width >= end), voltage, np.nan)
            drivers = pulses.programming(on, self.of.target.shape[0], self.word, self.of.scheme)
            driven = self.hold((kind, began > 0.0), drivers, end - began)
            yield driven, float(end - began)
            began = end

    def hold(self, kind: object, drivers: pulses.Drivers, duration: float) -> pulses.DriverPiece:
        """Hold the drivers for a duration [s]. kind : of pulse; the solution starts from the last pulse of this kind"""
        of, before, first = self.of, None, 0.0
        if kind in self.last:
            old, solution, first = self.last[kind]
            words, bits = drivers.words - old.words, drivers.bits - old.bits  # none of the lines floats
            moved = np.concatenate((np.repeat(words, bits.size), np.tile(bits, words.size)))
            before = solution._replace(point=None, nodes=solution.nodes + moved)
        driven = hold_line(of.crossbar, of.states, drivers, (duration, first, kind != "read"), before, self.owed)
        self.last[kind] = drivers, driven.end, min(driven.step, duration)
        self.now += duration
        of.energy[self.word] += driven.heat[self.word]
        return driven


def hold_line(
    crossbar: Crossbar, states: np.ndarray, drivers: pulses.Drivers, course: tuple[float, float, bool],
    before: NetworkSolution | None, owed: np.ndarray,
) -> pulses.DriverPiece:  # fmt: skip
    """Hold drivers whose chosen word line is followed in time; the states (R C, ...) change in place.

    course : duration [s], first time step [s], and if the cells of other word lines move   before : see `pulses.Followed`
    owed : (R C,) [s] at 0 V, to which the duration is added for cells of other word lines that do not move, or are within
        QUIET of 0 V
    Where cells of other word lines move by more than ERROR, all cells are followed in time.
    """
    duration, first, disturbs = course
    cells, chosen = crossbar.cells, crossbar.on_lines(drivers.chosen)
    mine = np.flatnonzero(chosen)
    moved, drawn, charged = states.copy(), cells.streams.copy(), crossbar.line_voltages.copy()
    driven = pulses.hold_drivers(crossbar, moved, drivers, duration, first, pulses.Followed(mine, before))
    quiet = ~chosen & ((np.abs(driven.end.voltage.ravel()) < QUIET) | (not disturbs))
    others = np.flatnonzero(~chosen & ~quiet)
    if others.size:
        still, voltage = moved.copy(), driven.end.voltage.ravel()[others]
        hold_cells(cells, chosen, others, moved, voltage, duration)
        mean = moved
        if far(mean, still) and cells.streams.size:
            mean = still.copy()
            hold_cells(calm(cells), chosen, others, mean, voltage, duration)
        if far(mean, still):
            cells.streams[...] = drawn  # the same draws again: to reject draws by their effect would bias the noise
            crossbar.line_voltages[...] = charged
            every = pulses.Followed(np.arange(crossbar.count), before)
            return pulses.hold_drivers(crossbar, states, drivers, duration, first, every)
    owed[quiet] += duration
    states[...] = moved
    return driven


def far(moved: np.ndarray, states: np.ndarray) -> bool:
    """True if the position of a column has moved by more than the allowed error."""
    K = states.shape[1] // 2
    return bool(np.abs(moved[:, :K] - states[:, :K]).max() > pulses.ERROR)

"""The steps of a drive of patterns, in each of which the drivers hold their voltages, and the clock of a netlist of them.

The pulses of a part that programs depend on its reads, so its steps are those of the same cells in Python without noise.

No simulator resolves a nanosecond after a rest of minutes. Only the states of the junctions depend on time, so a step far
longer than the shortest one is shortened in the netlist, while the node `pace` speeds up the states by the same factor.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from otjdd.case.drive_patterns import PatternProgram, PatternRead, PatternRest, Patterns, PatternWrite, targets_of
from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.cells import beginning, noiseless
from otjdd.compact_models.crossbars.network import Crossbar
from otjdd.compact_models.crossbars.programming import Programming
from otjdd.compact_models.exports.functions import number

EDGE = 1e-3  # of the shortest step: time in which drivers change
LAST = 0.999  # of a step: the time at which its current is taken
LONGEST_STEP = (
    100.0  # longest step of the netlist over the shortest; steps of the patterns that last longer are shortened
)


class DriverStep(NamedTuple):
    """An interval in which the drivers hold their voltages."""

    drivers: pulses.Drivers
    duration: float  # s

    def bits_read(self, count: int) -> Sequence[int]:
        """Bit lines out of `count` whose current is read at the end."""
        if self.drivers.read is None:
            return ()
        bit = self.drivers.read[1]
        return range(count) if bit is None else (bit,)


class NetlistClock(NamedTuple):
    """Time of the netlist: that of the patterns, with long steps shortened."""

    durations: list[float]  # s, duration of each step in the netlist
    ends: list[float]  # s, end of each step
    edge: float  # s, in which drivers change

    def read_times(self) -> np.ndarray:
        """Times [s] at which the current of each step is taken."""
        return np.array(self.ends) - (1.0 - LAST) * np.array(self.durations)

    def pace(self, steps: list[DriverStep]) -> str:
        """Breakpoints of the pace: above 1 within long steps, else 1, also while drivers change."""
        points, e = ["0 1"], self.edge
        for step, lasting, end in zip(steps, self.durations, self.ends, strict=True):
            if lasting < step.duration:
                start, fast = end - lasting, number((step.duration - 2.0 * e) / (lasting - 2.0 * e))
                points += [f"{start + e:.12g} 1", f"{start + 2.0 * e:.12g} {fast}"]
                points += [f"{end - e:.12g} {fast}", f"{end:.12g} 1"]
        return " ".join([*points, f"{self.ends[-1] + e:.12g} 1"])  # VACASK asks for two points or more


def clock_of(steps: list[DriverStep]) -> NetlistClock:
    """The clock of a netlist with these steps."""
    shortest = min(step.duration for step in steps)
    durations = [min(step.duration, LONGEST_STEP * shortest) for step in steps]
    return NetlistClock(durations, np.cumsum(durations).tolist(), EDGE * shortest)


def steps_of(drive: Patterns, crossbar: Crossbar) -> list[DriverStep]:
    """The steps of a drive in order. States are followed in Python up to the last part that programs."""
    programs = [n for n, part in enumerate(drive.parts) if part.kind == "program"]
    uncharged = np.zeros_like(crossbar.line_voltages)
    quiet = crossbar._replace(different=noiseless(crossbar.cells), line_voltages=uncharged)
    states, in_order = beginning(quiet.cells), []
    for n, part in enumerate(drive.parts):
        if isinstance(part, PatternProgram):
            target = targets_of(part.targets, (crossbar.word_lines, crossbar.bit_lines))
            pieces = Programming(quiet, drive.scheme, states, part, target).run()
            in_order += [DriverStep(piece.drivers, lasted) for piece, lasted in pieces if piece is not None]
            continue
        steps = steps_of_part(part, drive.scheme, crossbar)
        in_order += steps
        if programs and n < programs[-1]:
            follow(quiet, states, steps)
    return in_order


def steps_of_part(part: PatternWrite | PatternRead | PatternRest, scheme: str, crossbar: Crossbar) -> list[DriverStep]:
    """The steps of a part whose pulses are known before."""
    shape, still = (crossbar.word_lines, crossbar.bit_lines), pulses.at_rest(crossbar)
    if isinstance(part, PatternRest):
        return [DriverStep(still, part.duration)]
    if isinstance(part, PatternRead):
        bits = range(shape[1]) if part.unselected == "floating" else [None]
        at = [pulses.reading(shape, part.voltage, *place) for place in product(range(shape[0]), bits)]
        return [DriverStep(drivers, part.duration) for drivers in at]
    pattern, steps = part.cells(crossbar.word_lines, crossbar.bit_lines), []
    for row in np.flatnonzero(pattern.any(axis=1)):
        chosen = np.zeros_like(pattern)
        chosen[row] = pattern[row]
        pulse = [DriverStep(pulses.writing(chosen, part.voltage, scheme), part.width)]
        pulse += [DriverStep(still, part.pause)] if part.pause > 0.0 else []
        steps += part.count * pulse
    return steps


def follow(crossbar: Crossbar, states: np.ndarray, steps: list[DriverStep]) -> None:
    """Take the cells of a crossbar through steps. The states (R C, ...) change in place."""
    for step in steps:
        if step.drivers.chosen.any():
            pulses.hold_drivers(crossbar, states, step.drivers, step.duration)
        else:
            pulses.leave_alone(crossbar, states, step.duration)

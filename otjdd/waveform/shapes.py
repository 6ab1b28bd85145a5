"""Shapes of waveforms: hold, pulse, read, train, write-read loop, triangle, table, text file.

Functions of seconds and volts; each returns a waveform that starts at 0 s. All raise ValueError if the arguments contradict
each other, or need more than MAX_POINTS breakpoints (counted before any array is allocated).

A text file (UTF-8) has two columns, time and voltage, divided by a comma, semicolon, tab or spaces; `#` begins a comment. A
first line of words is a header, whose brackets may name units: `t [us], V [mV]`. Without units they are in s and V.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from otjdd.system.text_files import QuantityColumn, is_number, lines, numbers_of, units_of
from otjdd.waveform.waveform import MAX_POINTS, Chain, Waveform, check_steps, repeated, with_reads

Values = Sequence[float] | np.ndarray


def hold(voltage: float, duration: float, reads_at: Values = (), probe: Waveform | None = None) -> Waveform:
    """Constant voltage [V] for a duration [s], interrupted by reads.

    reads_at : ends of the reads [s], from the start   probe : waveform of one read
    Raises ValueError if a read begins before the hold, or before the end of the previous read.
    """
    marks = np.unique(np.asarray(reads_at, dtype=float))
    if not marks.size:
        return Waveform(np.array([0.0, duration]), np.array([voltage, voltage]))
    if probe is None:
        raise ValueError("reads in a hold need the waveform of a read")
    check_count(marks.size * (probe.times.size + 2))
    floor = np.append(0.0, marks[:-1])
    starts = marks - probe.duration
    misplaced = (starts < floor - 1e-9 * probe.duration) | (marks > duration)
    if misplaced.any():
        k = int(np.argmax(misplaced))
        raise ValueError(
            f"a read of {probe.duration:g} s that ends at {marks[k]:g} s does not fit between {floor[k]:g} s, where "
            f"{'the read before it ends' if k else 'the hold begins'}, and the end of the hold, at {duration:g} s"
        )
    starts = np.maximum(starts, floor)[:, None]
    inside = np.where(probe.times < probe.duration, np.minimum(starts + probe.times, marks[:, None]), marks[:, None])
    check_steps(np.tile(np.append(np.diff(probe.times), 0.0), marks.size)[:-1], inside.ravel())
    return Waveform(
        np.concatenate([[0.0], np.column_stack([starts, inside, marks]).ravel(), [duration]]),
        np.concatenate([[voltage], np.tile([voltage, *probe.voltages, voltage], marks.size), [voltage]]),
        np.column_stack([marks, np.full(marks.size, voltage)]),
    )


def steps(voltages: Values, width: float) -> Waveform:
    """Voltages (n,) [V] one after the other, each for `width` [s]."""
    check_count(2 * len(voltages))
    times = np.repeat(np.arange(len(voltages) + 1) * width, 2)[1:-1]
    return Waveform(times, np.repeat(voltages, 2))


def pulse(
    voltage: float, width: float, rise: float = 0.0, fall: float = 0.0, wait: float = 0.0, base: float = 0.0
) -> Waveform:
    """One pulse: `rise` from `base`, plateau of `width`, `fall`, then `base` for `wait`; times in s, voltages in V."""
    top, end = rise + width, rise + width + fall
    times = np.array([0.0, rise, top, end, end + wait])
    check_steps(np.array([rise, width, fall, wait]), times)
    return Waveform(times, np.array([base, voltage, voltage, base, base]))


def read(
    voltage: float, duration: float, delay: float = 0.0, write_voltage: float = math.nan, base: float = 0.0
) -> Waveform:
    """One read: `base` for `delay`, `voltage` for `duration` with a mark at its end, then back to `base`."""
    end = delay + duration
    voltages = np.array([base, base, voltage, voltage, base])
    check_steps(np.array([delay, duration]), np.array([0.0, delay, end]))
    return Waveform(np.array([0.0, delay, delay, end, end]), voltages, np.array([(end, write_voltage)]))


def extended(shape: Waveform, duration: float) -> Waveform:
    """The shape, extended by its last voltage to a duration [s]. Raises ValueError if the shape is longer."""
    # Sums such as 20 ns + 180 ns differ from a period of 200 ns by a rounding error.
    if math.isclose(shape.duration, duration, rel_tol=1e-12):
        times = np.where(shape.times == shape.duration, duration, np.minimum(shape.times, duration))
        reads = shape.reads.copy()
        reads[shape.read_times == shape.duration, 0] = duration
        return Waveform(times, shape.voltages, reads)
    if shape.duration > duration:
        raise ValueError(f"{shape.duration:g} s of pulse and read do not fit in a period of {duration:g} s")
    return Waveform(np.append(shape.times, duration), np.append(shape.voltages, shape.voltages[-1]), shape.reads)


def train(shape: Waveform, count: int, period: float) -> Waveform | Chain:
    """The shape `count` times. period : from start to start [s]"""
    return repeated(extended(shape, period), count)


def staircase(path: Values, step: float, cycles: int = 1) -> np.ndarray:
    """Voltages (n,) [V] from vertex to vertex of `path` in steps of `step`, without the first vertex.

    Each vertex occurs once, and exactly; the last step of a leg may be shorter. Several cycles need a closed path.
    """
    legs = list(pairwise(path))
    # A leg of 2.2 V in steps of 0.1 V is 22 steps, even if the quotient is 22.000000000000004.
    counts = [max(math.ceil(abs(stop - start) / step - 1e-9), int(stop != start)) for start, stop in legs]
    check_path(path, cycles)
    check_count(sum(counts) * cycles)
    values: list[np.ndarray] = []
    for (start, stop), count in zip(legs, counts, strict=True):
        inside = start + math.copysign(step, stop - start) * np.arange(1, count)
        values += [np.round(inside, 12) + 0.0, np.full(min(count, 1), stop)]
    return np.tile(np.concatenate(values), cycles)


def write_read_loop(
    writes: Values, width: float, probe: Waveform, wait: float = 0.0, rise: float = 0.0, fall: float = 0.0
) -> Waveform:
    """For each of `writes` (n,) [V]: a pulse of that voltage, 0 V for `wait` [s], and the read `probe`."""
    heights = np.asarray(writes, dtype=float)
    block = pulse(1.0, width, rise, fall, wait).then(probe)
    check_count(heights.size * block.times.size)
    voltages = np.tile(block.voltages, (heights.size, 1))
    voltages[:, 1:3] = heights[:, None]  # the plateau; all other breakpoints are 0 V or belong to the read
    return block.repeat(heights.size, voltages, heights)


def triangle(path: Values, rate: float, cycles: int = 1) -> Waveform | Chain:
    """Linear sweep from vertex to vertex of `path` [V] at `rate` [V/s]. Several cycles need a closed path."""
    check_path(path, cycles)
    times = np.append(0.0, np.cumsum(np.abs(np.diff(path)))) / rate
    return repeated(Waveform(times, np.asarray(path)), cycles)


def table(times: Values, voltages: Values, reads_at: Values = ()) -> Waveform:
    """Breakpoints as given, with a read marked at each of `reads_at` [s]."""
    return with_reads(Waveform(np.asarray(times), np.asarray(voltages)), reads_at)


def check_count(count: int) -> None:
    """Raise ValueError beyond MAX_POINTS breakpoints."""
    if count > MAX_POINTS:
        raise ValueError(f"{count:,} breakpoints or more; the limit is {MAX_POINTS:,}")


def check_path(path: Values, cycles: int) -> None:
    """Raise ValueError for a path of less than two voltages, or an open path that is repeated."""
    if len(path) < 2 or len(set(path)) < 2:
        raise ValueError("a path needs at least two different voltages")
    if cycles > 1 and path[0] != path[-1]:
        raise ValueError("a path with several cycles must end where it starts")


COLUMNS = (QuantityColumn("time", "time"), QuantityColumn("voltage", "voltage"))


def read_waveform(path: str | Path, reads_at: Sequence[float] = (), highest: float = math.inf) -> Waveform:
    """The waveform in a text file, with a read at each of `reads_at` [s].

    highest : largest allowed voltage [V], of either sign
    Raises OSError if the file cannot be read; ValueError ("file:line: ...") unless it has two or more lines of finite
    numbers, with times that rise from 0.
    """
    path = Path(path)
    text_rows = lines(path)
    scale: tuple[float, ...] = (1.0, 1.0)
    if text_rows and not is_number(text_rows[0].cells[0]):
        scale = tuple(unit or 1.0 for unit in units_of(path, text_rows.pop(0), COLUMNS))
    if not text_rows:
        raise ValueError(f"{path}:1: no numbers in this file")
    check_count(len(text_rows))
    rows = []
    for line in text_rows:
        rows.append(numbers_of(path, line, COLUMNS))
        time = rows[-1][0]
        previous = rows[-2][0] if len(rows) > 1 else None
        if previous is None and time != 0:
            raise ValueError(f"{path}:{line.number}: the first time is {time:g}, not 0")
        if previous is not None and time < previous:
            raise ValueError(f"{path}:{line.number}: time goes back from {previous:g} to {time:g}")
    if len(rows) < 2:
        raise ValueError(f"{path}:{text_rows[0].number}: one row of numbers; a waveform has at least two")
    times, voltages = np.array(rows).T * np.array([scale]).T
    beyond = np.abs(voltages) > highest
    if beyond.any():
        k = int(np.argmax(beyond))
        raise ValueError(
            f"{path}:{text_rows[k].number}: {voltages[k]:g} V; voltages lie between -{highest:g} V and {highest:g} V"
        )
    return table(times, voltages, reads_at)

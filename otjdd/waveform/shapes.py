"""Shapes of waveforms: hold, pulse, read, train, write-read loop, triangle, table, CSV file.

Pure functions of seconds and volts; each returns a Waveform that starts at 0 s. All raise ValueError when the numbers
contradict each other or ask for more than MAX_POINTS breakpoints (counted before anything is allocated).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from otjdd.system.files import Refused, read_regular
from otjdd.units import parse
from otjdd.waveform.chain import Chain, repeated
from otjdd.waveform.waveform import MAX_POINTS, Waveform, with_reads

MAX_CSV_BYTES = 64_000_000


def hold(voltage: float, duration: float, reads_at: Sequence[float] = (), probe: Waveform | None = None) -> Waveform:
    """`voltage` for `duration`.

    reads_at: s from the start; `probe`, the waveform of one read, takes the place of the hold so that it *ends* at each
        of them. A read may not begin before the hold or before the end of the read in front of it.
    """
    marks = np.unique(np.asarray(reads_at, dtype=float))
    if not marks.size:
        return Waveform([0.0, duration], [voltage, voltage])
    if probe is None:
        raise ValueError("reads in a hold need the waveform of a read")
    _check_count(marks.size * (probe.times.size + 2))
    floor = np.append(0.0, marks[:-1])
    starts = marks - probe.duration
    if (starts < floor - 1e-9 * probe.duration).any() or marks[-1] > duration:
        raise ValueError(
            f"reads of {probe.duration:g} s at {marks} s do not fit, one after the other, in {duration:g} s"
        )
    starts = np.maximum(starts, floor)[:, None]
    inside = np.where(probe.times < probe.duration, np.minimum(starts + probe.times, marks[:, None]), marks[:, None])
    return Waveform(
        np.concatenate([[0.0], np.column_stack([starts, inside, marks]).ravel(), [duration]]),
        np.concatenate([[voltage], np.tile([voltage, *probe.voltages, voltage], marks.size), [voltage]]),
        np.column_stack([marks, np.full(marks.size, voltage)]),
    )


def steps(voltages: Sequence[float], width: float) -> Waveform:
    """Each of `voltages` (n,) V for `width`."""
    _check_count(2 * len(voltages))
    times = np.repeat(np.arange(len(voltages) + 1) * width, 2)[1:-1]
    return Waveform(times, np.repeat(voltages, 2))


def pulse(
    voltage: float, width: float, rise: float = 0.0, fall: float = 0.0, wait: float = 0.0, base: float = 0.0
) -> Waveform:
    """From `base` up in `rise`, `voltage` for `width` (the plateau), down in `fall`, then `base` for `wait`."""
    top, end = rise + width, rise + width + fall
    return Waveform([0.0, rise, top, end, end + wait], [base, voltage, voltage, base, base])


def read(
    voltage: float, duration: float, delay: float = 0.0, write_voltage: float = math.nan, base: float = 0.0
) -> Waveform:
    """`base` for `delay`, `voltage` for `duration`, a mark at the end of it, back to `base`."""
    end = delay + duration
    return Waveform([0.0, delay, delay, end, end], [base, base, voltage, voltage, base], [(end, write_voltage)])


def padded(shape: Waveform, duration: float) -> Waveform:
    """The shape, then its last voltage until `duration`, which may not be shorter than the shape."""
    # Sums such as 20 ns + 180 ns miss a period of 200 ns by a rounding.
    if math.isclose(shape.duration, duration, rel_tol=1e-12):
        times = np.where(shape.times == shape.duration, duration, np.minimum(shape.times, duration))
        reads = shape.reads.copy()
        reads[shape.read_times == shape.duration, 0] = duration
        return Waveform(times, shape.voltages, reads)
    if shape.duration > duration:
        raise ValueError(f"{shape.duration:g} s of pulse and read do not fit in a period of {duration:g} s")
    return Waveform(np.append(shape.times, duration), np.append(shape.voltages, shape.voltages[-1]), shape.reads)


def train(shape: Waveform, count: int, period: float) -> Waveform | Chain:
    """The shape `count` times, one each `period` (s, from start to start)."""
    return repeated(padded(shape, period), count)


def staircase(path: Sequence[float], step: float, cycles: int = 1) -> np.ndarray:
    """(n,) V: from vertex to vertex of `path` in steps of `step`, the first vertex left out.

    Each vertex is met exactly (the last step of a leg may be shorter) and once. More than one cycle: a closed path.
    """
    legs = list(pairwise(path))
    # A leg of 2.2 V in steps of 0.1 V is 22 steps, also where the quotient is 22.000000000000004.
    counts = [max(math.ceil(abs(stop - start) / step - 1e-9), int(stop != start)) for start, stop in legs]
    check_path(path, cycles)
    _check_count(sum(counts) * cycles)
    values = []
    for (start, stop), count in zip(legs, counts, strict=True):
        inside = start + math.copysign(step, stop - start) * np.arange(1, count)
        values += [np.round(inside, 12) + 0.0, [stop] if count else []]
    return np.tile(np.concatenate(values), cycles)


def write_read_loop(
    writes: Sequence[float], width: float, probe: Waveform, wait: float = 0.0, rise: float = 0.0, fall: float = 0.0
) -> Waveform:
    """For each voltage of `writes` (n,) a pulse, 0 V for `wait`, and the read `probe` marked with that voltage."""
    writes = np.asarray(writes, dtype=float)
    block = pulse(1.0, width, rise, fall, wait).then(probe)
    _check_count(writes.size * block.times.size)
    voltages = np.tile(block.voltages, (writes.size, 1))
    voltages[:, 1:3] = writes[:, None]  # the plateau of the pulse; all else rests at 0 V or belongs to the read
    loop = block.repeat(writes.size, voltages)
    marks = np.repeat(writes, len(probe.reads))
    return Waveform(loop.times, loop.voltages, np.column_stack([loop.read_times, marks]))


def triangle(path: Sequence[float], rate: float, cycles: int = 1) -> Waveform | Chain:
    """Straight from vertex to vertex of `path` (V) at `rate` (V/s). More than one cycle needs a closed path."""
    check_path(path, cycles)
    times = np.append(0.0, np.cumsum(np.abs(np.diff(path)))) / rate
    return repeated(Waveform(times, path), cycles)


def table(times: Sequence[float], voltages: Sequence[float], reads_at: Sequence[float] = ()) -> Waveform:
    """Breakpoints as they are given, with a read marked at each of `reads_at` (s)."""
    return with_reads(Waveform(times, voltages), reads_at)


def from_csv(path: str | Path, reads_at: Sequence[float] = (), highest: float = math.inf) -> Waveform:
    """Breakpoints from a text file of two columns, time and voltage.

    Columns are divided by a comma, semicolon, tab or spaces; `#` begins a comment. A first line of words is a header,
    whose brackets may name units: `t [us], V [mV]`; without them s and V. UTF-8.
    highest : V, of either sign
    Raises OSError when the file cannot be read, ValueError ("file:line: ...") for anything else than two or more lines of
    finite numbers in rising time from 0.
    """
    path = Path(path)
    lines = _lines(path)
    scale = (1.0, 1.0)
    if lines and not _is_number(lines[0][1][0]):
        scale = _header_scale(path, *lines.pop(0))
    if not lines:
        raise ValueError(f"{path}:1: no numbers in this file")
    _check_count(len(lines))
    rows = []
    for number, cells in lines:
        rows.append(_row(path, number, cells, rows[-1][0] if rows else None))
    if len(rows) < 2:
        raise ValueError(f"{path}:{lines[0][0]}: one row of numbers; a waveform has two at least")
    times, voltages = np.array(rows).T * np.array([scale]).T
    beyond = np.abs(voltages) > highest
    if beyond.any():
        k = int(np.argmax(beyond))
        raise ValueError(
            f"{path}:{lines[k][0]}: {voltages[k]:g} V; voltages lie between -{highest:g} V and {highest:g} V"
        )
    return table(times, voltages, reads_at)


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """(line number, cells) of each line that says something."""
    try:
        text = read_regular(path, MAX_CSV_BYTES).decode("utf-8-sig")
    except IsADirectoryError:
        raise ValueError(f"{path}:1: not a regular file") from None
    except Refused as error:
        raise ValueError(f"{path}:1: {error.strerror.removeprefix('is ')}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}:1: not UTF-8 text ({error.reason} at byte {error.start})") from None
    said = [(number, line.split("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [(number, _split(line)) for number, line in said if line]


def _split(line: str) -> list[str]:
    divider = r"\s*[,;\t]\s*" if re.search(r"[,;\t]", line) else r"\s+(?![\[(])"
    return re.split(divider, line)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _header_scale(path, number, cells):
    if len(cells) != 2:
        raise ValueError(f"{path}:{number}: expected two columns, time and voltage, got {len(cells)}")
    scale = []
    for cell, dimension in zip(cells, ("time", "voltage"), strict=True):
        unit = re.search(r"[\[(](.+?)[\])]", cell)
        try:
            scale.append(parse(f"1 {unit[1]}", dimension) if unit else 1.0)
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from None
    return tuple(scale)


def _row(path, number, cells, previous):
    """(time, voltage) of one line; `previous` is the time above it, None on the first."""
    if len(cells) != 2 or not all(map(_is_number, cells)):
        raise ValueError(f"{path}:{number}: expected two numbers, time and voltage, got {' '.join(cells)[:60]!r}")
    time, voltage = map(float, cells)
    if not (math.isfinite(time) and math.isfinite(voltage)):
        raise ValueError(f"{path}:{number}: a time or voltage that is not finite")
    if previous is None and time != 0:
        raise ValueError(f"{path}:{number}: the first time is {time:g}, not 0")
    if previous is not None and time < previous:
        raise ValueError(f"{path}:{number}: time goes back from {previous:g} to {time:g}")
    return time, voltage


def _check_count(count):
    if count > MAX_POINTS:
        raise ValueError(f"{count:,} breakpoints or more; the limit is {MAX_POINTS:,}")


def check_path(path, cycles):
    if len(path) < 2 or len(set(path)) < 2:
        raise ValueError("a path goes through two different voltages at least")
    if cycles > 1 and path[0] != path[-1]:
        raise ValueError("a path that is cycled ends where it starts")

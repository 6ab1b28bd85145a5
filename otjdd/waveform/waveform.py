"""Waveforms: voltage of the source against time, as breakpoints (t, V); and chains of them, one block in memory at a time.

A waveform is piecewise linear. Two breakpoints at one time are a jump. A read is a mark on a breakpoint: the time, at the
end of a read plateau, at which the current is taken. Rounding errors do not accumulate: period k of a train starts at k
times the period, rounded once.

A chain is parts and their repetitions: a train of a million pulses is one period and a count. Only the current block has
breakpoints in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import numpy as np

from otjdd.system.remember import remembered_by_record

MAX_POINTS = 5_000_000


@dataclass(frozen=True, eq=False)
class Waveform:
    """Voltage of the source against time.

    times : (n,) [s], from 0, non-decreasing; equal neighbours are a jump
    voltages : (n,) [V], linear in between, held after the end
    reads : (m, 2) time [s] of each read and voltage [V] of the write before it, nan without one. Each time is that of a
        breakpoint and of one read. A read at a jump takes the voltage before the jump, one at 0 s the first voltage
    Raises ValueError if the arrays do not fit this description.
    """

    times: np.ndarray
    voltages: np.ndarray
    reads: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))

    def __post_init__(self) -> None:
        # Copies, so that the caller may change its arrays later.
        times, voltages = (np.array(a, dtype=float, ndmin=1) for a in (self.times, self.voltages))
        reads = np.array(self.reads, dtype=float).reshape(-1, 2)
        if times.ndim != 1 or times.shape != voltages.shape or not times.size:
            raise ValueError(f"a waveform needs as many times as voltages, not {times.shape} and {voltages.shape}")
        _check_points(times.size)
        if not (np.isfinite(times).all() and np.isfinite(voltages).all() and np.isfinite(reads[:, 0]).all()):
            raise ValueError("a waveform has finite times and voltages only")
        if times[0] != 0:
            raise ValueError(f"a waveform starts at 0 s, not at {times[0]:g} s")
        if (back := times[1:] < times[:-1]).any():
            k = int(np.argmax(back))
            raise ValueError(f"time goes back from {times[k]:g} s to {times[k + 1]:g} s")
        if (reads[1:, 0] <= reads[:-1, 0]).any() or not np.isin(reads[:, 0], times).all():
            raise ValueError("reads are marked in order of time, one at an instant, each on a breakpoint")
        for name, array in (("times", times), ("voltages", voltages), ("reads", reads)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        return f"Waveform({self.duration:g} s, {self.times.size} breakpoints, {len(self.reads)} reads)"

    @property
    def duration(self) -> float:
        """Time of the last breakpoint [s]."""
        return float(self.times[-1])

    @property
    def points(self) -> int:
        """Number of breakpoints."""
        return self.times.size

    @property
    def read_count(self) -> int:
        """Number of reads."""
        return len(self.reads)

    @property
    def last_voltage(self) -> float:
        """Voltage at the end [V]."""
        return float(self.voltages[-1])

    @property
    def shortest_step(self) -> float:
        """Shortest time between two breakpoints, without jumps [s]; infinite for a single time."""
        steps = np.diff(self.times)
        return float(steps[steps > 0].min(initial=np.inf))

    @property
    def write_count(self) -> int:
        """Number of writes: plateaus that are neither reads nor 0 V, or the reads after a write, if these are more."""
        _, end, v0, v1 = self.segments()
        plateaus = (v0 == v1) & (v0 != 0) & ~np.isin(end, self.read_times)
        return int(max(plateaus.sum(), np.isfinite(self.write_voltages).sum()))

    @property
    def block_count(self) -> int:
        """Number of blocks: 1, as this waveform is in memory as a whole."""
        return 1

    def blocks(self, first: int = 0) -> Iterator[Block]:
        """The blocks in order of time, from the one with the number `first`: this waveform itself."""
        if first == 0:
            yield Block(0.0, self)

    @property
    def read_times(self) -> np.ndarray:
        """Times of the reads (m,) [s]."""
        return self.reads[:, 0]

    @property
    def write_voltages(self) -> np.ndarray:
        """Voltage of the write before each read (m,) [V], nan where there is none."""
        return self.reads[:, 1]

    @property
    def read_voltages(self) -> np.ndarray:
        """Voltage of the source at each read (m,) [V]."""
        return self._before(self.read_times)

    @overload
    def __call__(self, t: float) -> float: ...

    @overload
    def __call__(self, t: np.ndarray) -> np.ndarray: ...

    def __call__(self, t: float | np.ndarray) -> float | np.ndarray:
        """Voltage [V] at a time t [s]: at a jump that after it, before 0 s the first, after the end the last."""
        at = np.asarray(t, dtype=float)
        i = np.searchsorted(self.times, at, side="right") - 1
        return self._between(at, i, i + 1, i)[()]

    def _before(self, t: np.ndarray) -> np.ndarray:
        """Voltage [V] just before times t (n,) [s]."""
        j = np.searchsorted(self.times, t, side="left")
        return self._between(t, j - 1, j, j)

    def _between(self, t: np.ndarray, i: np.ndarray, j: np.ndarray, exact: np.ndarray) -> np.ndarray:
        """Voltage at t on the line through points i and j; at a breakpoint exactly the voltage of point `exact`."""
        i, j, exact = (np.clip(k, 0, self.times.size - 1) for k in (i, j, exact))
        span = self.times[j] - self.times[i]
        share = np.where(span > 0, (t - self.times[i]) / np.where(span > 0, span, 1.0), 0.0)
        line = self.voltages[i] + np.clip(share, 0.0, 1.0) * (self.voltages[j] - self.voltages[i])
        return np.where(self.times[exact] == t, self.voltages[exact], line)

    def segments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Start [s], end [s], first and last voltage [V] of all ramps and plateaus, (k,) each, without jumps."""
        long = np.flatnonzero(self.times[1:] > self.times[:-1])
        return self.times[long], self.times[long + 1], self.voltages[long], self.voltages[long + 1]

    def then(self, other: Waveform) -> Waveform:
        """This waveform, followed directly by the other."""
        return concatenate([self, other])

    def repeat(self, count: int, voltages: np.ndarray | None = None, writes: np.ndarray | None = None) -> Waveform:
        """Copies end to end; copy k starts at k * duration. Raises ValueError for count < 1 and beyond MAX_POINTS.

        voltages : (count, n) [V] of the breakpoints of each copy; None for the ones of this waveform
        writes : (count,) [V] of the write before the reads of each copy; None for the ones of this waveform
        """
        if count < 1:
            raise ValueError(f"a waveform is repeated 1 time or more, not {count}")
        _check_points(count * self.times.size)
        reads = np.tile(self.reads, (count, 1))
        if writes is not None:
            reads[:, 1] = np.repeat(writes, len(self.reads))
        return _join(
            np.tile(self.times, count),
            np.tile(self.voltages, count) if voltages is None else np.ravel(voltages),
            reads,
            np.arange(count + 1) * self.duration,
            np.full(count, self.duration),
            (np.full(count, self.times.size), np.full(count, len(self.reads))),
        )


class Block(NamedTuple):
    """A part of a waveform that is in memory at a time: its start [s], and its breakpoints with times from there."""

    start: float
    waveform: Waveform


def concatenate(parts: Iterable[Waveform]) -> Waveform:
    """Parts end to end. Raises ValueError for no part, or beyond MAX_POINTS breakpoints."""
    parts = list(parts)
    if not parts:
        raise ValueError("no waveform to join")
    sizes = np.array([part.times.size for part in parts])
    _check_points(int(sizes.sum()))
    durations = np.array([part.duration for part in parts])
    return _join(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.voltages for part in parts]),
        np.concatenate([part.reads for part in parts]),
        _running_sum(durations),
        durations,
        (sizes, np.array([len(part.reads) for part in parts])),
    )


def voltage_between(pre: Waveform, post: Waveform, delay: float) -> Waveform:
    """pre - post, the voltage across a junction that is driven at both ends.

    delay : start of post after the start of pre [s]; negative if post starts first
    Each waveform has its first voltage before its start, and its last voltage after its end. Reads of both are kept.
    """
    _check_points(2 * (pre.times.size + post.times.size))
    late_pre, late_post = max(-delay, 0.0), max(delay, 0.0)
    times, own_pre, own_post = _merge(pre.times + late_pre, post.times + late_post)
    pre_limits, post_limits = (_limits(own, w.voltages, times) for own, w in ((own_pre, pre), (own_post, post)))
    at = [(own[np.searchsorted(w.times, w.read_times)], w) for own, w in ((own_pre, pre), (own_post, post))]
    marks = np.concatenate([np.column_stack([read_times, w.write_voltages]) for read_times, w in at])
    both = np.stack([pre_limits[0] - post_limits[0], pre_limits[1] - post_limits[1]], axis=1).ravel()
    return _tidy(np.repeat(times, 2), both, marks[np.argsort(marks[:, 0], kind="stable")])


def with_reads(waveform: Waveform, times: Sequence[float] | np.ndarray) -> Waveform:
    """The waveform with a read at each of `times` [s]. Its voltage is unchanged. Raises ValueError for times outside."""
    marks = np.asarray(times, dtype=float)
    # A mark that differs from a breakpoint by rounding only (1000 ns against 1 us) belongs to that breakpoint. The rounding
    # is the one of the mark itself: next to an end at 1e9 s, breakpoints near 0 s may be a femtosecond apart.
    rounding = 8 * np.spacing(np.abs(marks))
    nearest = waveform.times[np.minimum(np.searchsorted(waveform.times, marks - rounding), waveform.times.size - 1)]
    marks = np.unique(np.where(np.abs(nearest - marks) <= rounding, nearest, marks))
    if marks.size and not (marks[0] >= 0 and marks[-1] <= waveform.duration):
        raise ValueError(f"a read lies outside the waveform, which lasts {waveform.duration:g} s")
    new = np.setdiff1d(marks, waveform.times)
    at = np.searchsorted(waveform.times, new)
    reads = np.concatenate([waveform.reads, np.column_stack([marks, np.full(marks.size, np.nan)])])
    return Waveform(
        np.insert(waveform.times, at, new),
        np.insert(waveform.voltages, at, waveform(new)),
        reads[np.argsort(reads[:, 0], kind="stable")],
    )


def _check_points(count: int) -> None:
    if count > MAX_POINTS:
        raise ValueError(f"a waveform of {int(count):,} breakpoints; the limit is {MAX_POINTS:,}")


def check_steps(steps: np.ndarray, times: np.ndarray) -> None:
    """Raise ValueError if a step between breakpoints is lost to rounding.

    steps : (n,) [s] as asked for; no more than 0 between the parts of a waveform   times : (n+1,) [s] of the breakpoints
    """
    lost = (steps > 0) & (np.abs(np.diff(times) - steps) > 0.01 * steps)
    if lost.any():
        k = int(np.argmax(lost))
        raise ValueError(
            f"a step of {steps[k]:g} s cannot be resolved at t = {times[k]:g} s, where numbers stand "
            f"{np.spacing(times[k]):.2g} s apart: make it longer (a read by read.duration)"
        )


def _running_sum(values: np.ndarray) -> np.ndarray:
    """Partial sums from 0 on, each rounded once (Neumaier's compensated summation)."""
    sums, total, lost = [0.0], 0.0, 0.0
    for value in values.tolist():
        new = total + value
        lost += (total - new) + value if total >= value else (value - new) + total
        total = new
        sums.append(total + lost)
    return np.array(sums)


def _join(
    times: np.ndarray, voltages: np.ndarray, reads: np.ndarray, starts: np.ndarray, durations: np.ndarray,
    sizes: tuple[np.ndarray, np.ndarray],
) -> Waveform:  # fmt: skip
    """Waveform of concatenated parts, with part k shifted to starts[k].

    durations : of the parts [s]   sizes : number of breakpoints, and of reads, of each part
    Raises ValueError if a step is lost to rounding.
    """
    points, marks = sizes
    moved = _move(times, starts, durations, points)
    check_steps(np.diff(times), moved)
    reads = np.column_stack([_move(reads[:, 0], starts, durations, marks), reads[:, 1]])
    return _tidy(moved, voltages, reads)


def _move(times: np.ndarray, starts: np.ndarray, durations: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Times of parts on the common axis. The end of a part equals the start of the next, so that time never decreases."""
    start, end, duration = (np.repeat(a, sizes) for a in (starts[:-1], starts[1:], durations))
    return np.where(times >= duration, end, np.minimum(start + times, end))


def _tidy(times: np.ndarray, voltages: np.ndarray, reads: np.ndarray) -> Waveform:
    """Waveform without breakpoints that repeat the previous one."""
    keep = np.ones(times.size, dtype=bool)
    keep[1:] = (times[1:] != times[:-1]) | (voltages[1:] != voltages[:-1])
    return Waveform(times[keep], voltages[keep], reads)


def _merge(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Union of two sets of times, and both sets with times of the union; times within rounding become one."""
    both = np.concatenate([first, second])
    order = np.argsort(both, kind="stable")
    ordered = both[order]
    fresh = np.ones(both.size, dtype=bool)
    fresh[1:] = np.diff(ordered) > 8 * np.spacing(ordered[1:])
    union = ordered[fresh]
    on_union = np.empty_like(both)
    on_union[order] = union[np.cumsum(fresh) - 1]
    return union, on_union[: first.size], on_union[first.size :]


def _limits(own_times: np.ndarray, voltages: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Voltages just before and just after `times` of the waveform with these breakpoints."""
    # A leading plateau at the first voltage, so that the line begins at 0 s.
    if own_times[0] > 0:
        own_times, voltages = np.append(0.0, own_times), np.append(voltages[0], voltages)
    shape = Waveform(own_times, voltages)
    return shape._before(times), shape(times)


BLOCK = 250_000  # most breakpoints of a block, unless one copy of the shape has more
MOST_IN_MEMORY = 1_000_000  # most breakpoints of a waveform that is kept in memory as a whole
MOST = 10**11  # most breakpoints of a chain; a longer run would take years


class Part(NamedTuple):
    """A waveform or a chain, `copies` times end to end."""

    shape: Waveform | Chain
    copies: int


class Chain:
    """Parts end to end, with the totals of a Waveform; `blocks` yields the breakpoints.

    Raises ValueError beyond MOST breakpoints, for a read at 0 s, and if the shortest step is lost to rounding at the end.
    """

    durations: tuple[float, ...]
    duration: float
    points: int
    read_count: int

    def __init__(self, parts: tuple[Part, ...]):
        self.parts = parts
        self.durations = tuple(part.copies * part.shape.duration for part in parts)
        self.duration = float(sum(self.durations))
        self.points = sum(part.copies * part.shape.points for part in parts)
        self.read_count = sum(part.copies * part.shape.read_count for part in parts)
        if self.points > MOST:
            raise ValueError(f"a drive of {self.points:,} breakpoints; the limit is {MOST:,}")
        for part in parts:
            if isinstance(part.shape, Waveform) and part.shape.read_count and part.shape.read_times[0] == 0.0:
                raise ValueError(f"a read at 0 s of a part of a drive of {self.points:,} breakpoints; place it later")
        if np.spacing(self.duration) > 0.01 * self.shortest_step:
            raise ValueError(
                f"a step of {self.shortest_step:g} s cannot be resolved at t = {self.duration:g} s: give it more time"
            )

    def __repr__(self) -> str:
        return f"Chain({self.duration:g} s, {self.points} breakpoints, {self.read_count} reads)"

    @property
    def shortest_step(self) -> float:
        """Shortest time between two breakpoints, without jumps [s]."""
        return min(part.shape.shortest_step for part in self.parts)

    @property
    def write_voltages(self) -> np.ndarray:
        """Voltage (m,) [V] of the write before each read, nan without one."""
        return np.concatenate([np.tile(part.shape.write_voltages, part.copies) for part in self.parts])

    @property
    def last_voltage(self) -> float:
        """Voltage at the end [V]."""
        return self.parts[-1].shape.last_voltage

    @property
    def write_count(self) -> int:
        """Number of writes."""
        return sum(part.copies * part.shape.write_count for part in self.parts)

    def blocks(self, first: int = 0) -> Iterator[Block]:
        """The blocks in order of time, from the one with the number `first`."""
        begin = 0.0
        for part, lasts in zip(self.parts, self.durations, strict=True):
            whole = block_count(part)
            if first < whole:
                for block in blocks_of(part, first):
                    yield Block(begin + block.start, block.waveform)
            first, begin = max(first - whole, 0), begin + lasts

    @property
    def block_count(self) -> int:
        """Number of blocks."""
        return sum(block_count(part) for part in self.parts)


def repeated(shape: Waveform | Chain, count: int) -> Waveform | Chain:
    """A shape `count` times end to end; a Chain beyond MOST_IN_MEMORY breakpoints. Raises ValueError for no count."""
    if isinstance(shape, Waveform) and (count < 1 or count * shape.points <= MOST_IN_MEMORY):
        return shape.repeat(count)
    return Chain((Part(shape, count),))


def joined(shapes: list[Waveform | Chain]) -> Waveform | Chain:
    """Shapes end to end; a Chain when one of them is, or beyond MOST_IN_MEMORY breakpoints. Raises ValueError for none."""
    waveforms = [shape for shape in shapes if isinstance(shape, Waveform)]
    if len(waveforms) < len(shapes) or sum(shape.points for shape in shapes) > MOST_IN_MEMORY:
        return Chain(tuple(Part(shape, 1) for shape in shapes))
    return concatenate(waveforms)


def copies_in_block(part: Part) -> int:
    """Copies of a part that make one block."""
    return max(1, BLOCK // part.shape.points)


def block_count(part: Part) -> int:
    """Number of blocks of a part."""
    if isinstance(part.shape, Chain):
        return part.copies * part.shape.block_count
    return -(-part.copies // copies_in_block(part))


def blocks_of(part: Part, first: int) -> Iterator[Block]:
    """Blocks of one part, from the one with the number `first`; their times count from the start of the part."""
    if isinstance(part.shape, Chain):
        per_copy = part.shape.block_count
        for copy in range(first // per_copy, part.copies):
            for block in part.shape.blocks(first - copy * per_copy if copy == first // per_copy else 0):
                yield Block(copy * part.shape.duration + block.start, block.waveform)
        return
    per_copy = copies_in_block(part)
    for copy in range(first * per_copy, part.copies, per_copy):
        yield Block(copy * part.shape.duration, part.shape.repeat(min(per_copy, part.copies - copy)))


@remembered_by_record(most=2)
def last_writes(drive: Waveform | Chain, count: int) -> np.ndarray:
    """End [s] of the last write before each of the first `count` reads, and the voltage there [V]: (count, 2), nan without.

    The drive is taken block by block, so a long train needs no more memory than its reads.
    """
    of_blocks, last = [np.empty((0, 2))], np.full((1, 2), np.nan)
    for block in drive.blocks() if count else ():
        ends, times = writes(block.waveform), block.waveform.read_times
        candidates = np.concatenate((last, ends + np.array((block.start, 0.0))))
        of_blocks.append(candidates[np.searchsorted(ends[:, 0], times, side="right")])
        last, count = candidates[-1:], count - times.size
        if count <= 0:
            break
    rows = np.concatenate(of_blocks)
    return rows[: len(rows) + min(count, 0)]


def writes(waveform: Waveform) -> np.ndarray:
    """End [s] of each write and the voltage there [V], (W, 2). A write is a ramp or plateau that does not end in a read."""
    _, end, start_voltage, voltage = waveform.segments()
    driven = np.maximum(np.abs(start_voltage), np.abs(voltage)) > 0
    return np.column_stack((end, voltage))[driven & ~np.isin(end, waveform.read_times)]

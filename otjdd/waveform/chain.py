"""Waveforms that are too long for the memory: parts and their repetitions, expanded one block at a time; their writes.

A train of a million pulses is one period and a count. Only the current block has breakpoints in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from otjdd.system.remember import by_record
from otjdd.waveform.waveform import Block, Waveform, concatenate

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
    def shortest_stay(self) -> float:
        """Shortest time [s] of a plateau or a peak within a part, as of a Waveform."""
        return min(part.shape.shortest_stay for part in self.parts)

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


@by_record(most=2)
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

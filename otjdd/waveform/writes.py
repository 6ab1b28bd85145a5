"""The last write before each read of a drive."""

import numpy as np

from otjdd.system.remember import by_record
from otjdd.waveform.chain import Chain
from otjdd.waveform.waveform import Waveform


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

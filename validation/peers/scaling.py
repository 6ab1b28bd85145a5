"""Does the cost grow linearly? Time against cells and against pulses, and the exponents of their power laws."""

import numpy as np

from validation.peers.codes import otjdd
from validation.peers.compare import timed
from validation.peers.problems import conditioning, pulses

CELLS = (100, 200, 400, 800, 1600)
PULSES = (10, 100, 1000, 10000)


def exponent(sizes, seconds) -> float:
    """Slope of log time over log size, least squares."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def of_cells(cells=CELLS, rounds=3):
    """Seconds of `conditioning` at rtol 1e-3 for each number of cells, and their exponent."""
    solvers = [otjdd(conditioning(n)) for n in cells]
    seconds = timed([lambda s=s: s(1e-3) for s in solvers], rounds)
    return seconds, exponent(cells, seconds)


def of_pulses(counts=PULSES, rounds=1):
    """Seconds of `pulses` (half of them positive) at rtol 1e-2 on 100 graded cells, and their exponent."""
    solvers = [otjdd(pulses(100, 20.0, count // 2)) for count in counts]
    seconds = timed([lambda s=s: s(1e-2) for s in solvers], rounds)
    return seconds, exponent(counts, seconds)


COLUMNS = ("series", "sizes", "seconds", "exponent:")


def rows_of(quick: bool = False) -> list[tuple]:
    """Both series; the quick one leaves out the longest train."""
    counts, rows = PULSES[:-1] if quick else PULSES, []
    for name, sizes, (seconds, slope) in (("cells", CELLS, of_cells()), ("pulses", counts, of_pulses(counts))):
        rows.append((name, ", ".join(map(str, sizes)), ", ".join(f"{s:.3g}" for s in seconds), f"{slope:.2f}"))
    return rows

"""Sensed currents of the cells of a word line: those of the bit lines.

Ions within the wells make reads of a noisy junction scatter at one state, anew for each read, as in `CompactModel.run`.
Sneak currents, which pass through many cells, have no such scatter.
"""

import numpy as np

from otjdd.compact_models.crossbars.cells import Cells
from otjdd.compact_models.crossbars.network import Crossbar
from otjdd.compact_models.crossbars.pulses import DriverPiece


def sensed(crossbar: Crossbar, states: np.ndarray, driven: DriverPiece, word: int) -> np.ndarray:
    """Currents (C,) [A] of the bit lines at the end of a read of a word line. states : (R C, ...) at that time"""
    exact = driven.end.bit_current
    if crossbar.cells.drawn is None:
        return exact
    mine = np.arange(word * crossbar.bit_lines, (word + 1) * crossbar.bit_lines)
    through, voltage = driven.end.current[word], driven.end.voltage[word]
    return exact + through * (factors(crossbar.cells, mine, states[mine], voltage) - 1.0)


def factors(cells: Cells, which: np.ndarray, states: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """Factors (M,) of the currents of the cells `which` (M,), by ions within the wells, drawn for one read of each.

    states : (M, ...)   voltage : (M,) [V]
    """
    assert cells.drawn is not None
    sigma, dealt = np.empty(which.size), cells.dealt[which]
    for number in np.unique(dealt):
        device, mine = cells.devices[number], dealt == number
        sigma[mine] = device.read_sigma(voltage[mine], states[mine][:, : device.kind.size])
    return np.exp(sigma * cells.drawn.standard_normal(which.size))

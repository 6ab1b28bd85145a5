"""The cells that a part of a drive writes."""

import numpy as np

from otjdd.case.drive_patterns import PatternWrite
from otjdd.compact_models.crossbars.network import Crossbar


def marked(crossbar: Crossbar, part: PatternWrite) -> np.ndarray:
    """True (R, C) for the cells that a part writes."""
    if part.pattern is None:
        return np.ones((crossbar.word_lines, crossbar.bit_lines), bool)
    return np.array([[cell == "#" for cell in row] for row in part.pattern])

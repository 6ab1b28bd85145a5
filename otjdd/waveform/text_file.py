"""Waveforms as text files of two columns, time and voltage.

Columns are divided by a comma, semicolon, tab or spaces; `#` begins a comment. A first line of words is a header, whose
brackets may name units: `t [us], V [mV]`. Without units the columns are in s and V. The encoding is UTF-8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from otjdd.system.text_table import QuantityColumn, is_number, lines, numbers_of, units_of
from otjdd.waveform.shapes import check_count, table
from otjdd.waveform.waveform import Waveform

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
        check_time(path, line.number, rows[-1][0], rows[-2][0] if len(rows) > 1 else None)
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


def check_time(path: Path, number: int, time: float, previous: float | None) -> None:
    """Raise ValueError for a time before `previous`, that of the line above; for a first time (None) other than 0."""
    if previous is None and time != 0:
        raise ValueError(f"{path}:{number}: the first time is {time:g}, not 0")
    if previous is not None and time < previous:
        raise ValueError(f"{path}:{number}: time goes back from {previous:g} to {time:g}")

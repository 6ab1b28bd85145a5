"""Waveforms as text files of two columns, time and voltage.

Columns are divided by a comma, semicolon, tab or spaces; `#` begins a comment. A first line of words is a header whose
brackets may name units: `t [us], V [mV]`. Without them the columns are in s and V. The encoding is UTF-8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from otjdd.system.files import Refused, read_regular
from otjdd.units import parse
from otjdd.waveform.shapes import check_count, table
from otjdd.waveform.waveform import Waveform

MAX_BYTES = 64_000_000


def read_waveform(path: str | Path, reads_at: Sequence[float] = (), highest: float = math.inf) -> Waveform:
    """Return the waveform of a text file with a read marked at each of `reads_at` [s].

    highest : largest allowed voltage [V], of either sign
    Raises OSError when the file cannot be read, ValueError ("file:line: ...") for anything other than two or more lines
    of finite numbers with times that rise from 0.
    """
    path = Path(path)
    said = lines(path)
    scale = (1.0, 1.0)
    if said and not is_number(said[0][1][0]):
        scale = header_scale(path, *said.pop(0))
    if not said:
        raise ValueError(f"{path}:1: no numbers in this file")
    check_count(len(said))
    rows = []
    for number, cells in said:
        rows.append(row(path, number, cells, rows[-1][0] if rows else None))
    if len(rows) < 2:
        raise ValueError(f"{path}:{said[0][0]}: one row of numbers; a waveform has two at least")
    times, voltages = np.array(rows).T * np.array([scale]).T
    beyond = np.abs(voltages) > highest
    if beyond.any():
        k = int(np.argmax(beyond))
        raise ValueError(
            f"{path}:{said[k][0]}: {voltages[k]:g} V; voltages lie between -{highest:g} V and {highest:g} V"
        )
    return table(times, voltages, reads_at)


def lines(path: Path) -> list[tuple[int, list[str]]]:
    """Number and cells of each line that is neither empty nor a comment."""
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
    except IsADirectoryError:
        raise ValueError(f"{path}:1: not a regular file") from None
    except Refused as error:
        raise ValueError(f"{path}:1: {error.strerror.removeprefix('is ')}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}:1: not UTF-8 text ({error.reason} at byte {error.start})") from None
    stripped = [(number, line.split("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [(number, split(line)) for number, line in stripped if line]


def split(line: str) -> list[str]:
    """Cells of a line; a space before a bracket belongs to the cell: `t [us]`."""
    divider = r"\s*[,;\t]\s*" if re.search(r"[,;\t]", line) else r"\s+(?![\[(])"
    return re.split(divider, line)


def is_number(cell: str) -> bool:
    """Tell if a cell reads as a float."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def header_scale(path: Path, number: int, cells: list[str]) -> tuple[float, ...]:
    """SI values of the units of time and voltage in a header, 1.0 where it names none. Raises ValueError."""
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


def row(path: Path, number: int, cells: list[str], previous: float | None) -> tuple[float, float]:
    """Time and voltage of one line; `previous` is the time of the line above, None on the first. Raises ValueError."""
    if len(cells) != 2 or not all(map(is_number, cells)):
        raise ValueError(f"{path}:{number}: expected two numbers, time and voltage, got {' '.join(cells)[:60]!r}")
    time, voltage = map(float, cells)
    if not (math.isfinite(time) and math.isfinite(voltage)):
        raise ValueError(f"{path}:{number}: a time or voltage that is not finite")
    if previous is None and time != 0:
        raise ValueError(f"{path}:{number}: the first time is {time:g}, not 0")
    if previous is not None and time < previous:
        raise ValueError(f"{path}:{number}: time goes back from {previous:g} to {time:g}")
    return time, voltage

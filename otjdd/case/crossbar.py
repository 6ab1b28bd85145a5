"""The [crossbar] of a case: its lines, their resistance, and the compact model of its cells.

Such a case has a drive of the kind patterns.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from otjdd.case.base import Count, Record, as_text
from otjdd.case.problem import KeyPath
from otjdd.units import Quantity, brief

Lines = Annotated[Count, Field(ge=1, le=256)]
LineOhms = Annotated[float, Quantity("resistance", "1 mohm", "1 Gohm")]
NOT_IN_A_CROSSBAR = ("parallel_capacitance", "compliance", "range", "bandwidth", "time_constant")  # of the circuit


class Crossbar(Record):
    """Word lines (rows) and bit lines (columns) with a junction at each crossing, the metal of it on the word line.

    line_resistance : [ohm] of a line from one cell to the next, and from its driver to the first
    model : file of a compact model of the junction, as `otjdd compact` writes it; None to extract one before the run
    """

    word_lines: Lines
    bit_lines: Lines
    line_resistance: LineOhms = as_text("1 ohm")
    model: Annotated[str, Field(min_length=1, max_length=4096)] | None = None


def faults(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case, which holds a Crossbar
    """Path, expected and found where crossbar, drive, patterns and circuit of a case do not fit together."""
    if case.drive.kind != "patterns":
        if case.crossbar is not None:
            yield ("drive", "kind"), '"patterns" in a case with a [crossbar]', brief(case.drive.kind)
        return
    if case.crossbar is None:
        yield ("crossbar",), "a table with word_lines and bit_lines, for a drive of patterns", "nothing"
        return
    shape = case.crossbar.word_lines, case.crossbar.bit_lines
    for i, part in enumerate(case.drive.parts):
        if part.kind != "write" or part.pattern is None:
            continue
        found = len(part.pattern), *sorted({len(row) for row in part.pattern})
        if found != shape:
            yield (
                ("drive", "parts", i, "pattern"),
                f"{shape[0]} rows of {shape[1]} cells each, one for each word line",
                f"{found[0]} rows of {' and '.join(map(str, found[1:]))}",
            )
    default = type(case.circuit)()
    for name in NOT_IN_A_CROSSBAR:
        if getattr(case.circuit, name) != getattr(default, name):
            yield (
                ("circuit", name),
                "none of this in a crossbar, whose drivers are ideal and whose cells are static",
                "it",
            )

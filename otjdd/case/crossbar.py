"""The [crossbar] of a case: its lines, their resistance, and the compact model of its cells.

Such a case has a drive of the kind patterns.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from otjdd.case import targets
from otjdd.case.base import Count, Record, as_text
from otjdd.case.problem import KeyPath
from otjdd.units import Quantity, brief

Lines = Annotated[Count, Field(ge=1, le=256)]
LineOhms = Annotated[float, Quantity("resistance", "1 mohm", "1 Gohm")]
SeriesOhms = Annotated[float, Quantity("resistance", "0 ohm", "1 Gohm")]
AccessOhms = Annotated[float, Quantity("resistance", "1 mohm", "1e15 ohm")]
NOT_IN_A_CROSSBAR = ("parallel_capacitance", "compliance", "range", "bandwidth", "time_constant")  # of the circuit


class CrossbarCells(Record):
    """The junctions of a crossbar, where they are not all as the case has them.

    radius : [m]; current and charge go with the area   devices : so many are drawn from columns.spread, each of as many
        patches as the case has columns, or from the spread of a noisy `model`, and dealt to the cells by turns of a shuffle
        with the `seed`
    """

    radius: Annotated[float, Quantity("length", "1 nm", "10 mm")] | None = None
    devices: Annotated[Count, Field(ge=2, le=1000)] | None = None
    seed: Annotated[Count, Field(ge=0)] = 0


class Switch(Record):
    """A transistor in series with each junction (1T1R), ohmic, that conducts while its word line is the chosen one."""

    kind: Literal["switch"]
    on_resistance: AccessOhms = as_text("1 kohm")
    off_resistance: AccessOhms = as_text("1 Tohm")


class Selector(Record):
    """A selector in series with each junction (1S1R). A current I makes a voltage across it.

    law : "threshold", R I + V (I/I_0) / sqrt(1 + (I/I_0)^2): hardly any current flows below V; or "exponential",
        R I + V asinh(I/I_0): the current is I_0 sinh of the voltage over V
    voltage : V [V]   current : I_0 [A]   on_resistance : R [ohm]
    """

    kind: Literal["selector"]
    law: Literal["threshold", "exponential"] = "threshold"
    voltage: Annotated[float, Quantity("voltage", "1 mV", "100 V")]
    current: Annotated[float, Quantity("current", "1e-18 A", "1 A")]
    on_resistance: SeriesOhms = as_text("1 kohm")


class Crossbar(Record):
    """Word lines (rows) and bit lines (columns) with a junction at each crossing, the metal of it on the word line.

    line_resistance : [ohm] of a line from one cell to the next, and from its driver to the first
    driver_resistance : [ohm] of each driver   cells : junctions of another size, or that differ
    access : what stands in series with each junction; None for nothing
    model : file of a compact model of the junction, as `otjdd compact` writes it; None to extract one before the run
    """

    word_lines: Lines
    bit_lines: Lines
    line_resistance: LineOhms = as_text("1 ohm")
    driver_resistance: SeriesOhms = as_text("0 ohm")
    cells: CrossbarCells = CrossbarCells()
    access: Annotated[Switch | Selector, Field(discriminator="kind")] | None = None
    model: Annotated[str, Field(min_length=1, max_length=4096)] | None = None


def faults(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case, which holds a Crossbar
    """(path, expected, got) for each conflict between crossbar, drive, patterns and circuit of a case."""
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
    yield from targets.faults(case.drive.parts, shape)
    default = type(case.circuit)()
    for name in NOT_IN_A_CROSSBAR:
        if getattr(case.circuit, name) != getattr(default, name):
            yield (
                ("circuit", name),
                "none in a case with a [crossbar], whose drivers are resistances and whose cells are static",
                "a value",
            )

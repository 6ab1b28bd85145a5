"""The [crossbar] of a case: its lines, their resistance, and the compact model of its cells.

Such a case has a drive of the kind patterns.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from otjdd.case.base import Count, Record, form_by, key
from otjdd.case.drive_patterns import check_rows, targets_of
from otjdd.case.problem import KeyPath
from otjdd.case.study_axes import Sample
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief

LineCount = Annotated[Count, Field(ge=1, le=256)]
LineOhms = Annotated[float, Quantity("resistance", "1 mohm", "1 Gohm")]
LineFarads = Annotated[float, Quantity("capacitance", "0 F", "1 nF")]
SeriesOhms = Annotated[float, Quantity("resistance", "0 ohm", "1 Gohm")]
AccessOhms = Annotated[float, Quantity("resistance", "1 mohm", "1e15 ohm")]
MOST_DEVICES = 1000
JUNCTION = "device", "ions", "columns"  # tables whose keys may differ between devices
SERIES = "circuit.series_resistance"  # and this key
NOT_BY_CELL = "ions.noise", "ions.initial"  # but these


DeviceCells = Annotated[
    Annotated[Annotated[Count, Field(ge=2, le=MOST_DEVICES)], Tag("number")]
    | Annotated[Literal["study"], Tag("study")]
    | Annotated[Sample, Tag("draws")],
    Discriminator(form_by({dict: "draws", str: "study"}, "number")),
]


class CrossbarCells(Record):
    """The junctions of a crossbar, where they are not all as the case has them. Current and charge go with the area.

    devices : so many are drawn from columns.spread, each of as many patches as the case has columns, or from the spread of
        a noisy `model`; "study": the draws of the [study.sample] of the case; a table: draws as such a sample has them
    """

    radius: Annotated[float, Quantity("length", "1 nm", "10 mm")] | None = key(
        "radius of each cell; default: the radius of the device", None, example="1 um"
    )
    devices: DeviceCells | None = key(
        "drawn from `columns.spread` or a noisy model, by the study, or by own draws", None, example="study"
    )
    seed: Annotated[Count, Field(ge=0)] = key("seed of the deal", 0, example=7)


class Switch(Record):
    """A transistor in series with each junction (1T1R), ohmic, that conducts while its word line is the chosen one."""

    kind: Literal["switch"]
    on_resistance: AccessOhms = key("resistance on the word line that is written or read", "1 kohm", example="1 kohm")
    off_resistance: AccessOhms = key("resistance on all others", "1 Tohm", example="1 Tohm")


class Selector(Record):
    """A selector in series with each junction (1S1R). A current I makes a voltage across it.

    law : "threshold", R I + V (I/I_0) / sqrt(1 + (I/I_0)^2): hardly any current flows below V; or "exponential",
        R I + V asinh(I/I_0): the current is I_0 sinh of the voltage over V
    """

    kind: Literal["selector"]
    law: Literal["threshold", "exponential"] = "threshold"
    voltage: Annotated[float, Quantity("voltage", "1 mV", "100 V")] = key(
        "threshold; of an exponential, the voltage for a factor e of the current", example="0.5 V"
    )
    current: Annotated[float, Quantity("current", "1e-18 A", "1 A")] = key(
        "current at which a threshold is passed; prefactor of an exponential", example="1 nA"
    )
    on_resistance: SeriesOhms = key("resistance in series with that", "1 kohm", example="1 kohm")


class Crossbar(Record):
    """Word lines (rows) and bit lines (columns) with a junction at each crossing, the metal of it on the word line."""

    word_lines: LineCount = key("lines that lead to the left electrodes", example=64)
    bit_lines: LineCount = key("lines that lead to the right electrodes", example=64)
    line_resistance: LineOhms = key(
        "resistance of a line from cell to cell, and from its driver to the first", "1 ohm", example="2 ohm"
    )
    line_capacitance: LineFarads = key(
        "capacitance to ground of a line from cell to cell, and from its driver to the first", "0 F", example="10 fF"
    )
    driver_resistance: SeriesOhms = key("resistance of each driver", "0 ohm", example="50 ohm")
    cells: CrossbarCells = key(
        "junctions of another size, or that differ from each other",
        CrossbarCells(),
        example={"radius": "1 um", "devices": 25},
        title="Cells of a crossbar",
    )
    access: Annotated[Switch | Selector, Field(discriminator="kind")] | None = key(
        "what is in series with each junction: a switch or a selector",
        None,
        example={"kind": "switch", "on_resistance": "1 kohm"},
        title="Access to a cell",
    )
    model: Annotated[str, Field(min_length=1, max_length=4096)] | None = key(
        "compact model by `otjdd compact`; default: extracted from the case", None, example="model.nc"
    )


def faults_of_crossbar(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case, which holds a Crossbar
    """(path, expected, got) for each conflict between crossbar, drive and patterns of a case."""
    if case.drive.kind != "patterns" or case.crossbar is None:
        return
    shape = case.crossbar.word_lines, case.crossbar.bit_lines
    for i, part in enumerate(case.drive.parts):
        try:
            if part.kind == "write" and part.pattern is not None:
                check_rows(part.pattern, shape, "cells each")
            if part.kind == "program":
                targets_of(part.targets, shape)
        except NotAsExpected as error:
            yield ("drive", "parts", i, "pattern" if part.kind == "write" else "targets"), error.expected, error.got
    yield from faults_of_draws(case)


def draws_of(case: Any) -> Sample | None:  # of a Case with a Crossbar
    """The draws of the devices of a case, whose keys differ from cell to cell; None where it has none."""
    devices = case.crossbar.cells.devices
    if devices == "study":
        return None if case.study is None else case.study.sample
    return devices if isinstance(devices, Sample) else None


def faults_of_draws(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case with a Crossbar
    """(path, expected, got) for draws of devices that a case does not have, or that cells cannot differ by."""
    key: KeyPath = ("crossbar", "cells", "devices")
    own, sample = case.crossbar.cells.devices == "study", draws_of(case)
    if own and sample is None:
        yield key, "a [study.sample] in this case, or a table of draws as one has them", '"study" without one'
    if sample is None:
        return
    at: KeyPath = ("study", "sample") if own else key
    if case.crossbar.model is not None:
        yield key, "a number of devices with a crossbar.model; draws are extracted one by one", "draws"
    if sample.method == "saltelli" or not 2 <= sample.size <= MOST_DEVICES:
        expected = f"2 to {MOST_DEVICES} devices by draws of one design (sobol, latin-hypercube, random)"
        yield at, expected, f"{sample.size} by {sample.method}"
    for name in sample.over:
        if name in NOT_BY_CELL or not (name.partition(".")[0] in JUNCTION or name == SERIES):
            expected = f"keys of {', '.join(JUNCTION)}, or {SERIES}, but not {' or '.join(NOT_BY_CELL)}"
            yield (*at, "over", name), expected, brief(name)

"""The crossbar of a case: what is done with its cells, and what it is made of.

Its drive is of the kind patterns: patterns that are written into the cells, targets to program, reads, and rests, without a
waveform. [crossbar] states its lines, their resistance, the access to its cells, and the compact model of these.
"""

import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

from otjdd.case.base import Count, Duration, Number, Quantity, Record, Times, Volts, form_by, key
from otjdd.case.problem import KeyPath
from otjdd.case.study_axes import Sample
from otjdd.errors import NotAsExpected, UnitError
from otjdd.system.files import read_regular
from otjdd.system.late import PIL
from otjdd.units import brief, parse, write

Siemens = Annotated[float, Quantity("conductance", "1 fS", "1 kS")]
ConductanceRow = Annotated[tuple[Siemens, ...], Field(min_length=1, max_length=256)]
MOST_BYTES = 10_000_000  # of a file of targets or a picture
LIMITS = parse("1 fS", "conductance"), parse("1 kS", "conductance")  # of Siemens


class TargetFile(Record):
    """Targets in a text file: a line for each word line, numbers divided by commas, semicolons, tabs or spaces.

    unit : of the numbers. Lines that begin with # are left out
    """

    model_config = ConfigDict(title="Targets in a text file")

    file: Annotated[str, Field(min_length=1, max_length=4096)] = key(
        "a line of numbers for each word line", example="targets.csv"
    )
    unit: Annotated[str, Field(min_length=1, max_length=20)] = key("unit of the numbers", example="uS")

    @model_validator(mode="after")
    def _is_unit(self) -> Self:
        try:
            parse(f"1 {self.unit}", "conductance")
        except UnitError:
            raise NotAsExpected('a unit of a conductance, such as "uS"', brief(self.unit)) from None
        return self


class TargetPicture(Record):
    """Targets as the grey of a picture, a pixel for each cell: black is one conductance [S], white the other.

    scale : what is proportional to the grey, the conductance ("linear") or its logarithm ("logarithmic")
    """

    model_config = ConfigDict(title="Targets in a picture")

    picture: Annotated[str, Field(min_length=1, max_length=4096)] = key(
        "a picture with a pixel for each cell", example="letter.png"
    )
    black: Siemens = key("conductance of black", example="1 uS")
    white: Siemens = key("conductance of white", example="10 uS")
    scale: Literal["linear", "logarithmic"] = key(
        "what is proportional to the grey: the conductance or its logarithm", "linear", example="logarithmic"
    )


Targets = Annotated[
    Annotated[Siemens, Tag("number")]
    | Annotated[tuple[ConductanceRow, ...], Field(min_length=1, max_length=256), Tag("rows")]
    | Annotated[TargetFile, Tag("file")]
    | Annotated[TargetPicture, Tag("picture")],
    Discriminator(form_by({"picture": "picture", dict: "file", list: "rows", tuple: "rows"}, "number")),
]


def targets_of(targets: Any, shape: tuple[int, int]) -> np.ndarray:
    """Conductances [S] (R, C) of a value of `targets`. Raises NotAsExpected for what has no such shape or is no table."""
    if isinstance(targets, float):
        return np.full(shape, targets)
    if isinstance(targets, TargetPicture):
        return greys(targets, shape)
    rows = target_rows(targets) if isinstance(targets, TargetFile) else targets
    check_rows(rows, shape, "conductances each")
    return np.array(rows)


def check_rows(rows: Sequence[Sequence[Any]], shape: tuple[int, int], what: str) -> None:
    """Raise NotAsExpected for rows that are not those of an array."""
    size = len(rows), *sorted({len(row) for row in rows})
    if size != shape:
        got = f"{size[0]} rows of {' and '.join(map(str, size[1:]))}"
        raise NotAsExpected(f"{shape[0]} rows of {shape[1]} {what}, one for each word line", got)


def target_rows(targets: TargetFile) -> list[list[float]]:
    """Rows of a text file of targets [S]. Raises NotAsExpected with the line of what is no number."""
    unit, rows = parse(f"1 {targets.unit}", "conductance"), []
    try:
        text = read_regular(targets.file, MOST_BYTES).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise NotAsExpected("a text file that can be read", str(error)) from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = []
        for cell in re.split(r"\s*[,;\t]\s*|\s+", line.strip()):
            try:
                value = float(cell) * unit
            except ValueError:
                value = float("nan")
            if not LIMITS[0] <= value <= LIMITS[1]:
                raise NotAsExpected('numbers from "1 fS" to "1 kS"', f"{brief(cell)} in line {number}")
            row.append(value)
        rows.append(row)
    return rows or [[]]


def greys(targets: TargetPicture, shape: tuple[int, int]) -> np.ndarray:
    """Conductances [S] (R, C) of a picture. Raises NotAsExpected for one that cannot be read or has another size."""
    expected = f"a picture of {shape[1]} x {shape[0]} pixels, bit lines x word lines"
    try:
        with PIL.Image.open(BytesIO(read_regular(targets.picture, MOST_BYTES))) as opened:
            size = opened.size
            if size == (shape[1], shape[0]):
                grey = np.asarray(opened.convert("L"), float) / 255.0
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        # the words of an UnidentifiedImageError name an object in memory
        why = "of another format" if isinstance(error, PIL.UnidentifiedImageError) else error
        raise NotAsExpected(f"{expected}, such as a PNG", f"a file that cannot be read as one ({why})") from None
    if size != (shape[1], shape[0]):
        raise NotAsExpected(expected, f"{size[0]} x {size[1]}")
    ends = np.array([targets.black, targets.white])
    ends = np.log(ends) if targets.scale == "logarithmic" else ends
    values: np.ndarray = (1.0 - grey) * ends[0] + grey * ends[1]
    return np.exp(values) if targets.scale == "logarithmic" else values


CellMarks = Annotated[str, StringConstraints(pattern=r"^[#.]{1,256}$")]


class PatternWrite(Record):
    """Pulses on the chosen cells of a crossbar: word line by word line, all chosen cells of a word line at once.

    A word line without chosen cells takes no time.
    """

    kind: Literal["write"]
    pattern: Annotated[tuple[CellMarks, ...], Field(min_length=1, max_length=256)] | None = key(
        "a text for each word line, # for cells to write; default: all cells", None, example=["#.", ".#"]
    )
    voltage: Volts = key("voltage across the cells that are written", example="2.2 V")
    width: Duration = key("duration of each pulse", example="1 us")
    count: Times = key("pulses on each word line", 1, example=10)
    period: Duration | None = key("time from start to start", None, example="2 us")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.count > 1 and (self.period is None or self.period < self.width):
            raise ValueError("several pulses need a period, and one that is not shorter than their width")
        return self

    @property
    def pause(self) -> float:
        """Time [s] at 0 V after each pulse."""
        return 0.0 if self.period is None else self.period - self.width

    def cells(self, word_lines: int, bit_lines: int) -> np.ndarray:
        """True (R, C) for the cells of a crossbar that are written."""
        if self.pattern is None:
            return np.ones((word_lines, bit_lines), bool)
        return np.array([[cell == "#" for cell in row] for row in self.pattern])


class PatternRead(Record):
    """One scan of a crossbar: a word line is at `voltage`, bit lines at 0 V. Their currents are taken after `duration`.

    unselected : "grounded", the other word lines are at 0 V and all bit lines are read at once, word line after word
    line; "floating", cell after cell is read, while the other word and bit lines float and sneak paths pass through them
    """

    kind: Literal["read"]
    voltage: Volts = key("voltage of the word line that is read", "0.1 V", example="0.1 V")
    duration: Duration = key("duration of each read; the currents are taken at its end", "1 us", example="1 us")
    unselected: Literal["grounded", "floating"] = key(
        "what the other lines do: at 0 V, or free, cell after cell being read", "grounded", example="floating"
    )


class PatternRest(Record):
    """All lines of a crossbar at 0 V."""

    kind: Literal["rest"]
    duration: Duration = key("duration, all lines at 0 V", example="500 s")


class ProgramPulse(Record):
    """Pulses of one sign that program cells. Those of a cell begin anew where its direction turns."""

    voltage: Volts = key("voltage of a cell's first pulse in a direction", example="1.3 V")
    width: Duration = key("width of that pulse", example="1 us")
    voltage_step: Annotated[float, Quantity("voltage", "0 V", "100 V")] = key(
        "by so much each further pulse is higher", "0 V", example="50 mV"
    )
    highest: Volts | None = key("voltage at which steps end; needed with `voltage_step`", None, example="2.4 V")
    width_factor: Annotated[Number, Field(ge=1, le=1000)] = key(
        "by so much each further pulse is longer", 1.0, example=1.5
    )
    longest: Duration | None = key(
        "width at which they do not become longer; needed with `width_factor`", None, example="1 ms"
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.voltage == 0.0:
            raise NotAsExpected("a voltage that is not zero", '"0 V"')
        if self.voltage_step > 0.0 and self.highest is None:
            raise NotAsExpected("highest, the last voltage, with voltage_step", "none")
        if self.width_factor > 1.0 and self.longest is None:
            raise NotAsExpected("longest, the last width, with width_factor", "none")
        if self.highest is not None and not self.highest / self.voltage >= 1.0:
            expected = f"highest of the sign of voltage, and not below its {write(self.voltage, 'voltage')}"
            raise NotAsExpected(expected, write(self.highest, "voltage"))
        if self.longest is not None and not self.longest >= self.width:
            expected = f"longest not below the width of {write(self.width, 'time')}"
            raise NotAsExpected(expected, write(self.longest, "time"))
        return self

    @property
    def last(self) -> tuple[float, float]:
        """Voltage [V] and width [s] that steps lead to at most."""
        voltage = self.voltage if self.highest is None else self.highest
        return voltage, self.width if self.longest is None else self.longest


class PatternProgram(Record):
    """Write-verify: all cells are brought to target conductances, word line after word line, the cells of one at once.

    Cells are read. Those below their target by more than the tolerance get a set pulse, those above it a reset pulse,
    each of its own voltage and width, and all are read again. A conductance is the current of a bit line over
    `read_voltage`, all other lines at 0 V. The largest number of pulses counts all rounds together.
    """

    kind: Literal["program"]
    targets: Targets = key(
        "conductances: one for all cells, rows of them, a text file or a picture",
        example=[["2 uS", "5 uS"], ["1 uS", "8 uS"]],
        title="Targets",
    )
    set_pulse: ProgramPulse = key(
        "pulses that raise the conductance",
        example={"voltage": "1.3 V", "width": "1 us", "voltage_step": "50 mV", "highest": "2.4 V"},
        title="Pulses that program cells",
    )
    reset_pulse: ProgramPulse = key(
        "pulses that lower it", example={"voltage": "-1 V", "width": "1 us", "voltage_step": "50 mV", "highest": "-3 V"}
    )
    tolerance: Annotated[Number, Field(gt=0, lt=1)] = key(
        "relative error of a conductance that is left alone", 0.05, example=0.1
    )
    most_pulses: Annotated[Times, Field(le=10_000)] = key("largest number of pulses on a cell", 100, example=50)
    rounds: Annotated[Times, Field(le=100)] = key(
        "turns over all word lines; later ones for cells that others have disturbed", 1, example=2
    )
    read_voltage: Volts = key("voltage of the word line that is read", "0.1 V", example="0.1 V")
    read_duration: Duration = key("duration of each read", "1 us", example="1 us")

    @model_validator(mode="after")
    def _opposite(self) -> Self:
        if self.set_pulse.voltage * self.reset_pulse.voltage > 0.0:
            raise NotAsExpected("set and reset pulses of opposite signs", "equal signs")
        if self.read_voltage == 0.0:
            raise NotAsExpected("a read_voltage that is not zero", brief("0 V"))
        return self


PatternPart = Annotated[PatternWrite | PatternProgram | PatternRead | PatternRest, Field(discriminator="kind")]


class Patterns(Record):
    """Patterns that are written into the cells of a crossbar and read. No waveform. The case needs a [crossbar].

    scheme : voltages of the unselected lines while a cell is written with V. "half": all at V/2; cells on a selected
        line see V/2, the others 0. "third": word lines at V/3, bit lines at 2 V/3; all unselected cells see V/3
    """

    kind: Literal["patterns"]
    scheme: Literal["half", "third"] = key(
        "what unselected lines are at during a write: V/2, or V/3 and 2 V/3", "half", example="third"
    )
    parts: Annotated[tuple[PatternPart, ...], Field(min_length=1, max_length=1000)] = key(
        "writes, reads and rests, one after the other",
        example=[{"kind": "read"}],
        title="A part of a drive of patterns",
    )


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

"""The drive of a crossbar: patterns that are written into its cells, targets to program, reads, and rests. No waveform."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from otjdd.case.base import Number, Record, key
from otjdd.case.drive_values import Duration, Times, Volts
from otjdd.case.targets import Targets
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief, write

CellMarks = Annotated[str, StringConstraints(pattern=r"^[#.]{1,256}$")]


class PatternWrite(Record):
    """Pulses on the chosen cells of a crossbar: word line by word line, all chosen cells of a word line at once.

    pattern : a text for each word line, "#" for a cell that is written and "." for one that is not; None for all cells
    voltage : across a chosen cell, of either sign   width, count, period : of the pulses, the period from start to start
    A word line without chosen cells takes no time.
    """

    kind: Literal["write"]
    pattern: Annotated[tuple[CellMarks, ...], Field(min_length=1, max_length=256)] | None = key(
        "a text for each word line, # for cells to write; all cells if absent", None, example=["#.", ".#"]
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
    """Pulses of one sign that program cells. Those of a cell begin anew where its direction turns.

    voltage, width : of the first pulse   voltage_step, width_factor : from each pulse of a cell to its next
    highest, longest : largest magnitude and longest width
    """

    voltage: Volts = key("voltage of a cell's first pulse in a direction", example="1.3 V")
    width: Duration = key("width of that pulse", example="1 us")
    voltage_step: Annotated[float, Quantity("voltage", "0 V", "100 V")] = key(
        "by so much each further pulse is higher", "0 V", example="50 mV"
    )
    highest: Volts | None = key("voltage at which steps end; needed beside `voltage_step`", None, example="2.4 V")
    width_factor: Annotated[Number, Field(ge=1, le=1000)] = key(
        "by so much each further pulse is longer", 1.0, example=1.5
    )
    longest: Duration | None = key(
        "width at which they do not become longer; needed beside `width_factor`", None, example="1 ms"
    )

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.voltage == 0.0:
            raise NotAsExpected("a voltage that is not zero", '"0 V"')
        if self.voltage_step > 0.0 and self.highest is None:
            raise NotAsExpected("highest, the last voltage, beside voltage_step", "none")
        if self.width_factor > 1.0 and self.longest is None:
            raise NotAsExpected("longest, the last width, beside width_factor", "none")
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
    `read_voltage`, all other lines at 0 V.

    targets : [S]   set_pulse, reset_pulse : what raises the conductance, and what lowers it
    tolerance : of the conductance, relative to the target   most_pulses : for each cell, all rounds together
    rounds : turns over all word lines; further ones are for cells that others have disturbed
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

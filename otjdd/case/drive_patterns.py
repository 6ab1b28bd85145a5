"""The drive of a crossbar: patterns that are written into its cells, reads, and rests. No waveform."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from otjdd.case.base import Record, as_text
from otjdd.case.drive_values import Duration, Times, Volts

Cells = Annotated[str, StringConstraints(pattern=r"^[#.]{1,256}$")]


class PatternWrite(Record):
    """Pulses on the chosen cells of a crossbar: word line by word line, all chosen cells of a word line at once.

    pattern : a text for each word line, "#" for a cell that is written and "." for one that is not; None for all cells
    voltage : across a chosen cell, of either sign   width, count, period : of the pulses, the period from start to start
    A word line without chosen cells takes no time.
    """

    kind: Literal["write"]
    pattern: Annotated[tuple[Cells, ...], Field(min_length=1, max_length=256)] | None = None
    voltage: Volts
    width: Duration
    count: Times = 1
    period: Duration | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.count > 1 and (self.period is None or self.period < self.width):
            raise ValueError("several pulses need a period, and one that is not shorter than their width")
        return self

    @property
    def pause(self) -> float:
        """Time [s] at 0 V after each pulse."""
        return 0.0 if self.period is None else self.period - self.width


class PatternRead(Record):
    """One scan of a crossbar: a word line is at `voltage`, bit lines at 0 V. Their currents are taken after `duration`.

    unselected : "grounded", the other word lines are at 0 V and all bit lines are read at once, word line after word
    line; "floating", cell after cell is read, while the other word and bit lines float and sneak paths pass through them
    """

    kind: Literal["read"]
    voltage: Volts = as_text("0.1 V")
    duration: Duration = as_text("1 us")
    unselected: Literal["grounded", "floating"] = "grounded"


class PatternRest(Record):
    """All lines of a crossbar at 0 V."""

    kind: Literal["rest"]
    duration: Duration


PatternPart = Annotated[PatternWrite | PatternRead | PatternRest, Field(discriminator="kind")]


class Patterns(Record):
    """Patterns that are written into the cells of a crossbar and read. No waveform. The case needs a [crossbar].

    scheme : voltages of the unselected lines while a cell is written with V. "half": all at V/2; cells on a selected
        line see V/2, the others 0. "third": word lines at V/3, bit lines at 2 V/3; all unselected cells see V/3
    """

    kind: Literal["patterns"]
    scheme: Literal["half", "third"] = "half"
    parts: Annotated[tuple[PatternPart, ...], Field(min_length=1, max_length=1000)]

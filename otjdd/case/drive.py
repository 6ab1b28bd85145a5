"""The [drive] of a case, one record per `kind`, and its [record]: the time steps and snapshots that a result keeps.

Each record except in `drive_curves` and `crossbar` has a `waveform()`. The records state names, units and
limits of the keys; `otjdd.waveform` makes the shapes.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, Strict, field_validator, model_validator

from otjdd.case.base import (
    HIGHEST,
    Count,
    Delay,
    Duration,
    Hertz,
    Name,
    Pause,
    Quantity,
    Record,
    Spike,
    Step,
    SweepRate,
    Times,
    Vertices,
    Volts,
    key,
)  # fmt: skip
from otjdd.case.crossbar import Patterns
from otjdd.case.drive_curves import CV, IV, Impedance
from otjdd.errors import NotAsExpected
from otjdd.waveform import shapes
from otjdd.waveform.waveform import Chain, Waveform, concatenate, joined, repeated, voltage_between, with_reads

MAX_DEPTH = 4
FIRST_READ = 1e-6  # s, time of the first log-spaced read

__all__ = [
    "CV",
    "IV",
    "Drive",
    "Hold",
    "Impedance",
    "Patterns",
    "Pulse",
    "Pund",
    "ReadSettings",
    "Sequence",
    "Spikes",
    "Steps",
    "Table",
    "Train",
    "Triangle",
    "WriteReadLoop",
]


class ReadSettings(Record):
    """One read: 0 V for `delay`, then `voltage` for `duration`; the current is taken at the end."""

    voltage: Volts = key("voltage of the read", "0.1 V", example="0.1 V")
    duration: Duration = key("duration; the current is taken at the end", "1 us", example="1 us")
    delay: Pause = key("time at 0 V before it", "0 s", example="10 us")

    def waveform(self, write_voltage: float = np.nan, base: float = 0.0) -> Waveform:
        return shapes.read(self.voltage, self.duration, self.delay, write_voltage, base)


class Hold(Record):
    """A constant voltage with sparse reads, for retention. Reads per decade that are too near another are left out."""

    kind: Literal["hold"]
    voltage: Volts = key("voltage", example="0 V")
    duration: Duration = key("duration", example="1e4 s")
    reads_at: Annotated[tuple[Duration, ...], Field(max_length=100_000)] = key(
        "times of reads from the start", (), example=["1 s", "10 s"]
    )
    reads_per_decade: Annotated[Count, Field(ge=0, le=1000)] = key(
        "reads in each decade of time from 1 us on", 0, example=3
    )
    read: ReadSettings = key("the reads", factory=ReadSettings, title="A read of a drive")

    @model_validator(mode="after")
    def _reads_fit(self) -> Self:
        self.waveform()
        return self

    def waveform(self) -> Waveform:
        probe = self.read.waveform()
        marks = np.concatenate([self.reads_at, self._log_marks(2 * probe.duration)])
        return shapes.hold(self.voltage, self.duration, marks, probe)

    def _log_marks(self, apart: float) -> list[float]:
        """Log-spaced instants [s] at a distance of `apart` [s] from the start, from `reads_at` and from each other."""
        if not self.reads_per_decade or self.duration <= FIRST_READ:
            return []
        others = np.sort([0.0, *self.reads_at])
        count = 1 + int(np.ceil(np.log10(self.duration / FIRST_READ) * self.reads_per_decade))
        marks = [0.0]
        for mark in np.geomspace(FIRST_READ, self.duration, count):
            near = others[np.searchsorted(others, mark) - 1 :][:2]
            if mark - marks[-1] >= apart and (np.abs(near - mark) >= apart).all():
                marks.append(mark)
        return marks[1:]


class Steps(Record):
    """Plateaus of equal `width` with jumps between them: a piece of a spike, or the sweep of an instrument.

    Along a path each vertex but the first has one plateau. A read of a plateau is at its own voltage.
    """

    kind: Literal["steps"]
    voltages: Annotated[tuple[Volts, ...], Field(min_length=1, max_length=100_000)] | None = key(
        "voltages of the plateaus", None, example=["1 V", "2 V"], instead_of=("path", "step")
    )
    path: Vertices | None = key("instead: vertices of the path", None, example=["0 V", "2.2 V", "0 V"])
    step: Step | None = key("step along the path", None, example="0.1 V")
    width: Duration = key("duration of a plateau", example="100 ms")
    cycles: Times = key("repetitions of the whole", 1, example=3)
    read_each: bool = key("a read at the end of every plateau", False, example=True)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.path is None) != (self.step is None) or (self.path is None) == (self.voltages is None):
            raise ValueError("give either voltages or path and step")
        if self.path is not None:
            shapes.check_path(self.path, self.cycles)
        return self

    def waveform(self) -> Waveform | Chain:
        voltages: shapes.Values = self.voltages or ()
        if self.path is not None and self.step is not None:
            voltages = shapes.staircase(self.path, self.step)
        once = shapes.steps(voltages, self.width)
        return repeated(with_reads(once, once.times[1::2]) if self.read_each else once, self.cycles)


class Pulse(Record):
    """One pulse: `rise` from `base`, `voltage` for `width`, `fall`, `base` for `wait`, then the `read` if given."""

    kind: Literal["pulse"]
    voltage: Volts = key("voltage of the plateau", example="2.2 V")
    width: Duration = key("duration of the plateau", example="50 ns")
    rise: Pause = key("time of the leading ramp", "0 s", example="5 ns")
    fall: Pause = key("time of the trailing ramp", "0 s", example="5 ns")
    wait: Pause = key("time at the base after it", "0 s", example="1 us")
    base: Volts = key("voltage before and after", "0 V", example="0.1 V")
    read: ReadSettings | None = key("a read at the end", None, example={}, title="A read of a drive")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.waveform()
        return self

    def waveform(self) -> Waveform:
        pulse = shapes.pulse(self.voltage, self.width, self.rise, self.fall, self.wait, self.base)
        return pulse.then(self.read.waveform(self.voltage, self.base)) if self.read else pulse


class Train(Record):
    """Equal pulses at a `period` (start to start) or a `frequency`, with `base` in between.

    A read follows its pulse directly: its `delay` counts from the end of the pulse. The last read may outlast its period.
    """

    kind: Literal["train"]
    voltage: Volts = key("voltage of the pulses", example="1.6 V")
    width: Duration = key("duration of each plateau", example="1 us")
    count: Times = key("number of pulses", example=50)
    period: Duration | None = key("time from start to start", None, example="10 us", instead_of=("frequency",))
    frequency: Hertz | None = key("the same as a frequency", None, example="5 MHz")
    rise: Pause = key("time of the leading ramps", "0 s", example="5 ns")
    fall: Pause = key("time of the trailing ramps", "0 s", example="5 ns")
    base: Volts = key("voltage in between", "0 V", example="0.1 V")
    read_each: bool = key("a read after each pulse", False, example=True)
    read: ReadSettings | None = key(
        "the reads; without read_each one after the last pulse", None, example={}, title="A read of a drive"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.period is None) == (self.frequency is None):
            raise ValueError("give either period or frequency")
        shapes.extended(self._block(self.read_each), self._period)
        return self

    @property
    def _period(self) -> float:
        # `_fits` has checked that one of the two is given
        return 1 / (self.frequency or math.nan) if self.period is None else self.period

    def _block(self, with_read: bool) -> Waveform:
        pulse = shapes.pulse(self.voltage, self.width, self.rise, self.fall, base=self.base)
        return pulse.then((self.read or ReadSettings()).waveform(self.voltage, self.base)) if with_read else pulse

    def waveform(self) -> Waveform | Chain:
        if self.read_each or self.read is None:
            return shapes.train(self._block(self.read_each), self.count, self._period)
        last = self._block(True)
        last = shapes.extended(last, max(last.duration, self._period))
        if self.count == 1:
            return last
        return joined([shapes.train(self._block(False), self.count - 1, self._period), last])


class WriteReadLoop(Record):
    """The R-V loop: pulses of `width` whose voltage steps along `path`, each followed by `wait` at 0 V and a read.

    Each vertex but the first is written once.
    """

    kind: Literal["write-read-loop"]
    path: Vertices = key("vertices of the path of the writes", example=["0 V", "2.2 V", "-4.3 V", "0 V"])
    step: Step = key("step along the path", example="0.1 V")
    width: Duration = key("duration of a write", example="100 ms")
    rise: Pause = key("time of the leading ramp", "0 s", example="1 us")
    fall: Pause = key("time of the trailing ramp", "0 s", example="1 us")
    wait: Pause = key("time at 0 V before the read", "0 s", example="1 ms")
    cycles: Times = key("repetitions of the path", 1, example=2)
    read: ReadSettings = key("the reads", factory=ReadSettings, title="A read of a drive")

    @model_validator(mode="after")
    def _closed(self) -> Self:
        shapes.check_path(self.path, self.cycles)
        return self

    def waveform(self) -> Waveform:
        writes = shapes.staircase(self.path, self.step, self.cycles)
        return shapes.write_read_loop(writes, self.width, self.read.waveform(), self.wait, self.rise, self.fall)


class Triangle(Record):
    """The I-V loop: a sweep along `path` at `rate`.

    Without `step` the voltage is a ramp, and the result is the time series of the current. With `step` it is a staircase,
    as instruments make it: each vertex but the first once, and a read on each step. Without `rate` a step lasts as long as
    its delay.
    """

    kind: Literal["triangle"]
    path: Vertices = key("vertices of the path", example=["0 V", "2 V", "-2 V", "0 V"])
    rate: SweepRate | None = key("slope of the voltage", None, example="1 V/s")
    step: Step | None = key("a staircase of this step instead of a ramp, read on each step", None, example="20 mV")
    delay: Duration | None = key("from the beginning of a step to its read; default: its end", None, example="10 ms")
    cycles: Times = key("repetitions of the path", 1, example=3)

    @model_validator(mode="after")
    def _closed(self) -> Self:
        shapes.check_path(self.path, self.cycles)
        if self.rate is None and (self.step is None or self.delay is None):
            raise NotAsExpected("a rate, or a step and a delay", "no rate")
        if self.delay is not None and self.step is None:
            raise NotAsExpected("a step with the delay, the time before the read of a step", "a ramp")
        if self.delay is not None and self.delay > self._width * (1 + 1e-12):
            expected = f"a delay within a step, which lasts step / rate = {self._width:g} s"
            raise NotAsExpected(expected, f"{self.delay:g} s")
        return self

    @property
    def _width(self) -> float:
        """Duration of a step [s]."""
        if self.step is not None and self.rate is not None:
            return self.step / self.rate
        return math.nan if self.delay is None else self.delay

    def waveform(self) -> Waveform | Chain:
        if self.step is None:
            return shapes.triangle(self.path, self.rate or math.nan, self.cycles)
        once = shapes.steps(shapes.staircase(self.path, self.step), self._width)
        delay = self._width if self.delay is None else min(self.delay, self._width)
        return repeated(with_reads(once, once.times[::2] + delay), self.cycles)


class Pund(Record):
    """PUND pulses, which separate switched from other charge: one of -voltage to set, two of +voltage, two of -voltage.

    width : of the plateau [s], 0 for triangles   rise : time [s] from and to 0 V   wait : time [s] at 0 V after each pulse
    """

    kind: Literal["pund"]
    voltage: Volts = key("voltage of the positive pulses", example="3 V")
    width: Pause = key("duration of a plateau; 0 for triangles", "0 s", example="10 us")
    rise: Duration = key("rise from, and fall to, 0 V", example="1 us")
    wait: Duration = key("pause at 0 V before the first and after each pulse", example="10 us")

    @model_validator(mode="after")
    def _drives(self) -> Self:
        if self.voltage == 0:
            raise NotAsExpected("a voltage that is not zero", "0 V")
        return self

    def waveform(self) -> Waveform:
        first = Waveform(np.array([0.0, self.wait]), np.zeros(2))
        signs = (-1.0, 1.0, 1.0, -1.0, -1.0)
        pulses = [shapes.pulse(sign * self.voltage, self.width, self.rise, self.rise, self.wait) for sign in signs]
        return concatenate([first, *pulses])


class Table(Record):
    """Any waveform: breakpoints as `points` of time and voltage, or the two columns of a text `file`."""

    kind: Literal["table"]
    points: Annotated[tuple[tuple[Pause, Volts], ...], Field(min_length=2, max_length=100_000)] | None = key(
        "breakpoints of time and voltage", None, example=[["0 s", "0 V"], ["1 us", "1 V"]], instead_of=("file",)
    )
    file: Annotated[str, Field(min_length=1, max_length=4096)] | None = key(
        "instead: a text file of two columns", None, example="waveform.csv"
    )
    reads_at: Annotated[tuple[Pause, ...], Field(max_length=100_000)] = key("times of reads", (), example=["1 us"])

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.points is None) == (self.file is None):
            raise ValueError("give either points or file")
        if self.points:
            self.waveform()
        return self

    def waveform(self) -> Waveform:
        """Waveform of the breakpoints. Raises OSError, or ValueError ("file:line: ...") for a file that is no waveform."""
        if self.file:
            return shapes.read_waveform(self.file, self.reads_at, HIGHEST)
        times, voltages = np.array(self.points).T
        return shapes.table(times, voltages, self.reads_at)


class Spikes(Record):
    """Two spikes, one at each end of the junction, of pieces one after the other; the voltage is pre - post.

    Both ends rest at 0 V before and after. A delay is negative where post comes first.
    """

    kind: Literal["spikes"]
    pieces: Annotated[dict[Name, Piece], Field(min_length=1, max_length=100)] = key(
        "drives by name, parts of spikes", example={"peak": {"kind": "pulse", "voltage": "1 V", "width": "1 us"}}
    )
    pre: Spike = key("names of the pieces of the spike on the left", example=["peak"])
    post: Spike = key("names of the pieces of the spike on the right", example=["peak"])
    delay: Delay = key("start of the right spike after the left one", example="3 us")

    @model_validator(mode="after")
    def _pieces_known(self) -> Self:
        for name in (*self.pre, *self.post):
            if name not in self.pieces:
                raise ValueError(f"there is no piece {name!r}; there are {', '.join(self.pieces)}")
        return self

    def _waveform_of(self, name: str) -> Waveform:
        """Waveform of a piece. Raises ValueError for one with more breakpoints than are kept in memory at once."""
        shape = self.pieces[name].waveform()
        if isinstance(shape, Chain):
            raise ValueError(f"piece {name!r} has {shape.points:,} breakpoints, too many for a spike")
        return shape

    def waveform(self) -> Waveform:
        at_rest = Waveform(np.zeros(1), np.zeros(1))
        pre, post = (
            concatenate([at_rest, *(self._waveform_of(name) for name in names), at_rest])
            for names in (self.pre, self.post)
        )
        return voltage_between(pre, post, self.delay)


class Sequence(Record):
    """Drives one after the other, the whole `repeat` times. Sequences may be nested 4 deep."""

    kind: Literal["sequence"]
    parts: Annotated[tuple[DrivePart, ...], Field(min_length=1, max_length=10_000)] = key(
        "drives, one after the other", example=[{"kind": "hold", "voltage": "0 V", "duration": "1 s"}]
    )
    repeat: Times = key("repetitions of the whole", 1, example=10)

    @model_validator(mode="after")
    def _shallow(self) -> Self:
        if self.depth > MAX_DEPTH:
            raise ValueError(f"sequences are nested {self.depth} deep; the limit is {MAX_DEPTH}")
        return self

    @property
    def depth(self) -> int:
        """Levels of nesting: 1 for a sequence of plain drives."""
        return 1 + max((part.depth for part in self.parts if isinstance(part, Sequence)), default=0)

    def waveform(self) -> Waveform | Chain:
        return repeated(joined([part.waveform() for part in self.parts]), self.repeat)


Piece = Annotated[Hold | Steps | Pulse | Train | Triangle | Pund | Table, Field(discriminator="kind")]
Parts = Hold | Steps | Pulse | Train | WriteReadLoop | Triangle | Pund | Table | Spikes | Sequence
DrivePart = Annotated[Parts, Field(discriminator="kind")]
Drive = Annotated[Parts | IV | CV | Impedance | Patterns, Field(discriminator="kind")]
Spikes.model_rebuild()
Sequence.model_rebuild()


RecordTime = Annotated[float, Quantity("time", "0 s", "1e12 s")]


class Recording(Record):
    """Outputs that a result keeps, the first and the last state among its snapshots.

    windows : kept whatever `every` is. Between kept times a read-out of finite bandwidth takes the current as linear: let a
        window begin some time constants early
    """

    every: Literal["all", "reads", "none"] = key("time steps in the time series", "all", example="reads")
    windows: Annotated[tuple[tuple[RecordTime, RecordTime], ...], Field(max_length=10_000)] = key(
        "intervals of which all steps are kept", (), example=[["0 s", "2 us"]]
    )
    profiles: Annotated[Count, Field(ge=2, le=100_000)] = key("snapshots, evenly spread over the drive", 2, example=20)
    profiles_at: Annotated[tuple[RecordTime, ...], Field(max_length=100_000)] = key(
        "times of further snapshots", (), example=["1 us", "1 ms"]
    )
    profiles_at_reads: Annotated[bool, Strict()] = key("a snapshot with every read", False, example=True)

    @field_validator("windows")
    @classmethod
    def check_windows(cls, windows: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        for start, end in windows:
            if not start < end:
                raise NotAsExpected("windows that end after they begin", f"{start:g} s to {end:g} s")
        return windows

    @model_validator(mode="after")
    def check_every(self) -> Self:
        if self.windows and self.every == "all":
            raise NotAsExpected('every = "reads" or "none" with windows', '"all", the default')
        return self

    def check_reads(self, count: int) -> None:
        """Raise NotAsExpected when only reads are to be in the time series of a drive that has none."""
        if self.every == "reads" and not count and not self.windows:
            raise NotAsExpected('"all" or "none" with a drive that has no reads', '"reads"', "record", "every")

    def instants(self, duration: float) -> list[float]:
        """Times of the snapshots [s] in a drive of a duration [s], from 0. Raises ValueError for times after its end."""
        for name, times in (("profiles_at", self.profiles_at), ("windows", [end for _, end in self.windows])):
            if late := [t for t in times if t > duration * (1 + 1e-12)]:
                raise ValueError(f"record.{name}: {late[0]:g} s is after the end of the drive, at {duration:g} s")
        spread = (duration * k / (self.profiles - 1) for k in range(self.profiles))
        return sorted({*spread, *(min(t, duration) for t in self.profiles_at)})

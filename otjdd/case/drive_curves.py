"""Drives without a waveform: current, capacitance or impedance of prepared states against bias or frequency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Discriminator, Field, Strict, Tag, model_validator

from otjdd.case.base import Count, Hertz, Kelvin, Name, Record, Step, SweepRate, Vertices, Volts, form_by, key
from otjdd.case.device import Write
from otjdd.errors import NotAsExpected
from otjdd.units import write
from otjdd.waveform import shapes
from otjdd.waveform.waveform import Waveform, concatenate

MOST_FREQUENCIES = 10_000
MOST_BIASES = 10_000
METER = "1 MHz"  # the usual frequency of capacitance meters

Listed = Annotated[tuple[Volts, ...], Field(min_length=1, max_length=MOST_BIASES)]


class Curves(Record):
    """A drive without a waveform."""

    kind: str


class Grid(Curves):
    """Voltages of a curve, listed or evenly spaced from `start` to `stop`."""

    voltages: Listed | None = key(
        "voltages of a curve", None, example=["-0.1 V", "0.1 V"], instead_of=("start", "stop", "step")
    )
    start: Volts | None = key("instead: first voltage", None, example="-0.5 V")
    stop: Volts | None = key("last voltage", None, example="0.5 V")
    step: Step | None = key("step between", None, example="20 mV")

    @model_validator(mode="after")
    def _one_grid(self) -> Self:
        self.check_grid()
        return self

    def check_grid(self) -> None:
        """Raise ValueError unless one of both forms is there, of a size that can be."""
        ramp = [value for value in (self.start, self.stop, self.step) if value is not None]
        if bool(ramp) == (self.voltages is not None) or len(ramp) not in (0, 3):
            raise ValueError("give either voltages or start, stop and step")
        if ramp and not 0 < abs(ramp[1] - ramp[0]) / ramp[2] <= MOST_BIASES:
            raise ValueError(f"start, stop and step must give 2 to {MOST_BIASES} voltages")

    def bias_voltages(self) -> np.ndarray:
        """Voltages (n,) [V] of each curve, in the order of the case."""
        if self.voltages is not None or self.start is None or self.stop is None or self.step is None:
            return np.array(self.voltages)
        return np.append(self.start, shapes.staircase([self.start, self.stop], self.step))


def waveform_of_writes(writes: Sequence[Write]) -> Waveform:
    """Waveform that begins at 0 V and holds each voltage for its duration."""
    at_rest = Waveform(np.zeros(1), np.zeros(1))
    return concatenate([at_rest, *(shapes.hold(write.voltage, write.duration) for write in writes)])


class Prepared(Curves):
    """Temperatures and states of curves."""

    temperatures: Annotated[tuple[Kelvin, ...], Field(max_length=100)] = key(
        "temperatures of the curves; the ions are prepared at the temperature of the case",
        (),
        example=["250 K", "300 K"],
    )
    states: Annotated[dict[Name, Annotated[tuple[Write, ...], Field(max_length=100)]], Field(max_length=32)] = key(
        "name -> writes that prepare the state",
        example={"LRS": [{"voltage": "2.2 V", "duration": "100 ms"}]},
        factory=dict,
    )

    def histories(self) -> dict[str, Waveform]:
        """Waveform that prepares each state, by name; {"initial": a waveform of 0 s} for a case without states."""
        return {name: waveform_of_writes(writes) for name, writes in self.states.items()} or {
            "initial": waveform_of_writes([])
        }


class IV(Prepared, Grid):
    """Current against voltage with the ions at rest; no waveform. Without states, one curve of the initial state."""

    kind: Literal["iv"]


class Frequencies(Record):
    """Frequencies from `start` to `stop`, both included, evenly in the logarithm, `per_decade` or a little more."""

    start: Hertz
    stop: Hertz
    per_decade: Annotated[Count, Field(ge=1, le=1000)] = 10

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.stop <= self.start:
            raise NotAsExpected(f'a stop above the start of "{write(self.start, "frequency")}"', f"{self.stop:g} Hz")
        return self

    def values(self) -> np.ndarray:
        """Frequencies (n,) [Hz]."""
        decades = np.log10(self.stop / self.start)
        return np.geomspace(self.start, self.stop, 1 + int(np.ceil(decades * self.per_decade * (1 - 1e-12))))


FrequencyList = Annotated[
    Annotated[Frequencies, Tag("table")]
    | Annotated[Annotated[tuple[Hertz, ...], Field(min_length=1, max_length=MOST_FREQUENCIES)], Tag("list")],
    Discriminator(form_by({dict: "table"}, "list")),
]


class Following(Prepared):
    """What ions and polarisation do in a small-signal measurement."""

    ions: Literal["frozen", "moving"] = key(
        "the ions are frozen under the small signal, or answer it", "frozen", example="moving"
    )
    polarisation: Literal["frozen", "following"] = key(
        "the polarisation is frozen under the small signal, or answers it", "frozen", example="following"
    )
    settle: Annotated[bool, Strict()] = key("the ions relax at each bias first", False, example=True)

    @model_validator(mode="after")
    def _one_state(self) -> Self:
        if self.settle and self.states:
            raise NotAsExpected("no states with settle = true: ions that relax forget them", "both")
        return self

    def frequency_values(self) -> np.ndarray:
        """Frequencies (n,) [Hz]."""
        listed: Frequencies | tuple[float, ...] = self.frequencies  # type: ignore[attr-defined]  # of each kind
        return listed.values() if isinstance(listed, Frequencies) else np.array(listed)


class Impedance(Following):
    """Impedance against frequency at some biases: the linear response to a small voltage. No waveform."""

    kind: Literal["impedance"]
    bias: Listed = key("voltages of the source", ("0 V",), example=["0 V", "0.5 V"])
    frequencies: FrequencyList = key(
        "frequencies, a list or a table of start, stop and per_decade",
        example={"start": "1 Hz", "stop": "1 GHz", "per_decade": 5},
    )

    def bias_voltages(self) -> np.ndarray:
        """Voltages (n,) [V], in the order of the case."""
        return np.array(self.bias)


class CV(Following, Grid):
    """Capacitance against voltage at one frequency or several. No waveform.

    path, with step and rate : each vertex and the steps between last step/rate, and the signal comes at their ends
    """

    kind: Literal["cv"]
    frequencies: FrequencyList = key(
        "frequencies, a list or a table of start, stop and per_decade", (METER,), example=["1 kHz", "1 MHz"]
    )
    path: Vertices | None = key(
        "instead of voltages: the bias moves along it, ions and polarisation with it",
        None,
        example=["-3 V", "3 V", "-3 V"],
        instead_of=("voltages", "start", "stop"),
    )
    rate: SweepRate | None = key("how fast it moves, by a step in step / rate", None, example="10 V/s")

    @model_validator(mode="after")
    def _one_grid(self) -> Self:
        if self.path is None:
            if self.rate is not None:
                raise NotAsExpected("a path with the rate, along which the bias moves", "none")
            self.check_grid()
            return self
        if self.voltages is not None or self.start is not None or self.stop is not None:
            raise NotAsExpected("either a path or voltages", "both")
        if self.step is None or self.rate is None:
            raise NotAsExpected("a step and a rate with the path", "none" if self.step == self.rate else "one of them")
        if self.settle:
            raise NotAsExpected("no path with settle = true: ions that relax have no history", "both")
        shapes.check_path(self.path, 1)
        if len(self.bias_voltages()) > MOST_BIASES:
            raise NotAsExpected(f"a path of at most {MOST_BIASES} steps", f"{len(self.bias_voltages())}")
        return self

    def bias_voltages(self) -> np.ndarray:
        """Voltages (n,) [V] of each curve, in the order of the case or along the path."""
        if self.path is None or self.step is None:
            return super().bias_voltages()
        return np.append(self.path[0], shapes.staircase(self.path, self.step))

    @property
    def dwell(self) -> float:
        """Time [s] at each bias in which ions and polarisation move; 0 for none."""
        return self.step / self.rate if self.step is not None and self.rate is not None else 0.0

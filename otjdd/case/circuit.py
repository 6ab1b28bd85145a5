"""The [circuit] of a case: series resistance, parallel capacitance, compliance, and the read-out of the current."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import model_validator

from otjdd.case.base import Record, key
from otjdd.units import Quantity

Ohms = Annotated[float, Quantity("resistance", "0 ohm", "1e15 ohm")]
Farads = Annotated[float, Quantity("capacitance", "0 F", "1 F")]
CurrentLimit = Annotated[float, Quantity("current", "1e-18 A", "1e6 A")]
Bandwidth = Annotated[float, Quantity("frequency", "1e-9 Hz", "1e15 Hz")]
TimeConstant = Annotated[float, Quantity("time", "1e-15 s", "1e9 s")]


class Circuit(Record):
    """Circuit around the junction: one branch from the source through the junction to ground, and the instrument.

    The instrument, a single pole with tau = 1 / 2 pi bandwidth, shows the output `current`, and measured curves in time are
    fitted with it. Reads and curves at frozen ions are of the settled junction, whatever the instrument.
    """

    series_resistance: Ohms = key("resistance in series", "0 ohm", example="55 ohm")
    parallel_capacitance: Farads = key("capacitance across the junction", "0 F", example="30 pF")
    compliance: CurrentLimit | None = key("largest current of the source", None, example="10 mA")
    range: CurrentLimit | None = key(
        "current at which the instrument clips `current`, the series in time; reads stay", None, example="1 mA"
    )
    bandwidth: Bandwidth | None = key(
        "bandwidth of the instrument, one pole that `current` passes; reads stay",
        None,
        example="5 MHz",
        instead_of=("time_constant",),
    )
    time_constant: TimeConstant | None = key("the same as a time", None, example="1 us")

    @model_validator(mode="after")
    def _one_pole(self) -> Self:
        if self.bandwidth is not None and self.time_constant is not None:
            raise ValueError("bandwidth and time_constant say the same thing: give one of them")
        return self

    @property
    def tau(self) -> float:
        """Time constant of the read-out [s]; 0 for an ideal one."""
        if self.bandwidth is not None:
            return 1 / (2 * math.pi * self.bandwidth)
        return self.time_constant or 0.0

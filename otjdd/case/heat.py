"""The [device.heat] of a case: Joule heating of the junction by its current, and its cooling."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from otjdd.case.base import Number, Record, key
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity

SPREADING = "spreading"


class Heat(Record):
    """Joule heat of the current: C dT/dt = share I V_j - (T - T0)/R, with T0 the temperature of the case.

    resistance : R [K/W] to the surroundings, or "spreading": 1/(4 kappa r) of a disc of the junction's radius r on a half
        space   conductivity : kappa [W/m/K] of that half space
    time_constant : R C [s], or capacity : C [eV/K]
    share : of I V_j that is left in the junction; the rest warms what is in series with it
    of : one temperature for the "junction", or one for each of its "columns", which exchange no heat: the resistance of a
        column is that of the junction over its share of the area
    """

    resistance: Annotated[float, Quantity("thermal resistance", "1e-6 K/W", "1e12 K/W")] | Literal["spreading"] = key(
        'to the surroundings, or `"spreading"`: 1/(4 conductivity radius)', example="1e6 K/W"
    )
    conductivity: Annotated[float, Quantity("thermal conductivity", "1e-4 W/m/K", "1e4 W/m/K")] | None = key(
        "thermal conductivity around the junction, for spreading", None, example="11 W/m/K"
    )
    time_constant: Annotated[float, Quantity("time", "1 fs", "1e6 s")] | None = key(
        "thermal resistance times heat capacity", None, example="10 ns"
    )
    capacity: Annotated[float, Quantity("heat capacity", "1e-27 J/K", "1e6 J/K")] | None = key(
        "heat capacity, in place of the time constant", None, example="1e-17 J/K", instead_of=("time_constant",)
    )
    share: Annotated[Number, Field(gt=0, le=1)] = key(
        "share of the power I V_j that is left in the junction", 1.0, example=0.5
    )
    of: Literal["junction", "columns"] = key("what has a temperature of its own", "junction", example="columns")

    @model_validator(mode="after")
    def check_conductivity(self) -> Self:
        spreads = self.resistance == SPREADING
        if spreads and self.conductivity is None:
            raise NotAsExpected('conductivity, such as "11 W/m/K", beside resistance = "spreading"', "none")
        if not spreads and self.conductivity is not None:
            raise NotAsExpected('resistance = "spreading" beside conductivity', "a resistance in K/W")
        return self

    @model_validator(mode="after")
    def check_time_constant(self) -> Self:
        if (self.time_constant is None) == (self.capacity is None):
            expected = 'either time_constant, such as "10 ns", or capacity, such as "1e-17 J/K"'
            raise NotAsExpected(expected, "neither" if self.capacity is None else "both")
        return self

    def kelvin_per_watt(self, radius: float) -> float:
        """Thermal resistance of a junction of a radius [m]."""
        return 1.0 / (4.0 * self.conductivity * radius) if self.conductivity else float(self.resistance)

    def seconds(self, radius: float) -> float:
        """Time constant of a junction of a radius [m]."""
        if self.time_constant is not None:
            return float(self.time_constant)
        assert self.capacity is not None  # one of both is there
        return self.kelvin_per_watt(radius) * self.capacity * ELEMENTARY_CHARGE

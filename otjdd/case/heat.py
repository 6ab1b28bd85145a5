"""The [device.heat] of a case: how the power of the current warms the junction, and how the heat leaves it."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from otjdd.case.base import Record
from otjdd.case.problem import KeyPath
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity

SPREADING = "spreading"
WITHOUT = {  # kinds of drives beside which the junction cannot warm, and why
    "iv": "its curves have no course in time: state their temperatures",
    "cv": "its curves have no course in time: state their temperatures",
    "impedance": "its curves have no course in time: state their temperatures",
    "patterns": "compact models have one temperature",
}


class Heat(Record):
    """Joule heat of the current: C dT/dt = I V_j - (T - T0)/R, with T0 the temperature of the case.

    resistance : R [K/W] to the surroundings, or "spreading": 1/(4 kappa r) of a disc of the junction's radius r on a half
        space   conductivity : kappa [W/m/K] of that half space
    time_constant : R C [s]
    of : one temperature for the "junction", or one for each of its "columns", which exchange no heat: the resistance of a
        column is that of the junction over its share of the area
    """

    resistance: Annotated[float, Quantity("thermal resistance", "1e-6 K/W", "1e12 K/W")] | Literal["spreading"]
    conductivity: Annotated[float, Quantity("thermal conductivity", "1e-4 W/m/K", "1e4 W/m/K")] | None = None
    time_constant: Annotated[float, Quantity("time", "1 fs", "1e6 s")]
    of: Literal["junction", "columns"] = "junction"

    @model_validator(mode="after")
    def check_conductivity(self) -> Self:
        spreads = self.resistance == SPREADING
        if spreads and self.conductivity is None:
            raise NotAsExpected('conductivity, such as "11 W/m/K", beside resistance = "spreading"', "none")
        if not spreads and self.conductivity is not None:
            raise NotAsExpected('resistance = "spreading" beside conductivity', "a resistance in K/W")
        return self

    def kelvin_per_watt(self, radius: float) -> float:
        """Thermal resistance of a junction of a radius [m]."""
        return 1.0 / (4.0 * self.conductivity * radius) if self.conductivity else float(self.resistance)


def faults(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case
    """Path, expected and found of a heat that does not go with the drive of a case."""
    if case.device.heat is not None and case.drive.kind in WITHOUT:
        kind = case.drive.kind
        yield ("device", "heat"), f'none beside a drive of the kind "{kind}" ({WITHOUT[kind]})', "a table"

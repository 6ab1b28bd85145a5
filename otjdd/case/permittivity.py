"""Permittivities as frozen records, one for each law D(E). A new law is added here alone.

The kernels know one form, D = eps0 [eps_inf E + b asinh(E / sqrt(a))]. The method `terms` of a record returns its three
numbers at a temperature. Another form is a branch of `displacement` and its inverse in `physics.electrostatics`.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from otjdd.case.base import Number, Record, key
from otjdd.errors import NotAsExpected
from otjdd.laws.permittivity import suzuki
from otjdd.units import Quantity


class LinearPermittivity(Record):
    """D = eps0 eps_r E."""

    law: Literal["linear"]
    eps_r: Annotated[Number, Field(ge=1, le=1e6)] = key("relative permittivity", example=25)

    def terms(self, temperature: float) -> tuple[float, float, float]:
        """eps_inf, b [V/m] and sqrt(a) [V/m]: the nonlinear law with b = 0, at any temperature."""
        return self.eps_r, 0.0, 1.0


class NonlinearPermittivity(Record):
    """D = eps0 [eps_inf E + b asinh(E / sqrt(a))]: the differential permittivity eps_inf + b / sqrt(a + E^2).

    Fitted to Nb:SrTiO3 by Suzuki, Yamamoto et al., J. Appl. Phys. 81, 6830 (1997); at 300 K b = 1.424e10 V/m and
    a = 2.65e15 V^2/m^2. The fit is of the total, so eps_inf, the floor of the lattice, shows beyond 3e8 V/m only.
    temperature_law : "none", b and a hold at every temperature; "suzuki", they hold at 300 K and scale as in that paper
    """

    law: Literal["nonlinear"]
    b: Annotated[float, Quantity("field", "1e6 V/m", "1e13 V/m")] = key(
        "b of D = eps0 [eps_inf E + b asinh(E/sqrt(a))]", example="1.42e10 V/m"
    )
    a: Annotated[float, Quantity("squared field", "1e8 V^2/m^2", "1e24 V^2/m^2")] = key(
        "a of the same", example="2.65e15 V^2/m^2"
    )
    eps_inf: Annotated[Number, Field(ge=0, le=1e4)] = key("permittivity at the highest fields", 0.0, example=7)
    temperature_law: Literal["none", "suzuki"] = key(
        '"suzuki": b and a hold at 300 K and scale with temperature', "none", example="suzuki"
    )

    def terms(self, temperature: float) -> tuple[float, float, float]:
        """eps_inf, b [V/m] and sqrt(a) [V/m] at a temperature [K]."""
        b, a = (self.b, self.a) if self.temperature_law == "none" else suzuki(self.b, self.a, temperature)
        return self.eps_inf, b, math.sqrt(a)

    @property
    def at_zero_field(self) -> float:
        return self.eps_inf + self.b / math.sqrt(self.a)

    @model_validator(mode="after")
    def check_zero_field(self) -> Self:
        if not 1 <= self.at_zero_field <= 1e6:
            expected = "eps_inf + b / sqrt(a), the permittivity without field, from 1 to 1e6"
            raise NotAsExpected(expected, f"{self.at_zero_field:.3g}")
        return self


Permittivity = Annotated[LinearPermittivity | NonlinearPermittivity, Field(discriminator="law")]

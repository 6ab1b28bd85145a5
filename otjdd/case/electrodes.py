"""Permittivities and electrodes as frozen records, one for each law and kind. A new one is added here alone.

The kernels know one form of a permittivity, D = eps0 [eps_inf E + b asinh(E / sqrt(a))]; `terms` of a record returns its
three numbers at a temperature. They know two forms of the band edge at the film as a function of the charge of the
electrode: a straight line (Straight), and that of a doped oxide (Bent). To add a kind of electrode, write its record with
`kind`, `form()` and `states()`, and name it in `Electrode`. A third form is a branch of `physics.electrostatics.edge`.
"""

import math
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from otjdd.case.base import Mass, Material, Number, Record, key
from otjdd.case.exchange import Exchange
from otjdd.constants import BOLTZMANN, ELECTRON_MASS, PLANCK, VACUUM_PERMITTIVITY
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


Barrier = Annotated[float, Quantity("energy", "-5 eV", "10 eV")]


class Straight(NamedTuple):
    """A band edge at the film that is linear in the charge of the electrode. The band of the electrode is flat."""

    barrier: float  # conduction band of the film above the Fermi level [eV], without charge
    bottom: float  # bottom of the electrode's band from its Fermi level [eV]
    mass: float  # m0
    drop: float  # voltage drop per charge [V m2/C]


class Bent(NamedTuple):
    """The band edge of an electrode with Fermi-Dirac electrons and ionised donors, whose band bends with its charge."""

    band_offset: float  # E_C of the film minus E_C of the electrode [eV]
    mass: float  # m0
    doping: float  # 1/m3
    density_of_states: float  # 1/m3
    permittivity: Permittivity


def band_states(mass: float, temperature: float) -> float:
    """Effective density of states [1/m3] of a parabolic band: 2 (2 pi m kT / h^2)^(3/2), mass in m0, temperature in K."""
    return 2 * (2 * math.pi * mass * ELECTRON_MASS * BOLTZMANN * temperature / PLANCK**2) ** 1.5


class Metal(Record):
    """A metal: a barrier, and a Thomas-Fermi screening layer with a voltage drop lambda D / (eps0 eps_m).

    mass and band_depth match the wave of an electron. Without an exchange it blocks vacancies.
    """

    kind: Literal["metal"]
    material: Material | None = key("name of its material; no number depends on it", None, example="Pt")
    barrier: Barrier = key(
        "conduction band of the film above the Fermi level", example="0.64 eV", spread="1 eV", of_material=True
    )
    screening_length: Annotated[float, Quantity("length", "0 m", "10 nm")] = key(
        "Thomas-Fermi screening length", "0 m", example="0.05 nm", of_material=True
    )
    relative_permittivity: Annotated[Number, Field(ge=1, le=1e4)] = key(
        "permittivity of the screening layer", 2.0, example=2, of_material=True
    )
    mass: Mass = key("mass in the metal, in electron masses", 1.0, example=1, of_material=True)
    band_depth: Annotated[float, Quantity("energy", "0.01 eV", "100 eV")] = key(
        "bottom of the band below the Fermi level", "5 eV", example="5 eV", of_material=True
    )
    exchange: Exchange | None = key("exchange of oxygen with the film; default: none", None, title="Exchange of oxygen")

    def form(self, temperature: float) -> Straight:
        """Its band edge as a function of its charge, at a temperature [K]."""
        drop = self.screening_length / (VACUUM_PERMITTIVITY * self.relative_permittivity)
        return Straight(self.barrier, -self.band_depth, self.mass, drop)

    def states(self, temperature: float) -> float:
        """Effective density of states [1/m3] at a temperature [K] of a parabolic band of the metal's mass."""
        return band_states(self.mass, temperature)


class Semiconductor(Record):
    """A doped oxide with band bending: Fermi-Dirac electrons, fully ionised donors, a permittivity of its own.

    mass : of the tunnelling electron, and of the density of states. Without an exchange it blocks vacancies.
    """

    kind: Literal["semiconductor"]
    material: Material | None = key("name of its material; no number depends on it", None, example="Nb:SrTiO3")
    band_offset: Annotated[float, Quantity("energy", "-5 eV", "5 eV")] = key(
        "conduction band of the film minus that of the electrode", example="-0.08 eV", of_material=True
    )
    doping: Annotated[float, Quantity("density", "1e18 1/m^3", "1e30 1/m^3")] = key(
        "density of ionised donors", example="1.2e26 1/m^3", of_material=True
    )
    density_of_states: Annotated[float, Quantity("density", "1e18 1/m^3", "1e30 1/m^3")] | None = key(
        "effective density of states; default: from the mass", None, example="1e26 1/m^3", of_material=True
    )
    permittivity: Permittivity = key("permittivity, a table with a law", title="Permittivity", of_material=True)
    mass: Mass = key("mass in the electrode, in electron masses", 1.3, example=1.3, of_material=True)
    exchange: Exchange | None = key("exchange of oxygen with the film; default: none", None, title="Exchange of oxygen")

    def form(self, temperature: float) -> Bent:
        """Its band edge as a function of its charge, at a temperature [K]."""
        return Bent(self.band_offset, self.mass, self.doping, self.states(temperature), self.permittivity)

    def states(self, temperature: float) -> float:
        """Effective density of states N_c [1/m3] at a temperature [K]: as given, or 2 (2 pi m kT / h^2)^(3/2)."""
        return band_states(self.mass, temperature) if self.density_of_states is None else self.density_of_states


Electrode = Annotated[Metal | Semiconductor, Field(discriminator="kind")]

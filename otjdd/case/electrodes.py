"""Electrodes as frozen records, one for each kind. A new kind of electrode is added here alone.

The kernels need the band edge at the film as a function of the charge of the electrode. They know two forms of it: a
straight line (Straight), and that of a doped oxide (Bent). To add a kind, write its record with `kind`, `form()` and
`states()`, and name it in `Electrode`. A third form is a branch of `physics.electrostatics.edge`.
"""

import math
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from otjdd.case.base import Mass, Material, Number, Record, as_text
from otjdd.case.exchange import Exchange
from otjdd.case.permittivity import Permittivity
from otjdd.constants import BOLTZMANN, ELECTRON_MASS, PLANCK, VACUUM_PERMITTIVITY
from otjdd.units import Quantity

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

    barrier : [eV] conduction band of the film above the Fermi level at this interface
    screening_length : lambda [m], relative_permittivity : eps_m of that layer
    mass : [m0] and band_depth : [eV] band bottom below the Fermi level, both for the matching of the electron wave
    exchange : of vacancies with the oxygen of the electrode; it blocks them when absent
    """

    kind: Literal["metal"]
    material: Material | None = Field(
        default=None, description="name of its material; no number depends on it", examples=["Pt"]
    )
    barrier: Barrier = Field(description="conduction band of the film above the Fermi level", examples=["0.64 eV"])
    screening_length: Annotated[float, Quantity("length", "0 m", "10 nm")] = Field(
        default=as_text("0 m"), description="Thomas-Fermi screening length", examples=["0.05 nm"]
    )
    relative_permittivity: Annotated[Number, Field(ge=1, le=1e4)] = Field(
        default=2.0, description="permittivity of the screening layer", examples=[2]
    )
    mass: Mass = Field(default=1.0, description="mass in the metal, in electron masses", examples=[1])
    band_depth: Annotated[float, Quantity("energy", "0.01 eV", "100 eV")] = Field(
        default=as_text("5 eV"), description="bottom of the band below the Fermi level", examples=["5 eV"]
    )
    exchange: Exchange | None = Field(
        default=None, title="Exchange of oxygen", description="exchange of oxygen with the film; none if absent"
    )

    def form(self, temperature: float) -> Straight:
        """Its band edge as a function of its charge, at a temperature [K]."""
        drop = self.screening_length / (VACUUM_PERMITTIVITY * self.relative_permittivity)
        return Straight(self.barrier, -self.band_depth, self.mass, drop)

    def states(self, temperature: float) -> float:
        """Effective density of states [1/m3] at a temperature [K] of a parabolic band of the metal's mass."""
        return band_states(self.mass, temperature)


class Semiconductor(Record):
    """A doped oxide with band bending: Fermi-Dirac electrons, fully ionised donors, a permittivity of its own.

    band_offset : [eV] E_C of the film minus E_C of the electrode   doping : [1/m3]
    density_of_states : N_c [1/m3] of its conduction band; from `mass` when absent
    mass : [m0] of the tunnelling electron, and of the density of states
    exchange : of vacancies with the oxygen of the electrode; it blocks them when absent
    """

    kind: Literal["semiconductor"]
    material: Material | None = Field(
        default=None, description="name of its material; no number depends on it", examples=["Nb:SrTiO3"]
    )
    band_offset: Annotated[float, Quantity("energy", "-5 eV", "5 eV")] = Field(
        description="conduction band of the film minus that of the electrode", examples=["-0.08 eV"]
    )
    doping: Annotated[float, Quantity("density", "1e18 1/m^3", "1e30 1/m^3")] = Field(
        description="density of ionised donors", examples=["1.2e26 1/m^3"]
    )
    density_of_states: Annotated[float, Quantity("density", "1e18 1/m^3", "1e30 1/m^3")] | None = Field(
        default=None, description="effective density of states; from the mass if absent", examples=["1e26 1/m^3"]
    )
    permittivity: Permittivity = Field(title="Permittivity", description="permittivity, a table with a law")
    mass: Mass = Field(default=1.3, description="mass in the electrode, in electron masses", examples=[1.3])
    exchange: Exchange | None = Field(
        default=None, title="Exchange of oxygen", description="exchange of oxygen with the film; none if absent"
    )

    def form(self, temperature: float) -> Bent:
        """Its band edge as a function of its charge, at a temperature [K]."""
        return Bent(self.band_offset, self.mass, self.doping, self.states(temperature), self.permittivity)

    def states(self, temperature: float) -> float:
        """Effective density of states N_c [1/m3] at a temperature [K]: as given, or 2 (2 pi m kT / h^2)^(3/2)."""
        return band_states(self.mass, temperature) if self.density_of_states is None else self.density_of_states


Electrode = Annotated[Metal | Semiconductor, Field(discriminator="kind")]

"""Permittivities, electrodes and their exchange of oxygen as frozen records, one for each law and kind.

A new one is added here alone. The kernels know one form of a permittivity, D = eps0 [eps_inf E + b asinh(E / sqrt(a))];
`terms` of a record returns its three numbers at a temperature. They know two forms of the band edge at the film as a
function of the charge of the electrode: a straight line (Straight), and a bent one of a doped oxide (Bent). To add a kind
of electrode, write its record with `kind`, `form()` and `states()`, and name it in `Electrode`. A third form is a branch
of `physics.electrostatics.edge`.

Vacancies pass the wall between an electrode and the film by a law of `laws`, if the electrode has the table
[device.left.exchange] or [device.right.exchange]; else it blocks them.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from otjdd.case.base import Mass, Material, Number, Quantity, Record, key
from otjdd.case.problem import KeyPath
from otjdd.constants import BOLTZMANN, BOLTZMANN_EV, ELECTRON_MASS, PLANCK, VACUUM_PERMITTIVITY
from otjdd.errors import NotAsExpected
from otjdd.laws import EXCHANGE_LAWS, suzuki
from otjdd.units import brief, write

STANDARD_PRESSURE = 1e5  # Pa, at which a formation energy holds
SIDES = "left", "right"


class Exchange(Record):
    """Exchange of vacancies with the oxygen of an electrode, or of the gas behind it.

    formation_energy : of a vacancy in the film whose electrons are at the edge of the conduction band (of the first of
        several layers), for oxygen at 1e5 Pa or a reservoir at its initial filling
    transfer_coefficient : share of the step of a metal's screening layer that lowers the barrier into the film
    """

    law: Literal[tuple(name for name, law in EXCHANGE_LAWS.items() if law.formula)] = key(  # type: ignore[valid-type]  # the names of a table
        "law of the exchange, of `laws.py`", "butler-volmer", example="butler-volmer"
    )
    rate: Annotated[float, Quantity("velocity", "0 m/s", "1e6 m/s")] = key(
        "rate of the exchange, k0 of k0 exp(-activation_energy/kT)", example="1e-9 m/s"
    )
    activation_energy: Annotated[float, Quantity("energy", "0 eV", "10 eV")] = key(
        "activation energy of the rate", "0 eV", example="0.85 eV"
    )
    formation_energy: Annotated[float, Quantity("energy", "-20 eV", "20 eV")] | None = key(
        "of a vacancy in the film, its electrons at the edge of the conduction band", None, example="4 eV"
    )
    equilibrium_density: Annotated[float, Quantity("density", "1e-60 1/m^3", "1e30 1/m^3")] | None = key(
        "instead of it: vacancies in balance at the uncharged interface", None, example="1e26 1/m^3"
    )
    oxygen_pressure: Annotated[float, Quantity("pressure", "1e-99 Pa", "1e9 Pa")] | None = key(
        "pressure of the oxygen; default: 1e5 Pa", None, example="20 kPa"
    )
    transfer_coefficient: Annotated[Number, Field(ge=0, le=1)] = key(
        "fraction of a metal's screening step that helps vacancies in", 0.5, example=0.5
    )
    hop_distance: Annotated[float, Quantity("length", "0 m", "10 nm")] = key(
        "by which the field speeds up the exchange, by the law of the ions", "0 m", example="0.4 nm"
    )
    capacity: Annotated[float, Quantity("areal density", "1 1/m^2", "1e30 1/m^2")] | None = key(
        "oxygen sites of the reservoir; default: unlimited", None, example="5e19 1/m^2"
    )
    initial_filling: Annotated[Number, Field(gt=0, lt=1)] = key("initially filled fraction of these", 0.5, example=0.2)

    @model_validator(mode="after")
    def check_one_level(self) -> Self:
        if (self.formation_energy is None) == (self.equilibrium_density is None):
            got = "neither" if self.formation_energy is None else "both"
            raise NotAsExpected(
                'either formation_energy, such as "4 eV", or equilibrium_density, such as "1e26 1/m^3"', got
            )
        return self

    @model_validator(mode="after")
    def check_pressure(self) -> Self:
        if self.oxygen_pressure is not None and self.formation_energy is None:
            raise NotAsExpected(
                "formation_energy with oxygen_pressure: an equilibrium_density is the value at the pressure of the case",
                "equilibrium_density",
            )
        return self

    @property
    def log_oxygen(self) -> float:
        """ln(p/p0) of the oxygen."""
        return 0.0 if self.oxygen_pressure is None else math.log(self.oxygen_pressure / STANDARD_PRESSURE)

    def energy(self, edge: float, well: float, sites: float, charge: int, temperature: float) -> float:
        """Formation energy G [eV], as given or from the equilibrium density at a temperature [K].

        edge : [eV] of the film's band over the Fermi level at the interface without charge   well : [eV] site energy there
        sites : [1/m3] there   charge : of a vacancy
        """
        if self.formation_energy is not None:
            return self.formation_energy
        assert self.equilibrium_density is not None  # one of both is there
        share = self.equilibrium_density / sites
        odds = math.log(share) - math.log1p(-share)
        energy: float = -BOLTZMANN_EV * temperature * odds - well + charge * edge
        return energy


def exchanging_sides(device: Any) -> dict[str, Exchange]:
    """Side -> exchange of the electrodes of a device that exchange vacancies at a rate above 0."""
    sides = {side: getattr(device, side).exchange for side in SIDES}
    return {side: given for side, given in sides.items() if given is not None and given.rate > 0.0}


def faults_of_exchange(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case
    """(path, expected, got) of what does not go with the exchange of an electrode of a case."""
    for side in SIDES:
        given = getattr(case.device, side).exchange
        if given is not None:
            path = ("device", side, "exchange")
            ions, film = case.ions, case.device.film
            beside_it = film.stack[0 if "left" in path else -1]
            if given.hop_distance > 0.0 and ions.law == "genreith-schriever" and given.activation_energy == 0.0:
                expected = 'activation_energy, such as "0.8 eV", with hop_distance: the field tilts that barrier'
                yield (*path, "activation_energy"), expected, '"0 eV"'
            density, sites = given.equilibrium_density, beside_it.sites(ions.site_density)
            if density is not None and beside_it.mobile and density >= sites:
                expected = f'a density below the site density of "{write(sites, "density")}"'
                yield (*path, "equilibrium_density"), expected, brief(write(density, "density"))
            holds = (ions.density or 0.0) * film.mobile_thickness
            if given.capacity is not None and given.capacity < holds:
                expected = f'at least "{write(holds, "areal density")}", the vacancies that the film holds initially'
                yield (*path, "capacity"), expected, brief(write(given.capacity, "areal density"))


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
        "conduction band edge of the film relative to the electrode", example="-0.08 eV", of_material=True
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

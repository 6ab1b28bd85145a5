"""The junction as frozen records: device and ions; its film is that of `case.film`, its electrodes of `case.electrodes`.

x runs from the left electrode (x = 0) to the right one (x = L), which is grounded; the voltage is that of the left one.
Electron energies count from the Fermi level of the right electrode. Published values with their sources: `material`.
"""

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from otjdd.case.base import Count, Number, Record, as_text
from otjdd.case.electrodes import Electrode
from otjdd.case.film import AnyFilm, Barrier, HopDistance, Prefactor, Sites
from otjdd.case.heat import Heat
from otjdd.case.leaks import AnyLeak, check_names
from otjdd.constants import BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK
from otjdd.errors import NotAsExpected
from otjdd.laws.hopping import LAWS
from otjdd.laws.transmission import MODELS
from otjdd.units import Quantity, brief, parse, write

Well = Annotated[float, Quantity("energy", "-5 eV", "5 eV")]


class Device(Record):
    """The junction: a metal on the left (x = 0), the film, a semiconductor or a metal on the right (x = L, grounded).

    radius : [m] of the circular top electrode
    conducting_fraction : share of the area through which electrons pass (inhomogeneous barriers), 0 < f <= 1
    richardson : A* [A/m2/K2] of the electron supply, 156 A/cm2/K2 = 1.3 m0 for Nb:SrTiO3
    transmission : how T(E) is found for recorded currents
    heat : the current warms the junction; None for a junction at the temperature of its surroundings
    leaks : conduction beside the coherent channel; none when absent
    """

    radius: Annotated[float, Quantity("length", "1 nm", "10 mm")]
    conducting_fraction: Annotated[Number, Field(gt=0, le=1)] = 1.0
    richardson: Annotated[float, Quantity("Richardson constant", "0.01 A/cm^2/K^2", "1e6 A/cm^2/K^2")] = as_text(
        "156 A/cm^2/K^2"
    )
    transmission: Literal[tuple(MODELS)] = "transfer-matrix"  # type: ignore[valid-type]  # the names of a table
    left: Electrode
    film: AnyFilm
    right: Electrode
    heat: Heat | None = None
    leaks: Annotated[tuple[AnyLeak, ...], Field(min_length=1, max_length=16), AfterValidator(check_names)] | None = None

    @model_validator(mode="after")
    def check_film_states(self) -> Self:
        film = self.film
        if film.electrons != "none" and film.density_of_states is None and self.right.kind == "metal":
            raise NotAsExpected(
                'film.density_of_states, such as "1e26 1/m^3", beside electrons in a film on a metal', "none"
            )
        return self

    @model_validator(mode="after")
    def check_image_force(self) -> Self:
        metals = [side for side in (self.left, self.right) if side.kind == "metal"]
        if self.film.image_permittivity is not None and not metals:
            raise NotAsExpected("a metal on one side of a film with image_permittivity", "none")
        return self

    def film_states(self, temperature: float) -> float:
        """Density of states N_c [1/m3] of the film: as given, or that of the right electrode at a temperature [K]."""
        given = self.film.density_of_states
        return self.right.states(temperature) if given is None else given

    @property
    def area(self) -> float:
        """Area of the top electrode [m2]."""
        return math.pi * self.radius**2

    @property
    def supply_mass(self) -> float:
        """Mass [m0] of the supply function, from A* = 4 pi e m_t k^2 / h^3."""
        mass = self.richardson * PLANCK**3 / (4 * math.pi * ELEMENTARY_CHARGE * BOLTZMANN**2)
        return mass / ELECTRON_MASS


class Write(Record):
    """A constant source voltage [V] for a duration [s]: one step of a history."""

    voltage: Annotated[float, Quantity("voltage", "-100 V", "100 V")]
    duration: Annotated[float, Quantity("time", "1 fs", "1e12 s")]


class History(Record):
    """Initial state left by these voltages, in order, on a uniform film."""

    history: Annotated[tuple[Write, ...], Field(min_length=1, max_length=1000)]


class FromResult(Record):
    """Initial state equal to the last state in a result file, of this version or of 0.1.0."""

    result: Annotated[str, Field(min_length=1)]


class FromProfile(Record):
    """Initial state from a text file of concentrations, which replace `density`."""

    profile: Annotated[str, Field(min_length=1)]


def form_of_initial(value: object) -> str:
    """Tag of the form of `initial` that a value has. What has no known form is taken for a name, and refused as one."""
    for name, form in (("result", FromResult), ("profile", FromProfile)):
        if isinstance(value, form) or (isinstance(value, dict) and name in value):
            return name
    return "history" if isinstance(value, History | dict) else "name"


Initial = Annotated[
    Annotated[Literal["uniform", "equilibrium"], Tag("name")]
    | Annotated[History, Tag("history")]
    | Annotated[FromResult, Tag("result")]
    | Annotated[FromProfile, Tag("profile")],
    Discriminator(form_of_initial),
]


class Ions(Record):
    """The mobile ions (oxygen vacancies): density, hopping, binding at the interfaces, initial state.

    charge : z in elementary charges, without an electron that an ion may hold
    site_density : lattice-gas limit [1/m3]   density : mean over the film [1/m3]
    law : field dependence of the hop ("linear", "mott-gurney", or Genreith-Schriever & De Souza, PRB 94, 224304 (2016))
    hop_distance : effective, along x [m]; the linear law needs none   attempt_frequency : [Hz], caps the drift velocity
    activation_energy : E_a [eV] in the middle of the film and prefactor : [m2/s] of D0 = prefactor exp(-E_a / kT)
    activation_energy_rise : E_a at the right end of the film minus that at the left end [eV]; between them E_a is linear
    ionisation_energy : [eV] below the conduction band, of the one electron that an ion may hold; when absent it holds none
    well_left, well_right : depth [eV] and well_width : [m] of the bound sites at the two interfaces
    initial : "uniform", "equilibrium" (at 0 V), a history of voltages, the end of an earlier result, or the profile in a
        text file, which then says the density as well
    noise : "none" for ions that are a density, "shot" for single ones that hop at random   seed : of these
    """

    charge: Annotated[Count, Field(ge=1, le=4)] = 2
    site_density: Sites
    density: Sites | None = None
    law: Literal[tuple(LAWS)]  # type: ignore[valid-type]  # the names of a table
    hop_distance: HopDistance | None = None
    attempt_frequency: Annotated[float, Quantity("frequency", "1e6 Hz", "1e18 Hz")] = as_text("1e13 Hz")
    activation_energy: Barrier
    activation_energy_rise: Annotated[float, Quantity("energy", "-5 eV", "5 eV")] = as_text("0 eV")
    prefactor: Prefactor
    ionisation_energy: Annotated[float, Quantity("energy", "-5 eV", "5 eV")] | None = None
    well_left: Well = as_text("0 eV")
    well_right: Well = as_text("0 eV")
    well_width: Annotated[float, Quantity("length", "0.01 nm", "100 nm")] = as_text("0.2 nm")
    initial: Initial = "uniform"
    noise: Literal["none", "shot"] = "none"
    seed: Annotated[Count, Field(ge=0, lt=2**63)] = 0

    @field_validator("density")
    @classmethod
    def check_density(cls, density: float | None, info: ValidationInfo) -> float | None:
        sites = info.data.get("site_density", math.inf)  # absent when it is itself invalid
        if density is not None and density >= sites:
            site_density = write(sites, "density")
            raise NotAsExpected(
                f'a density below the site density of "{site_density}"', brief(write(density, "density"))
            )
        return density

    @model_validator(mode="after")
    def check_hop_distance(self) -> Self:
        if self.hop_distance is None and self.law != "linear":
            raise NotAsExpected(f'hop_distance, such as "0.39 nm", beside law = "{self.law}"', "none")
        return self

    @model_validator(mode="after")
    def check_rise(self) -> Self:
        if abs(self.activation_energy_rise) >= 2.0 * self.activation_energy:
            most = write(2.0 * self.activation_energy, "energy")
            expected = f'activation_energy_rise within "{most}" of 0 eV, so that all barriers are above 0 eV'
            raise NotAsExpected(expected, brief(write(self.activation_energy_rise, "energy")))
        return self

    @model_validator(mode="after")
    def check_one_density(self) -> Self:
        profile = isinstance(self.initial, FromProfile)
        if profile == (self.density is not None):
            got = "both" if profile else "neither"
            raise NotAsExpected('either density, such as "3e26 1/m^3", or initial = { profile = "profile.csv" }', got)
        return self


class Published(NamedTuple):
    """One published value: meaning, number in SI (energies in eV), text with its unit, source."""

    name: str
    what: str
    value: float
    text: str
    source: str


@cache
def materials() -> dict[str, Published]:
    """All published values of materials.toml by name."""
    table = tomllib.loads(Path(__file__).with_name("materials.toml").read_text(encoding="utf-8"))
    return {name: read_material(name, **entry) for name, entry in table.items()}


def read_material(name: str, *, what: str, value: str | float, source: str, dimension: str = "") -> Published:
    """One entry of materials.toml. Without `dimension` the value is a plain number."""
    number = parse(str(value), dimension) if dimension else float(value)
    return Published(name, what, number, str(value), source)


def material(name: str) -> Published:
    """A published value by its name in materials.toml. Raises KeyError, which lists the known names."""
    known = materials()
    if name not in known:
        raise KeyError(f"no material value {name!r}; known are {', '.join(sorted(known))}")
    return known[name]

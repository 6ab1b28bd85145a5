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
from otjdd.case.film import AnyFilm, Barrier, HopDistance, LayeredFilm, Prefactor, SiteDensity
from otjdd.case.heat import Heat
from otjdd.case.leaks import AnyLeak, check_names
from otjdd.case.traps import Trap
from otjdd.constants import BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK
from otjdd.errors import NotAsExpected
from otjdd.laws.hopping import LAWS
from otjdd.laws.transmission import MODELS
from otjdd.units import Quantity, brief, parse, write

Well = Annotated[float, Quantity("energy", "-5 eV", "5 eV")]


class Device(Record):
    """The junction: a metal on the left (x = 0), the film, a semiconductor or a metal on the right (x = L, grounded).

    radius : [m] of a circular top electrode   area : [m2] of one of any shape; exactly one of both
    conducting_fraction : share of the area through which electrons pass (inhomogeneous barriers), 0 < f <= 1
    richardson : A* [A/m2/K2] of the electron supply, 156 A/cm2/K2 = 1.3 m0 for Nb:SrTiO3
    transmission : how T(E) is found for recorded currents
    heat : the current warms the junction; None for a junction at the temperature of its surroundings
    leaks : conduction beside the coherent channel; none when absent
    traps : in the film, by way of which electrons pass; none when absent
    """

    radius: Annotated[float, Quantity("length", "1 nm", "10 mm")] | None = Field(
        default=None, description="radius of a circular electrode; one of radius and area", examples=["10 um"]
    )
    area: Annotated[float, Quantity("area", "1 nm^2", "1 cm^2")] | None = Field(
        default=None, description="area of an electrode of another shape; one of radius and area", examples=["25 um^2"]
    )
    conducting_fraction: Annotated[Number, Field(gt=0, le=1)] = Field(
        default=1.0, description="share of the area through which electrons pass", examples=[4.2e-5]
    )
    richardson: Annotated[float, Quantity("Richardson constant", "0.01 A/cm^2/K^2", "1e6 A/cm^2/K^2")] = Field(
        default=as_text("156 A/cm^2/K^2"),
        description="Richardson constant of the electron supply",
        examples=["156 A/cm^2/K^2"],
    )
    transmission: Literal[tuple(MODELS)] = Field(  # type: ignore[valid-type]  # the names of a table
        default="transfer-matrix", description="method for the transmission", examples=["wkb"]
    )
    left: Electrode = Field(title="Electrode", description="electrode at x = 0, to which the voltage is applied")
    film: AnyFilm = Field(title="Film", description="the oxide film")
    right: Electrode = Field(title="Electrode", description="electrode at x = L, grounded")
    heat: Heat | None = Field(
        default=None,
        title="Heat",
        description="heat of the current; the junction stays at the temperature of the case if absent",
    )
    leaks: Annotated[tuple[AnyLeak, ...], Field(min_length=1, max_length=16), AfterValidator(check_names)] | None = (
        Field(
            default=None,
            title="Leak",
            description="currents beside that through the band, a list of tables with a kind; none if absent",
        )
    )

    traps: Annotated[tuple[Trap, ...], Field(min_length=1, max_length=8)] | None = Field(
        default=None,
        title="Trap",
        description="traps in the film, by way of which electrons pass, a list of tables; none if absent",
    )

    @model_validator(mode="after")
    def check_area(self) -> Self:
        if (self.radius is None) == (self.area is None):
            expected = 'either radius, such as "10 um", or area, such as "25 um^2"'
            raise NotAsExpected(expected, "neither" if self.radius is None else "both", "radius")
        return self

    @model_validator(mode="after")
    def check_traps(self) -> Self:
        taken, layers = {"coherent", *(leak.name or leak.kind for leak in self.leaks or ())}, len(self.film.stack)
        for i, trap in enumerate(self.traps or ()):
            if trap.name in taken:
                expected = "a name of their own: other traps, a leak, or the current through the band has this one"
                raise NotAsExpected(expected, brief(trap.name), "traps", i, "name")
            taken.add(trap.name)
            if trap.layer is not None and trap.layer >= layers:
                expected = f"a layer of the film, 0 to {layers - 1}" if layers > 1 else "none: the film has one layer"
                raise NotAsExpected(expected, str(trap.layer), "traps", i, "layer")
            if trap.position is not None and trap.width is not None:
                outside = abs(trap.position - 0.5 * self.film.thickness) + 0.5 * (trap.width - self.film.thickness)
                if outside > 1e-9 * self.film.thickness:  # round-off of a sheet that ends with the film
                    expected = f'a sheet within the film of "{write(self.film.thickness, "length")}"'
                    got = (
                        f"{brief(write(trap.position, 'length'))}, with a width of {brief(write(trap.width, 'length'))}"
                    )
                    raise NotAsExpected(expected, got, "traps", i, "position")
        return self

    @property
    def beside_coherent(self) -> dict[str, AnyLeak | Trap]:
        """Channels of conduction beside the coherent one, by their names in results, in order."""
        leaks = {leak.name or leak.kind: leak for leak in self.leaks or ()}
        return leaks | {trap.name: trap for trap in self.traps or ()}

    @model_validator(mode="after")
    def check_film_states(self) -> Self:
        film = self.film
        unstated = [i for i, layer in enumerate(film.stack) if layer.density_of_states is None]
        if film.electrons != "none" and unstated and self.right.kind == "metal":
            where = f"film.layers[{unstated[0]}]" if isinstance(film, LayeredFilm) else "film"
            raise NotAsExpected(
                f'{where}.density_of_states, such as "1e26 1/m^3", beside electrons in a film on a metal', "none",
                "film", "electrons",
            )  # fmt: skip
        return self

    @model_validator(mode="after")
    def check_image_force(self) -> Self:
        metals = [side for side in (self.left, self.right) if side.kind == "metal"]
        if self.film.image_permittivity is not None and not metals:
            raise NotAsExpected(
                "a metal on one side of a film with image_permittivity", "none", "film", "image_permittivity"
            )
        return self

    def states_of_layers(self, temperature: float) -> list[float]:
        """Densities of states N_c [1/m3] of the layers of the film at a temperature [K], from left to right."""
        given = [layer.density_of_states for layer in self.film.stack]
        return [self.right.states(temperature) if states is None else states for states in given]

    def film_states(self, temperature: float) -> float:
        """Largest density of states N_c [1/m3] of the layers of the film at a temperature [K]."""
        return max(self.states_of_layers(temperature))

    @property
    def junction_area(self) -> float:
        """Area of the top electrode [m2]."""
        return math.pi * self.radius**2 if self.area is None else self.area  # type: ignore[operator]  # one is there

    @property
    def disc_radius(self) -> float:
        """Radius [m] of the disc with the area of the top electrode, for the heat that spreads below it.

        The mean resistance of a square to spreading heat is 0.473/(kappa sqrt(area)) for a uniform flux, that of the disc
        0.479 (Yovanovich and Marotta, Heat Transfer Handbook, 2003, chapter 4).
        """
        return math.sqrt(self.area / math.pi) if self.radius is None else self.radius  # type: ignore[operator]

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
    """Initial state equal to the last state in a result file, of this version or of 0.1.0, with its number of ions."""

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
    site_density : lattice-gas limit [1/m3]   density : mean over the film [1/m3], where no result or profile gives it
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

    charge: Annotated[Count, Field(ge=1, le=4)] = Field(default=2, description="charge number", examples=[2])
    site_density: SiteDensity = Field(description="density of sites", examples=["5e28 1/m^3"])
    density: SiteDensity | None = Field(default=None, description="mean density in the film", examples=["3.7e26 1/m^3"])
    law: Literal[tuple(LAWS)]  # type: ignore[valid-type]  # the names of a table
    hop_distance: HopDistance | None = Field(
        default=None, description="distance of a hop along x", examples=["0.39 nm"]
    )
    attempt_frequency: Annotated[float, Quantity("frequency", "1e6 Hz", "1e18 Hz")] = Field(
        default=as_text("1e13 Hz"), description="attempts of a hop; caps the drift velocity", examples=["1e13 Hz"]
    )
    activation_energy: Barrier = Field(
        description="activation energy of the diffusivity, in the middle of the film", examples=["0.45 eV"]
    )
    activation_energy_rise: Annotated[float, Quantity("energy", "-5 eV", "5 eV")] = Field(
        default=as_text("0 eV"),
        description="its value at the right end minus that at the left end, linear between",
        examples=["-0.2 eV"],
    )
    prefactor: Prefactor = Field(description="prefactor of the diffusivity", examples=["5e-7 m^2/s"])
    ionisation_energy: Annotated[float, Quantity("energy", "-5 eV", "5 eV")] | None = Field(
        default=None,
        description="depth below the band of an electron that an ion may hold; none if absent",
        examples=["0 eV"],
    )
    well_left: Well = Field(
        default=as_text("0 eV"), description="depth of the sites at the left interface", examples=["0.35 eV"]
    )
    well_right: Well = Field(
        default=as_text("0 eV"), description="depth of the sites at the right interface", examples=["1.1 eV"]
    )
    well_width: Annotated[float, Quantity("length", "0.01 nm", "100 nm")] = Field(
        default=as_text("0.2 nm"), description="width of both", examples=["0.29 nm"]
    )
    initial: Initial = Field(default="uniform", description="state to start from", examples=["equilibrium"])
    noise: Literal["none", "shot"] = Field(
        default="none", description='"shot" lets single ions hop at random, "none" a density flow', examples=["shot"]
    )
    seed: Annotated[Count, Field(ge=0, lt=2**63)] = Field(
        default=0, description="of the hops: names the run", examples=[7]
    )

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
            raise NotAsExpected(f'hop_distance, such as "0.39 nm", beside law = "{self.law}"', "none", "law")
        return self

    @model_validator(mode="after")
    def check_rise(self) -> Self:
        if abs(self.activation_energy_rise) >= 2.0 * self.activation_energy:
            most = write(2.0 * self.activation_energy, "energy")
            expected = f'activation_energy_rise within "{most}" of 0 eV, so that all barriers are above 0 eV'
            raise NotAsExpected(expected, brief(write(self.activation_energy_rise, "energy")), "activation_energy_rise")
        return self

    @model_validator(mode="after")
    def check_one_density(self) -> Self:
        profile = isinstance(self.initial, FromProfile)
        if profile == (self.density is not None) and not isinstance(self.initial, FromResult):
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
    values = materials()
    if name not in values:
        raise KeyError(f"no material value {name!r}; known are {', '.join(sorted(values))}")
    return values[name]

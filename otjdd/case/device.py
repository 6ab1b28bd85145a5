"""The junction and its circuit as frozen records: [device], [ions], [circuit]; `film` and `electrodes` have its parts.

x runs from the left electrode (x = 0) to the right one (x = L), which is grounded; voltages are of the left one.
Electron energies count from the Fermi level of the right electrode. Published values with their sources: `material`.
"""

import math
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from otjdd.case.base import Count, Hertz, Number, Quantity, Record, form_by, key
from otjdd.case.electrodes import Electrode
from otjdd.case.film import AnyFilm, HopBarrier, HopDistance, LayeredFilm, Prefactor, SiteDensity
from otjdd.case.traps import AnyLeak, Trap, check_names
from otjdd.constants import BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK
from otjdd.errors import NotAsExpected
from otjdd.laws import HOPPING_LAWS, TRANSMISSION_MODELS
from otjdd.units import brief, parse, write

SPREADING = "spreading"


class Heat(Record):
    """Joule heat of the current: C dT/dt = share I V_j - (T - T0)/R, with T0 the temperature of the case.

    resistance : or "spreading": 1/(4 kappa r) of a disc of the junction's radius r on a half space
    share : the rest warms what is in series with the junction
    of : one temperature for the "junction", or one for each of its "columns", which exchange no heat: the resistance of a
        column is the one of the junction over its share of the area
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
        "heat capacity, instead of the time constant", None, example="1e-17 J/K", instead_of=("time_constant",)
    )
    share: Annotated[Number, Field(gt=0, le=1)] = key(
        "fraction of the power I V_j that heats the junction", 1.0, example=0.5
    )
    of: Literal["junction", "columns"] = key("what has a temperature of its own", "junction", example="columns")

    @model_validator(mode="after")
    def check_conductivity(self) -> Self:
        spreads = self.resistance == SPREADING
        if spreads and self.conductivity is None:
            raise NotAsExpected('conductivity, such as "11 W/m/K", with resistance = "spreading"', "none")
        if not spreads and self.conductivity is not None:
            raise NotAsExpected('resistance = "spreading" with conductivity', "a resistance in K/W")
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


ONE_AREA = "the junction has one area, of which a kind has a share"
Well = Annotated[float, Quantity("energy", "-5 eV", "5 eV")]


class Device(Record):
    """The junction: a metal on the left (x = 0), the film, a semiconductor or a metal on the right (x = L, grounded).

    conducting_fraction : of inhomogeneous barriers   richardson : A*, 156 A/cm2/K2 = 1.3 m0 for Nb:SrTiO3
    """

    radius: Annotated[float, Quantity("length", "1 nm", "10 mm")] | None = key(
        "radius of a circular electrode; one of radius and area",
        None,
        example="10 um",
        instead_of=("area",),
        shared=ONE_AREA,
    )
    area: Annotated[float, Quantity("area", "1 nm^2", "1 cm^2")] | None = key(
        "area of an electrode of another shape; one of radius and area", None, example="25 um^2", shared=ONE_AREA
    )
    conducting_fraction: Annotated[Number, Field(gt=0, le=1)] = key(
        "fraction of the area through which electrons pass", 1.0, example=4.2e-5
    )
    richardson: Annotated[float, Quantity("Richardson constant", "0.01 A/cm^2/K^2", "1e6 A/cm^2/K^2")] = key(
        "Richardson constant of the electron supply", "156 A/cm^2/K^2", example="156 A/cm^2/K^2"
    )
    transmission: Literal[tuple(TRANSMISSION_MODELS)] = key(  # type: ignore[valid-type]  # the names of a table
        "method for the transmission", "transfer-matrix", example="wkb", shared="one method finds all currents"
    )
    left: Electrode = key("electrode at x = 0, to which the voltage is applied", title="Electrode")
    film: AnyFilm = key("the oxide film", title="Film")
    right: Electrode = key("electrode at x = L, grounded", title="Electrode", spread=False)
    heat: Heat | None = key(
        "heat of the current; default: the temperature of the case",
        None,
        title="Heat",
        shared="the junction has one thermal resistance and one time constant",
    )
    leaks: Annotated[tuple[AnyLeak, ...], Field(min_length=1, max_length=16), AfterValidator(check_names)] | None = key(
        "currents in parallel with the one through the band, a list of tables with a kind; default: none",
        None,
        title="Leak",
        shared="all columns have the same leaks",
    )

    traps: Annotated[tuple[Trap, ...], Field(min_length=1, max_length=8)] | None = key(
        "traps in the film, by way of which electrons pass, a list of tables; default: none",
        None,
        title="Trap",
        shared="all columns have the same traps",
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
                    position, width = (brief(write(size, "length")) for size in (trap.position, trap.width))
                    raise NotAsExpected(expected, f"{position}, with a width of {width}", "traps", i, "position")
        return self

    @property
    def beside_coherent(self) -> dict[str, AnyLeak | Trap]:
        """Channels of conduction besides the coherent one, by their names in results, in order."""
        leaks = {leak.name or leak.kind: leak for leak in self.leaks or ()}
        return leaks | {trap.name: trap for trap in self.traps or ()}

    @model_validator(mode="after")
    def check_film_states(self) -> Self:
        film = self.film
        unstated = [i for i, layer in enumerate(film.stack) if layer.density_of_states is None]
        if film.electrons != "none" and unstated and self.right.kind == "metal":
            where = f"film.layers[{unstated[0]}]" if isinstance(film, LayeredFilm) else "film"
            raise NotAsExpected(
                f'{where}.density_of_states, such as "1e26 1/m^3", with electrons in a film on a metal', "none",
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

        The mean resistance of a square to spreading heat is 0.473/(kappa sqrt(area)) for a uniform flux, of the disc
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
    """Initial state left by these voltages of the source, in order, on a uniform film."""

    history: Annotated[tuple[Write, ...], Field(min_length=1, max_length=1000)]


class FromResult(Record):
    """Initial state equal to the last state in a result file, of this version or of 0.1.0, with its number of ions."""

    result: Annotated[str, Field(min_length=1)]


class FromProfile(Record):
    """Initial state from a text file of concentrations, which replace `density`."""

    profile: Annotated[str, Field(min_length=1)]


Initial = Annotated[
    Annotated[Literal["uniform", "equilibrium"], Tag("name")]
    | Annotated[History, Tag("history")]
    | Annotated[FromResult, Tag("result")]
    | Annotated[FromProfile, Tag("profile")],
    Discriminator(form_by({"result": "result", "profile": "profile", dict: "history"}, "name")),
]


class Ions(Record):
    """The mobile ions (oxygen vacancies): density, hopping, binding at the interfaces, initial state.

    charge : without an electron that an ion may hold   density : where no result or profile gives it
    law : field dependence of the hop ("linear", "mott-gurney", or Genreith-Schriever & De Souza, PRB 94, 224304 (2016))
    initial : "uniform", "equilibrium" (at 0 V), a history of voltages, the end of an earlier result, or the profile in a
        text file, which then says the density as well
    """

    charge: Annotated[Count, Field(ge=1, le=4)] = key("charge number", 2, example=2)
    site_density: SiteDensity = key("density of sites", example="5e28 1/m^3", of_material=True)
    density: SiteDensity | None = key("mean density in the film", None, example="3.7e26 1/m^3", spread="1e30 1/m^3")
    law: Literal[tuple(HOPPING_LAWS)]  # type: ignore[valid-type]  # the names of a table
    hop_distance: HopDistance | None = key("distance of a hop along x", None, example="0.39 nm", of_material=True)
    attempt_frequency: Annotated[float, Quantity("frequency", "1e6 Hz", "1e18 Hz")] = key(
        "attempts of a hop; caps the drift velocity", "1e13 Hz", example="1e13 Hz"
    )
    activation_energy: HopBarrier = key(
        "activation energy of the diffusivity, in the middle of the film",
        example="0.45 eV",
        spread="1 eV",
        of_material=True,
    )
    activation_energy_rise: Annotated[float, Quantity("energy", "-5 eV", "5 eV")] = key(
        "its value at the right end minus that at the left end, linear between",
        "0 eV",
        example="-0.2 eV",
        of_material=True,
    )
    prefactor: Prefactor = key("prefactor of the diffusivity", example="5e-7 m^2/s", of_material=True)
    ionisation_energy: Annotated[float, Quantity("energy", "-5 eV", "5 eV")] | None = key(
        "depth below the band of an electron that an ion may hold; default: none", None, example="0 eV"
    )
    well_left: Well = key(
        "depth of the sites at the left interface", "0 eV", example="0.35 eV", spread="1 eV", of_material=True
    )
    well_right: Well = key(
        "depth of the sites at the right interface", "0 eV", example="1.1 eV", spread="1 eV", of_material=True
    )
    well_width: Annotated[float, Quantity("length", "0.01 nm", "100 nm")] = key(
        "width of both", "0.2 nm", example="0.29 nm"
    )
    initial: Initial = key(
        "state to start from",
        "uniform",
        example="equilibrium",
        shared="all columns start in the same way",
        replaced=True,
    )
    noise: Literal["none", "shot"] = key(
        '"shot" lets discrete ions hop stochastically, "none" a density flow',
        "none",
        example="shot",
        shared="the ions of all columns hop stochastically, or no ions do",
    )
    seed: Annotated[Count, Field(ge=0, lt=2**63)] = key(
        "of the hops: names the run",
        0,
        example=7,
        shared="the junction has one seed, each column its own numbers of it",
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
            raise NotAsExpected(f'hop_distance, such as "0.39 nm", with law = "{self.law}"', "none", "law")
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
    values = {}
    for name, entry in table.items():
        text, dimension = str(entry["value"]), entry.get("dimension")
        number = parse(text, dimension) if dimension else float(text)
        values[name] = Published(name, entry["what"], number, text, entry["source"])
    return values


def material(name: str) -> Published:
    """A published value by its name in materials.toml. Raises KeyError, which lists the known names."""
    values = materials()
    if name not in values:
        raise KeyError(f"no material value {name!r}; known are {', '.join(sorted(values))}")
    return values[name]


Ohms = Annotated[float, Quantity("resistance", "0 ohm", "1e15 ohm")]
Farads = Annotated[float, Quantity("capacitance", "0 F", "1 F")]
CurrentLimit = Annotated[float, Quantity("current", "1e-18 A", "1e6 A")]
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
    bandwidth: Hertz | None = key(
        "bandwidth of the instrument, one pole that `current` passes; reads stay",
        None,
        example="5 MHz",
        instead_of=("time_constant",),
    )
    time_constant: TimeConstant | None = key("the same as a time", None, example="1 us")

    @model_validator(mode="after")
    def _one_pole(self) -> Self:
        if self.bandwidth is not None and self.time_constant is not None:
            raise ValueError("bandwidth and time_constant state the same: give one of them")
        return self

    @property
    def tau(self) -> float:
        """Time constant of the read-out [s]; 0 for an ideal one."""
        if self.bandwidth is not None:
            return 1 / (2 * math.pi * self.bandwidth)
        return self.time_constant or 0.0

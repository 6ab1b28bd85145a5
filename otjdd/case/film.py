"""The oxide film as frozen records: one material, or layers of several, from left to right; and its polarisation.

Both have a `thickness`, a number of `cells` and a `stack` of layers: a film of one material is a stack of one layer. The
solver takes the numbers of the layers from `stack`, and does not ask how the film was written. Each law of
`mechanisms.polarisation` has its own record.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from otjdd.case.base import Count, Mass, Material, Number, Quantity, Record, facts_of, form_by, key
from otjdd.case.electrodes import Permittivity
from otjdd.case.problem import KeyPath
from otjdd.errors import NotAsExpected
from otjdd.units import brief, write

FieldStrength = Annotated[float, Quantity("field", "1e3 V/m", "1e12 V/m")]
Share = Annotated[Number, Field(ge=-1, le=1)]
TIME = "device.film.polarisation.time"  # key of a spread
FEWEST_STEPS = 8  # fewest steps of a sweep from 0 V to its largest voltage that resolve a loop of the polarisation
ONE_LAW = "the films of all columns follow one law"


class Polarisation(Record):
    """Keys of all laws. P is uniform through the film, and positive if it points to the right electrode.

    saturation : P_s, at reference_temperature if there is a curie_temperature, else at any temperature
    curie_temperature : T_c of P_s(T) = P_s [(T_c - T)/(T_c - T_ref)]^(1/2), with T the temperature of the case
    """

    saturation: Annotated[float, Quantity("polarisation", "1e-6 C/m^2", "3 C/m^2")] = key(
        "P_s of the film", example="27 uC/cm^2"
    )
    initial: Share = key("P at the start over P_s, positive towards the right electrode", 0.0, example=-1)
    offset_field: Annotated[float, Quantity("field", "-1e10 V/m", "1e10 V/m")] = key(
        "field by which the loop is shifted (imprint)", "0 V/m", example="0.2 MV/cm"
    )
    curie_temperature: Annotated[float, Quantity("temperature", "1 K", "5000 K")] | None = key(
        "P_s falls to 0 there, as a square root; default: constant", None, example="720 K"
    )
    reference_temperature: Annotated[float, Quantity("temperature", "1 K", "5000 K")] = key(
        "temperature at which P_s is the one given", "300 K", example="300 K"
    )

    @model_validator(mode="after")
    def check_curie(self) -> Self:
        if self.curie_temperature is not None and self.curie_temperature <= self.reference_temperature:
            expected = f'a curie_temperature above the reference_temperature of "{self.reference_temperature:g} K"'
            raise NotAsExpected(expected, f'"{self.curie_temperature:g} K"')
        return self

    def saturation_at(self, temperature: float) -> float:
        """P_s [C/m2] at a temperature [K]; 0 at the Curie temperature and above."""
        if self.curie_temperature is None:
            return float(self.saturation)
        below = (self.curie_temperature - temperature) / (self.curie_temperature - self.reference_temperature)
        return float(self.saturation * max(below, 0.0) ** 0.5)


class TwoLevel(Polarisation):
    """Thermally activated switching between two levels, with the rates (kT/h) exp{-[w_b -+ (E - E_off) d_e]/kT}."""

    law: Literal["two-level"] = key("", shared=ONE_LAW)
    barrier: Annotated[float, Quantity("energy", "0.01 eV", "20 eV")] = key(
        "barrier w_b between the two levels", example="1.05 eV"
    )
    dipole_length: Annotated[float, Quantity("length", "0.01 nm", "1 um")] = key(
        "length d_e over which a field shifts the levels", example="7.5 nm"
    )


class MerzKai(Polarisation):
    """Nucleation and growth: P reverses as 1 - exp[-(t/tau)^n], tau = tau0 exp[(E_a/E)^alpha]."""

    law: Literal["merz-kai"] = key("", shared=ONE_LAW)
    time: Annotated[float, Quantity("time", "1 fs", "1e12 s")] = key(
        "switching time tau0 in the highest field", example="1 ns", spread="1e12 s"
    )
    activation_field: FieldStrength = key("E_a of tau = tau0 exp[(E_a/E)^alpha]", example="10 MV/cm")
    exponent: Annotated[Number, Field(ge=0.1, le=10)] = key("alpha of the same", 1.0, example=2)
    dimension: Annotated[Number, Field(ge=1, le=4)] = key("n of 1 - exp[-(t/tau)^n]", 2.0, example=1)


class NucleationLimited(MerzKai):
    """Regions that switch independently, each like `MerzKai`: the columns, which have a spread of the key `time`."""

    law: Literal["nls"] = key("", shared=ONE_LAW)  # type: ignore[assignment]  # another name of the same record


AnyPolarisation = Annotated[TwoLevel | MerzKai | NucleationLimited, Field(discriminator="law")]


def faults_of_polarisation(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case
    """(path, expected, got) of each contradiction between the polarisation and the rest of a case."""
    polar, table = case.device.film.polarisation, ("device", "film", "polarisation")
    all_columns = [case.columns, *(case.columns.kinds or ())]
    spread = next((columns for columns in all_columns if columns.spread and TIME in columns.spread), None)
    if spread is not None and not isinstance(polar, MerzKai):
        of_time = ("columns", "spread", TIME)
        yield of_time, 'a film whose polarisation has a time (law = "merz-kai" or "nls")', "none"
    if polar is None:
        return
    if polar.law == "nls" and spread is None:
        yield (*table, "law"), f'"merz-kai", or with "nls" a spread of "{TIME}" in [columns]', '"nls"'
    if polar.saturation_at(case.temperature) == 0.0:
        expected = f'above the temperature of the case, "{case.temperature:g} K"; without [{".".join(table)}] beyond it'
        yield (*table, "curie_temperature"), expected, brief(write(polar.curie_temperature, "temperature"))
    drive = case.drive
    if drive.kind in ("triangle", "cv") and drive.step is not None and drive.path is not None:
        finest = max(map(abs, drive.path)) / FEWEST_STEPS
        if drive.step > finest * (1.0 + 1e-9):
            expected = f'a step of at most "{write(finest, "voltage")}" for a loop of the polarisation'
            yield ("drive", "step"), expected, brief(write(drive.step, "voltage"))


FEWEST_CELLS = 8
MOST_CELLS = 4096
MOST_LAYERS = 16
FEWEST_CELLS_OF_LAYER = 4
ONE_GRID = "all columns have one grid"
ALL_HOLD_ELECTRONS = "the films of all columns hold electrons, or none does"
ALL_HAVE_AN_IMAGE_FORCE = "the image force acts in all columns, or in none"
Thickness = Annotated[float, Quantity("length", "0.1 nm", "100 nm")]
Grading = Annotated[Number, Field(ge=1, le=1e4)]
ImagePermittivity = Annotated[Number, Field(ge=1, le=1e4)]
FixedCharge = Annotated[float, Quantity("density", "-1e29 1/m^3", "1e29 1/m^3")]
States = Annotated[float, Quantity("density", "1e18 1/m^3", "1e30 1/m^3")]
SiteDensity = Annotated[float, Quantity("density", "1 1/m^3", "1e30 1/m^3")]
HopDistance = Annotated[float, Quantity("length", "0.01 nm", "10 nm")]
HopBarrier = Annotated[float, Quantity("energy", "0.01 eV", "5 eV")]
Prefactor = Annotated[float, Quantity("diffusivity", "1e-20 m^2/s", "1 m^2/s")]
Energy = Annotated[float, Quantity("energy", "-5 eV", "5 eV")]


class Sheet(Record):
    """What a film of one material and each of several layers state. Charges are elementary charges per volume.

    density_of_states : N_c [1/m3], at any temperature
    """

    material: Material | None = key("name of its material; no number depends on it", None, example="SrTiO3")
    thickness: Thickness = key("thickness", example="2.8 nm", spread="100 nm")
    cells: Annotated[Count, Field(ge=FEWEST_CELLS_OF_LAYER, le=MOST_CELLS)] = key(
        "number of its cells", 60, example=60, shared=ONE_GRID
    )
    grading: Grading = key(
        "largest over smallest of its cells, which are finer at both ends", 20.0, example=20, shared=ONE_GRID
    )
    permittivity: Permittivity = key("permittivity, a table with a law", title="Permittivity", of_material=True)
    fixed_charge: FixedCharge = key(
        "immobile charge, in elementary charges, with its sign", "0 1/m^3", example="-1e25 1/m^3", of_material=True
    )
    tunnelling_mass: Mass = key("mass under the barrier, in electron masses", 1.0, example=0.42, of_material=True)
    density_of_states: States | None = key(
        "density of states of its electrons; default: the right electrode's", None, example="1e26 1/m^3",
        of_material=True,
    )  # fmt: skip


class Layer(Sheet):
    """One layer of a film, with its part of the grid, and what its vacancies see there."""

    band_offset: Energy = key("conduction band edge relative to the first layer", "0 eV", example="-1.2 eV")
    ions: Literal["mobile", "none"] = key(
        "mobile ions, or none: a layer without sites, which no ion enters", "mobile", example="none"
    )
    site_density: SiteDensity | None = key(
        "sites of ions per volume; default: the value of [ions]", None, example="5e28 1/m^3"
    )
    activation_energy: HopBarrier | None = key(
        "migration barrier; default: the value of [ions]", None, example="0.9 eV"
    )
    prefactor: Prefactor | None = key(
        "prefactor of the diffusivity; default: the value of [ions]", None, example="1e-7 m^2/s"
    )
    hop_distance: HopDistance | None = key("hop distance; default: the value of [ions]", None, example="0.26 nm")
    site_energy: Energy = key("energy of a vacancy in the layer", "0 eV", example="-0.1 eV")
    interface_barrier: HopBarrier | None = key(
        "barrier of the hop to the next layer; default: none", None, example="0.9 eV"
    )

    @property
    def mobile(self) -> bool:
        """True where it has sites of ions."""
        return self.ions == "mobile"

    def sites(self, otherwise: float) -> float:
        """Sites of ions per volume [1/m3], from [ions] where the layer states none; 0 in a layer without ions."""
        own = otherwise if self.site_density is None else self.site_density
        return own if self.mobile else 0.0

    @model_validator(mode="after")
    def check_ions(self) -> Self:
        given = {name: "a value" for name in (*OF_IONS, "interface_barrier") if getattr(self, name) is not None}
        if self.site_energy != 0.0:
            given["site_energy"] = brief(write(self.site_energy, "energy"))
        for name, got in given.items() if not self.mobile else ():
            raise NotAsExpected(f'no {name} with ions = "none": the layer has no sites', got, name)
        return self


OF_IONS = "site_density", "activation_energy", "prefactor", "hop_distance"  # from [ions] where a layer states none
ANY_LAYER = Layer.model_validate({"thickness": "1 nm", "permittivity": {"law": "linear", "eps_r": 1}})


class Film(Sheet):
    """A film of one material, and its grid.

    image_permittivity : of high frequencies, of the image force in T(E)
    electrons : "none", or in "balance" with the contact on their side of the barrier (`mechanisms.electrons.density`)
    """

    cells: Annotated[Count, Field(ge=FEWEST_CELLS, le=MOST_CELLS)] = key(
        "number of cells of the grid", 140, example=100, shared=ONE_GRID
    )
    image_permittivity: ImagePermittivity | None = key(
        "permittivity of the image force at metals, in T(E) alone; default: none", None, example=5.3,
        of_material=True, shared=ALL_HAVE_AN_IMAGE_FORCE,
    )  # fmt: skip
    electrons: Literal["none", "balance"] = key(
        "free electrons in the film", "none", example="balance", shared=ALL_HOLD_ELECTRONS
    )
    polarisation: AnyPolarisation | None = key(
        "polarisation of a ferroelectric film, a table with a law; default: none", None, title="Polarisation",
        not_with_layers="a ferroelectric layer among others is not modelled",
    )  # fmt: skip

    @property
    def stack(self) -> tuple[Layer, ...]:
        """The film as its one layer."""
        return (ANY_LAYER.model_copy(update={name: getattr(self, name) for name in Sheet.model_fields}),)

    @property
    def mobile_thickness(self) -> float:
        """Thickness of what has sites of ions [m]: all of it."""
        return self.thickness

    def with_cells(self, cells: int) -> "Film":
        """The film on a grid of another number of cells."""
        return self.model_copy(update={"cells": cells})


NOT_WITH_LAYERS = {name: why for name, field in Film.model_fields.items() if (why := facts_of(field).not_with_layers)}


class LayeredFilm(Record):
    """A film of several layers, from left to right.

    The barrier or offset of the left electrode is against the first layer, of the right one against the last.
    """

    model_config = ConfigDict(title="Film of several layers")

    layers: Annotated[tuple[Layer, ...], Field(min_length=1, max_length=MOST_LAYERS)] = key(
        "layers from left to right, a table each, instead of the keys of a film of one material",
        title="A layer of a film",
        shared="all columns have the same layers",
        removable=True,
    )
    image_permittivity: ImagePermittivity | None = key(
        "permittivity of the image force at metals, in T(E) alone, one for all layers; default: none", None, example=5.3,
        shared=ALL_HAVE_AN_IMAGE_FORCE,
    )  # fmt: skip
    electrons: Literal["none", "balance"] = key(
        "free electrons in the film", "none", example="balance", shared=ALL_HOLD_ELECTRONS
    )

    @model_validator(mode="before")
    @classmethod
    def check_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for name in value:
            if name in Sheet.model_fields:
                raise NotAsExpected(f"no {name} with layers, each of which states its own", "both", name)
            if name in NOT_WITH_LAYERS and value[name] not in (None, "none"):
                raise NotAsExpected(f"no {name} with layers: {NOT_WITH_LAYERS[name]}", "both", name)
        return {name: inner for name, inner in value.items() if name not in NOT_WITH_LAYERS}

    @model_validator(mode="after")
    def check_layers(self) -> Self:
        first, last = self.layers[0], self.layers[-1]
        if first.band_offset != 0.0:
            got = brief(write(first.band_offset, "energy"))
            raise NotAsExpected('"0 eV": offsets count from the first layer', got, "layers", 0, "band_offset")
        if last.interface_barrier is not None:
            got, place = brief(write(last.interface_barrier, "energy")), ("layers", len(self.layers) - 1)
            raise NotAsExpected("none in the last layer, which has no next one", got, *place, "interface_barrier")
        for i, (layer, right) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            if layer.interface_barrier is not None and right.ions == "none":
                got = brief(write(layer.interface_barrier, "energy"))
                raise NotAsExpected("none with a layer without sites of ions", got, "layers", i, "interface_barrier")
        if all(layer.ions == "none" for layer in self.layers):
            raise NotAsExpected('a layer with ions = "mobile"', '"none" in all layers', "layers")
        if self.cells > MOST_CELLS:
            raise NotAsExpected(f"at most {MOST_CELLS} cells in all layers together", f"{self.cells}", "layers")
        return self

    @property
    def polarisation(self) -> None:
        """None: no film of several layers is polarised."""

    @property
    def stack(self) -> tuple[Layer, ...]:
        """The layers."""
        return self.layers

    @property
    def material(self) -> str | None:
        """Names of the materials from left to right; None where a layer has none."""
        names = [layer.material for layer in self.layers]
        return " | ".join(name for name in names if name) if all(names) else None

    @property
    def thickness(self) -> float:
        """Thickness of all layers [m]."""
        return sum(layer.thickness for layer in self.layers)

    @property
    def mobile_thickness(self) -> float:
        """Thickness of the layers that have sites of ions [m]."""
        return sum(layer.thickness for layer in self.layers if layer.mobile)

    @property
    def cells(self) -> int:
        """Number of cells of all layers."""
        return sum(layer.cells for layer in self.layers)

    def with_cells(self, cells: int) -> "LayeredFilm":
        """The film on a grid of about another number of cells, each layer in proportion."""
        whole = self.cells
        fewer = tuple(layer.model_copy(update={"cells": layer.cells * cells // whole}) for layer in self.layers)
        return self.model_copy(update={"layers": fewer})


AnyFilm = Annotated[
    Annotated[Film, Tag("of one")] | Annotated[LayeredFilm, Tag("of layers")],
    Discriminator(form_by({"layers": "of layers"}, "of one")),
]


def faults_of_layers(case: Any) -> Iterator[tuple[KeyPath, str, str]]:
    """(path, expected, got) of each contradiction between the layers of a film and the ions of a case."""
    film, ions = case.device.film, case.ions
    for i, layer in enumerate(film.layers if isinstance(film, LayeredFilm) else ()):
        table: KeyPath = ("device", "film", "layers", i)
        sites = layer.sites(ions.site_density)
        if ions.density is not None and 0.0 < sites <= ions.density:
            expected = f'more sites than the "{write(ions.density, "density")}" of ions.density'
            place = (*table, "site_density") if layer.site_density is not None else table
            yield place, expected, brief(write(sites, "density"))
        if layer.interface_barrier is not None and ions.hop_distance is None:
            expected = 'ions.hop_distance, such as "0.39 nm", with it: the length of the hop over the barrier'
            yield (*table, "interface_barrier"), expected, brief(write(layer.interface_barrier, "energy"))
        if layer.hop_distance is not None and ions.hop_distance is None:
            expected = "ions.hop_distance, with a hop_distance of a layer"
            yield (*table, "hop_distance"), expected, brief(write(layer.hop_distance, "length"))

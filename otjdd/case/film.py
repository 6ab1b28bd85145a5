"""The oxide film as frozen records: one material, or layers of several, from left to right.

Both have a `thickness`, a number of `cells` and a `stack` of layers: a film of one material is a stack of one layer. The
solver takes the numbers of the layers from `stack`, and does not ask how the film was written.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from otjdd.case.base import Count, Mass, Material, Number, Record, as_text
from otjdd.case.numerics import PARTS
from otjdd.case.permittivity import LinearPermittivity, NonlinearPermittivity, Permittivity
from otjdd.case.polarisation import AnyPolarisation
from otjdd.case.problem import KeyPath
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief, write

FEWEST_CELLS = 8
MOST_CELLS = 4096
MOST_LAYERS = 16
FEWEST_CELLS_OF_LAYER = 4
Thickness = Annotated[float, Quantity("length", "0.1 nm", "100 nm")]
Grading = Annotated[Number, Field(ge=1, le=1e4)]
FixedCharge = Annotated[float, Quantity("density", "-1e29 1/m^3", "1e29 1/m^3")]
States = Annotated[float, Quantity("density", "1e18 1/m^3", "1e30 1/m^3")]
SiteDensity = Annotated[float, Quantity("density", "1 1/m^3", "1e30 1/m^3")]
HopDistance = Annotated[float, Quantity("length", "0.01 nm", "10 nm")]
Barrier = Annotated[float, Quantity("energy", "0.01 eV", "5 eV")]
Prefactor = Annotated[float, Quantity("diffusivity", "1e-20 m^2/s", "1 m^2/s")]
Energy = Annotated[float, Quantity("energy", "-5 eV", "5 eV")]


class LayerNumbers(NamedTuple):
    """One layer of a film as numbers, whichever record states them; None where the number is that of [ions]."""

    material: str | None
    thickness: float  # m
    cells: int
    grading: float  # largest over smallest cell
    permittivity: LinearPermittivity | NonlinearPermittivity
    fixed_charge: float  # elementary charges per m3
    tunnelling_mass: float  # m0
    band_offset: float = 0.0  # eV, conduction band minus that of the first layer
    mobile: bool = True  # it has sites of ions
    site_density: float | None = None  # 1/m3
    activation_energy: float | None = None  # eV
    prefactor: float | None = None  # m2/s
    hop_distance: float | None = None  # m
    site_energy: float = 0.0  # eV
    interface_barrier: float | None = None  # eV, of the hop to the next layer
    density_of_states: float | None = None  # 1/m3; None for that of the right electrode

    def sites(self, otherwise: float) -> float:
        """Sites of ions per volume [1/m3], as in [ions] where the layer states none; 0 in a layer without ions."""
        own = otherwise if self.site_density is None else self.site_density
        return own if self.mobile else 0.0


class Film(Record):
    """A film of one material, and its grid.

    material : its name; no number depends on it
    thickness : L [m]   cells : number of cells   grading : size of the largest cell over that of the smallest
    fixed_charge : immobile charge in elementary charges per volume [1/m3], with its sign
    tunnelling_mass : [m0] of the electron under the barrier
    image_permittivity : relative permittivity, of high frequencies, of the image force in T(E); no force when absent
    electrons : "none", or in "balance" with the contact on their side of the barrier (`physics.film_electrons`)
    density_of_states : N_c [1/m3] of the film as given, at any temperature; that of the right electrode when absent
    polarisation : of a ferroelectric film (`physics.polarisation`); none when absent
    """

    material: Material | None = Field(
        default=None, description="name of its material; no number depends on it", examples=["SrTiO3"]
    )
    thickness: Thickness = Field(description="thickness L", examples=["2.8 nm"])
    cells: Annotated[Count, Field(ge=FEWEST_CELLS, le=MOST_CELLS)] = Field(
        default=140, description="number of cells of the grid", examples=[100]
    )
    grading: Grading = Field(default=20.0, description="largest over smallest cell", examples=[20])
    permittivity: Permittivity = Field(title="Permittivity", description="permittivity, a table with a law")
    fixed_charge: FixedCharge = Field(
        default=as_text("0 1/m^3"),
        description="immobile charge, in elementary charges, with its sign",
        examples=["-1e25 1/m^3"],
    )
    tunnelling_mass: Mass = Field(
        default=1.0, description="mass under the barrier, in electron masses", examples=[0.42]
    )
    image_permittivity: Annotated[Number, Field(ge=1, le=1e4)] | None = Field(
        default=None,
        description="permittivity of the image force at metals, in T(E) alone; without it if absent",
        examples=[5.3],
    )
    electrons: Literal["none", "balance"] = Field(
        default="none", description="free electrons in the film", examples=["balance"]
    )
    density_of_states: States | None = Field(
        default=None,
        description="density of states of the film; the right electrode's if absent",
        examples=["1e26 1/m^3"],
    )
    polarisation: AnyPolarisation | None = Field(
        default=None,
        title="Polarisation",
        description="polarisation of a ferroelectric film, a table with a law; none if absent",
    )

    @property
    def stack(self) -> tuple[LayerNumbers, ...]:
        """The film as its one layer."""
        return (
            LayerNumbers(
                self.material, self.thickness, self.cells, self.grading, self.permittivity, self.fixed_charge,
                self.tunnelling_mass, density_of_states=self.density_of_states,
            ),
        )  # fmt: skip

    def with_cells(self, cells: int) -> "Film":
        """The film on a grid of another number of cells."""
        return self.model_copy(update={"cells": cells})


class Layer(Record):
    """One layer of a film, with its part of the grid.

    material, thickness, cells, grading, permittivity, fixed_charge, tunnelling_mass, density_of_states : as of a `Film`
    band_offset : conduction band minus that of the first layer [eV]
    ions : "mobile", or "none" for a layer without sites, which no ion enters
    site_density, activation_energy, prefactor, hop_distance : those of [ions] when absent
    site_energy : of a vacancy in the layer [eV]
    interface_barrier : of the hop to the next layer [eV]; when absent the interface is no barrier of its own
    """

    material: Material | None = Field(
        default=None, description="name of its material; no number depends on it", examples=["Al2O3"]
    )
    thickness: Thickness = Field(description="thickness of the layer", examples=["1.3 nm"])
    cells: Annotated[Count, Field(ge=4, le=MOST_CELLS)] = Field(
        default=60, description="number of its cells", examples=[60]
    )
    grading: Grading = Field(
        default=20.0,
        description="largest over smallest of its cells, which are finer at both of its ends",
        examples=[20],
    )
    permittivity: Permittivity = Field(title="Permittivity", description="permittivity, a table with a law")
    fixed_charge: FixedCharge = Field(
        default=as_text("0 1/m^3"),
        description="immobile charge, in elementary charges, with its sign",
        examples=["-1e25 1/m^3"],
    )
    tunnelling_mass: Mass = Field(default=1.0, description="mass under the barrier, in electron masses", examples=[0.3])
    density_of_states: States | None = Field(
        default=None,
        description="density of states of electrons in the layer; the right electrode's if absent",
        examples=["1e26 1/m^3"],
    )
    band_offset: Energy = Field(
        default=as_text("0 eV"), description="conduction band minus that of the first layer", examples=["-1.2 eV"]
    )
    ions: Literal["mobile", "none"] = Field(
        default="mobile",
        description="mobile ions, or none: a layer without sites, which no ion enters",
        examples=["none"],
    )
    site_density: SiteDensity | None = Field(
        default=None, description="sites of ions per volume; that of [ions] if absent", examples=["5e28 1/m^3"]
    )
    activation_energy: Barrier | None = Field(
        default=None, description="migration barrier; that of [ions] if absent", examples=["0.9 eV"]
    )
    prefactor: Prefactor | None = Field(
        default=None, description="prefactor of the diffusivity; that of [ions] if absent", examples=["1e-7 m^2/s"]
    )
    hop_distance: HopDistance | None = Field(
        default=None, description="hop distance; that of [ions] if absent", examples=["0.26 nm"]
    )
    site_energy: Energy = Field(
        default=as_text("0 eV"), description="energy of a vacancy in the layer", examples=["-0.1 eV"]
    )
    interface_barrier: Barrier | None = Field(
        default=None, description="barrier of the hop to the next layer; none of its own if absent", examples=["0.9 eV"]
    )

    @property
    def sheet(self) -> LayerNumbers:
        """The layer as numbers."""
        return LayerNumbers(
            self.material, self.thickness, self.cells, self.grading, self.permittivity, self.fixed_charge,
            self.tunnelling_mass, self.band_offset, self.ions == "mobile", self.site_density, self.activation_energy,
            self.prefactor, self.hop_distance, self.site_energy, self.interface_barrier, self.density_of_states,
        )  # fmt: skip

    @model_validator(mode="after")
    def check_ions(self) -> Self:
        of_ions = ("site_density", "activation_energy", "prefactor", "hop_distance", "interface_barrier")
        for key in of_ions if self.ions == "none" else ():
            if getattr(self, key) is not None:
                raise NotAsExpected(f'no {key} beside ions = "none": the layer has no sites', "a value", key)
        if self.ions == "none" and self.site_energy != 0.0:
            got = write(self.site_energy, "energy")
            raise NotAsExpected(
                'no site_energy beside ions = "none": the layer has no sites', brief(got), "site_energy"
            )
        return self


OF_EACH_LAYER = (  # keys of a film that its layers state
    "material", "thickness", "cells", "grading", "permittivity", "fixed_charge", "tunnelling_mass", "density_of_states",
)  # fmt: skip
NOT_WITH_LAYERS = {  # keys that a film of several layers does not have, and why
    "image_permittivity": "the image force of a stack of several permittivities is not in this model",
    "polarisation": "a ferroelectric layer among others is not in this model",
}


class LayeredFilm(Record):
    """A film of several layers.

    layers : from left to right. The barrier or offset of the left electrode is that against the first layer, that of the
        right electrode against the last one
    electrons : as of a `Film`
    """

    model_config = ConfigDict(title="Film of several layers")

    layers: Annotated[tuple[Layer, ...], Field(min_length=1, max_length=MOST_LAYERS)] = Field(
        title="A layer of a film",
        description="layers from left to right, a table each, in place of the keys of a film of one material",
    )
    electrons: Literal["none", "balance"] = Field(
        default="none", description="free electrons in the film", examples=["balance"]
    )

    @model_validator(mode="before")
    @classmethod
    def check_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for key in value:
            if key in OF_EACH_LAYER:
                raise NotAsExpected(f"no {key} beside layers, each of which states its own", "both", key)
            if key in NOT_WITH_LAYERS and value[key] not in (None, "none"):
                raise NotAsExpected(f"no {key} beside layers: {NOT_WITH_LAYERS[key]}", "both", key)
        return {key: inner for key, inner in value.items() if key not in NOT_WITH_LAYERS}

    @model_validator(mode="after")
    def check_layers(self) -> Self:
        first, last = self.layers[0], self.layers[-1]
        if first.band_offset != 0.0:
            got = brief(write(first.band_offset, "energy"))
            raise NotAsExpected('"0 eV": offsets count from the first layer', got, "layers", 0, "band_offset")
        if last.interface_barrier is not None:
            got = brief(write(last.interface_barrier, "energy"))
            number = len(self.layers) - 1
            raise NotAsExpected(
                "none in the last layer, which has no next one", got, "layers", number, "interface_barrier"
            )
        for i, (layer, right) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            if layer.interface_barrier is not None and right.ions == "none":
                got = brief(write(layer.interface_barrier, "energy"))
                raise NotAsExpected("none beside a layer without sites of ions", got, "layers", i, "interface_barrier")
        if all(layer.ions == "none" for layer in self.layers):
            raise NotAsExpected('a layer with ions = "mobile"', '"none" in all layers', "layers")
        if self.cells > MOST_CELLS:
            raise NotAsExpected(f"{MOST_CELLS} cells at most in all layers together", f"{self.cells}", "layers")
        return self

    @property
    def image_permittivity(self) -> None:
        """None: no image force acts in a film of several layers."""

    @property
    def polarisation(self) -> None:
        """None: no film of several layers is polarised."""

    @property
    def stack(self) -> tuple[LayerNumbers, ...]:
        """The layers as numbers."""
        return tuple(layer.sheet for layer in self.layers)

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
    def cells(self) -> int:
        """Number of cells of all layers."""
        return sum(layer.cells for layer in self.layers)

    @property
    def parted(self) -> bool:
        """True where a layer without sites lies between two with sites."""
        mobile = [i for i, layer in enumerate(self.layers) if layer.ions == "mobile"]
        return mobile[-1] - mobile[0] >= len(mobile)

    def with_cells(self, cells: int) -> "LayeredFilm":
        """The film on a grid of about another number of cells, each layer in proportion."""
        whole = self.cells
        fewer = tuple(layer.model_copy(update={"cells": layer.cells * cells // whole}) for layer in self.layers)
        return self.model_copy(update={"layers": fewer})


def form_of_film(value: object) -> str:
    """Tag of the form of a film that a value has."""
    return (
        "of layers" if isinstance(value, LayeredFilm) or (isinstance(value, dict) and "layers" in value) else "of one"
    )


AnyFilm = Annotated[
    Annotated[Film, Tag("of one")] | Annotated[LayeredFilm, Tag("of layers")], Discriminator(form_of_film)
]


def faults(case: Any) -> Iterator[tuple[KeyPath, str, str, str]]:  # of a Case
    """Path, expected, got and a hint of each contradiction between the layers of a film and the rest of a case."""
    if isinstance(case.device.film, LayeredFilm):
        yield from ((path, expected, got, "") for path, expected, got in faults_of_layers(case))
        yield from faults_of_grids(case)


def faults_of_grids(case: Any) -> Iterator[tuple[KeyPath, str, str, str]]:
    """As `faults`, of layers whose cells do not part into those of coarser grids; the hint has a number that does."""
    parts = PARTS.get(case.numerics.error, (1,))
    for i, layer in enumerate(case.device.film.layers if parts != (1,) else ()):
        if layer.cells % max(parts) or layer.cells // max(parts) < FEWEST_CELLS_OF_LAYER:
            fewest, whole = FEWEST_CELLS_OF_LAYER * max(parts), math.lcm(*parts)
            enough = whole * -(-max(layer.cells, fewest) // whole)
            hint = f"such as {enough}: --set device.film.layers[{i}].cells={enough}"
            expected = f"a multiple of {max(parts)}, of {fewest} at least, beside numerics.error"
            yield ("device", "film", "layers", i, "cells"), expected, str(layer.cells), hint


def faults_of_layers(case: Any) -> Iterator[tuple[KeyPath, str, str]]:
    """(path, expected, got) of each contradiction between the layers of a film and the rest of a case."""
    film, ions = case.device.film, case.ions
    beside = "beside device.film.layers"
    if ions.activation_energy_rise != 0.0:
        got = brief(write(ions.activation_energy_rise, "energy"))
        yield ("ions", "activation_energy_rise"), f"none {beside}: each layer has its own activation_energy", got
    if ions.ionisation_energy is not None:
        got = brief(write(ions.ionisation_energy, "energy"))
        yield ("ions", "ionisation_energy"), f"none {beside}: vacancies there hold no electrons in this model", got
    if ions.noise != "none" and film.parted:
        expected = f'"none" {beside} without sites between others, which part the ions'
        yield ("ions", "noise"), expected, f'"{ions.noise}"'
    rests = ions.initial == "equilibrium" or getattr(case.drive, "settle", False)
    if film.electrons != "none" and rests and film.parted:
        expected = f'"none" {beside} without sites between others, in a film that comes to rest at once'
        yield ("device", "film", "electrons"), expected, f'"{film.electrons}"'
    if isinstance(getattr(ions.initial, "profile", None), str):
        yield (
            ("ions", "initial", "profile"),
            f"another initial state {beside}: a profile is that of one material",
            "a file",
        )
    for columns, path in ((case.columns, ("columns",)), *of_kinds(case)):
        if "device.film.thickness" in (columns.spread or {}):
            expected = f"another key {beside}: kinds of columns may set device.film.layers[0].thickness"
            yield (*path, "spread", "device.film.thickness"), expected, "a spread of the whole film"
    for i, layer in enumerate(film.layers):
        table: KeyPath = ("device", "film", "layers", i)
        sites = layer.sheet.sites(ions.site_density)
        if ions.density is not None and 0.0 < sites <= ions.density:
            expected = f'more sites than the "{write(ions.density, "density")}" of ions.density'
            place = (*table, "site_density") if layer.site_density is not None else table
            yield place, expected, brief(write(sites, "density"))
        if layer.interface_barrier is not None and ions.hop_distance is None:
            expected = 'ions.hop_distance, such as "0.39 nm", beside it: the length of the hop over the barrier'
            yield (*table, "interface_barrier"), expected, brief(write(layer.interface_barrier, "energy"))
        if layer.hop_distance is not None and ions.hop_distance is None:
            yield (
                (*table, "hop_distance"),
                "ions.hop_distance beside that of a layer",
                brief(write(layer.hop_distance, "length")),
            )


def of_kinds(case: Any) -> Iterator[tuple[Any, KeyPath]]:
    """Each kind of columns of a case, and its path."""
    for i, kind in enumerate(case.columns.kinds or ()):
        yield kind, ("columns", "kinds", i)

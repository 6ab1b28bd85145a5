"""Conduction besides the coherent channel: the lists [[device.leaks]] and [[device.traps]] of a case.

`physics.leaks` and `mechanisms.traps` have the equations and kernels. To add a kind of leak, write its record with
`kind`, the columns of its kernel at its keys, and name it in `AnyLeak`.
"""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from otjdd.case.base import Count, Number, Quantity, Record, kernel_numbers, key
from otjdd.case.film import MOST_LAYERS
from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.errors import NotAsExpected
from otjdd.units import brief, write

LeakBarrier = Annotated[float, Quantity("energy", "0 eV", "10 eV")]
Dynamic = Annotated[Number, Field(ge=1, le=1e4)]


class Leak(Record):
    """Keys of all leaks, which pass all of the area of the columns."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = key(
        "name in results; default: the kind", None, example="edge"
    )

    kind: str

    def numbers_by_column(self) -> dict[str, float]:
        """Numbers of its kernel by the names of their columns, see `physics.leaks`."""
        return kernel_numbers(self)

    @property
    def channel(self) -> str:
        """Row of `channels.CODES`."""
        return self.kind

    @property
    def saturating_field(self) -> float:
        """Field [V/m] beyond which no barrier is left, and the prefactor limits the conductance; infinite without one."""
        return math.inf


class OhmicLeak(Leak):
    """A current proportional to the voltage across the junction."""

    kind: Literal["ohmic"]
    conductance: Annotated[float, Quantity("conductance per area", "1e-12 S/m^2", "1e18 S/m^2")] = key(
        "conductance per area", example="1e6 S/m^2", kernel="PREFACTOR"
    )


class PooleFrenkelLeak(Leak):
    """Electrons that the field frees from traps in the film."""

    kind: Literal["poole-frenkel"]
    conductivity: Annotated[float, Quantity("conductivity", "1e-12 S/m", "1e12 S/m")] = key(
        "conductivity with all electrons free", example="0.1 S/m", kernel="PREFACTOR"
    )
    barrier: LeakBarrier = key("depth of the traps below the band, without a field", example="0.5 eV", kernel="BARRIER")
    permittivity: Dynamic = key(
        "dynamic permittivity, of frequencies at which ions are frozen", example=5.5, kernel="PERMITTIVITY"
    )

    @property
    def saturating_field(self) -> float:
        return self.barrier**2 * math.pi * VACUUM_PERMITTIVITY * self.permittivity / ELEMENTARY_CHARGE


class SchottkyLeak(Leak):
    """Electrons that pass above the barriers of both electrodes in series, each lowered by its image force."""

    kind: Literal["schottky"]
    left_barrier: LeakBarrier = key(
        "barrier above the Fermi level of the left electrode, without a field", example="0.6 eV", kernel="BARRIER"
    )
    right_barrier: LeakBarrier = key("the same at the right electrode", example="0.4 eV", kernel="RIGHT_BARRIER")
    richardson: Annotated[float, Quantity("Richardson constant", "1e-12 A/cm^2/K^2", "1e6 A/cm^2/K^2")] = key(
        "Richardson constant times the fraction of the area that leaks",
        "120 A/cm^2/K^2",
        example="0.01 A/cm^2/K^2",
        kernel="PREFACTOR",
    )
    permittivity: Dynamic = key(
        "dynamic permittivity, of frequencies at which ions are frozen", example=5.5, kernel="PERMITTIVITY"
    )

    @property
    def saturating_field(self) -> float:
        lowest = min(self.left_barrier, self.right_barrier)
        return lowest**2 * 4.0 * math.pi * VACUUM_PERMITTIVITY * self.permittivity / ELEMENTARY_CHARGE


AnyLeak = Annotated[OhmicLeak | PooleFrenkelLeak | SchottkyLeak, Field(discriminator="kind")]


def check_names(leaks: tuple[AnyLeak, ...] | None) -> tuple[AnyLeak, ...] | None:
    """The leaks themselves. Raises NotAsExpected for two of one name, and for the name of the channel through the band."""
    taken = {"coherent"}
    for leak in leaks or ():
        name = leak.name or leak.kind
        if name in taken:
            raise NotAsExpected('leaks with names of their own, such as name = "edge"', brief(name))
        taken.add(name)
    return leaks


LEAST_RELAXATION = 1e-3  # eV: steps over energy are as fine as sqrt(2 relaxation kT)
CHARGES = {"acceptor": -1.0, "donor": 1.0, "none": 0.0}  # kind -> its number in `mechanisms.traps.sites`
FARTHEST = 4.5  # standard deviations of the depth, where a spread ends
Frequency = Annotated[float, Quantity("frequency", "0 Hz", "1e18 Hz")]


class Trap(Record):
    """Traps of one kind, in the film or in a part of it.

    kind : charge that they carry: "acceptor", a filled one is negative; "donor", an empty one is positive; "none"
    frenkel_permittivity : of the thermal path over the band, lowered by the field
    """

    channel: ClassVar[str] = "traps"  # row of `channels.CODES`

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)] = key(
        "name in results", example="oxygen vacancies"
    )
    kind: Literal["acceptor", "donor", "none"] = key(
        'charge that they carry: "acceptor" -e if filled, "donor" e if empty, "none" a current alone',
        example="acceptor",
    )
    density: Annotated[float, Quantity("density", "0 1/m^3", "1e29 1/m^3")] | None = key(
        "traps per volume", None, example="2e25 1/m^3", kernel="DENSITY"
    )
    of: Literal["ions"] | None = key('"ions": traps at the vacancies, instead of a density', None, example="ions")
    per_ion: Annotated[Number, Field(gt=0, le=100)] | None = key("traps at a vacancy; default: 1", None, example=1)
    layer: Annotated[Count, Field(ge=0, lt=MOST_LAYERS)] | None = key(
        "number of the layer that holds them, 0 the first; default: all", None, example=1
    )
    position: Annotated[float, Quantity("length", "0 nm", "1600 nm")] | None = key(
        "centre of a sheet of traps, from the left end of the film", None, example="1.4 nm"
    )
    width: Annotated[float, Quantity("length", "0.01 nm", "1600 nm")] | None = key(
        "width of the sheet", None, example="0.4 nm"
    )
    depth: Annotated[float, Quantity("energy", "0.01 eV", "10 eV")] = key(
        "depth below the conduction band", example="1.2 eV", kernel="DEPTH"
    )
    depth_spread: Annotated[float, Quantity("energy", "0 eV", "1 eV")] = key(
        "standard deviation of a normal spread of depths, which ends at 4.5 of it",
        "0 eV",
        example="0.1 eV",
        kernel="SPREAD",
    )
    relaxation_energy: Annotated[float, Quantity("energy", "0 eV", "5 eV")] = key(
        "energy of the lattice that relaxes as a trap is filled; 0 is elastic",
        "0 eV",
        example="0.7 eV",
        kernel="RELAXATION",
    )
    attempt_frequency: Annotated[float, Quantity("frequency", "1 Hz", "1e18 Hz")] = key(
        "attempts of an electron between trap and electrode", "1e13 Hz", example="1e13 Hz", kernel="ATTEMPTS"
    )
    hop_frequency: Frequency = key(
        "attempts of a hop between traps; 0 for none", "0 Hz", example="1e13 Hz", kernel="HOPS"
    )
    degeneracy: Annotated[Number, Field(ge=0.01, le=100)] = key(
        "states of a filled trap over states of an empty one", 1.0, example=2, kernel="DEGENERACY"
    )
    occupation: Literal["steady", "kinetic"] = key(
        'dynamics: "steady" follows the voltage instantaneously, "kinetic" evolves with the trapping rates',
        "steady",
        example="kinetic",
    )
    initial: Literal["equilibrium", "empty", "full"] | Annotated[Number, Field(ge=0, le=1)] | None = key(
        'initial occupancy of "kinetic" traps; default: equilibrium at 0 V', None, example="empty"
    )
    frenkel_permittivity: Annotated[Number, Field(ge=1, le=1e4)] | None = key(
        "dynamic permittivity of the thermal path over the band; default: none", None, example=5.5, kernel="FRENKEL"
    )

    @model_validator(mode="after")
    def check_limits(self) -> Self:
        if self.initial is not None and not self.kinetic:
            raise NotAsExpected('none with occupation = "steady"', f"{self.initial}", "initial")
        return self

    @model_validator(mode="after")
    def check_amount(self) -> Self:
        if (self.density is None) == (self.of is None):
            got = "neither" if self.of is None else "both"
            raise NotAsExpected('either density, such as "1e25 1/m^3", or of = "ions"', got)
        if self.per_ion is not None and self.of is None:
            raise NotAsExpected('per_ion with of = "ions" alone', brief(f"{self.per_ion:g}"), "per_ion")
        return self

    @model_validator(mode="after")
    def check_place(self) -> Self:
        if (self.position is None) != (self.width is None):
            given, other = ("width", "position") if self.position is None else ("position", "width")
            raise NotAsExpected(f"{other}, which places the sheet, with {given}", "none", other)
        if self.layer is not None and self.position is not None:
            raise NotAsExpected("either a layer, or position and width", "both", "layer")
        return self

    @model_validator(mode="after")
    def check_energies(self) -> Self:
        if self.depth_spread * FARTHEST > self.depth:
            most = write(math.floor(1e4 * self.depth / FARTHEST) / 1e4, "energy")
            expected = f'at most "{most}" at this depth, so that no level of the spread is above the band'
            raise NotAsExpected(expected, brief(write(self.depth_spread, "energy")), "depth_spread")
        if 0.0 < self.relaxation_energy < LEAST_RELAXATION:
            got = brief(write(self.relaxation_energy, "energy"))
            raise NotAsExpected('"0 eV", elastic, or at least "1 meV"', got, "relaxation_energy")
        return self

    @property
    def kinetic(self) -> bool:
        """True where the filling takes time."""
        return self.occupation == "kinetic"

    @property
    def first_filling(self) -> float:
        """Filled share at first, nan for the equilibrium at 0 V."""
        shares = {None: math.nan, "equilibrium": math.nan, "empty": 0.0, "full": 1.0}
        return self.initial if isinstance(self.initial, int | float) else shares[self.initial]

    def numbers_by_column(self) -> dict[str, float]:
        """Numbers of its kernel by the names of their columns, see `mechanisms.traps.sites`."""
        start, end = -math.inf, math.inf
        if self.position is not None and self.width is not None:
            start, end = self.position - 0.5 * self.width, self.position + 0.5 * self.width
        return kernel_numbers(self) | {
            "PER_ION": 0.0 if self.of is None else 1.0 if self.per_ion is None else self.per_ion,
            "START": start,
            "END": end,
            "LAYER": -1.0 if self.layer is None else float(self.layer),
            "CHARGE": CHARGES[self.kind],
            "KINETIC": float(self.kinetic),
        }

"""The list [[device.traps]] of a case: traps in the film, by way of which electrons pass.

`physics.traps` has the equations and kernels.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from otjdd.case.base import Count, Number, Record, as_text
from otjdd.case.exchange import exchanges
from otjdd.case.film import MOST_LAYERS
from otjdd.case.problem import KeyPath
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief, write

LEAST_RELAXATION = 1e-3  # eV: steps over energy are as fine as sqrt(2 relaxation kT)
CHARGES = {"acceptor": -1.0, "donor": 1.0, "none": 0.0}  # kind -> its number in `physics.traps.sites`
FARTHEST = 4.5  # standard deviations of the depth, where a spread ends
Frequency = Annotated[float, Quantity("frequency", "0 Hz", "1e18 Hz")]


class Trap(Record):
    """Traps of one kind, in the film or in a part of it.

    kind : charge that they carry: "acceptor", a filled one is negative; "donor", an empty one is positive; "none"
    density : [1/m3]; or of = "ions" and per_ion, for traps at the vacancies
    layer : number of the layer that holds them, 0 the first; or position and width of a sheet [m]; else the whole film
    depth, depth_spread : [eV] below the conduction band, and the standard deviation of a normal spread
    relaxation_energy : [eV] of the lattice as a trap is filled; 0 for elastic tunnelling
    attempt_frequency, hop_frequency : [Hz] of exchange with electrodes and between traps   degeneracy : of a filled trap
    frenkel_permittivity : relative, dynamic: of the thermal path over the band, lowered by the field; none when absent
    """

    channel: ClassVar[str] = "traps"  # row of `channels.table.CODES`

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="name in results", examples=["oxygen vacancies"]
    )
    kind: Literal["acceptor", "donor", "none"] = Field(
        description='charge that they carry: "acceptor" -e if filled, "donor" e if empty, "none" a current alone',
        examples=["acceptor"],
    )
    density: Annotated[float, Quantity("density", "0 1/m^3", "1e29 1/m^3")] | None = Field(
        default=None, description="traps per volume", examples=["2e25 1/m^3"]
    )
    of: Literal["ions"] | None = Field(
        default=None, description='"ions": traps at the vacancies, in the place of a density', examples=["ions"]
    )
    per_ion: Annotated[Number, Field(gt=0, le=100)] | None = Field(
        default=None, description="traps at a vacancy; 1 if absent", examples=[1]
    )
    layer: Annotated[Count, Field(ge=0, lt=MOST_LAYERS)] | None = Field(
        default=None, description="number of the layer that holds them, 0 the first; all if absent", examples=[1]
    )
    position: Annotated[float, Quantity("length", "0 nm", "1600 nm")] | None = Field(
        default=None, description="middle of a sheet of traps, from the left end of the film", examples=["1.4 nm"]
    )
    width: Annotated[float, Quantity("length", "0.01 nm", "1600 nm")] | None = Field(
        default=None, description="width of the sheet", examples=["0.4 nm"]
    )
    depth: Annotated[float, Quantity("energy", "0.01 eV", "10 eV")] = Field(
        description="depth below the conduction band", examples=["1.2 eV"]
    )
    depth_spread: Annotated[float, Quantity("energy", "0 eV", "1 eV")] = Field(
        default=as_text("0 eV"),
        description="standard deviation of a normal spread of depths, which ends at 4.5 of it",
        examples=["0.1 eV"],
    )
    relaxation_energy: Annotated[float, Quantity("energy", "0 eV", "5 eV")] = Field(
        default=as_text("0 eV"),
        description="energy of the lattice that relaxes as a trap is filled; 0 is elastic",
        examples=["0.7 eV"],
    )
    attempt_frequency: Annotated[float, Quantity("frequency", "1 Hz", "1e18 Hz")] = Field(
        default=as_text("1e13 Hz"),
        description="attempts of an electron between trap and electrode",
        examples=["1e13 Hz"],
    )
    hop_frequency: Frequency = Field(
        default=as_text("0 Hz"), description="attempts of a hop between traps; 0 for none", examples=["1e13 Hz"]
    )
    degeneracy: Annotated[Number, Field(ge=0.01, le=100)] = Field(
        default=1.0, description="states of a filled trap over those of an empty one", examples=[2]
    )
    occupation: Literal["steady", "kinetic"] = Field(
        default="steady",
        description='filling: "steady" follows the voltage at once, "kinetic" takes the time of its rates',
        examples=["kinetic"],
    )
    initial: Literal["equilibrium", "empty", "full"] | Annotated[Number, Field(ge=0, le=1)] | None = Field(
        default=None,
        description='filled share at first, of a "kinetic" filling: that of rest at 0 V if absent',
        examples=["empty"],
    )
    frenkel_permittivity: Annotated[Number, Field(ge=1, le=1e4)] | None = Field(
        default=None,
        description="dynamic permittivity of the thermal path over the band; none if absent",
        examples=[5.5],
    )

    @model_validator(mode="after")
    def check_limits(self) -> Self:
        if self.initial is not None and not self.kinetic:
            raise NotAsExpected('none beside a filling that is "steady" from the first', f"{self.initial}", "initial")
        if self.kinetic and self.hop_frequency > 0.0:
            expected = '"0 Hz" beside a filling that is "kinetic": hops between such traps are not in this model'
            raise NotAsExpected(expected, brief(write(self.hop_frequency, "frequency")), "hop_frequency")
        if self.kinetic and self.of is not None:
            expected = (
                'a density beside occupation = "kinetic": traps that move with their filling are not in this model'
            )
            raise NotAsExpected(expected, f'"{self.of}"', "of")
        return self

    @model_validator(mode="after")
    def check_amount(self) -> Self:
        if (self.density is None) == (self.of is None):
            got = "neither" if self.of is None else "both"
            raise NotAsExpected('either density, such as "1e25 1/m^3", or of = "ions"', got)
        if self.per_ion is not None and self.of is None:
            raise NotAsExpected('per_ion beside of = "ions" alone', brief(f"{self.per_ion:g}"), "per_ion")
        return self

    @model_validator(mode="after")
    def check_place(self) -> Self:
        if (self.position is None) != (self.width is None):
            given, other = ("width", "position") if self.position is None else ("position", "width")
            raise NotAsExpected(f"{other}, which says where the sheet is, beside {given}", "none", other)
        if self.layer is not None and self.position is not None:
            raise NotAsExpected("either a layer, or position and width", "both", "layer")
        return self

    @model_validator(mode="after")
    def check_energies(self) -> Self:
        if self.depth_spread * FARTHEST > self.depth:
            most = write(self.depth / FARTHEST, "energy")
            expected = f'at most "{most}" at this depth, so that no level of the spread is above the band'
            raise NotAsExpected(expected, brief(write(self.depth_spread, "energy")), "depth_spread")
        if self.depth_spread > 0.0 and self.hop_frequency > 0.0:
            expected = "none beside hop_frequency: hops between traps of unlike depth are not in this model"
            raise NotAsExpected(expected, brief(write(self.depth_spread, "energy")), "depth_spread")
        if 0.0 < self.relaxation_energy < LEAST_RELAXATION:
            got = brief(write(self.relaxation_energy, "energy"))
            raise NotAsExpected('"0 eV", elastic, or "1 meV" at least', got, "relaxation_energy")
        return self

    @property
    def kinetic(self) -> bool:
        """True where the filling takes time."""
        return self.occupation == "kinetic"

    @property
    def first_filling(self) -> float:
        """Filled share at first, nan for that of rest at 0 V."""
        shares = {None: math.nan, "equilibrium": math.nan, "empty": 0.0, "full": 1.0}
        return self.initial if isinstance(self.initial, int | float) else shares[self.initial]

    def numbers(self) -> tuple[float, ...]:
        """Numbers of its kernel, see `physics.traps.sites`."""
        start, end = -math.inf, math.inf
        if self.position is not None and self.width is not None:
            start, end = self.position - 0.5 * self.width, self.position + 0.5 * self.width
        per_ion = 0.0 if self.of is None else 1.0 if self.per_ion is None else self.per_ion
        return (
            self.density or 0.0, per_ion, start, end, -1.0 if self.layer is None else float(self.layer), self.depth,
            self.depth_spread, self.relaxation_energy, self.attempt_frequency, self.hop_frequency, self.degeneracy,
            self.frenkel_permittivity or 0.0, CHARGES[self.kind], float(self.kinetic),
        )  # fmt: skip


def carry_charge(traps: tuple[Trap, ...] | None) -> bool:
    """True where some traps of a device carry charge."""
    return any(trap.kind != "none" for trap in traps or ())


def fill_slowly(traps: tuple[Trap, ...] | None) -> bool:
    """True where the filling of some traps of a device takes time."""
    return any(trap.kinetic for trap in traps or ())


def faults(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case
    """(path, expected, got) of what does not go with the charge of traps of a case."""
    for i, trap in enumerate(case.device.traps or ()):
        if trap.kind != "none":
            for what, is_there in beside_charge(case, trap).items():
                if is_there:
                    yield ("device", "traps", i, "kind"), f'"none" beside {what}', f'"{trap.kind}"'
        if trap.kind == "donor" and trap.of is not None:
            expected = (
                '"acceptor" beside of = "ions": an electron takes from the charge that vacancies have by ions.charge'
            )
            yield ("device", "traps", i, "kind"), expected, '"donor"'


def beside_charge(case: Any, trap: Trap) -> dict[str, bool]:
    """What does not go with the charge of a kind of traps, in words, and whether a case has it."""
    device, drive, ions = case.device, case.drive, case.ions
    return {
        'device.film.electrons = "balance"': device.film.electrons != "none",
        "device.film.polarisation": device.film.polarisation is not None,
        "device.heat": device.heat is not None,
        f'ions.noise = "{ions.noise}"': ions.noise != "none",
        'ions.initial = "equilibrium" and a filling that is "kinetic"': trap.kinetic and ions.initial == "equilibrium",
        f'a drive of the kind "{drive.kind}"': drive.kind in ("cv", "impedance", "patterns"),
        "electrodes that exchange vacancies, in a drive in time": drive.kind != "iv" and bool(exchanges(device)),
        'a filling that is "steady", where vacancies move: take occupation = "kinetic"': (
            not trap.kinetic
            and (drive.kind != "iv" or any(getattr(drive, "states", {}).values()) or hasattr(ions.initial, "history"))
        ),
    }


def faults_of_kinetics(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case
    """(path, expected, got) of what does not go with traps of a case whose filling takes time."""
    kinetic = [i for i, trap in enumerate(case.device.traps or ()) if trap.kinetic]
    beside = {
        'a drive of the kind "patterns": compact models have no filling of traps': case.drive.kind == "patterns",
        'drive.ions = "moving": traps answer a small signal at frozen ions': (
            getattr(case.drive, "ions", "frozen") == "moving"
        ),
        f'ions.noise = "{case.ions.noise}"': case.ions.noise != "none",
    }
    for i in kinetic:
        for what, is_there in beside.items():
            if is_there:
                yield ("device", "traps", i, "occupation"), f'"steady" beside {what}', '"kinetic"'

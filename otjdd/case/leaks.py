"""The list [[device.leaks]] of a case: conduction beside the coherent channel. A new kind of leak has its record here.

`physics.channels.leaks` has the equations and kernels. To add a kind, write its record with `kind` and `numbers()`, in the
order of its kernel, and name it in `AnyLeak`.
"""

import math
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from otjdd.case.base import Number, Record, as_text
from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief

LeakBarrier = Annotated[float, Quantity("energy", "0 eV", "10 eV")]
Dynamic = Annotated[Number, Field(ge=1, le=1e4)]


class Leak(Record):
    """Keys of all leaks, which pass all of the area of the columns.

    name : in results; the kind if absent
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = Field(
        default=None, description="name in results; the kind if absent", examples=["edge"]
    )

    kind: str

    @property
    def channel(self) -> str:
        """Row of `channels.table.CODES`."""
        return self.kind

    @property
    def saturating_field(self) -> float:
        """Field [V/m] beyond which no barrier is left, and the prefactor limits the conductance; infinite without one."""
        return math.inf


class OhmicLeak(Leak):
    """A current proportional to the voltage across the junction. conductance : per area [S/m2]"""

    kind: Literal["ohmic"]
    conductance: Annotated[float, Quantity("conductance per area", "1e-12 S/m^2", "1e18 S/m^2")] = Field(
        description="conductance per area", examples=["1e6 S/m^2"]
    )

    def numbers(self) -> tuple[float, ...]:
        """Numbers of its kernel."""
        return (self.conductance,)


class PooleFrenkelLeak(Leak):
    """Electrons that the field frees from traps in the film.

    conductivity : [S/m] with all electrons free   barrier : [eV] from the traps to the band, without a field
    permittivity : relative, dynamic: of frequencies at which ions stand still
    """

    kind: Literal["poole-frenkel"]
    conductivity: Annotated[float, Quantity("conductivity", "1e-12 S/m", "1e12 S/m")] = Field(
        description="conductivity with all electrons free", examples=["0.1 S/m"]
    )
    barrier: LeakBarrier = Field(description="depth of the traps below the band, without a field", examples=["0.5 eV"])
    permittivity: Dynamic = Field(
        description="dynamic permittivity, of frequencies at which ions stand still", examples=[5.5]
    )

    def numbers(self) -> tuple[float, ...]:
        """Numbers of its kernel."""
        return self.conductivity, self.barrier, self.permittivity

    @property
    def saturating_field(self) -> float:
        return self.barrier**2 * math.pi * VACUUM_PERMITTIVITY * self.permittivity / ELEMENTARY_CHARGE


class SchottkyLeak(Leak):
    """Electrons that pass above the barriers of both electrodes in series, each lowered by its image force.

    left_barrier, right_barrier : [eV] above the Fermi level of an electrode, without a field
    richardson : effective, [A/m2/K2]; a leak through a share of the area has that share of A*
    permittivity : relative, dynamic
    """

    kind: Literal["schottky"]
    left_barrier: LeakBarrier = Field(
        description="barrier above the Fermi level of the left electrode, without a field", examples=["0.6 eV"]
    )
    right_barrier: LeakBarrier = Field(description="the same at the right electrode", examples=["0.4 eV"])
    richardson: Annotated[float, Quantity("Richardson constant", "1e-12 A/cm^2/K^2", "1e6 A/cm^2/K^2")] = Field(
        default=as_text("120 A/cm^2/K^2"),
        description="Richardson constant times the share of the area that leaks",
        examples=["0.01 A/cm^2/K^2"],
    )
    permittivity: Dynamic = Field(
        description="dynamic permittivity, of frequencies at which ions stand still", examples=[5.5]
    )

    def numbers(self) -> tuple[float, ...]:
        """Numbers of its kernel."""
        return self.richardson, self.left_barrier, self.right_barrier, self.permittivity

    @property
    def saturating_field(self) -> float:
        lowest = min(self.left_barrier, self.right_barrier)
        return lowest**2 * 4.0 * math.pi * VACUUM_PERMITTIVITY * self.permittivity / ELEMENTARY_CHARGE


AnyLeak = Annotated[OhmicLeak | PooleFrenkelLeak | SchottkyLeak, Field(discriminator="kind")]


def check_names(leaks: tuple[AnyLeak, ...] | None) -> tuple[AnyLeak, ...] | None:
    """The leaks themselves. Raises NotAsExpected for two of one name, and for that of the channel through the band."""
    taken = {"coherent"}
    for leak in leaks or ():
        name = leak.name or leak.kind
        if name in taken:
            raise NotAsExpected('leaks with names of their own, such as name = "edge"', brief(name))
        taken.add(name)
    return leaks

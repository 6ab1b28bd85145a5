"""The list [[device.leaks]] of a case: conduction beside the coherent channel. A new kind of leak has its record here.

`physics.channels.leaks` has the equations and kernels. To add a kind, write its record with `kind`, the columns of its
kernel at its keys, and name it in `AnyLeak`.
"""

import math
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from otjdd.case.base import Number, Record, kernel_numbers, key
from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief

LeakBarrier = Annotated[float, Quantity("energy", "0 eV", "10 eV")]
Dynamic = Annotated[Number, Field(ge=1, le=1e4)]


class Leak(Record):
    """Keys of all leaks, which pass all of the area of the columns.

    name : in results; the kind if absent
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = key(
        "name in results; the kind if absent", None, example="edge"
    )

    kind: str

    def numbers(self) -> dict[str | int, float]:
        """Numbers of its kernel by their columns."""
        return kernel_numbers(self)

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
    conductance: Annotated[float, Quantity("conductance per area", "1e-12 S/m^2", "1e18 S/m^2")] = key(
        "conductance per area", example="1e6 S/m^2", kernel=0
    )


class PooleFrenkelLeak(Leak):
    """Electrons that the field frees from traps in the film.

    conductivity : [S/m] with all electrons free   barrier : [eV] from the traps to the band, without a field
    permittivity : relative, dynamic: of frequencies at which ions stand still
    """

    kind: Literal["poole-frenkel"]
    conductivity: Annotated[float, Quantity("conductivity", "1e-12 S/m", "1e12 S/m")] = key(
        "conductivity with all electrons free", example="0.1 S/m", kernel=0
    )
    barrier: LeakBarrier = key("depth of the traps below the band, without a field", example="0.5 eV", kernel=1)
    permittivity: Dynamic = key("dynamic permittivity, of frequencies at which ions stand still", example=5.5, kernel=2)

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
    left_barrier: LeakBarrier = key(
        "barrier above the Fermi level of the left electrode, without a field", example="0.6 eV", kernel=1
    )
    right_barrier: LeakBarrier = key("the same at the right electrode", example="0.4 eV", kernel=2)
    richardson: Annotated[float, Quantity("Richardson constant", "1e-12 A/cm^2/K^2", "1e6 A/cm^2/K^2")] = key(
        "Richardson constant times the share of the area that leaks",
        "120 A/cm^2/K^2",
        example="0.01 A/cm^2/K^2",
        kernel=0,
    )
    permittivity: Dynamic = key("dynamic permittivity, of frequencies at which ions stand still", example=5.5, kernel=3)

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

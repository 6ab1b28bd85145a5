"""The table [device.film.polarisation] of a case: switching law and initial state of a ferroelectric film.

Each law of `physics.polarisation` has its own record.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from otjdd.case.base import Number, Record, key
from otjdd.case.problem import KeyPath
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief, write

FieldStrength = Annotated[float, Quantity("field", "1e3 V/m", "1e12 V/m")]
Share = Annotated[Number, Field(ge=-1, le=1)]
TIME = "device.film.polarisation.time"  # key of a spread
FEWEST_STEPS = 8  # fewest steps of a sweep from 0 V to its largest voltage that resolve a loop of the polarisation
ONE_LAW = "the films of all columns follow one law"
LAWS = "two-level", "merz-kai", "nls"


class Polarisation(Record):
    """Keys of all laws. P is uniform through the film, and positive if it points to the right electrode.

    saturation : P_s [C/m2], at reference_temperature if there is a curie_temperature, else at any temperature
    initial : P at the start over P_s   offset_field : E_off [V/m], by which the loop is shifted (imprint)
    curie_temperature : T_c [K] of P_s(T) = P_s [(T_c - T)/(T_c - T_ref)]^(1/2), with T the temperature of the case
    """

    saturation: Annotated[float, Quantity("polarisation", "1e-6 C/m^2", "3 C/m^2")] = key(
        "P_s of the film", example="27 uC/cm^2"
    )
    initial: Share = key("P at the start over P_s, positive towards the right electrode", 0.0, example=-1)
    offset_field: Annotated[float, Quantity("field", "-1e10 V/m", "1e10 V/m")] = key(
        "field by which the loop is shifted (imprint)", "0 V/m", example="0.2 MV/cm"
    )
    curie_temperature: Annotated[float, Quantity("temperature", "1 K", "5000 K")] | None = key(
        "P_s falls to 0 there, as a square root; it is constant if absent", None, example="720 K"
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
    """Thermally activated switching between two levels, with the rates (kT/h) exp{-[w_b -+ (E - E_off) d_e]/kT}.

    barrier : w_b [eV]   dipole_length : d_e [m], so that a field E shifts the levels by E d_e
    """

    law: Literal["two-level"] = key("", shared=ONE_LAW)
    barrier: Annotated[float, Quantity("energy", "0.01 eV", "20 eV")] = key(
        "barrier w_b between the two levels", example="1.05 eV"
    )
    dipole_length: Annotated[float, Quantity("length", "0.01 nm", "1 um")] = key(
        "length d_e over which a field shifts the levels", example="7.5 nm"
    )


class MerzKai(Polarisation):
    """Nucleation and growth: P reverses as 1 - exp[-(t/tau)^n], tau = tau0 exp[(E_a/E)^alpha].

    time : tau0 [s]   activation_field : E_a [V/m]   exponent : alpha   dimension : n
    """

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


def faults(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case
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
        yield (*table, "law"), f'"merz-kai", or beside "nls" a spread of "{TIME}" in [columns]', '"nls"'
    if polar.saturation_at(case.temperature) == 0.0:
        expected = f'above the temperature of the case, "{case.temperature:g} K"; without [{".".join(table)}] beyond it'
        yield (*table, "curie_temperature"), expected, brief(write(polar.curie_temperature, "temperature"))
    yield from faults_of_drive(case.drive)


def faults_of_drive(drive: Any) -> Iterator[tuple[KeyPath, str, str]]:
    """(path, expected, got) of a sweep whose steps are too coarse for a loop of the polarisation."""
    if drive.kind in ("triangle", "cv") and drive.step is not None and drive.path is not None:
        finest = max(map(abs, drive.path)) / FEWEST_STEPS
        if drive.step > finest * (1.0 + 1e-9):
            expected = f'a step of "{write(finest, "voltage")}" at most, for a loop of the polarisation'
            yield ("drive", "step"), expected, brief(write(drive.step, "voltage"))

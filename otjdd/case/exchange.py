"""The exchange of oxygen of an electrode, [device.left.exchange] and [device.right.exchange] of a case.

Vacancies pass the wall between the electrode and the film by a law of `laws.exchange`. An electrode without this table
blocks them.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from otjdd.case.base import Number, Record, key
from otjdd.case.problem import KeyPath
from otjdd.constants import BOLTZMANN_EV
from otjdd.errors import NotAsExpected
from otjdd.laws.exchange import LAWS
from otjdd.units import Quantity, brief, write

STANDARD_PRESSURE = 1e5  # Pa, at which a formation energy holds
SIDES = "left", "right"


class Exchange(Record):
    """Exchange of vacancies with the oxygen of an electrode, or with that of the gas behind it.

    formation_energy : of a vacancy in the film whose electrons are at the edge of the conduction band (of the first of
        several layers), for oxygen at 1e5 Pa or a reservoir at its initial filling
    transfer_coefficient : share of the step of a metal's screening layer that lowers the barrier into the film
    """

    law: Literal[tuple(name for name, law in LAWS.items() if law.formula)] = key(  # type: ignore[valid-type]  # the names of a table
        "law of the exchange, of `laws/exchange.py`", "butler-volmer", example="butler-volmer"
    )
    rate: Annotated[float, Quantity("velocity", "0 m/s", "1e6 m/s")] = key(
        "rate of the exchange, k0 of k0 exp(-activation_energy/kT)", example="1e-9 m/s"
    )
    activation_energy: Annotated[float, Quantity("energy", "0 eV", "10 eV")] = key(
        "activation energy of the rate", "0 eV", example="0.85 eV"
    )
    formation_energy: Annotated[float, Quantity("energy", "-20 eV", "20 eV")] | None = key(
        "of a vacancy in the film, its electrons at the edge of the conduction band", None, example="4 eV"
    )
    equilibrium_density: Annotated[float, Quantity("density", "1e-60 1/m^3", "1e30 1/m^3")] | None = key(
        "instead of it: vacancies in balance at the uncharged interface", None, example="1e26 1/m^3"
    )
    oxygen_pressure: Annotated[float, Quantity("pressure", "1e-99 Pa", "1e9 Pa")] | None = key(
        "pressure of the oxygen; default: 1e5 Pa", None, example="20 kPa"
    )
    transfer_coefficient: Annotated[Number, Field(ge=0, le=1)] = key(
        "fraction of a metal's screening step that helps vacancies in", 0.5, example=0.5
    )
    hop_distance: Annotated[float, Quantity("length", "0 m", "10 nm")] = key(
        "by which the field speeds up the exchange, by the law of the ions", "0 m", example="0.4 nm"
    )
    capacity: Annotated[float, Quantity("areal density", "1 1/m^2", "1e30 1/m^2")] | None = key(
        "oxygen sites of the reservoir; default: unlimited", None, example="5e19 1/m^2"
    )
    initial_filling: Annotated[Number, Field(gt=0, lt=1)] = key("initially filled fraction of these", 0.5, example=0.2)

    @model_validator(mode="after")
    def check_one_level(self) -> Self:
        if (self.formation_energy is None) == (self.equilibrium_density is None):
            got = "neither" if self.formation_energy is None else "both"
            raise NotAsExpected(
                'either formation_energy, such as "4 eV", or equilibrium_density, such as "1e26 1/m^3"', got
            )
        return self

    @model_validator(mode="after")
    def check_pressure(self) -> Self:
        if self.oxygen_pressure is not None and self.formation_energy is None:
            raise NotAsExpected(
                "formation_energy with oxygen_pressure: an equilibrium_density is that at the pressure of the case",
                "equilibrium_density",
            )
        return self

    @property
    def log_oxygen(self) -> float:
        """ln(p/p0) of the oxygen."""
        return 0.0 if self.oxygen_pressure is None else math.log(self.oxygen_pressure / STANDARD_PRESSURE)

    def energy(self, edge: float, well: float, sites: float, charge: int, temperature: float) -> float:
        """Formation energy G [eV], as given or from the equilibrium density at a temperature [K].

        edge : [eV] of the film's band over the Fermi level at the interface without charge   well : [eV] site energy there
        sites : [1/m3] there   charge : of a vacancy
        """
        if self.formation_energy is not None:
            return self.formation_energy
        assert self.equilibrium_density is not None  # one of both is there
        share = self.equilibrium_density / sites
        odds = math.log(share) - math.log1p(-share)
        energy: float = -BOLTZMANN_EV * temperature * odds - well + charge * edge
        return energy


def exchanges(device: Any) -> dict[str, Exchange]:
    """Side -> exchange of the electrodes of a device that exchange vacancies at a rate above 0."""
    sides = {side: getattr(device, side).exchange for side in SIDES}
    return {side: given for side, given in sides.items() if given is not None and given.rate > 0.0}


def faults_of_exchange(case: Any) -> Iterator[tuple[KeyPath, str, str]]:  # of a Case
    """(path, expected, got) of what does not go with the exchange of an electrode of a case."""
    for side in SIDES:
        given = getattr(case.device, side).exchange
        if given is not None:
            yield from faults_of_side(case, ("device", side, "exchange"), given)


def faults_of_side(case: Any, path: KeyPath, given: Exchange) -> Iterator[tuple[KeyPath, str, str]]:
    ions, film = case.ions, case.device.film
    beside_it = film.stack[0 if "left" in path else -1]
    if given.hop_distance > 0.0 and ions.law == "genreith-schriever" and given.activation_energy == 0.0:
        expected = 'activation_energy, such as "0.8 eV", with hop_distance: the field tilts that barrier'
        yield (*path, "activation_energy"), expected, '"0 eV"'
    density, sites = given.equilibrium_density, beside_it.sites(ions.site_density)
    if density is not None and beside_it.mobile and density >= sites:
        expected = f'a density below the site density of "{write(sites, "density")}"'
        yield (*path, "equilibrium_density"), expected, brief(write(density, "density"))
    holds = (ions.density or 0.0) * sum(layer.thickness for layer in film.stack if layer.mobile)
    if given.capacity is not None and given.capacity < holds:
        expected = f'at least "{write(holds, "areal density")}", the vacancies that the film holds at first'
        yield (*path, "capacity"), expected, brief(write(given.capacity, "areal density"))

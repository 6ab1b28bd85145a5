"""Parameters of a fit: numbers of a case, by dotted key, with their bounds and scales.

Bounds that are not given are those that physics allows (`physical_range`), else the limits of the key in its record. A
positive quantity has a logarithmic scale. Energies, temperatures and voltages have a linear one, since they stand in
exponents.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from otjdd.case.case import Case
from otjdd.case.keys import OF_KIND, fault, movable_number
from otjdd.case.problem import Problem
from otjdd.errors import CaseError
from otjdd.units import brief, plain_unit, quantity, write

WITH_LINEAR_SCALE = ("energy", "temperature", "voltage")  # dimensions with a linear scale
SHARE = 0.2  # of the value at the start: natural step of a linear parameter
BARRIER = re.compile(r"device\.(left|right)\.barrier")
# eV: the work functions of metals, up to 5.9 eV, less the affinities of oxides, from 1.9 eV of SiO2 at least
HIGHEST_BARRIER = 4.0
LARGEST_RESISTANCE = 1e9  # ohm in series, with which 1 V drives 1 nA
FULL = 1.0 - 1e-6  # of the sites: the most that vacancies may take
LEAST = 0.05  # eV, V, K: smallest natural step of a parameter in WITH_LINEAR_SCALE


class Parameter(NamedTuple):
    """A number of a case that is fitted.

    key : dotted   dimension : of `units.DIMENSIONS`, "" for plain numbers   low, high : bounds [SI], or infinite
    log : True for a logarithmic scale   start : value of the case [SI]
    data : number of the data set whose runs it belongs to, None for all
    """

    key: str
    dimension: str
    low: float
    high: float
    log: bool
    start: float
    data: int | None = None

    @property
    def name(self) -> str:
        """Key; with the number of the data set, from 1, if it belongs to one."""
        return self.key if self.data is None else f"{self.key} @{self.data + 1}"

    @property
    def unit(self) -> str:
        """Unit of the value, as results spell it."""
        return plain_unit(self.dimension)

    @property
    def step(self) -> float:
        """Natural step: 1 is a factor of e on a logarithmic scale, else SHARE of the value at the start [SI]."""
        if self.log:
            return 1.0
        size = max(SHARE * abs(self.start), LEAST if self.dimension in WITH_LINEAR_SCALE else 0.0)
        span = self.high - self.low
        return size or (span / 20 if math.isfinite(span) else LEAST)

    def coordinate(self, value: float) -> float:
        """Coordinate of a value [SI] in the search: 0 for the start, 1 for a natural step from it."""
        return math.log(value / self.start) if self.log else (value - self.start) / self.step

    def value(self, coordinate: float) -> float:
        """Value [SI] at a coordinate, within the bounds."""
        unbounded = self.start * math.exp(coordinate) if self.log else self.start + coordinate * self.step
        return min(max(unbounded, self.low), self.high)

    def slope(self, coordinate: float) -> float:
        """Derivative of the value [SI] by the coordinate."""
        return self.start * math.exp(coordinate) if self.log else self.step

    @property
    def ends(self) -> tuple[float, float]:
        """Coordinates of the bounds, infinite without bounds."""
        low = self.coordinate(self.low) if self.low > (0 if self.log else -math.inf) else -math.inf
        return low, self.coordinate(self.high) if math.isfinite(self.high) else math.inf

    def text(self, value: float, digits: int = 6) -> str | float:
        """A value [SI] as in a case file: text with a unit, or a plain number."""
        value = float(f"{value:.{digits}g}")
        return write(value, self.dimension) if self.dimension else value

    @property
    def words(self) -> str:
        """Bounds and scale in words."""
        low, high = (self.text(end) if math.isfinite(end) else "none" for end in (self.low, self.high))
        return f"{self.name}: {low} to {high}, {'logarithmic' if self.log else 'linear'}"


def parameters(case: Case, vary: Mapping[str, Any] | Sequence[str], sets: int = 1) -> tuple[Parameter, ...]:
    """Parameters of keys that are fitted.

    vary : keys; or key -> (low, high), None for the limits of the key, or a mapping of low, high, log and each
    sets : number of data sets, for parameters with a value for each
    Raises CaseError with all faults: keys that are no numbers of the case, bounds that do not fit.
    """
    asked = dict(vary) if isinstance(vary, Mapping) else dict.fromkeys(vary)
    moving, wrong = [], []
    for key, given in asked.items():
        named = dict(given) if isinstance(given, Mapping) else dict(zip(("low", "high"), given or (), strict=False))
        settings = {name: value for name, value in named.items() if value is not None}
        try:
            moving += parameters_of_key(case, key, settings, sets)
        except CaseError as error:
            wrong += error.problems
    if not asked:
        wrong.append(Problem("vary", 0, 0, "", "one parameter or more that may move", "none"))
    if wrong:
        raise CaseError(wrong)
    return tuple(moving)


def parameters_of_key(case: Case, key: str, settings: dict[str, Any], sets: int) -> list[Parameter]:
    """Parameters of one key: one, or with `each` one for every data set. Raises CaseError.

    settings : those of low, high, log and each that the user gave
    """
    value, dimension, low, high = movable_number(case, key)
    least, most = physical_range(case, key)
    low, high = (max(low, least) if value > least else low), (min(high, most) if value < most else high)
    ends: list[float] = []
    written = write(value, dimension) if dimension else value
    for name, default in (("low", low), ("high", high)):
        end = settings.get(name, default)
        number, kind = quantity(end) if isinstance(end, str) else (float(end), dimension)
        if kind != dimension:
            raise fault(key, f"bounds like {brief(written)}", brief(end))
        ends.append(number)
    log = bool(settings.get("log", ends[0] >= 0 and value > 0 and dimension not in WITH_LINEAR_SCALE))
    stated = settings.get("low", low), settings.get("high", high)
    if not ends[0] < ends[1] or (log and ends[0] < 0):
        raise fault(key, "low below high" + (", and above 0" if log else ""), f"{stated[0]} and {stated[1]}")
    if not ends[0] <= value <= ends[1]:
        hint = f"the case has {written}: start from a value within, by --set"
        raise fault(key, "bounds around the value of the case", f"{stated[0]} to {stated[1]}", hint)
    if log and not value > 0:
        raise fault(key, "a value above 0 to start from on a logarithmic scale", brief(value))
    numbers = range(sets) if settings.get("each") else [None]
    return [Parameter(key, dimension, ends[0], ends[1], log, value, number) for number in numbers]


def physical_range(case: Case, key: str) -> tuple[float, float]:
    """Range [SI] of a number of a case that physics allows, infinite where its record says no less.

    A bound on whose other side the value of the case stands is not applied.
    """
    match = OF_KIND.fullmatch(key)
    name = match[2] if match else key
    if BARRIER.fullmatch(name):
        return 0.0, HIGHEST_BARRIER
    if name == "circuit.series_resistance":
        return -math.inf, LARGEST_RESISTANCE
    if name == "ions.density" or name.endswith(".exchange.equilibrium_density"):
        return -math.inf, FULL * case.ions.site_density
    return -math.inf, math.inf

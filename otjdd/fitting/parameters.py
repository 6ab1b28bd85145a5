"""Parameters of a fit: numbers of a case, by dotted key, with their bounds and scales.

Bounds that are not given are the limits of the key in its record. A positive quantity has a logarithmic scale. Energies,
temperatures and voltages have a linear one, since they stand in exponents.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import annotated_types
from pydantic import BaseModel

from otjdd.case.case import Case
from otjdd.case.document import split_key
from otjdd.case.keys import dotted_keys
from otjdd.case.problem import Problem, Source, nearest
from otjdd.errors import CaseError
from otjdd.units import Quantity, brief, parse, plain_unit, quantity, write

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

OF_KIND = re.compile(r'columns\.kinds\[(\d+)\]\.set\."(.*)"')
LINEAR = ("energy", "temperature", "voltage")  # dimensions with a linear scale
SHARE = 0.2  # of the value at the start: natural step of a linear parameter
LEAST = 0.05  # eV, V, K: smallest natural step of a parameter in LINEAR


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
        size = max(SHARE * abs(self.start), LEAST if self.dimension in LINEAR else 0.0)
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

    @property
    def range(self) -> tuple[float, float]:
        """Bounds on the scale of the parameter: SI, or its logarithm."""
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)

    def share(self, value: float) -> float:
        """Place, 0 to 1, of a value [SI] between the bounds, on the scale; a value beyond a bound counts as that bound."""
        (low, high), value = self.range, min(self.high, max(self.low, value))
        return min(1.0, max(0.0, ((math.log(value) if self.log else value) - low) / (high - low)))

    def at_share(self, share: float) -> float:
        """Value [SI] at a place between the bounds, 0 for the lower and 1 for the upper one."""
        low, high = self.range
        value = low + (high - low) * min(1.0, max(0.0, share))
        return math.exp(value) if self.log else value

    def text(self, value: float, digits: int = 6) -> str | float:
        """A value [SI] as a case file has it."""
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
        try:
            moving += parameters_of_key(case, key, settings_given(given), sets)
        except CaseError as error:
            wrong += error.problems
    if not asked:
        wrong.append(Problem("vary", 0, 0, "", "one parameter or more that may move", "none"))
    if wrong:
        raise CaseError(wrong)
    return tuple(moving)


def settings_given(given: Any) -> dict[str, Any]:
    """Settings of a parameter as a dict of low, high, log and each, those that are given."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {name: value for name, value in given.items() if value is not None}
    low, high = given
    return {"low": low, "high": high}


def parameters_of_key(case: Case, key: str, settings: dict[str, Any], sets: int) -> list[Parameter]:
    """Parameters of one key: one, or with `each` one for every data set. Raises CaseError.

    settings : settings as of `settings_given`
    """
    value, dimension, low, high = value_in_case(case, key)
    ends: list[float] = []
    for name, default in (("low", low), ("high", high)):
        end = settings.get(name, default)
        number, kind = quantity(end) if isinstance(end, str) else (float(end), dimension)
        if kind != dimension:
            raise fault(key, f"bounds like {brief(write(value, dimension) if dimension else value)}", brief(end))
        ends.append(number)
    log = bool(settings.get("log", ends[0] >= 0 and value > 0 and dimension not in LINEAR))
    if not ends[0] < ends[1] or (log and ends[0] < 0):
        raise fault(
            key,
            "low below high" + (", and above 0" if log else ""),
            f"{settings.get('low', low)} and {settings.get('high', high)}",
        )
    if not ends[0] <= value <= ends[1]:
        written = write(value, dimension) if dimension else value
        raise fault(
            key,
            "bounds around the value of the case",
            f"{settings.get('low', low)} to {settings.get('high', high)}",
            f"the case has {written}: start from a value within, by --set",
        )
    if log and not value > 0:
        raise fault(key, "a value above 0 to start from on a logarithmic scale", brief(value))
    numbers = range(sets) if settings.get("each") else [None]
    return [Parameter(key, dimension, ends[0], ends[1], log, value, number) for number in numbers]


def movable(case: Case) -> list[str]:
    """Dotted keys of the numbers of a case that can be fitted, those of its kinds of columns and of spreads among them."""
    keys = [*dotted_keys(), *keys_of_columns(case)]
    return [key for key in keys if isinstance((value_at_key(case, key) or [None])[0], float)]


def keys_of_columns(case: Case) -> Iterator[str]:
    """Dotted keys below [columns] that are those of one case: of its spreads and its kinds."""
    tables = {"columns.spread": case.columns.spread}
    for i, kind in enumerate(case.columns.kinds or ()):
        yield f"columns.kinds[{i}].share"
        tables |= {f"columns.kinds[{i}].set": kind.set, f"columns.kinds[{i}].spread": kind.spread or {}}
    for path, table in tables.items():
        for name, value in table.items():
            inner = type(value).model_fields if isinstance(value, BaseModel) else ()
            yield f'{path}."{name}"'
            yield from (f'{path}."{name}".{field}' for field in inner)


def known_near(case: Case, key: str) -> str:
    """Hint for a key that is no number of the case: why a kind of columns does not have it, or which one is near."""
    match = OF_KIND.fullmatch(key)
    kinds = case.columns.kinds or ()
    if match and int(match[1]) < len(kinds) and match[2] in movable(case):
        return "this kind sets no value of its own: give it one, in the case or by --set"
    return nearest(key, movable(case))


def fault(key: str, expected: str, got: str, hint: str = "") -> CaseError:
    """An error about a parameter."""
    return CaseError([Problem("vary", 0, 0, key, expected, got, hint)])


def value_in_case(case: Case, key: str) -> tuple[float, str, float, float]:
    """Value [SI], dimension, and limits [SI] of a number of a case. Raises CaseError for other keys."""
    at_key = value_at_key(case, key)
    if at_key is None:
        raise fault(key, "the key of a number of the case", brief(key), known_near(case, key))
    place, dimension, low, high = at_key
    if isinstance(place, bool) or not isinstance(place, int | float):
        raise fault(key, "the key of a number of the case", brief(str(place)), known_near(case, key))
    if isinstance(place, int) and not isinstance(place, float) and not dimension:
        raise fault(key, "a number that can move in small steps", f"the count {place}")
    return float(place), dimension, low, high


def value_at_key(case: Case, key: str) -> tuple[Any, str, float, float] | None:
    """Value of a key of a case, its dimension, and its limits [SI]; None for a key that the case does not have.

    Raises CaseError.
    """
    place: Any = case
    dimension, low, high = "", -math.inf, math.inf
    before: str | int = ""
    for part in split_key(key, Source("vary", None)):
        if isinstance(place, BaseModel) and part in type(place).model_fields:
            dimension, low, high = range_of(type(place).model_fields[part])
            place = getattr(place, part)
        elif isinstance(place, dict) and isinstance(part, str) and part in place:
            _, dimension, low, high = value_in_case(case, part)
            place = place[part]
            if before == "spread":  # a standard deviation has the dimension of its key, and is positive
                low = 0.0
            elif isinstance(place, str):  # a kind of columns keeps the text of the file
                place = parse(place, dimension)
        elif isinstance(place, tuple) and isinstance(part, int) and part < len(place):
            place = place[part]
        else:
            return None
        before = part
    return place, dimension, low, high


def range_of(field: FieldInfo) -> tuple[str, float, float]:
    """Dimension and limits [SI] of a field of a record, infinite where it has none."""
    dimension, low, high = "", -math.inf, math.inf
    marks = list(field.metadata)
    for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
        marks += getattr(part, "__metadata__", ())
    for mark in marks:
        if isinstance(mark, Quantity):
            dimension = mark.dimension
            low = quantity(mark.low)[0] if mark.low else low
            high = quantity(mark.high)[0] if mark.high else high
        for inner in getattr(mark, "metadata", [mark]) if not isinstance(mark, Quantity) else ():
            if isinstance(inner, annotated_types.Ge | annotated_types.Gt):
                low = float(getattr(inner, "ge", getattr(inner, "gt", low)))
            if isinstance(inner, annotated_types.Le | annotated_types.Lt):
                high = float(getattr(inner, "le", getattr(inner, "lt", high)))
    return dimension, low, high

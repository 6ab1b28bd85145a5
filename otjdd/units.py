"""Quantities as text: "2.8 nm" in a case file is 2.8e-9 in the program.

Values are SI, energies in eV. The base units are m, s, A, K, V and eV. Every known unit is a product of powers of these,
times a power of ten; the joule and the times min, h, d and yr have another factor (FACTORS). The arithmetic is decimal, so
"2.8 nm" gives exactly the float 2.8e-9, and `parse` reads the text of `write` back to the same float.
"""

import decimal
import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache, lru_cache, wraps
from typing import NamedTuple, ParamSpec, TypeVar

from otjdd.errors import UnitError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# The context is explicit because a program that uses otjdd may set another precision for itself.
EXACT = decimal.Context(
    prec=28, rounding=decimal.ROUND_HALF_EVEN, Emin=-999999, Emax=999999, capitals=1, clamp=0, flags=[],
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)  # fmt: skip


def exactly(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorator: the function computes in the decimal context EXACT."""

    @wraps(function)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with decimal.localcontext(EXACT):
            return function(*args, **kwargs)

    return wrapped


MAX_LENGTH = 64  # most characters of a quantity

PREFIXES = {
    "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "": 0, "k": 3, "M": 6, "G": 9, "T": 12,
}  # fmt: skip

BASE = ("m", "s", "A", "K", "V", "eV")
UNITS = {
    #        m  s  A  K  V  eV
    "m":    (1, 0, 0, 0, 0, 0),
    "s":    (0, 1, 0, 0, 0, 0),
    "A":    (0, 0, 1, 0, 0, 0),
    "K":    (0, 0, 0, 1, 0, 0),
    "V":    (0, 0, 0, 0, 1, 0),
    "eV":   (0, 0, 0, 0, 0, 1),
    "J":    (0, 0, 0, 0, 0, 1),
    "Hz":   (0, -1, 0, 0, 0, 0),
    "C":    (0, 1, 1, 0, 0, 0),
    "ohm":  (0, 0, -1, 0, 1, 0),
    "S":    (0, 0, 1, 0, -1, 0),
    "W":    (0, 0, 1, 0, 1, 0),
    "F":    (0, 1, 1, 0, -1, 0),
    "Pa":   (-3, 1, 1, 0, 1, 0),
    "min":  (0, 1, 0, 0, 0, 0),
    "h":    (0, 1, 0, 0, 0, 0),
    "d":    (0, 1, 0, 0, 0, 0),
    "yr":   (0, 1, 0, 0, 0, 0),
}  # fmt: skip
FACTORS = {
    "J": EXACT.divide(Decimal(1), Decimal("1.602176634e-19")), "min": Decimal(60), "h": Decimal(3600),
    "d": Decimal(86400), "yr": Decimal(31557600),  # a Julian year, 365.25 days
}  # fmt: skip
OTHER_NAMES = {"Ohm": ("ohm", 0), "bar": ("Pa", 5), "angstrom": ("m", -10), "day": ("d", 0), "days": ("d", 0)}
WITHOUT_PREFIX = {"min", "h", "d", "yr"}
CELSIUS, ZERO_CELSIUS = "degC", Decimal("273.15")  # a scale with an offset: not allowed in products and differences
TYPOGRAPHIC = (
    "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"  # quotation marks that a word processor puts in place of " and '
)

SAME = str.maketrans({
    "\u00b5": "u", "\u03bc": "u", "\u03a9": "ohm", "\u2126": "ohm", "\u00c5": "angstrom", "\u212b": "angstrom", "°": "deg",
    "·": "*", "⁻": "-", "\u2212": "-", "¹": "1", "²": "2", "³": "3", "⁴": "4",
})  # fmt: skip
NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(.*?)\s*")
# A power may follow its unit without "^": "cm-3" is "cm^-3". The factor 1 has no power.
PAIR = re.compile(r"/\s*\(\s*([A-Za-z]+)\s*[ *]\s*([A-Za-z]+)\s*\)")  # "W/(m K)" is "W/m/K"
FACTOR = re.compile(r"\s*([*/]?)\s*(1(?![0-9])|[A-Za-z]+)(?:(?<!1)(?:\^|\*\*)?(-?[1-9])(?![0-9]))?\s*")


class Dimension(NamedTuple):
    """A dimension: name with its article, internal unit, example, and the units that `write` uses."""

    name: str
    unit: str
    example: str
    prefixes: str = ""  # SI prefixes that `write` may put before `unit`
    preferred: str = ""  # unit that `write` uses instead of `unit`

    @property
    def words(self) -> str:
        return f'{self.name} such as "{self.example}"'


DIMENSIONS = {
    "length": Dimension("a length", "m", "2.8 nm", "nu"),
    "area": Dimension("an area", "m^2", "314 um^2", preferred="um^2"),
    "time": Dimension("a time", "s", "50 ns", "pnum"),
    "frequency": Dimension("a frequency", "Hz", "5 MHz", "kMGT"),
    "voltage": Dimension("a voltage", "V", "-4.3 V"),
    "voltage rate": Dimension("a voltage rate", "V/s", "1 V/s"),
    "energy": Dimension("an energy", "eV", "0.6 eV"),
    "temperature": Dimension("a temperature", "K", "300 K"),
    "current": Dimension("a current", "A", "115 nA", "pnum"),
    "resistance": Dimension("a resistance", "ohm", "55 ohm", "kMG"),
    "conductance": Dimension("a conductance", "S", "10.5 uS", "pnum"),
    "conductance per area": Dimension("a conductance per area", "S/m^2", "1000 S/m^2"),
    "conductivity": Dimension("a conductivity", "S/m", "0.001 S/m"),
    "capacitance": Dimension("a capacitance", "F", "30 pF", "fpnum"),
    "density": Dimension("a density", "1/m^3", "3e26 1/m^3"),
    "polarisation": Dimension("a polarisation", "C/m^2", "0.27 C/m^2"),
    "areal density": Dimension("an areal density", "1/m^2", "8e17 1/m^2"),
    "field": Dimension("an electric field", "V/m", "1.4e10 V/m"),
    "squared field": Dimension("a squared field", "V^2/m^2", "2.65e15 V^2/m^2"),
    "velocity": Dimension("a velocity", "m/s", "1e-9 m/s"),
    "pressure": Dimension("a pressure", "Pa", "20 kPa", "kM"),
    "diffusivity": Dimension("a diffusivity", "m^2/s", "5e-7 m^2/s"),
    "thermal resistance": Dimension("a thermal resistance", "K/W", "1e6 K/W"),
    "heat capacity": Dimension("a heat capacity", "eV/K", "62 eV/K"),
    "thermal conductivity": Dimension("a thermal conductivity", "W/m/K", "11 W/m/K"),
    "Richardson constant": Dimension("a Richardson constant", "A/m^2/K^2", "156 A/cm^2/K^2", preferred="A/cm^2/K^2"),
}


class Unit(NamedTuple):
    """A unit: powers of the BASE units, decimal exponent, and any further factor (60 for min)."""

    powers: tuple[int, ...]
    exponent: int
    factor: Decimal


def unit_factor(name: str) -> tuple[str, int]:
    """Unit and decimal exponent of a prefixed unit: "nm" -> ("m", -9). Raises KeyError for an unknown one."""
    if name in UNITS or name in OTHER_NAMES:
        return OTHER_NAMES.get(name, (name, 0))
    prefix, (unit, exponent) = name[:1], OTHER_NAMES.get(name[1:], (name[1:], 0))
    if unit not in UNITS or unit in WITHOUT_PREFIX or exponent or (prefix == "c" and unit != "m"):
        raise KeyError(name)
    return unit, PREFIXES[prefix]


@lru_cache(maxsize=256)
@exactly
def unit(text: str) -> Unit:
    """Read a unit expression such as "A/cm^2/K^2", "A cm-2 K-2" or "W/(m K)"; "/" divides by the next factor or pair only.

    Raises ValueError.
    """
    text = PAIR.sub(r"/\1/\2", text)
    powers, exponent, product, at = [0] * len(BASE), 0, Decimal(1), 0
    while at < len(text):
        factor = FACTOR.match(text, at)
        between = bool(at) and (text[at - 1].isspace() or bool(factor and factor[1]))
        if not factor or (bool(factor[1]) if at == 0 else not between):  # a blank or an operator separates factors
            raise ValueError(f"{text!r} is not a unit")
        sign = -1 if factor[1] == "/" else 1
        power = sign * int(factor[3] or 1)
        if factor[2] != "1":
            try:
                name, prefix = unit_factor(factor[2])
            except KeyError:
                raise ValueError(f"{factor[2]!r} is not a unit known here") from None
            powers = [p + power * q for p, q in zip(powers, UNITS[name], strict=True)]
            exponent += power * prefix
            product *= FACTORS.get(name, Decimal(1)) ** power
        at = factor.end()
    return Unit(tuple(powers), exponent, product)


def same_kind(text: str, other: str) -> bool:
    """True if two units differ by a power of ten only: "nm" and "m", but not "J" and "eV".

    Raises ValueError for a text that is no unit.
    """
    return unit(text)._replace(exponent=0) == unit(other)._replace(exponent=0)


@cache
def dimension_of_powers(powers: tuple[int, ...]) -> str:
    """Name, with its article, of the first dimension with these powers of the BASE units; "" if there is none."""
    return next((d.name for d in DIMENSIONS.values() if unit(d.unit).powers == powers), "")


@lru_cache(maxsize=4096)
@exactly
def parse(text: str, dimension: str) -> float:
    """Read a quantity: parse("2.8 nm", "length") = 2.8e-9, in SI, energies in eV.

    text : a number and a unit built from m s A K V eV J Hz C ohm S F W Pa, prefixes a..T, `*` or a blank, `/`, and powers
        as in m^-3, m-3, m**-3 or m⁻³; besides angstrom, bar, min, h, d, day, yr (365.25 d), and degC for a temperature
    dimension : a key of DIMENSIONS
    Raises UnitError if the text is no quantity, has another dimension, or is outside the range of a float.
    """
    asked = DIMENSIONS[dimension]
    expected = asked.words
    quoted = brief(text)
    match = NUMBER.fullmatch(text.translate(SAME)) if len(text) <= MAX_LENGTH else None
    if not match:
        typographic = any(mark in text for mark in TYPOGRAPHIC)
        raise UnitError(expected, f"{quoted} (with typographic quotation marks)" if typographic else quoted)
    number, unit_text = match.groups()
    if not unit_text:
        raise UnitError(expected, f"{quoted} (a number without a unit)")
    if unit_text == CELSIUS and dimension == "temperature":
        return float(Decimal(number) + ZERO_CELSIUS)
    try:
        read_unit = unit(unit_text)
    except ValueError as error:
        raise UnitError(expected, f"{quoted} ({error})") from None
    if read_unit.powers != unit(asked.unit).powers:
        kind = dimension_of_powers(read_unit.powers)
        if unit_text == "C" and dimension == "temperature":
            kind = f'C is the coulomb; write "{number} {CELSIUS}"'
        raise UnitError(expected, f"{quoted} ({kind})" if kind else quoted)
    exact = Decimal(number)
    value = float(exact.scaleb(read_unit.exponent) * read_unit.factor)
    if not math.isfinite(value) or (value == 0) != (exact == 0):
        raise UnitError(expected, f"{quoted} (beyond the range of numbers)")
    return value


def quantity(text: str) -> tuple[float, str]:
    """Read a quantity of any dimension: quantity("2.8 nm") = (2.8e-9, "length"). Raises UnitError."""
    match = NUMBER.fullmatch(text.translate(SAME)) if len(text) <= MAX_LENGTH else None
    if match and match[2] == CELSIUS:
        return parse(text, "temperature"), "temperature"
    try:
        powers = unit(match[2]).powers if match and match[2] else None
    except ValueError:
        powers = None
    names = (key for key, d in DIMENSIONS.items() if unit(d.unit).powers == powers)
    if (dimension := next(names, None)) is None:
        raise UnitError('a number with a unit such as "2.8 nm"', brief(text))
    return parse(text, dimension), dimension


def in_si(value: str | float, dimension: str) -> float:
    """A quantity as text or a number [SI]; of no dimension a number also as text. Raises UnitError, ValueError."""
    return parse(value, dimension) if isinstance(value, str) and dimension else float(value)


def difference(text: str) -> tuple[float, str]:
    """Read a quantity that is a difference, a step or a standard deviation: "10 K", not "10 degC". Raises UnitError."""
    if text.translate(SAME).strip().endswith(CELSIUS):
        raise UnitError('a difference of temperatures such as "10 K"', brief(text))
    return quantity(text)


def plain_unit(dimension: str) -> str:
    """Internal unit of a dimension, spelled as in result files: "m^-3", "m^2 s^-1"; "1" for the dimension ""."""
    factors = FACTOR.findall(DIMENSIONS[dimension].unit) if dimension else []
    powers = {name: int(power or 1) * (-1 if sign == "/" else 1) for sign, name, power in factors if name != "1"}
    return " ".join(name if power == 1 else f"{name}^{power}" for name, power in powers.items()) or "1"


@lru_cache(maxsize=4096)
@exactly
def write(value: float, dimension: str) -> str:
    """Text of a quantity in a readable unit, the inverse of `parse`: write(2.8e-9, "length") = "2.8 nm".

    value : finite, SI or eV   dimension : a key of DIMENSIONS
    """
    spec = DIMENSIONS[dimension]
    exact = Decimal(repr(float(value)))
    unit_text = spec.preferred or spec.unit
    if spec.prefixes and exact:
        exponents = {PREFIXES[p]: p for p in ("", *spec.prefixes)}
        fitting = [e for e in exponents if abs(exact.scaleb(-e)) >= 1]
        exponent = max(fitting) if fitting else min(exponents)
        unit_text = exponents[exponent] + unit_text
    return f"{shortest_text(exact.scaleb(-unit(unit_text).exponent))} {unit_text}"


@exactly
def shortest_text(number: Decimal) -> str:
    """Shortest text of a decimal number: 2.8, 0.05, 300, 1.4e10."""
    number = number.normalize()
    if not number:
        return "0"
    if -4 <= number.adjusted() <= 5:
        return f"{number:f}"
    return f"{number:e}".replace("e+", "e")


def brief(value: object) -> str:
    """A value of a case file for an error message: printable, shortened to one line, text in double quotes."""
    if isinstance(value, str):
        text = '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in value[: 2 * MAX_LENGTH]) + '"'
    else:
        text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= MAX_LENGTH else f"{text[:40]}..."


def duration(seconds: float) -> str:
    """A duration as text: 4 s, 12 min, 3 h."""
    for name, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"

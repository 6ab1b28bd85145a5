"""Headers of columns: the quantity that a name stands for, and the unit in its brackets.

A name is an output's (`read_resistance`), or one in common use: V, I, |I|, J, R, G, C, t, n, T, f, `AnodeI`, `Drain
Current`. A name with two meanings is not recognised. P, D and E need a unit of their quantity: P may be a power.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from otjdd.results.outputs import OUTPUTS
from otjdd.units import CELSIUS, SAME, Unit, exactly, unit


class MeasuredQuantity(NamedTuple):
    """A measured quantity: its unit in a Dataset, its name in words, and the pattern of its common names in lower case."""

    unit: str
    long_name: str
    pattern: str = ""


PAIR = "a measured quantity and what it was measured against: V, E, t or n with I, J, R, G, C or P"  # data need both

_CHANNEL = (
    r"(?:anode|cathode|source|drain|gate|top|bottom|device|sample|dut|te|be|a|b|d|g|smu ?[\da-d]|pmu\d \d"
    r"|ch(?:annel)? ?[\da-d])"
)
_PLACE = r"(?:[a-z]{0,2}\d?|top|bot|com|gate|drain|src|dut)"  # behind a letter: V1, Vds, Itop

QUANTITIES = {
    "time": MeasuredQuantity(
        "s", "time",
        r"t|time ?\d?|times|time ?stamp|(?:elapsed|relative|rel|test|measurement) time|zeit|temps|tempo|tiempo|时间|時間",
    ),
    "number": MeasuredQuantity(
        "1", "number of the write", r"n|no|nr|#|number|pulse|pulse (?:no|number|count)|cycle|pulses|pulsnummer|zyklus"
    ),
    "write_voltage": MeasuredQuantity(
        "V", "voltage of the write before the read",
        r"(?:v|u)[ _]?(?:w|write|pulse|p|set|prog)|(?:write|pulse|programming) (?:voltage|amplitude|v)|amplitude"
        r"|schreibspannung|pulsspannung",
    ),
    "read_voltage": MeasuredQuantity(
        "V", "voltage of the source at the read", r"(?:v|u)[ _]?read|read (?:voltage|v)|lesespannung"
    ),
    "read_current": MeasuredQuantity("A", "current read", r"i[ _]?read|read (?:current|i)|lesestrom"),
    "voltage": MeasuredQuantity(
        "V", "voltage at the source",
        rf"[vu]|[vu] ?{_PLACE}|[vu] ?(?:\+|plus|-|minus)|[vu] (?:bias|force|source|applied|meas|dc)|vf"
        rf"|(?:bias|source|applied|sample|device|dc|drive|forced?|meas(?:ured)?|{_CHANNEL})[ .]?(?:voltage|volt|[vu]|bias)"
        r"|(?:applied |forced )?voltage ?\d?|bias|spannung|tension|tensione|voltaje|tensión|电压|電圧",
    ),
    "current": MeasuredQuantity(
        "A", "current that the instrument reads",
        rf"i|i ?{_PLACE}|i (?:meas|dc|dut)|(?:meas(?:ured)?|dc|sample|device|leakage|{_CHANNEL})[ .]?(?:current|i)"
        r"|current ?\d?|strom|courant|corrente|corriente|电流|電流",
    ),
    "current_density": MeasuredQuantity(
        "A m^-2", "current per area", r"j|(?:leakage )?current density|stromdichte|densité de courant|电流密度|電流密度"
    ),
    "resistance": MeasuredQuantity(
        "ohm", "resistance",
        r"r|resistance ?\d?|r[ _]?(?:read|dc|hrs|lrs)|read resistance|widerstand|résistance|resistenza|resistencia"
        r"|电阻|抵抗",
    ),
    "conductance": MeasuredQuantity("S", "conductance", r"g|conductance|g[ _]?read|read conductance|leitwert|电导"),
    "capacitance": MeasuredQuantity("F", "capacitance", r"c|cp|cs|capacitance\d?|kapazität|kapazitaet|capacité|电容|容量"),
    "polarisation": MeasuredQuantity(
        "C m^-2", "polarisation of the film", r"(?:measured )?polari[sz]ation(?: p)?|极化|分極"
    ),
    "electrode_charge": MeasuredQuantity(
        "C m^-2", "charge per area of the left electrode, P + eps0 eps_r E",
        r"(?:electric )?displacement(?: field)?|charge density|charge per area|verschiebungsdichte|ladungsdichte",
    ),
    "field": MeasuredQuantity(
        "V m^-1", "voltage at the source over the thickness",
        r"(?:applied |electric |e )?field|field e|(?:elektrisches )?feld|feldstärke|电场",
    ),
    "temperature": MeasuredQuantity("K", "temperature", r"temp|temperature|temperatur|température|temperatura|温度"),
    "frequency": MeasuredQuantity("Hz", "frequency", r"f|freq|frequency|frequenz|fréquence|频率|周波数"),
}  # fmt: skip
# names that an instrument gives to any quantity; the unit determines the quantity
NEUTRAL = re.compile(
    r"reading|(?:source )?value|source|[xy](?: (?:axis|value|achse))?|\d{1,2}|ch(?:annel)? ?\d|math ?\d?|trace ?\d?"
)
# names of outputs that are one of these quantities
SAME_AS = {
    "bias": "voltage", "bias_current": "current", "read_resistance": "resistance", "read_time": "time",
}  # fmt: skip
LETTERS = {"T": "temperature", "t": "time"}  # names that differ in upper and lower case only
# letters that also mean something else
WITH_UNIT = {"P": "polarisation", "D": "electrode_charge", "E": "field", "C": "capacitance"}
UNCERTAIN = re.compile(
    r"(?:sigma|std|sd|err|error|delta|unc|uncertainty|u)[ _]?(?:of )?\(?\s*(?P<after>[^()]+?)\s*\)?$"
    r"|(?P<before>.+?)[ _](?:sigma|std|sd|err|error|uncertainty|unc)$"
)
FUNCTION = re.compile(r"(?:abs|sigma|std|sd|err|delta|u)\(")  # a function of a quantity, whose brackets hold no unit
INDEX = re.compile(r"(.*?\S)\s*((?:\(\d{1,3}\)|\[\d{1,3}\])+)")  # "DrainI(2)", "Smu1.V[1][1]"
# "Voltage V", "I_uA", "time/s", "P1 uC_per_cm2"
UNIT_BEHIND = re.compile(r"(.+?)[ _/]([^\s_/]+(?:_per_|/)[^\s_]+|[^\s_/]+)")
BY_UNIT = (
    "time", "voltage", "current", "resistance", "conductance", "capacitance", "polarisation", "current_density",
    "frequency",
)  # fmt: skip
UNCERTAINTY = "_uncertainty"
MAX_NAME = 200  # characters of a header
MINUS = ("-", "\u2212", "\u2013")  # before a name
WORDS = {
    "volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A", "ohms": "ohm", "sec": "s",
    "secs": "s", "seconds": "s", "second": "s", "kelvin": "K", "siemens": "S", "farad": "F", "farads": "F", "#": "1",
    "hertz": "Hz", "volt dc": "V", "amp dc": "A", "sekunden": "s",
    "msec": "ms", "usec": "us", "nsec": "ns", "-": "1", "count": "1", "counts": "1",
}  # fmt: skip


CURRENT = ("current", "read_current", "current_density")
SWEPT = ("write_voltage", "voltage", "field", "number", "time")  # possible axes of sweeps, the preferred one first
AXES = (*SWEPT, "read_voltage", "temperature", "frequency")  # what is set in a measurement
MEASURED = {*CURRENT, "resistance", "conductance", "capacitance", "polarisation", "electrode_charge"}
CHANNEL = re.compile(
    r"(?P<before>.+?)[ ._-]?(?:v|u|i|t|voltage|current|time|volt)|(?:v|u|i|voltage|current)[ ._-]?(?P<behind>.*)",
    re.IGNORECASE,
)


class Heading(NamedTuple):
    """A recognised header.

    magnitude : True for the magnitude of the quantity   unit : as written, "" for none
    sign : -1 for a header such as "-I", whose numbers have the opposite sign   series : index behind it, "(2)", or ""
    """

    quantity: str
    magnitude: bool
    unit: str
    sign: int = 1
    series: str = ""

    @property
    def measures(self) -> str:
        """Quantity whose unit the column has; an uncertainty has the unit of its quantity."""
        return self.quantity.removesuffix(UNCERTAINTY)

    def scale(self, written: str) -> tuple[float, float]:
        """Factor and offset from a unit as written to the unit of the Dataset. Raises ValueError."""
        factor, offset = scale_to(written, self.measures)
        if self.quantity.endswith(UNCERTAINTY):  # a difference
            return factor, 0.0
        return self.sign * factor, offset


def heading(text: str, unit_beside: str = "") -> Heading | None:
    """The quantity and the unit of a header such as "|I| (nA)" or "-I (A)"; None for an unknown name.

    unit_beside : unit of the column where it does not stand in the header: in the line below, or in the next cell
    """
    if len(text) > MAX_NAME:
        return None
    if text[:1] in MINUS and text[1:].strip():
        opposite = heading(text[1:].strip(), unit_beside)
        return opposite and opposite._replace(sign=-opposite.sign)
    index = INDEX.fullmatch(text)
    named = plain_heading(index[1], unit_beside) if index else None
    if index and named and unit_of(named.measures) != "1":
        return named._replace(series=index[2])
    return plain_heading(text, unit_beside)


def plain_heading(text: str, unit_beside: str) -> Heading | None:
    """The quantity and the unit of a header without a sign and without an index; None for an unknown name."""
    name, written = name_and_unit(text)
    bare = re.fullmatch(r"\|(.+)\||abs(?:\((.+)\)|[ _]?(.+))", name, re.IGNORECASE)
    inside = (next((part for part in bare.groups() if part), name) if bare else name).strip()
    unit_text = written or unit_beside
    by_name = quantity_of_name(inside) or quantity_of_letter(inside, unit_text)
    if quantity := by_name or quantity_of_neutral_name(inside, unit_text):
        return Heading(quantity, bool(bare), written)
    if match := UNCERTAIN.fullmatch(name.lower()):
        whole = match["after"] or match["before"]
        part = (name[match.start("after") : match.end("after")] if match["after"] else name[: len(whole)]).strip("() ")
        if base := quantity_of_name(part) or quantity_of_letter(part, unit_text):
            return Heading(base + UNCERTAINTY, bool(bare), written)
    behind = UNIT_BEHIND.fullmatch(inside)
    if behind and not written:
        first, last = behind[1], behind[2].replace("_per_", "/")
        if (quantity := quantity_of_name(first) or quantity_of_letter(first, last)) and has_unit(quantity, last):
            return Heading(quantity, bool(bare), last)
    return None


def name_and_unit(text: str) -> tuple[str, str]:
    """Name and unit of a header: "V (mV)", "V [mV]", "V / mV" and "V, mV" are ("V", "mV")."""
    text = " ".join(text.split())
    match = re.fullmatch(r"(.*\S)\s*(?:\(([^()]*)\)|\[([^\[\]]*)\])", text) or re.fullmatch(
        r"(.*\S)(?: / |, )(\S+)", text
    )
    if not match or FUNCTION.fullmatch(text[: len(match[1]) + 1]):
        return text, ""
    return match[1], next((part for part in match.groups()[1:] if part), "").strip()


@cache
def quantity_of_name(name: str) -> str | None:
    """Quantity of a bare name, None for an unknown one."""
    if name in LETTERS:
        return LETTERS[name]
    outputs = {n for n, output in OUTPUTS.items() if output.dims in (("time",), ("read",))}
    known_names = QUANTITIES.keys() | outputs | set(SAME_AS)
    if name in known_names:
        return SAME_AS.get(name, name)
    small = re.sub(r"(?<=\w)[ _-]+(?=\w)", " ", name.lower()).strip()
    joined = small.replace(" ", "_")
    if joined in known_names:
        return SAME_AS.get(joined, joined)
    exact = next((key for key, quantity in QUANTITIES.items() if re.fullmatch(quantity.pattern, small)), None)
    of_channel = re.fullmatch(rf"({_CHANNEL})[ .:](.+)", small)
    if exact or not of_channel or (of_channel[2] == "t" and not of_channel[1].startswith("pmu")):
        return exact
    return quantity_of_name(of_channel[2])


def quantity_of_neutral_name(name: str, written: str) -> str | None:
    """Quantity of a name of NEUTRAL from its unit, else None; a reading without a unit is a current."""
    plain = re.sub(r"[ _-]+", " ", name.lower()).strip()
    if not NEUTRAL.fullmatch(plain):
        return None
    if not written:
        return "current" if plain == "reading" else None
    return quantity_of_unit(written)


def quantity_of_unit(written: str) -> str | None:
    """Quantity of BY_UNIT that a unit belongs to, else None."""
    return next((quantity for quantity in BY_UNIT if has_unit(quantity, written)), None)


def has_unit(quantity: str, written: str) -> bool:
    """True if a text is a unit of a quantity."""
    try:
        scale_to(written, quantity)
    except ValueError:
        return False
    return bool(written)


def quantity_of_letter(name: str, written: str) -> str | None:
    """Quantity of a letter of WITH_UNIT, with or without a digit, whose unit is one of that quantity, else None."""
    quantity = WITH_UNIT.get(name[:1]) if re.fullmatch(r".\d?", name) else None
    return quantity if quantity and has_unit(quantity, written) else None


def headers_by_quantity(names: Mapping[str, str]) -> dict[str, str]:
    """Quantity -> header of its column, from common names of quantities ("I", "V_write"). Raises ValueError."""
    headers = {}
    for name, header in names.items():
        base = name.removesuffix(UNCERTAINTY)
        quantity = quantity_of_name(base)
        if quantity is None:
            close = difflib.get_close_matches(base, QUANTITIES, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ValueError(f"{name!r} is no measured quantity{hint}; there are {', '.join(QUANTITIES)}")
        headers[quantity + UNCERTAINTY * (base != name)] = header
    return headers


def unit_of(quantity: str) -> str:
    """Unit of a quantity in a Dataset, as results spell it."""
    return QUANTITIES[quantity].unit if quantity in QUANTITIES else OUTPUTS[quantity].unit


def long_name_of(quantity: str) -> str:
    """Name of a quantity in words."""
    return QUANTITIES[quantity].long_name if quantity in QUANTITIES else OUTPUTS[quantity].long_name


def is_unit(text: str) -> bool:
    """True if a text is a unit, or a word for "no unit"."""
    try:
        read_unit(text)
    except ValueError:
        return False
    return True


def read_unit(text: str) -> Unit:
    """Read a unit in a common spelling: "mA/cm2", "µA", "Ohms". Raises ValueError."""
    plain = text.translate(SAME).strip()
    return unit(WORDS.get(plain.lower(), plain).replace("_per_", "/"))


@exactly
def scale_to(text: str, quantity: str) -> tuple[float, float]:
    """Factor and offset from a unit as written to the unit of a quantity in a Dataset; (1, 0) for "".

    Raises ValueError for a text that is no unit, and for the unit of another quantity.
    """
    plain = text.translate(SAME).strip()
    if quantity == "temperature" and plain in (CELSIUS, "C", "celsius", "Celsius"):
        return 1.0, 273.15
    own = read_unit(unit_of(quantity))
    other = read_unit(text) if text else own
    if other.powers != own.powers:
        raise ValueError(f"{text!r} is not a unit of {long_name_of(quantity)}, such as {unit_of(quantity)!r}")
    return float((other.factor / own.factor).scaleb(other.exponent - own.exponent)), 0.0


def channel(text: str) -> str:
    """Name of a channel in a header in small letters: "drain" of DrainI and of DrainV(2), "1" of V1; "" for none."""
    match = CHANNEL.fullmatch(re.sub(r"(?:\(\d+\)|\[\d+\])+$", "", name_and_unit(text)[0]).strip())
    return (match["before"] or match["behind"] or "").lower() if match else ""

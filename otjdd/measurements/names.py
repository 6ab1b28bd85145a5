"""Headers of columns: the quantity that a name stands for, and the unit in its brackets.

A name is that of an output (`read_resistance`), or one in common use: V, I, |I|, J, R, G, C, t, n, T, f, `AnodeI`, `Drain
Current`. A name with two meanings is not recognised; P, D and E are, with a unit of theirs in brackets: P may be a power.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import NamedTuple

from otjdd.results.outputs import OUTPUTS
from otjdd.units import CELSIUS, SAME, Unit, exactly, unit


class Quantity(NamedTuple):
    """A measured quantity: its unit in a Dataset, its name in words, and the pattern of its common names in lower case."""

    unit: str
    long_name: str
    pattern: str = ""


_SMU = r"(?:(?:smu|ch|channel)[ _-]?[\da-d][ _.-]?)?"
_TERMINAL = r"(?:anode|cathode|source|drain|gate|top|bottom|device|sample|dut|a|b|d|g|smu ?[\da-d]|ch ?[\da-d])"

QUANTITIES = {
    "time": Quantity("s", "time", r"t|time|times|time ?stamp|elapsed time|relative time|rel time|time\d"),
    "number": Quantity("1", "number of the write", r"n|no|nr|#|number|pulse|pulse (?:no|number|count)|cycle|pulses"),
    "write_voltage": Quantity(
        "V", "voltage of the write before the read",
        r"(?:v|u)[ _]?(?:w|write|pulse|p|set|prog)|(?:write|pulse|programming) (?:voltage|amplitude|v)|amplitude",
    ),
    "read_voltage": Quantity("V", "voltage of the source at the read", r"(?:v|u)[ _]?read|read (?:voltage|v)"),
    "read_current": Quantity("A", "current read", r"i[ _]?read|read (?:current|i)"),
    "voltage": Quantity(
        "V", "voltage at the source",
        rf"v|u|{_SMU}voltage|(?:bias|source|applied|sample|device|dc|force[d]?)(?: voltage| v| bias)?"
        rf"|[vu][a-z]{{0,2}}\d?|[vu][ _]?(?:bias|force|source|applied|meas|dc)|{_TERMINAL}[ _-]?(?:v|voltage)|vf",
    ),
    "current": Quantity(
        "A", "current that the instrument reads",
        rf"i|{_SMU}current|(?:measured|dc|sample|device) current|i[a-z]{{0,2}}\d?|i[ _]?(?:meas|dc|dut)"
        rf"|{_TERMINAL}[ _-]?(?:i|current)|reading",
    ),
    "current_density": Quantity("A m^-2", "current per area", r"j|current density"),
    "resistance": Quantity("ohm", "resistance", r"r|resistance|r[ _]?(?:read|dc|hrs|lrs)|read resistance"),
    "conductance": Quantity("S", "conductance", r"g|conductance|g[ _]?read|read conductance"),
    "capacitance": Quantity("F", "capacitance", r"c|cp|cs|capacitance"),
    "polarisation": Quantity("C m^-2", "polarisation of the film", r"polari[sz]ation|polari[sz]ation p"),
    "electrode_charge": Quantity(
        "C m^-2", "charge per area of the left electrode, P + eps0 eps_r E",
        r"(?:electric )?displacement(?: field)?|charge density|charge per area",
    ),
    "field": Quantity("V m^-1", "voltage at the source over the thickness", r"(?:applied |electric |e )?field|field e"),
    "temperature": Quantity("K", "temperature", r"temp|temperature"),
    "frequency": Quantity("Hz", "frequency", r"f|freq|frequency"),
}  # fmt: skip
# names of outputs that are one of these quantities
SAME_AS = {
    "bias": "voltage", "bias_current": "current", "read_resistance": "resistance", "read_time": "time",
}  # fmt: skip
LETTERS = {"T": "temperature", "t": "time"}  # names that differ in upper and lower case only
WITH_UNIT = {"P": "polarisation", "D": "electrode_charge", "E": "field"}  # letters that also mean something else
UNCERTAIN = re.compile(
    r"(?:sigma|std|sd|err|error|delta|unc|uncertainty|u)[ _]?(?:of )?\(?\s*(?P<after>[^()]+?)\s*\)?$"
    r"|(?P<before>.+?)[ _](?:sigma|std|sd|err|error|uncertainty|unc)$"
)
FUNCTION = re.compile(r"(?:abs|sigma|std|sd|err|delta|u)\(")  # a function of a quantity, whose brackets hold no unit
UNCERTAINTY = "_uncertainty"
MAX_NAME = 200  # characters of a header
MINUS = ("-", "\u2212", "\u2013")  # before a name
WORDS = {
    "volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A", "ohms": "ohm", "sec": "s",
    "secs": "s", "seconds": "s", "second": "s", "kelvin": "K", "siemens": "S", "farad": "F", "farads": "F", "#": "1",
    "hertz": "Hz", "msec": "ms", "usec": "us", "nsec": "ns", "-": "1", "count": "1", "counts": "1",
}  # fmt: skip


class Heading(NamedTuple):
    """A header that is understood.

    magnitude : True if it is of the magnitude of its quantity   unit : as written, "" for none
    sign : -1 for a header such as "-I", whose numbers have the opposite sign
    """

    quantity: str
    magnitude: bool
    unit: str
    sign: int = 1

    @property
    def measures(self) -> str:
        """Quantity whose unit the column has; an uncertainty has the unit of its quantity."""
        return self.quantity.removesuffix(UNCERTAINTY)

    def scale(self, written: str) -> tuple[float, float]:
        """Factor and offset from a unit as written to that of the Dataset. Raises ValueError."""
        factor, offset = scale_to(written, self.measures)
        if self.quantity.endswith(UNCERTAINTY):  # a difference
            return factor, 0.0
        return self.sign * factor, offset


def heading(text: str) -> Heading | None:
    """Read a header such as "|I| (nA)" or "-I (A)"; None for an unknown name."""
    if len(text) > MAX_NAME:
        return None
    if text[:1] in MINUS and text[1:].strip():
        found = heading(text[1:].strip())
        return found and found._replace(sign=-found.sign)
    name, unit_text = parted(text)
    bare = re.fullmatch(r"\|(.+)\||abs(?:\((.+)\)|[ _]?(.+))", name, re.IGNORECASE)
    inside = next((part for part in bare.groups() if part), name) if bare else name
    quantity = quantity_of(inside.strip()) or lettered(inside.strip(), unit_text)
    if quantity is None and (match := UNCERTAIN.fullmatch(name.lower())):
        whole = match["after"] or match["before"]
        kept = name[match.start("after") : match.end("after")] if match["after"] else name[: len(whole)]
        base = quantity_of(kept.strip("() ")) or lettered(kept.strip("() "), unit_text)
        quantity = base and base + UNCERTAINTY
    return None if quantity is None else Heading(quantity, bool(bare), unit_text)


def parted(text: str) -> tuple[str, str]:
    """Name and unit of a header: "V (mV)", "V [mV]", "V / mV" and "V, mV" are ("V", "mV")."""
    text = " ".join(text.split())
    match = re.fullmatch(r"(.*\S)\s*(?:\(([^()]*)\)|\[([^\[\]]*)\])", text) or re.fullmatch(
        r"(.*\S)(?: / |, )(\S+)", text
    )
    if not match or FUNCTION.fullmatch(text[: len(match[1]) + 1]):
        return text, ""
    return match[1], next((part for part in match.groups()[1:] if part), "").strip()


def quantity_of(name: str) -> str | None:
    """Quantity of a bare name, None for an unknown one."""
    if name in LETTERS:
        return LETTERS[name]
    known = (
        QUANTITIES.keys() | {n for n, output in OUTPUTS.items() if output.dims in (("time",), ("read",))} | set(SAME_AS)
    )
    if name in known:
        return SAME_AS.get(name, name)
    small = re.sub(r"[ _-]+", " ", name.lower()).strip()
    joined = small.replace(" ", "_")
    if joined in known:
        return SAME_AS.get(joined, joined)
    found = [key for key, quantity in QUANTITIES.items() if re.fullmatch(quantity.pattern, small)]
    return found[0] if found else None


def lettered(name: str, written: str) -> str | None:
    """Quantity of a letter of WITH_UNIT whose unit is one of that quantity, else None."""
    quantity = WITH_UNIT.get(name)
    if quantity is None or not written:
        return None
    try:
        scale_to(written, quantity)
    except ValueError:
        return None
    return quantity


def headers_by_quantity(names: Mapping[str, str]) -> dict[str, str]:
    """Quantity -> header of its column, from common names of quantities ("I", "V_write"). Raises ValueError."""
    found = {}
    for name, header in names.items():
        base = name.removesuffix(UNCERTAINTY)
        quantity = quantity_of(base)
        if quantity is None:
            close = difflib.get_close_matches(base, QUANTITIES, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ValueError(f"{name!r} is no measured quantity{hint}; there are {', '.join(QUANTITIES)}")
        found[quantity + UNCERTAINTY * (base != name)] = header
    return found


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
    plain = WORDS.get(plain.lower(), plain)
    return unit(plain)


@exactly
def scale_to(text: str, quantity: str) -> tuple[float, float]:
    """Factor and offset from a unit as written to that of a quantity in a Dataset; (1, 0) for "".

    Raises ValueError for a text that is no unit, and for the unit of another quantity.
    """
    plain = text.translate(SAME).strip()
    if quantity == "temperature" and plain in (CELSIUS, "C", "celsius", "Celsius"):
        return 1.0, 273.15
    held = read_unit(unit_of(quantity))
    found = read_unit(text) if text else held
    if found.powers != held.powers:
        raise ValueError(f"{text!r} is not a unit of {long_name_of(quantity)}, such as {unit_of(quantity)!r}")
    return float((found.factor / held.factor).scaleb(found.exponent - held.exponent)), 0.0

"""Quantities: what is read, what is refused, and that nothing is lost on the way out and in."""

import math
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from otjdd import constants as ours
from otjdd import units
from otjdd.case.base import Quantity
from otjdd.errors import UnitError
from otjdd.units import DIMENSIONS, parse, write

SI = [
    ("2.8 nm", "length", 2.8e-9),
    ("10 µm", "length", 10e-6),
    (" 0.1 cm ", "length", 1e-3),
    ("314 um^2", "area", 314e-12),
    ("314 µm²", "area", 314e-12),
    ("50 ns", "time", 50e-9),
    ("1e4 s", "time", 1e4),
    ("0.5 MHz", "frequency", 5e5),
    ("-4.3 V", "voltage", -4.3),
    ("50 meV", "energy", 0.05),
    ("1.602176634e-19 J", "energy", 1.0),
    ("1.602176634 aJ", "energy", 10.0),
    ("300 K", "temperature", 300.0),
    ("115 nA", "current", 115e-9),
    ("55 ohm", "resistance", 55.0),
    ("0.18 GΩ", "resistance", 1.8e8),
    ("55 V/A", "resistance", 55.0),
    ("1 uS", "conductance", 1e-6),
    ("30 pC/V", "capacitance", 30e-12),
    ("1 1/m^3", "density", 1.0),
    *((f"3e20 {unit}", "density", 3e26) for unit in ("cm-3", "1/cm3", "cm**-3", "cm⁻³", "cm^-3")),
    ("156 A cm-2 K⁻²", "Richardson constant", 1.56e6),
    ("2 day", "time", 172800.0),
    ("10 yr", "time", 315576000.0),
    ("8e13 cm^-2", "areal density", 8e17),
    ("1.4e10 V/m", "field", 1.4e10),
    ("10 MV/cm", "field", 1e9),
    ("2.65e15 V^2/m^2", "squared field", 2.65e15),
    ("5e-3 cm^2/s", "diffusivity", 5e-7),
    ("1 V/s", "voltage rate", 1.0),
    ("1 V*Hz", "voltage rate", 1.0),
    ("28 angstrom", "length", 2.8e-9),
    ("28 Å", "length", 2.8e-9),
    ("25 degC", "temperature", 298.15),
    ("-196.15 °C", "temperature", 77.0),
    ("10 min", "time", 600.0),
    ("6 V/min", "voltage rate", 0.1),
    ("1 kOhm", "resistance", 1000.0),
    ("2 MOhm", "resistance", 2e6),
    ("10 μm", "length", 10e-6),
]

REFUSED = [
    ("2 eV", "length", "an energy"),
    ("2 nm", "energy", "a length"),
    ("156 A/cm^2", "Richardson constant", None),
    ("2.8", "length", "without a unit"),
    ("0", "length", "without a unit"),
    ("2.8 furlong", "length", "'furlong'"),
    ("2.8 cV", "voltage", "'cV'"),
    ("1 mmin", "time", "'mmin'"),
    ("1 kangstrom", "length", "'kangstrom'"),
    ("25 mdegC", "temperature", "'mdegC'"),
    ("25 degC/s", "temperature", "'degC'"),
    ("25 degC", "length", "'degC'"),
    ("2.8 nm^", "length", None),
    ("2.8 /m", "length", None),
    ("2.8 m//m", "length", None),
    ("2.8 m^0", "length", None),
    ("2.8 m^99", "length", None),
    ("2.8 m m", "length", None),
    ("nan nm", "length", None),
    ("inf nm", "length", None),
    ("1e400 m", "length", "beyond the range"),
    ("1e-400 m", "length", "beyond the range"),
    ("1e9999999999 m", "length", None),
    ("10**10**10 m", "length", None),
    ("__import__('os') m", "length", None),
    ("2,8 nm", "length", None),
    ("١ m", "length", None),
    ("", "length", None),
    ("nm", "length", None),
    ("1" * 100 + " m", "length", "1111..."),
]


@pytest.mark.parametrize(("text", "dimension", "value"), SI)
def test_a_quantity_is_read_to_the_nearest_float(text, dimension, value):
    assert parse(text, dimension) == pytest.approx(value, rel=1e-15)


def test_the_precision_of_decimals_in_a_program_around_moves_no_number():
    import decimal

    from otjdd.measurements.names import scale_to

    with decimal.localcontext(decimal.Context(prec=3, rounding=decimal.ROUND_UP, capitals=0)):
        assert parse("2.7182818 J", "energy") == pytest.approx(2.7182818 / 1.602176634e-19, rel=1e-15)
        assert parse("25.123 degC", "temperature") == 298.273
        assert write(1.2345678e-9, "length") == "1.2345678 nm"
        assert scale_to("min", "time") == (60.0, 0.0)


@pytest.mark.parametrize(("text", "dimension", "word"), REFUSED)
def test_what_is_not_the_quantity_is_refused_in_words(text, dimension, word):
    with pytest.raises(UnitError) as caught:
        parse(text, dimension)
    assert DIMENSIONS[dimension].example in caught.value.expected
    assert (word or text[:10]) in caught.value.got


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_example_is_of_its_dimension_and_is_shown_as_it_is(dimension):
    example = DIMENSIONS[dimension].example
    assert write(parse(example, dimension), dimension) == example


@pytest.mark.parametrize("dimension", DIMENSIONS)
@settings(deadline=None, max_examples=20)
@given(value=st.floats(min_value=-1e200, max_value=1e200).filter(lambda v: v == 0 or abs(v) > 1e-200))
def test_what_is_written_is_read_back_to_the_same_float(dimension, value):
    text = write(value, dimension)
    assert parse(text, dimension) == value
    assert len(text) <= units.MAX_LENGTH


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=80))
def test_no_text_does_worse_than_a_unit_error(text):
    try:
        assert math.isfinite(parse(text, "length"))
    except UnitError:
        pass


def test_no_two_prefixed_units_share_a_name():
    names = [p + u for u in units.UNITS for p in units.PREFIXES]
    assert len(names) == len(set(names))


def test_constants_are_those_of_codata():
    constants = pytest.importorskip("scipy.constants")
    pairs = {
        "ELEMENTARY_CHARGE": constants.e,
        "BOLTZMANN": constants.k,
        "PLANCK": constants.h,
        "HBAR": constants.hbar,
        "ELECTRON_MASS": constants.m_e,
        "VACUUM_PERMITTIVITY": constants.epsilon_0,
        "BOLTZMANN_EV": constants.k / constants.e,
    }
    for name, value in pairs.items():  # 2e-9: the CODATA year of the installed scipy may differ
        assert getattr(ours, name) == pytest.approx(value, rel=2e-9), name


class Sample(BaseModel):
    model_config = ConfigDict(validate_default=True)
    thickness: Annotated[float, Quantity("length")] = Field("2.8 nm", gt=0)


def test_records_hold_si_and_show_text():
    sample = Sample(thickness="3 nm")
    assert sample.thickness == 3e-9
    assert Sample().thickness == 2.8e-9
    assert sample.model_dump() == {"thickness": 3e-9}
    assert sample.model_dump(mode="json") == {"thickness": "3 nm"}
    assert Sample(thickness=3e-9).thickness == 3e-9  # a bare number is SI in Python


@pytest.mark.parametrize("value", [True, None, [1], float("nan"), float("inf"), "-1 nm", -1e-9, 10**400])
def test_records_refuse_what_is_no_length(value):
    with pytest.raises(ValidationError):
        Sample(thickness=value)


def test_a_long_or_unprintable_value_is_told_in_one_short_line():
    with pytest.raises(UnitError) as caught:
        parse("3\n\x1b[31m" * 1000, "length")
    assert caught.value.got.isprintable()
    assert len(caught.value.got) < 60


def test_units_of_one_quantity_differ_by_a_power_of_ten():
    assert units.same_kind("nm", "m")
    assert units.same_kind("1/Mohm", "uS")
    assert not units.same_kind("J", "eV")
    assert not units.same_kind("V", "A")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.123, "0.12 s"), (99, "99 s"), (120, "2 min"), (7200, "2 h"), (2e5, "2 d")]
)
def test_times_in_words(seconds, words):
    assert units.duration(seconds) == words


def test_a_difference_of_temperatures_has_no_zero_of_its_own():
    assert units.quantity("25 °C") == (298.15, "temperature")
    assert units.difference("10 K") == (10.0, "temperature")
    with pytest.raises(UnitError, match="a difference of temperatures"):
        units.difference("10 degC")

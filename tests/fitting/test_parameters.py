"""Parameters of a fit: bounds and scales of their keys, coordinates, and keys that are none."""

import pytest
from fitted_devices import small
from messages import refused, told

from otjdd.fitting.parameters import parameters
from otjdd.plot.runs import parameter_words

CASE = small().replace("circuit.series_resistance", "55 ohm")


@pytest.mark.parametrize(
    ("key", "dimension", "low", "log"),
    [
        ("device.left.barrier", "energy", 0.0, False),
        ("device.left.band_depth", "energy", 0.01, False),
        ("ions.density", "density", 1.0, True),
        ("device.film.thickness", "length", 1e-10, True),
        ("device.film.tunnelling_mass", "", 0.01, True),
        ("device.conducting_fraction", "", 0.0, True),
        ("device.film.fixed_charge", "density", -1e29, False),
        ('columns.spread."ions.activation_energy"', "energy", 0.0, False),
        ("circuit.series_resistance", "resistance", 0.0, True),
        ("drive.path[1]", "voltage", -100.0, False),
        ("drive.read.voltage", "voltage", -100.0, False),
    ],
)
def test_bounds_and_scale_are_those_of_the_key(key, dimension, low, log):
    (found,) = parameters(CASE, [key])
    assert (found.dimension, found.low, found.log) == (dimension, low, log)
    assert key in found.words


@pytest.mark.parametrize(
    ("key", "value", "low", "high"),
    [
        ("device.left.barrier", "0.6 eV", 0.0, 4.0),
        ("device.left.barrier", "-0.2 eV", -5.0, 4.0),
        ("device.left.barrier", "4.5 eV", 0.0, 10.0),
        ("circuit.series_resistance", "55 ohm", 0.0, 1e9),
        ("circuit.series_resistance", "1e12 ohm", 0.0, 1e15),
        ("ions.density", "1e26 1/m^3", 1.0, CASE.ions.site_density),
    ],
)
def test_bounds_that_are_not_given_are_those_that_physics_allows(key, value, low, high):
    """Where the case itself is beyond one of them, that bound is the limit of the key."""
    case = CASE.replace({key: value})
    (found,) = parameters(case, [key])
    assert found.low == low
    assert found.high == pytest.approx(high, rel=1e-5)
    case.replace({key: found.high})
    (asked,) = parameters(case, {key: {"high": found.start * 2 if found.start > 0 else 9.0}})
    assert asked.high == (2 * found.start if found.start > 0 else 9.0)


def test_what_a_kind_of_columns_sets_has_the_bounds_and_scale_of_its_key():
    kind = {"name": "other", "share": 0.5, "set": {"device.left.barrier": "0.6 eV"}}
    keys = ["columns.kinds[0].share", 'columns.kinds[0].set."device.left.barrier"']
    share, barrier = parameters(CASE.replace("columns.kinds", [kind]), keys)
    assert (share.start, share.low, share.high, share.log) == (0.5, 0.0, 1.0, True)
    assert (barrier.start, barrier.dimension, barrier.low, barrier.log) == (0.6, "energy", 0.0, False)


def test_names_of_parameters_are_as_short_as_they_differ():
    keys = {
        "columns.kinds[0].share": "share of background",
        'columns.kinds[0].set."device.left.barrier"': "barrier of background",
        "columns.kinds[1].share": "share of kind 2",
        'columns.spread."ions.activation_energy".width': "width of activation energy",
        "ions.activation_energy": "activation energy",
        "ions.density @1": "density @1",
        "device.film.permittivity.b": "film permittivity b",
        "device.right.permittivity.b": "right permittivity b",
    }
    attrs = {"case_resolved": '[[columns.kinds]]\nname = "background"'}
    assert parameter_words(list(keys), attrs) == list(keys.values())


@pytest.mark.parametrize("key", ["device.left.barrier", "ions.density", "device.conducting_fraction"])
def test_coordinates_lead_to_values_and_back(key):
    (found,) = parameters(CASE, [key])
    assert found.coordinate(found.start) == 0.0
    for x in (-0.5, 0.0, 0.7):
        assert found.coordinate(found.value(x)) == pytest.approx(x, abs=1e-9)
        slope = (found.value(x + 1e-6) - found.value(x - 1e-6)) / 2e-6
        assert found.slope(x) == pytest.approx(slope, rel=1e-6)
    low, high = found.ends
    assert found.value(max(low, -1e3)) == pytest.approx(
        max(found.low, 0 if found.log else found.low), abs=1e-30, rel=1e-9
    )
    assert found.value(high) == pytest.approx(found.high)


def test_bounds_of_the_user_and_a_value_for_each_data_set():
    found = parameters(CASE, {"device.left.barrier": ("0.5 eV", "0.8 eV"), "ions.density": {"each": True}}, 2)
    assert [p.name for p in found] == ["device.left.barrier", "ions.density @1", "ions.density @2"]
    assert (found[0].low, found[0].high) == (0.5, 0.8)
    assert found[0].text(0.61234567) == "0.612346 eV"


OF_A_KIND = [
    "columns.kinds[0].shar",
    "columns.kinds[1].share",
    'columns.kinds[0].set."device.left.barier"',
    'columns.kinds[0].set."ions.density"',
    'columns.spread."ions.activation_enery"',
]
STILL = [
    ["ions.activation_enery"],
    ["device.film.cells"],
    ["ions.law"],
    [],
    {"device.left.barrier": ("0.5 nm", "0.8 nm")},
    {"device.left.barrier": ("0.7 eV", "0.8 eV")},
    {"device.left.barrier": ("0.8 eV", "0.5 eV")},
    {"device.film.fixed_charge": {"log": True}},
]


def test_what_cannot_move_is_told_with_a_hint(tmp_path):
    kind = {"name": "other", "share": 0.5, "set": {"device.left.barrier": "0.6 eV"}}
    spread = {"ions.activation_energy": "20 meV"}
    case = CASE.replace({"columns.kinds": [kind], "columns.count": 2, "columns.spread": spread})
    said = {key: told(parameters, case, [key]) for key in OF_A_KIND}
    refused("parameters.txt", said | {str(vary): told(parameters, CASE, vary) for vary in STILL}, tmp_path)

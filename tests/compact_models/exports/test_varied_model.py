"""A model whose temperature, thickness and barrier vary, in Python and in circuits."""

import made_model
import numpy as np
import pytest
import simulators

from otjdd.compact_models.exports import verilog_a
from otjdd.errors import NotAsExpected
from otjdd.units import ZERO_CELSIUS

TABLE = simulators.stairs((1.6, 1e-6), (0.1, 1e-6))  # a write and a read
(READ,) = TABLE.read_times  # s
PLACES = [(300.0, 2.7e-9, 0.58), (285.0, 3.0e-9, 0.55), (350.0, 2.6e-9, 0.6)]  # K, m, eV


@pytest.fixture(scope="module")
def model():
    return made_model.varied_model()


@pytest.mark.parametrize(("kelvin", "thickness", "barrier"), PLACES)
def test_between_nodes_the_model_is_that_of_its_parameters(model, kelvin, thickness, barrier):
    own = made_model.made_model(kelvin=kelvin, thickness=thickness, barrier=barrier)
    read = model.run(TABLE, temperature=kelvin, thickness=thickness, left_barrier=f"{barrier} eV").read_current.values
    assert read == pytest.approx(own.run(TABLE).read_current.values, rel=2e-3)
    assert model.at(kelvin, thickness=thickness, left_barrier=barrier).thickness == pytest.approx(thickness)


def test_parameters_are_those_of_the_case_unless_they_are_given(model):
    own = made_model.made_model().run(TABLE).read_current.values
    assert model.run(TABLE).read_current.values == pytest.approx(own, rel=1e-12)
    assert model.at() is model.at(300.0) is model
    assert model.run(TABLE, thickness="2.6 nm").read_current.values > 5.0 * own


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"thickness": 3.2e-9}, "a thickness of 2.6 nm to 3.1 nm.*3.2 nm"),
        ({"thickness": "0.3 eV"}, "a length.*0.3 eV"),
        ({"barrier": 0.6}, r"one of the parameters of this model \(temperature, thickness, left_barrier\).*barrier"),
        ({"left_barrier": np.nan}, "a left_barrier of 0.55 eV to 0.6 eV.*NaN"),
    ],
)
def test_other_names_and_values_beyond_the_nodes_are_refused(model, values, words):
    with pytest.raises(NotAsExpected, match=words):
        model.run(TABLE, **values)
    with pytest.raises(NotAsExpected, match="a model with parameters"):
        made_model.made_model().run(TABLE, **values)
    plain = made_model.made_model()
    assert plain.at(300.0) is plain
    with pytest.raises(NotAsExpected, match="300 K only"):
        plain.at(310.0)


@pytest.mark.campaign
@simulators.needed
def test_ngspice_follows_the_parameters_of_an_instance(tmp_path):
    model = made_model.varied_model(knots=13)  # so that it compiles soon
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    for kelvin, thickness, barrier in PLACES:
        device = f"charging=0 thickness={thickness:g} left_barrier={barrier:g}"
        options = f"reltol=1e-5 method=gear\n.temp {kelvin - float(ZERO_CELSIUS):.9g}"
        current, _ = simulators.transient("ngspice", tmp_path, TABLE, [READ], device, options)
        own = model.run(TABLE, temperature=kelvin, thickness=thickness, left_barrier=barrier).read_current.values
        assert current == pytest.approx(own, rel=0.01)

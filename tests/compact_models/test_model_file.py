"""The file of a compact model: models of every kind come back from it, and what no junction has is refused."""

import dataclasses

import made_model
import numpy as np
import pytest
import xarray as xr
from messages import compared, refused, told

from otjdd.compact_models import noise_error
from otjdd.compact_models.exports import verilog_a
from otjdd.compact_models.exports.functions import export_header
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.model_file import dataset_of_model, model_in_dataset
from otjdd.compact_models.tables import SelfHeating
from otjdd.waveform import shapes

WAVE = shapes.pulse(1.0, 1e-3).then(shapes.read(0.1, 1e-6))
CIRCUITS = noise_error.drive_of_pulses((-3.0, 1e-5), (1.5, 1e-6), (3.0, 1e-5), (-1.5, 1e-6))


def turned(model):
    """The model whose state of rest turns back with the voltage, as where electrons screen vacancies beyond one."""
    rest = 0.5 + 0.3 * np.sin(3.0 * model.kinds[0].voltage)
    return dataclasses.replace(
        model, kinds=(model.kinds[0]._replace(rest=rest),), nodes=tuple(map(turned, model.nodes))
    )


def compared_with_solver(model):
    """The model with a made comparison of its sigma with the solver's, which is 50 % off at one state."""
    for comparison, ratio in ((noise_error.CYCLES_OF_CASE, 1.5), (noise_error.CYCLES_OF_CIRCUITS, 1.0)):
        sigma, error = np.full(4, 1e-4), np.full(4, 1e-5)
        numbers = [sigma, error, sigma * [1.0, ratio, 1.0, 1.0]]
        model = noise_error.measured_with(model, comparison, CIRCUITS, numbers)
    return model


MODELS = {
    "of the mean": made_model.made_model(about={"title": "made"}),
    "of a film never written": made_model.made_model(fresh=True, about={"solver_start_shift": 0.26}),
    "of several temperatures": turned(made_model.warm_model(270.0, 300.0, 330.0, resistance=0.0)),
    "that its current warms": made_model.warm_model(250.0, 300.0, 400.0, heat=SelfHeating(2e5, 1e-8)),
    "of three parameters": made_model.varied_model(),
    "with noise": compared_with_solver(made_model.noisy_model()),
    "of drawn devices": made_model.noisy_model(spread=True),
    "with noise at several temperatures": made_model.noisy_warm_model(270.0, 300.0, 330.0),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_from_its_file(name, tmp_path):
    model = MODELS[name]
    model.save(tmp_path / "model.nc")
    again = CompactModel.load(tmp_path / "model.nc")
    assert (again.axes, again.point, again.heat, again.digest) == (model.axes, model.point, model.heat, model.digest)
    assert verilog_a.verilog_a(again) == verilog_a.verilog_a(model)
    assert [node.thickness for node in again.nodes] == [node.thickness for node in model.nodes]
    cold, own = (dataclasses.replace(each, heat=None) for each in (again, model))
    for kelvin in model.temperatures[:1]:
        runs = [each.at(kelvin).run(WAVE, seed=None if model.noise is None else 3) for each in (cold, own)]
        xr.testing.assert_identical(*(ds.drop_attrs() for ds in runs))
    assert (again.noise is None) == (model.noise is None)


def test_a_state_of_rest_may_turn_back_with_the_voltage():
    warmer = MODELS["of several temperatures"].at(310.0)
    q = warmer.states(3)
    warmer.hold(q, np.array([1.5, 2.0, 2.8]), 1e3)
    assert q[:, 0] == pytest.approx(0.5 + 0.3 * np.sin([4.5, 6.0, 8.4]), abs=0.01)


def test_headers_of_exports_say_what_a_model_is():
    told = {name: [line for line in export_header(model) if "sha256" not in line] for name, model in MODELS.items()}
    compared("headers.txt", [line for name, lines in told.items() for line in (f"# {name}", *lines, "")])


NUMBERS = [
    ("resistance", -50.0),
    ("area", np.nan),
    ("range_high", -5.0),
    ("column_weight", -1.0),
    ("column_weight", 0.5),
    ("column_speed", np.nan),
    ("column_kind", 3.0),
    ("column_start", 2.0),
    ("table_emptying", 0.0),
]
REVERSED = [
    ("node_table_log_rate", "node"),
    ("noise_state", "position"),
    ("table_log_conductance", "position"),
    ("node_table_log_conductance", "position"),
    ("table_charge", "read_knot"),
]


def spoilt(mean):
    """Datasets of models that no junction has, by what is wrong with them."""
    warm = dataset_of_model(made_model.noisy_warm_model(270.0, 300.0, 330.0))
    varied = dataset_of_model(made_model.varied_model(knots=13))
    for name, value in NUMBERS:
        ds = mean.assign_attrs({name: value}) if name in mean.attrs else mean.assign({name: mean[name] * 0.0 + value})
        yield f"{name} {value:g}", ds
    for name, along in REVERSED:
        values = np.flip(warm[name].values, warm[name].dims.index(along))
        yield f"{name} reversed", warm.assign({name: (warm[name].dims, values)})
    yield "fewer nodes", varied.isel(node=slice(0, 12))
    yield "an axis reversed", varied.assign_coords(axis_1=varied.axis_1[::-1].values)
    yield "temperatures reversed", varied.assign(node_temperature=varied.node_temperature[::-1])
    yield "another version", mean.assign_attrs(model_version=0)
    yield "another kind", mean.drop_attrs()


def test_what_no_junction_has_is_refused(tmp_path):
    mean = dataset_of_model(made_model.made_model())
    said = {wrong: told(model_in_dataset, ds, "model.nc", CompactModel) for wrong, ds in spoilt(mean)}
    refused("models.txt", said, tmp_path)
    assert "is not a whole compact model" in told(
        model_in_dataset, mean.drop_vars("table_rest"), "model.nc", CompactModel
    )

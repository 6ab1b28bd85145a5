"""Arrays that a study keeps of a run."""

import numpy as np
import pytest
from devices import SMALL, case

from otjdd import units
from otjdd.analysis.metrics import METRICS
from otjdd.results import outputs
from otjdd.runs.run import simulate
from otjdd.solver.model_limits import ATTRIBUTE
from otjdd.solver.simulate import outputs_in_steps
from otjdd.studies import points
from otjdd.system.steps import finished

DS = outputs.dataset(
    {
        "read_resistance": [4e8, 2e4, 1e8],
        "write_voltage": [0.0, 2.0, -2.0],
        "vacancy_concentration": np.arange(8.0).reshape(2, 4),
    },
    {"x": [1e-9, 2e-9, 3e-9, 4e-9]},
)


def test_outputs_are_kept_whole_or_one_place_of_them():
    found = points.measure(DS, ["read_resistance", "read_resistance[-1]", "vacancy_concentration[0]"])
    assert found["read_resistance"].values.tolist() == [4e8, 2e4, 1e8]
    assert found["read_resistance[-1]"].values == 1e8
    assert found["vacancy_concentration[0]"].dims == ("x",)
    assert found["x"].values.tolist() == [1e-9, 2e-9, 3e-9, 4e-9]  # the coordinate comes with what needs it
    assert set(found) == {"read_resistance", "read_resistance[-1]", "vacancy_concentration[0]", "x"}


def test_metrics_are_kept_by_their_numbers():
    assert points.measure(DS, ["change"])["change.ratio"].values == 4
    assert set(points.measure(DS, ["loop.ratio"])) == {"loop.ratio"}
    assert set(points.measure(DS, ["loop"])) == {f"loop.{name}" for name in METRICS["loop"].numbers}
    assert points.unit_and_name("loop.set_voltage")[1:] == METRICS["loop"].numbers["set_voltage"]


@pytest.mark.parametrize("name", METRICS)
def test_every_number_of_a_metric_has_a_unit_and_a_meaning(name):
    for unit, meaning in METRICS[name].numbers.values():
        assert units.unit(unit)
        assert meaning


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("read_resistanc", 'did you mean "read_resistance"?'),
        ("loop.ration", "loop has pristine, low"),
        ("read_resistance.ratio", "no parts"),
        ("read_resistance[x]", "no output and no metric"),
        ("../etc/passwd", "no output and no metric"),
        ("switching", "no output and no metric"),  # a metric of several runs
    ],
)
def test_names_that_are_none_are_told(name, told):
    assert told in points.unknown([name])


@pytest.mark.parametrize("name", ["bias_current", "read_resistance[3]", "read_resistance[-4]", "retention"])
def test_what_a_run_does_not_have_is_told(name):
    with pytest.raises(ValueError, match=r"study\.keep"):
        points.measure(DS, [name])


def test_what_is_taken_of_a_run_to_keep_names_of_it():
    assert points.outputs_for(["read_current", "vacancy_concentration[0]"]) == {"read_current", "vacancy_concentration"}
    assert points.outputs_for(["loop.ratio", "read_current"]) == {"read_current", "read_resistance", "write_voltage"}
    assert points.outputs_for(["impedance", "read_current"]) is None


@pytest.mark.parametrize(
    "names", [("loop",), ("conduction_current[-1]",), ("vacancy_concentration", "film_electron_ratio_max")]
)
def test_what_is_kept_of_a_part_of_the_outputs_is_what_is_kept_of_all(names):
    drive = {"kind": "write-read-loop", "path": ["0 V", "1 V", "-1 V", "0 V"], "step": "0.5 V", "width": "1 us"}
    changed = case(**SMALL).replace(drive=drive)
    whole, part = simulate(changed), finished(outputs_in_steps(changed, points.outputs_for(names)))
    found, expected = points.measure_arrays(part.arrays, names), points.measure(whole, names)
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dims == array.dims
        np.testing.assert_array_equal(found[name].values, array.values)
    assert part.limits == whole.attrs[ATTRIBUTE]
    assert len(part.arrays) < 5 < len(whole.variables)

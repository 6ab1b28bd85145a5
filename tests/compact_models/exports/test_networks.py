"""Exports for networks: update rule, labels, tables; run as the text that they are."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import presets
import pytest
from scipy.interpolate import PchipInterpolator

from otjdd.compact_models.exports import folder, neurosim, python_devices, verilog_a
from otjdd.compact_models.exports import pulses as taken


@pytest.fixture(scope="module")
def model(compact_model):
    return compact_model


@pytest.fixture(scope="module")
def pulses(model):
    return taken.pulse_cycle(model)


def test_cycle_of_pulses_closes_and_is_that_of_the_model(model, pulses):
    assert pulses.moved <= taken.CLOSED
    assert pulses.up[-1] == pytest.approx(pulses.down[0], rel=0.02)
    assert (np.diff(pulses.up) >= 0.0).all()
    assert (np.diff(pulses.down) <= 0.0).all()
    assert pulses.up[-1] > 2.0 * pulses.up[0]


def test_cycle_that_does_not_close_says_so(model, monkeypatch):
    monkeypatch.setattr(taken, "ROUNDS", (1, 2))
    found = taken.pulse_cycle(model)
    assert found.rounds == 2
    assert ["does not close: from round 1 to round 2" in text for text in taken.network_warnings(found)] == [True]


def test_update_rule_of_the_preset_follows_the_pulses(pulses):
    steps = python_devices.steps(pulses)
    low, high = min(pulses.up.min(), pulses.down.min()), max(pulses.up.max(), pulses.down.max())
    for curve, up in ((pulses.up, True), (pulses.down, False)):
        w = np.array(python_devices.weights(curve, low, high))
        off = [python_devices.after_one_pulse(steps, a, up) - b for a, b in pairwise(w)]
        assert np.sqrt(np.mean(np.square(off))) / 2.0 < max(0.02, 3.0 * steps.error)
    assert steps.up.mean() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("own", "torch", "needed"),
    [("1.1.0", "2.13.0+cpu", "2.10"), ("1.1.0", "2.9.1", "2.10"), ("1.2.0", "2.10.0+cu128", "2.15")],
)
def test_preset_refuses_a_torch_that_layers_of_aihwkit_stop_with(model, pulses, own, torch, needed):
    with pytest.raises(ImportError, match=rf"expected torch {needed} with aihwkit {own[:3]}.*, got torch {torch[:4]}"):
        presets.preset_names(python_devices.preset(model, pulses), torch, own)


@pytest.mark.parametrize(("own", "torch"), [("1.1.0", "2.10.0+cu128"), ("1.2.0", "2.15.0"), ("1.3.0", "2.20.0")])
def test_preset_takes_the_pairs_that_were_tried_and_what_is_newer(model, pulses, own, torch):
    assert callable(presets.preset_names(python_devices.preset(model, pulses), torch, own)["otj_device"])


def test_preset_is_a_module_with_these_steps(model, pulses):
    scope = presets.preset_names(python_devices.preset(model, pulses))
    told, steps = scope["otj_device"](dw_min_std=0.1), python_devices.steps(pulses)
    assert told["dw_min"] == pytest.approx(steps.dw_min, rel=1e-8)
    assert told["piecewise_up"] == pytest.approx(steps.up, rel=1e-7, abs=1e-8)
    assert told["dw_min_std"] == 0.1
    assert len(told["piecewise_up"]) == len(told["piecewise_down"]) < 64


@pytest.mark.parametrize("label", [0.01, 0.1, 1.0, 2.44, 4.88, 9.0])
def test_label_of_nonlinearity_is_the_largest_distance_from_a_line(label):
    x = np.linspace(0.0, 1.0, 200_001)
    assert neurosim.PER_LABEL * (neurosim.neurosim_law(label, x) - x).max() == pytest.approx(label, rel=1e-4)
    assert neurosim.fitted_label(neurosim.neurosim_law(label, np.linspace(0.0, 1.0, 41)))[0] == pytest.approx(
        label, abs=1e-3
    )


def test_parameter_block_of_neurosim_is_whole(model, pulses):
    files = neurosim.files(model, pulses)
    values = dict(line.rstrip(";").split(" = ") for line in files["cell.txt"].splitlines() if "//" not in line)
    assert float(values["maxConductance"]) / float(values["minConductance"]) > 2.0
    rows = np.loadtxt(files["pulses.csv"].splitlines(), delimiter=",", skiprows=1)
    assert rows[:, 1] == pytest.approx(pulses.up, rel=1e-8)
    assert rows[:, 2] == pytest.approx(pulses.down, rel=1e-8)
    assert '"args.max_level": "20"' in files["set_numbers.py"]


# A over the number of levels, by the label NL: rows of GetParamA in wage_quantizer.py of DNN+NeuroSim 2.1.
LABELS = [0.01, 0.1, 0.3, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 8.5, 9.0]
WIDTHS = [126.268958, 12.625807, 4.205668, 1.251653, 0.609035, 0.38683, 0.269089, 0.192406, 0.135619, 0.090139,
          0.052781, 0.036867, 0.02281]  # fmt: skip


def neurosim_curve(label: float, levels: int, step: int) -> np.ndarray:
    """Weights -1 to 1 under equal pulses, by NonlinearWeight and InvNonlinearWeight of DNN+NeuroSim 2.1."""
    A = levels * np.sign(label) * np.exp(PchipInterpolator(np.log(LABELS), np.log(WIDTHS))(np.log(abs(label))))
    B = 2.0 / (1.0 - np.exp(-levels / A))
    found = [-1.0 if step > 0 else 1.0]
    for _ in range(levels):
        pulse = -A * np.log(1.0 - (found[-1] + 1.0) / B)
        found.append(B * (1.0 - np.exp(-(pulse + step) / A)) - 1.0)
    return np.array(found)


def test_neurosim_goes_the_way_of_the_pulses_by_its_own_formula(model, pulses):
    files = neurosim.files(model, pulses)
    values = dict(line.rstrip(";").split(" = ") for line in files["cell.txt"].splitlines() if "//" not in line)
    arguments = dict(re.findall(r'"args\.(\w+)": "([^"]+)"', files["set_numbers.py"]))
    low, high = float(values["minConductance"]), float(values["maxConductance"])
    told = re.search(r"compact model's by ([\d.]+) \(LTP\) and ([\d.]+) \(LTD\)", files["cell.txt"]).groups()
    for name, curve, step, off in (("LTP", pulses.up, 1, told[0]), ("LTD", pulses.down, -1, told[1])):
        label, levels = float(values[f"NL_{name}"]), int(values[f"maxNumLevel{name}"])
        assert float(arguments[f"nonlinearity{name}"]) == pytest.approx(label, abs=1e-3)
        apart = (neurosim_curve(label, levels, step) + 1.0) / 2.0 - (curve - low) / (high - low)
        assert np.sqrt((apart**2).mean()) < float(off) + 0.02  # the cycle closes to a hundredth of its range
        assert label > 0.0 if name == "LTP" else label < 0.0  # both steep at first, flat at last


def test_crosssim_device_holds_its_table_at_the_ends_in_single_precision(model, pulses):
    """CrossSim may compute in single precision, in which -0.3 V is a little beyond -0.3 V."""
    device = presets.crosssim_names(python_devices.device(model, pulses))["OTJ"]()
    G, V = np.array([1e-9, 0.5, 1.0, 2.0]), np.array([[-4.0], [1.0], [4.0]])  # in Gmax and in 0.1 V
    single = device.nonlinear_current(G.astype(np.float32), V.astype(np.float32))
    assert single == pytest.approx(device.nonlinear_current(G, V), rel=1e-6)
    assert single[0, 1] / single[1, 1] < -4.0


def test_crosssim_device_bends_as_the_model_does(model, pulses):
    text = python_devices.device(model, pulses)
    scope = presets.crosssim_names(text)
    states = pulses.states[np.argsort(model.hold(pulses.states.copy(), 0.1, 0.0))]
    read = model.hold(states.copy(), 0.1, 0.0)
    for V in (0.1, -0.13, 0.27):
        told = scope["OTJ"]().nonlinear_current(read / read[-1], np.full(len(read), V / 0.1)) * read[-1]
        assert told == pytest.approx(model.hold(states.copy(), V, 0.0), rel=0.1)
    assert "disable_fast_nonlinear_IV = True" in text
    told = re.search(r"device.Rmin, device.Rmax, device.Vread = (\S+), (\S+), (\S+)\n", text)
    assert told
    assert [float(number) for number in told.groups()] == pytest.approx([0.1 / read[-1], 0.1 / read[0], 0.1])
    _, _, off = python_devices.conductance_table(model, pulses)
    assert f"differ from the compact model's in these states by {off:.2g}, rms" in text
    assert off < 0.03


def test_folder_has_every_file_whole(model, tmp_path):
    written = folder.write_exports(folder.Extracted(model), tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in written} == {
        "model.nc", "otj.va", "example.cir", "example.sim", "aihwkit_preset.py",
        "crosssim_device.py",
        "neurosim/cell.txt", "neurosim/pulses.csv", "neurosim/set_numbers.py",
    }  # fmt: skip
    assert all(path.stat().st_size for path in written)
    assert not list(tmp_path.rglob("*.part"))


def test_text_of_a_model_file_makes_no_line_of_an_export(model, pulses):
    wild = {"otjdd_version": "0.2\nimport os", "case_sha256": "a\r* b", "title": "\u2028.include x\x1b[31m\x85y"}
    tame = {name: "".join(c if c.isprintable() else " " for c in text) for name, text in wild.items()}  # of its length
    texts = [
        [python_devices.preset(each, pulses), python_devices.device(each, pulses), verilog_a.verilog_a(each)]
        for each in (replace(model, about=model.about | about) for about in (tame, wild))
    ]
    for own, changed in zip(*texts, strict=True):
        assert len(own.splitlines()) == len(changed.splitlines())
        assert changed.isascii()
        assert all(line.isprintable() for line in changed.split("\n"))


@pytest.mark.campaign
def test_products_of_crosssim_are_those_of_the_model_and_as_near_to_the_solver_as_the_model_is(
    compact_folder, compact_model
):
    pytest.importorskip(
        "simulator", reason="CrossSim is not installed (a checkout of github.com/sandialabs/cross-sim on PYTHONPATH)"
    )
    from validation.benchmarks import crosssim

    for voltage, off, ohmic in crosssim.rows(compact_folder, crosssim.model_states(compact_folder)):
        assert float(off) < 0.05, voltage
        if voltage != "0.1 V":  # at which conductances are those of the device
            assert float(off) < 0.5 * float(ohmic), voltage
    stated, _ = compact_model.error["potentiation and depression"]  # decades
    for voltage, off, _ in crosssim.rows(compact_folder, crosssim.solved_states(compact_folder)):
        assert float(off) < 10.0**stated - 1.0, voltage

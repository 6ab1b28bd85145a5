"""Differences between devices in the files for networks: the fields are those of the devices, and zero for one device."""

import made_model
import numpy as np
import presets
import pytest

from otjdd.compact_models.exports import folder, neurosim, python_devices
from otjdd.compact_models.exports import pulses as equal


@pytest.fixture(scope="module")
def pulses():
    return equal.pulse_cycle(made_model.made_model(decades=1.0))


@pytest.fixture(scope="module")
def devices(pulses):
    """Forty devices whose curves are those of one, each times a factor of its own."""
    factor = np.exp(0.1 * np.random.default_rng(3).standard_normal(40))[:, None]
    return equal.Devices(factor * pulses.up, factor * pulses.down, "made for a test")


def test_preset_has_the_standard_deviations_of_the_devices(pulses, devices):
    differ = python_devices.preset_spreads(pulses, devices)
    factor = devices.up[:, 0] / pulses.up[0]
    low, high = min(pulses.up.min(), pulses.down.min()), max(pulses.up.max(), pulses.down.max())
    assert differ["w_max_dtod"] == pytest.approx(2.0 * high / (high - low) * factor.std(ddof=1), rel=1e-9)
    assert differ["w_min_dtod"] == pytest.approx(2.0 * low / (high - low) * factor.std(ddof=1), rel=1e-9)
    assert differ["dw_min_dtod"] == pytest.approx(factor.std(ddof=1) / factor.mean(), rel=1e-9)
    assert differ["up_down_dtod"] == pytest.approx(0.0, abs=1e-9)
    text = python_devices.preset(made_model.made_model(decades=1.0), pulses, devices)
    told = presets.preset_names(text)["otj_device"]()
    assert {name: told[name] for name in differ} == pytest.approx(differ, rel=1e-8, abs=1e-8)
    assert "of 40 devices, made for a test" in text


def test_neurosim_has_labels_and_ends_of_the_range(pulses, devices):
    values = neurosim.variation(devices)
    high, factor = max(pulses.up.max(), pulses.down.max()), devices.up[:, 0] / pulses.up[0]
    assert values.highest == pytest.approx(high * factor.std(ddof=1), rel=1e-9)
    assert values.label == pytest.approx(0.0, abs=1e-6)  # a factor bends no curve
    bent = devices._replace(up=devices.up ** np.linspace(0.8, 1.2, 40)[:, None])
    labels = [neurosim.fitted_label(curve)[0] for curve in bent.up]
    assert neurosim.variation(bent).label == pytest.approx(0.5 * np.std(labels, ddof=1), rel=1e-3)
    files = neurosim.files(made_model.made_model(decades=1.0), pulses, devices)
    assert "conductanceRangeVar = true;" in files["cell.txt"]
    rows = np.loadtxt(files["devices.csv"].splitlines(), delimiter=",", skiprows=1)
    assert rows[:, 2].reshape(40, -1) == pytest.approx(devices.up, rel=1e-8)
    assert rows[:, 3].reshape(40, -1) == pytest.approx(devices.down, rel=1e-8)


def test_crosssim_draws_conductances_that_differ_as_the_devices_do(pulses, devices):
    text = python_devices.device(made_model.made_model(decades=1.0), pulses, devices)
    device = presets.crosssim_names(text)["OTJ"]()
    wanted = np.full(200_000, 0.5)
    spread = np.log(device.programming_error(wanted) / wanted)
    logs = np.log(devices.up[:, 0])
    assert spread.std() == pytest.approx(logs.std(ddof=1), rel=0.01)
    assert spread.mean() == pytest.approx(0.0, abs=0.001)


def test_one_device_has_no_differences_and_says_so(pulses, tmp_path):
    model = made_model.made_model(decades=1.0)
    assert set(python_devices.preset_spreads(pulses, None).values()) == {0.0}
    written = folder.write_exports(folder.Extracted(model), tmp_path)
    texts = [
        path.read_text() for path in written if path.name in ("aihwkit_preset.py", "crosssim_device.py", "cell.txt")
    ]
    assert len(texts) == 3
    assert all("one device; `otjdd compact --devices N` draws more" in text for text in texts)
    assert "programming_error(self" not in "".join(texts)
    assert not (tmp_path / "neurosim" / "devices.csv").exists()

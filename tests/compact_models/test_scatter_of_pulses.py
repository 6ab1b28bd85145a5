"""Scatter of network pulses: made cycles, runs of small devices, draws and files of the networks."""

import made_model
import numpy as np
import presets
import pytest
import xarray as xr

from otjdd.case.case import load_case
from otjdd.compact_models import scatter_of_pulses
from otjdd.compact_models.exports import export_noise, folder, neurosim, python_devices
from otjdd.compact_models.exports import pulses as equal
from otjdd.compact_models.exports.folder import Extracted
from otjdd.errors import CaseError
from otjdd.results import store
from otjdd.system import pool

D, C, N = 30, 5, 20
SMALL = {"device.radius": "12 nm", "device.conducting_fraction": 1.0, "columns.count": 1, "columns.spread": {}}


@pytest.fixture(scope="module")
def pulses():
    return equal.pulse_cycle(made_model.made_model(decades=1.0))


@pytest.fixture(scope="module")
def found(pulses):
    return export_noise.noise_of_exports(made(pulses, 0.05, 0.01), pulses, "made")


def made(pulses: equal.Pulsed, device: float, cycle: float, seed: int = 0) -> xr.Dataset:
    """Devices whose curves are that of the pulses times a factor of their own and another of each pulse."""
    rng = np.random.default_rng(seed)
    mean = np.concatenate((pulses.down[1:], pulses.up[1:]))
    own = np.exp(device * rng.standard_normal((D, 1, 1)))
    G = mean * own * np.exp(cycle * rng.standard_normal((D, C + 1, 2 * N)))
    ends = np.where(np.arange(D)[:, None, None] == 4, [[1.0], [1.0], [np.nan]], 1.0)  # one device lost its last level
    rest = 1e-6 * np.exp(0.1 * rng.standard_normal((D, 3, 6)).cumsum(axis=-1)) * [[[1.0], [4.0], [2.0]]] * ends
    ds = xr.Dataset(
        {
            "before": ("device", G[:, 0, -1]),
            "conductance": (("device", "cycle", "pulse"), G[:, 1:]),
            "level_conductance": (("device", "level", "time"), rest),
            "level_read": (("device", "level", "read"), 1e-6 * np.exp(0.01 * rng.standard_normal((D, 3, 64)))),
        },
        {"time": ("time", [scatter_of_pulses.SHORT, *scatter_of_pulses.TIMES])},
        {"cells": 50, "left_out": 0, "cut_short": 1},
    )
    return scatter_of_pulses.with_deviations(load_case("li2019"), ds)


def test_standard_deviations_are_those_that_were_put_in(pulses):
    ds = made(pulses, 0.1, 0.02)
    G = np.concatenate((pulses.down[1:], pulses.up[1:]))
    assert ds.sigma_written.values / G == pytest.approx(0.02, rel=0.35)
    assert ds.sigma_device.values / G == pytest.approx(0.1, rel=0.35)
    found, rms = scatter_of_pulses.sigmas(scatter_of_pulses.cycles_of(ds)), np.sqrt((G**2).mean())
    assert found.written == pytest.approx(0.02 * rms, rel=0.1)
    assert found.step == pytest.approx(0.02 * np.sqrt((G**2 + np.roll(G, 1) ** 2).mean()), rel=0.1)
    assert ds.level_sigma.values[:, 0] == pytest.approx(0.1, rel=0.4)
    assert ds.level_moved.values[:, -1] == pytest.approx(0.1 * np.sqrt(5.0), rel=0.4)
    assert ds.read_sigma.values == pytest.approx(0.01, rel=0.1)
    devices = scatter_of_pulses.mean_cycles(ds, "made")
    assert devices.up[:, -1].std(ddof=1) / G[-1] == pytest.approx(0.1, rel=0.3)


def test_electrons_scatter_by_their_number_in_a_read():
    case = load_case("li2019").replace({"circuit.series_resistance": "0 ohm"})
    electrons = 1e-6 * equal.READ * scatter_of_pulses.SHORT / 1.602176634e-19  # of 1 uS at 0.1 V in 1 us
    assert scatter_of_pulses.electron_scatter(case, np.array([1e-6]))[0] == pytest.approx(electrons**-0.5, rel=1e-6)


def test_rules_without_noise_are_those_of_the_mean(pulses):
    steps, differ = python_devices.steps(pulses), python_devices.preset_spreads(pulses, None)
    drawn = python_devices.drawn_weights(steps, N, python_devices.PulseNoise(0.0, 0.0), differ, 0)
    w, seen = np.ones(1), []
    for up in ([False] * N + [True] * N) * 2:
        w = python_devices.after_one_pulse(steps, w, up)
        seen.append(w[0])
    assert drawn.after[0, 0] == pytest.approx(seen[-2 * N :], abs=1e-12)
    ends, label = pulses.ends, neurosim.fitted_label(pulses.up)[0]
    way = neurosim.Way(np.array([label]), *(np.array([each]) for each in ends), N)
    G = [np.array([ends[0]])]
    for _ in range(N):
        G.append(way.after(G[-1], 1))
    law = ends[0] + (ends[1] - ends[0]) * neurosim.neurosim_law(label, np.linspace(0.0, 1.0, N + 1))
    assert np.ravel(G) == pytest.approx(law, rel=1e-6)


def test_draws_of_the_files_scatter_as_what_was_measured(pulses, found):
    rows = {(row.export, row.quantity): row for row in found.rows}
    for what in export_noise.QUANTITIES:
        assert abs(rows["aihwkit", what].deviation) < export_noise.APART
    step, written, device = (1.0 + rows["NeuroSim", what].deviation for what in export_noise.QUANTITIES)
    assert step * written == pytest.approx(1.0, abs=0.1)  # one number for both: one as far above as the other below
    assert device == pytest.approx(1.0, abs=0.15)
    assert all(abs(row.deviation) < 0.05 for row in found.rows if row.export == "CrossSim")
    assert len(export_noise.comparison_lines(found.rows)) == len(rows)
    wide = found._replace(rows=(export_noise.StatedDeviation("aihwkit", "a step", 1.0, 1.3, "S"),))
    assert any(
        "do not scatter as in the solver: a step, +30 %" in text for text in export_noise.scatter_warnings(wide, pulses)
    )


def test_files_have_the_noise_and_without_it_are_what_they_were(pulses, found, tmp_path):
    model = made_model.made_model(decades=1.0)
    quiet, noisy = Extracted(model, pulses), Extracted(model, pulses, noise=found)
    plain, told = folder.networks(quiet), folder.networks(noisy)
    assert not any("networks.nc" in path.name for path in folder.write_exports(quiet, tmp_path / "plain"))
    assert {(tmp_path / "plain" / name).read_text() == text for name, text in plain.items()} == {True}
    values = dict(
        line.rstrip(";").split(" = ")
        for line in told["neurosim/cell.txt"].splitlines()
        if " = " in line and "//" not in line
    )
    assert float(values["sigmaCtoC"]) == pytest.approx(found.c2c, rel=1e-6)
    assert float(values["sigmaReadNoise"]) > 0.0
    assert f'"args.c2cVari": "{found.c2c / (pulses.ends[1] - pulses.ends[0]):.9g}"' in told["neurosim/set_numbers.py"]
    assert all("sigma of a step: solver" in told[name] for name in ("aihwkit_preset.py", "neurosim/cell.txt"))
    assert not any("noise from cycle to cycle and of reads (0" in text for text in told.values())
    scope = presets.crosssim_names(told["crosssim_device.py"])
    device, ds = scope["OTJ"](), equal.by_conductance(found.measured)
    G = np.repeat(ds.level_mean.values[:, None] / scope["GMAX"], 20_000, axis=1)
    later = np.log(device.drift_error(G, 86400.0) / G)
    assert later.mean(axis=1) == pytest.approx(ds.level_shift.values[:, -1], abs=0.01)
    assert later.std(axis=1) == pytest.approx(ds.level_sigma.values[:, -1], rel=0.03)
    device.verified = True
    assert np.log(device.programming_error(G) / G).std() == pytest.approx(0.0, abs=1e-12)
    assert np.log(device.read_noise(G) / G).std(axis=1) == pytest.approx(equal.read_sigma(ds), rel=0.03)
    G = 1e6 * np.repeat(ds.level_mean.values[:, None], 20_000, axis=1).view(presets.Conductances)
    for verified, sigma in ((False, ds.level_sigma.values), (True, ds.level_moved.values)):
        config = presets.preset_names(told["aihwkit_preset.py"])["otj_inference"](verified)
        noise, target = config.noise_model, config.noise_model.generate_drift_coefficients(G)
        assert noise.ends == pytest.approx({"g_min": float(G.min()), "g_max": float(G.max())})
        changes = (
            noise.apply_programming_noise_to_conductance(G),
            noise.apply_drift_noise_to_conductance(0, target, 86400.0),
        )
        for at, change in zip((0, -1), np.log([each / G for each in changes]), strict=True):
            assert change.mean(axis=1) == pytest.approx(ds.level_shift.values[:, at], abs=0.01)
            assert change.std(axis=1) == pytest.approx(sigma[:, at], rel=0.03, abs=1e-6)
    read = equal.read_sigma(ds) * ds.level_mean.values  # of a weight, a conductance less that of the lowest level
    own = np.sqrt((read**2).mean() + read[0] ** 2) / np.ptp(ds.level_mean.values)
    assert config.forward.w_noise == pytest.approx(own, rel=1e-6)
    written = folder.write_exports(noisy, tmp_path / "noisy")
    kept = store.read(written[-1])
    assert kept.attrs["dw_min_std"] == found.pulse.dw_min_std
    assert list(kept.drawn_sigma.values) == [row.drawn for row in found.rows]


def test_small_devices_are_run_by_the_solver(pulses, monkeypatch):
    few = {"DEVICES": 3, "CYCLES": 2, "SETTLING": 1, "MOST_ROUNDS": 1, "CELLS": 20, "LEVELS": 2, "READS": 8}
    for name, value in (few | {"TIMES": (1e-3, 60.0)}).items():
        monkeypatch.setattr(scatter_of_pulses, name, value)
    short = pulses._replace(
        train=equal.PulseTrain(equal.VoltagePulse(2.2, 5e-8), equal.VoltagePulse(-2.5, 5e-8), 3),
        up=pulses.up[:4],
        down=pulses.down[:4],
    )
    case = load_case("li2019").replace(SMALL)
    with pool.team(1) as spread:
        ds = scatter_of_pulses.with_deviations(case, scatter_of_pulses.measured_scatter(case, short, spread))
    assert ds.conductance.shape == (3, 2, 6)
    assert ds.level_conductance.shape[-1] == 1 + len(scatter_of_pulses.TIMES)
    mean = ds.mean_conductance.values
    assert mean[5] > 1.5 * mean[2]
    assert 0.0 < ds.sigma_written.mean() < 0.5 * np.ptp(mean)
    assert (ds.left_out, ds.cut_short) == (0, 0)


def test_columns_of_less_than_an_ion_are_refused_in_words():
    with pytest.raises(CaseError, match="ion in each column at least"):
        scatter_of_pulses.cases_of_devices(load_case("li2019").replace({"device.radius": "20 nm"}), 0)

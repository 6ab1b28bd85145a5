"""Ions that hop at random in whole runs: seeds, means, areas, and cases that cannot have them."""

import numpy as np
import pytest
from devices import COLUMNS, SMALL, case, needs_speed
from layered import between_metals, layer

import otjdd
from otjdd.case.case import load_case
from otjdd.errors import CaseError, NotAsExpected
from otjdd.runs.run import check_inputs
from otjdd.solver import initial, model, simulate

SHOT = {"ions__noise": "shot", "device__radius": "1 um", "device__film__electrons": "none"}
PULSES = {
    "drive": {
        "kind": "train", "voltage": "1 V", "width": "1 us", "count": 4, "period": "3 us", "read_each": True,
    }
}  # fmt: skip


def noisy(seed=1, **changes):
    return case(**SMALL | SHOT | changes, ions__seed=seed).replace(PULSES)


@needs_speed
def test_a_seed_gives_the_same_bits_in_a_study_with_any_number_of_workers(tmp_path):
    varied = noisy(**COLUMNS).replace({"study.grid": {"ions.seed": [1, 2]}})
    alone, both = (otjdd.study(varied, tmp_path / str(n), workers=n) for n in (1, 2))
    assert (tmp_path / "1" / "study.nc").read_bytes() == (tmp_path / "2" / "study.nc").read_bytes()
    reads = alone["read_resistance"].values
    assert np.array_equal(reads, both["read_resistance"].values)
    assert not np.array_equal(*reads)
    assert np.array_equal(reads[0], otjdd.run(noisy(1, **COLUMNS)).read_resistance.values)


@needs_speed
@pytest.mark.parametrize(("radius", "told"), [("2 nm", True), ("4 nm", True), ("1 um", False)])
def test_columns_of_few_ions_are_told(radius, told):
    ds = otjdd.run(noisy(device__radius=radius))
    assert ("single_ion_share: one ion over the ions of a column" in ds.attrs["model_limits"]) == told
    assert told == (ds.single_ion_share > 0.02)
    assert ds.attrs["solver_largest_leap"] == 0.1


def test_a_start_of_less_than_one_ion_is_refused_in_words():
    there = noisy()
    parts = model.members(there)
    few = np.full((1, there.device.film.cells), 1e10)
    with pytest.raises(NotAsExpected, match=r"1 ion at least in each column at the start, got .* in column 1 of 1"):
        initial.with_ions_drawn(there, model.junction(there, parts=parts), parts, {"c": few})


@needs_speed
def test_an_equilibrium_of_less_than_one_ion_is_refused_by_its_key():
    table = {"rate": "1e-12 m/s", "equilibrium_density": "1e12 1/m^3"}
    scarce = noisy().replace({"device.left.exchange": table, "ions.initial": "equilibrium"})
    for begun in (check_inputs, otjdd.run):
        with pytest.raises(CaseError, match=r"ions\.noise: expected .* 1 ion at least"):
            begun(scarce)


@needs_speed
@pytest.mark.parametrize("seed", range(1, 13))
def test_a_day_of_rest_ends_for_each_number_of_ions_that_is_drawn(seed):
    """From equilibrium, with cells at an electrode that are nearly full: more ions there would be beyond their sites."""
    rest = {
        "drive": {"kind": "hold", "voltage": "0 V", "duration": "1 d"},
        "record.every": "none",
        "record.profiles_at_reads": False,
    }
    there = load_case("vcm-cell", rest | {"ions.noise": "shot", "ions.seed": seed}).without_study()
    assert simulate.begun(there)[0].state.c.max() <= there.ions.site_density
    assert simulate.simulate_junction(there).attrs["solver_time_reached"] == 86400.0


def test_a_number_of_ions_leaves_no_cell_with_more_than_its_sites():
    width, c = np.array([1.0, 2.0, 1.0]), np.array([0.999, 0.5, 1e-6])
    for number in (0.1, 2.0, 3.9):
        found = initial.holding(c, 1.0, width, number)
        assert found @ width == pytest.approx(number, rel=1e-14)
        assert 0.0 < found.min() < found.max() <= 1.0
        assert np.ptp(np.log(found / (1.0 - found) / c * (1.0 - c))) < 1e-6


@needs_speed
@pytest.mark.campaign
def test_the_mean_of_200_runs_is_the_run_without_noise():
    """Of ln R after each pulse, within three standard errors, at 1e4 ions."""
    there = noisy(device__radius="5 um")
    known = np.log(otjdd.run(there.without_noise()).read_resistance.values)
    found = np.log([
        simulate.simulate_junction(there.replace("ions.seed", seed)).read_resistance.values for seed in range(200)
    ])  # fmt: skip
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    print(known, (found.mean(axis=0) - known) / error, found.std(axis=0))
    assert np.abs(found.mean(axis=0) - known).max() < 3.0 * error.max()


@needs_speed
@pytest.mark.campaign
def test_the_scatter_falls_with_the_root_of_the_area():
    """Of ln R after each pulse, over three decades of the area."""
    radii, scatter = [3.0, 9.5, 30.0, 95.0], []
    for radius in radii:
        there = noisy(device__radius=f"{radius} um")
        found = [
            simulate.simulate_junction(there.replace("ions.seed", seed)).read_resistance.values for seed in range(80)
        ]
        scatter.append(np.log(found).std(axis=0, ddof=1).mean())
    slope = np.polyfit(np.log(np.square(radii)), np.log(scatter), 1)[0]
    print(scatter, slope)
    assert slope == pytest.approx(-0.5, abs=0.05)


def test_seeds_of_more_than_32_bits_repeat_no_other():
    seeds = [5, 6, 2**32, 2**32 + 5, 2 * 2**32 + 5, 2**63 - 1]
    first = {(seed, k): initial.seed_of_column(seed, k).generate_state(4).tolist() for seed in seeds for k in range(3)}
    assert len(set(map(tuple, first.values()))) == len(first)
    assert first[5, 1] == np.random.SeedSequence([5, 1]).generate_state(4).tolist()  # as earlier versions drew it


@needs_speed
def test_columns_with_an_ion_or_two_do_not_stall():
    """Smooth densities err there by whole ions. Cells beyond empty beside cells beyond full ran away from each other."""
    ds = otjdd.run("li2019", {
        "device.radius": "100 nm", "device.film.cells": 40, "ions.noise": "shot", "ions.seed": 1,
        "columns": {"count": 2, "spread": {"ions.activation_energy": "10 meV"}}, "numerics.max_steps": 5000,
        "drive": {"kind": "train", "voltage": "1.6 V", "count": 10, "width": "100 us", "period": "1 ms", "read_each": True},
    })  # fmt: skip
    assert ds.attrs["solver_status"] == "done"


@needs_speed
def test_ions_on_either_side_of_a_layer_without_sites_hop_for_themselves():
    """The density of each part holds its own ions, also none. None pass the layer, and their mean moves as a density."""
    drive = {"kind": "hold", "voltage": "2.5 V", "duration": "1 ms", "reads_at": ["100 us"]}
    film = between_metals(layer(1.0, 12), layer(0.3, 4, ions="none"), layer(1.2, 14)).replace({
        "drive": drive, "record.profiles_at_reads": True, "columns.count": 24,
    })  # fmt: skip
    parts = np.s_[0:12], np.s_[16:30]
    moved = {}
    for name, radius, noise in (("density", "30 nm", "none"), ("ions", "30 nm", "shot"), ("few", "5.5 nm", "shot")):
        there = film.replace({"device.radius": radius, "ions.noise": noise, "ions.seed": 5 * (noise == "shot")})
        members = model.members(there)
        begun = initial.start(there, model.junction(there, parts=members), members)
        ds = otjdd.run(there)
        width, c = ds.cell_width.values, ds.vacancy_concentration_columns.values
        held = np.stack([c[..., part] @ width[part] for part in parts])
        np.testing.assert_allclose(held, held[:, :1] + 0.0 * held, rtol=1e-12)
        if noise == "shot":
            smooth = np.stack([begun["smooth"][:, part] @ width[part] for part in parts])
            np.testing.assert_allclose(smooth, held[:, 0], rtol=1e-9, atol=1e-9 * held.max())
        place = np.stack([(c[..., part] * width[part]) @ np.arange(width[part].size) for part in parts])
        moved[name] = (place[:, -1] - place[:, 0]) / np.where(held[:, 0] > 0.0, held[:, 0], np.nan)
    assert np.isnan(moved["few"]).any()  # a part of a column without ions
    error = moved["ions"].std(axis=1, ddof=1) / np.sqrt(24)
    assert (np.abs(moved["density"]).max(axis=1) > 5.0 * error).all()
    assert (np.abs(moved["ions"].mean(axis=1) - moved["density"].mean(axis=1)) < 4.0 * error).all()

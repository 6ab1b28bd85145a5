"""The error of reads by the grid: parts of a drive that are run again on fewer cells, and what a run says of it."""

import numpy as np
import pytest
from devices import JUNCTION, SMALL, case, needs_speed

import otjdd
from otjdd.case.case import parse_case
from otjdd.errors import SolverError
from otjdd.results import store
from otjdd.runs.run import simulate
from otjdd.solver import at_rest, grid_error, integrate
from otjdd.stepping.course import READ
from otjdd.waveform.waveform import Chain, Part, Waveform

# A film with sheets of vacancies at both electrodes, thinner than the cells.
STEEP = {
    "drive": {"kind": "train", "voltage": "-1 V", "width": "1 us", "period": "2 us", "count": 3, "read_each": True},
    "device.film.cells": 16, "record.every": "reads",
}  # fmt: skip


def train(count, between=3, start=0.0):
    """A waveform of `count` reads with `between` straight pieces before each, 1 s long, the last one the read."""
    times = start + np.arange(count * between + 1.0)
    return Waveform(times, times % 2.0, np.column_stack((times[between::between], np.full(count, np.nan))))


def test_the_first_and_the_last_read_are_led_to_by_the_pieces_since_the_read_before():
    first, last = grid_error.replays(train(5), True)
    assert (first.reads, first.start, first.anew) == ((0,), 0.0, True)
    assert (last.reads, last.start, last.anew) == ((4,), 12.0, False)
    np.testing.assert_array_equal(last.pieces[:, :2], [[12.0, 13.0], [13.0, 14.0], [14.0, 15.0]])
    for part in (first, last):
        np.testing.assert_array_equal(part.tasks & READ, [0, 0, READ])


def test_two_reads_that_follow_each_other_have_one_replay_and_one_read_too():
    (both,) = grid_error.replays(train(2), True)
    assert both.reads == (0, 1)
    np.testing.assert_array_equal(both.tasks & READ, [0, 0, READ, 0, 0, READ])
    (single,) = grid_error.replays(train(1), False)
    assert (single.reads, single.anew) == ((0,), False)


def test_a_long_way_to_a_read_is_cut():
    (only,) = grid_error.replays(train(1, between=100), True)
    assert (only.start, len(only.pieces), only.anew) == (100.0 - grid_error.MOST_PIECES, grid_error.MOST_PIECES, False)


def test_reads_of_a_drive_in_blocks_have_times_of_the_whole_drive():
    chain = Chain((Part(train(4), 1), Part(train(3), 1)))
    first, last = grid_error.replays(chain, True)
    assert (first.reads, last.reads) == ((0,), (6,))
    np.testing.assert_array_equal(last.pieces[:, :2], [[18.0, 19.0], [19.0, 20.0], [20.0, 21.0]])


def test_a_drive_without_reads_has_nothing_to_check():
    assert grid_error.replays(Waveform(np.arange(3.0), np.ones(3)), True) == []


@pytest.mark.parametrize(
    ("currents", "error"),
    [
        ((0.0, 0.0, 0.0), 0.0),
        ((1.0, 0.0, 0.0), np.inf),
        ((1.0, -1.0, 1.0), np.inf),
        ((1.0, 1.0, np.nan), np.inf),
        (np.exp([0.4, 1.6, 3.6]), 0.5),  # second order, away from the limit by 0.4
        (-np.exp([0.4, 1.6]), 0.5),
    ],
)
def test_the_error_of_a_read_is_of_the_logarithm_of_its_currents(currents, error):
    assert grid_error.error_of_read([60, 30, 20][: len(currents)], currents) == pytest.approx(error)


def test_grids_that_agree_by_chance_have_the_error_by_the_coarsest():
    by_chance = grid_error.error_of_read([60, 30, 20], np.exp([0.0, 1e-3, 0.8]))
    assert by_chance == pytest.approx(1.25 * 0.1)
    assert grid_error.error_of_read([60, 30], np.exp([0.0, 1e-3])) < 1e-3


@pytest.mark.parametrize(("cells", "fewer"), [(60, [30, 20]), (24, [12, 8]), (16, [12, 8]), (12, [10, 8]), (9, [8])])
def test_a_read_is_repeated_on_half_the_cells_and_on_a_third_or_three_quarters(cells, fewer):
    grids = grid_error.on_fewer_cells(case(JUNCTION, **SMALL).replace("device.film.cells", cells))
    assert [grid.device.film.cells for grid in grids] == fewer


@needs_speed
def test_a_run_tells_its_error_by_the_grid_and_keeps_its_numbers_bit_for_bit(caplog):
    film = case(JUNCTION, **SMALL).replace(STEEP)
    ds, bare = otjdd.run(film), simulate(film)
    for name in bare.variables:
        assert ds[name].equals(bare[name]), name
    fine = simulate(film.replace("device.film.cells", 128))
    true = np.abs(np.log(ds.read_current / fine.read_current)).values[[0, -1]].max()
    assert true > 0.01
    assert 0.7 * true < float(ds.read_grid_error) < 1.5 * true
    assert "read_grid_error: estimated error of a read" in ds.attrs["model_limits"]
    assert "device.film.cells" in caplog.text
    sound = otjdd.run(film.replace("device.film.cells", 128))
    assert 0.0 < sound.read_grid_error < 0.01
    assert sound.attrs["model_limits"] == ""


@needs_speed
def test_a_replay_that_fails_is_told(monkeypatch):
    film = case(JUNCTION, **SMALL).replace(STEEP)

    def fails(*_):
        raise SolverError("STEP_TOO_SMALL", 0.0, 0.0, 0.0, 0.0, 0.0)

    monkeypatch.setattr(grid_error, "begun_replay", fails)
    ds = otjdd.run(film)
    assert np.isinf(ds.read_grid_error)
    assert "is inf" in ds.attrs["model_limits"]


@needs_speed
def test_states_kept_for_replays_are_no_profiles(monkeypatch):
    film, kept = case(JUNCTION, **SMALL).replace(STEEP), []
    copied = integrate.empty
    monkeypatch.setattr(integrate, "empty", lambda run, log: (copied(run, log), kept.append(len(run.kept_states)))[0])
    ds = otjdd.run(film)
    assert ds.sizes["snapshot"] == 2
    assert max(kept) == 3


def test_the_coarser_grid_of_kinds_has_the_fewest_cells_of_a_film_at_least():
    kinds = [
        {"name": "thin", "share": 0.5, "set": {"device.film.thickness": "2.4 nm"}},
        {"name": "thick", "share": 0.5},
    ]
    few = case(**SMALL).replace(STEEP | {"device.film.cells": 12, "columns": {"count": 1, "kinds": kinds}})
    assert np.isfinite(otjdd.run(few)["read_grid_error"])
    assert "read_grid_error" not in otjdd.run(few.replace("device.film.cells", 8))


# curves, whose states are prepared again

CURVE = {
    "device.film.cells": 16,
    "drive": {
        "kind": "iv",
        "voltages": [-0.3, -0.1, 0.0, 0.1, 0.2],
        "states": {"set": [{"voltage": -1.0, "duration": 1e-6}]},
    },
}
SIGNAL = {"device.film.cells": 12, "drive": {"kind": "impedance", "bias": [0.0, 0.1], "frequencies": [1e3, 1e6]}}


def true_error(film, fine):
    """Of the currents and of the sizes of impedances, by those on fine cells."""
    names = ("bias_current", "impedance_real", "impedance_imag")
    here, there = ([ds[name].values for name in names if name in ds] for ds in (film, fine))
    pairs = [(here[0], there[0]), *([(np.hypot(*here[1:]), np.hypot(*there[1:]))] if here[1:] else [])]
    return max(np.abs(np.log(a[a != 0.0] / b[a != 0.0])).max() for a, b in pairs)


@needs_speed
@pytest.mark.parametrize("drive", [CURVE, SIGNAL], ids=["iv", "impedance"])
def test_a_curve_tells_its_error_by_the_grid_and_keeps_its_numbers_bit_for_bit(caplog, drive):
    film = case(JUNCTION, **SMALL).replace(drive)
    ds, bare = otjdd.run(film), simulate(film)
    assert "curve_grid_error" not in bare
    for name in bare.variables:
        assert ds[name].equals(bare[name]), name
    true = true_error(ds, simulate(film.replace("device.film.cells", 128)))
    assert true > 0.01
    assert 0.7 * true < float(ds.curve_grid_error) < 2.0 * true
    assert "curve_grid_error: estimated error of a curve" in ds.attrs["model_limits"]
    assert "device.film.cells" in caplog.text
    sound = otjdd.run(film.replace("device.film.cells", 128))
    assert 0.0 < sound.curve_grid_error < 0.01
    assert sound.attrs["model_limits"] == ""


def test_the_points_of_a_curve_that_are_checked_are_its_ends_and_the_smallest_voltage_with_a_value():
    film = case(JUNCTION, **SMALL)
    assert at_rest.checked_biases(film.replace(CURVE), [-0.3, -0.1, 0.0, 0.05, 0.2]) == [0, 3, 4]
    assert at_rest.checked_biases(film.replace(SIGNAL), [-0.3, 0.0, 0.05, 0.2]) == [0, 1, 3]
    assert at_rest.checked_biases(film.replace(CURVE), [0.0]) == []
    path = {"kind": "cv", "path": [0.0, 0.2, 0.0], "step": 0.1, "rate": 1.0}
    assert at_rest.checked_biases(film.replace("drive", path), [0.0, 0.1, 0.2, 0.1, 0.0]) == [0, 1, 2, 3, 4]


@needs_speed
def test_a_curve_from_a_result_says_that_its_grid_is_not_checked(tmp_path):
    film = case(JUNCTION, **SMALL)
    store.write(simulate(film), tmp_path / "first.nc")
    here = parse_case(film.replace(CURVE).resolved(), tmp_path)
    ds = otjdd.run(here, {"ions.initial": {"result": "first.nc"}})
    assert "curve_grid_error" not in ds
    assert "their states come from another result" in ds.attrs["unchecked_grid"]
    assert "unchecked_grid" not in otjdd.run(film.replace(CURVE)).attrs
    assert "8 cells" in otjdd.run(film.replace(CURVE), {"device.film.cells": 8}).attrs["unchecked_grid"]


@needs_speed
def test_a_curve_whose_coarse_grids_fail_says_so(monkeypatch):
    monkeypatch.setattr(grid_error, "on_fewer_cells", lambda case: [case.replace("numerics.max_steps", 1)])
    ds = otjdd.run(case(JUNCTION, **SMALL).replace(CURVE))
    assert np.isinf(ds.curve_grid_error)
    assert "is inf" in ds.attrs["model_limits"]


@needs_speed
def test_a_curve_says_where_electrons_that_the_film_is_without_would_bend_its_band():
    low = {
        "device.left.barrier": 0.05, "device.right": {"kind": "metal", "barrier": 0.05}, "device.film.cells": 60,
        "device.film.thickness": 10e-9, "drive": {"kind": "iv", "voltages": [0.1]},
    }  # fmt: skip
    film = case(JUNCTION, **SMALL).replace(CURVE | low)
    assert "film_electron_ratio" in otjdd.run(film).attrs["model_limits"]
    held = film.replace({"device.film.electrons": "balance", "device.film.density_of_states": 1e26})
    assert "film_electron_ratio" not in otjdd.run(held).attrs["model_limits"]

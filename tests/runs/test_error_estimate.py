"""Errors of reads stated from several grids: the arithmetic, the Dataset, and that they are honest."""

import threading
from types import MappingProxyType

import numpy as np
import pytest
from devices import JUNCTION, SMALL, case, needs_speed

import otjdd
from otjdd.case.kinds import kinds_of, with_half_the_nodes
from otjdd.errors import CaseError, SolverError
from otjdd.results import summary
from otjdd.runs import error_estimate
from otjdd.runs.run import simulate
from otjdd.solver import grid_error
from validation.reliability import devices, stated_errors

READS = {
    "drive": {"kind": "pulse", "voltage": "-1 V", "width": "1 us", "read": {"voltage": "0.1 V"}},
    "device.film.cells": 48,
    "record.every": "none",
}


def film(error, **changes):
    """A small junction under a pulse with a read, whose errors are asked for in one of the ways."""
    return case(JUNCTION, **SMALL).replace(READS | {"numerics.error": error} | changes)


def not_solved():
    return SolverError("STEP_TOO_SMALL", 0.0, 0.0, 0.0, 0.0, 0.0)


def series(N, a, b):
    """ln x on N cells whose error is a/N^2 + b/N^4, about 3."""
    return np.array([3.0 + a / N**2 + b / N**4])


def test_an_error_of_second_order_is_stated_and_removed_exactly():
    grids = [60, 30, 20]
    values = [series(N, 7.0, 0.0) for N in grids]
    estimate = error_estimate.extrapolated_error(grids, values, values[1], False)
    assert estimate.limit == pytest.approx(3.0, rel=1e-14)
    assert estimate.grid == pytest.approx(grid_error.SAFETY * 7.0 / 60**2, rel=1e-9)
    assert estimate.time == 0.0
    extrapolate = error_estimate.extrapolated_error(grids, values, values[1] + 1e-3, True)
    assert extrapolate.limit == pytest.approx(3.0, rel=1e-14)
    assert extrapolate.grid == pytest.approx(0.0, abs=1e-12)
    assert extrapolate.time == pytest.approx(1e-3)
    same = error_estimate.extrapolated_error(grids, [np.array([3.0])] * 3, np.array([3.0]), False)
    assert (same.grid[0], same.ranged[0]) == (0.0, False)


def test_what_extrapolation_leaves_is_bounded_by_the_error_stated():
    grids = [60, 30, 20]
    values = [series(N, 7.0, 900.0) for N in grids]
    found = error_estimate.extrapolated_error(grids, values, values[1], True)
    left = abs(found.limit[0] - 3.0)
    assert found.grid[0] == pytest.approx(8.0 * left, rel=1e-3)


@pytest.mark.parametrize("power", [0.5, 1.05, 1.37, 1.6, 2.0, 2.8, 4.0])
@pytest.mark.parametrize("grids", [[60, 30, 20], [97, 48, 32]])
def test_an_error_is_stated_by_the_order_that_the_grids_show_up_to_the_second(power, grids):
    values = [np.array([3.0 + 2.0 * N**-power]) for N in grids]
    error = error_estimate.extrapolated_error(grids, values, values[1], False)
    expected = 2.0 * grids[0] ** -power if power <= 2.0 else np.abs(error.limit - values[0])
    known = 1.0 <= power <= 3.0  # of other orders the range is the error
    assert error.ranged.any() == (not known)
    assert not known or error.grid == pytest.approx(grid_error.SAFETY * expected, rel=1e-4)


@pytest.mark.parametrize("extrapolate", [False, True])
@pytest.mark.parametrize(
    ("values", "extent"),
    [
        ([3.0, 3.0, 3.01], 0.01),  # two grids that agree by chance
        ([3.0, 3.02, 3.0], 0.02),  # to and fro
        ([3.0, 3.1, 3.1], 0.1),  # no limit in sight
    ],
)
def test_grids_that_do_not_converge_have_their_range_as_error(values, extent, extrapolate):
    values = [np.array([x]) for x in values]
    found = error_estimate.extrapolated_error([60, 30, 20], values, values[1], extrapolate)
    assert found.grid[0] >= extent * (1.0 - 1e-9)
    assert found.ranged.all()


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_value_that_a_grid_does_not_give_has_no_known_error(missing):
    values = [series(N, 7.0, 0.0) for N in (60, 30, 20)]
    values[missing] = np.array([np.nan])
    found = error_estimate.extrapolated_error([60, 30, 20], values, series(30, 7.0, 0.0), False)
    assert np.isnan(found.grid[0])
    assert not found.ranged.any()


def test_a_result_tells_of_values_that_do_not_converge(plain):
    factor = {48: 1.0, 24: 1.2, 16: 1.0}

    def on_its_grid(case, *rest):
        return plain.assign(read_resistance=plain.read_resistance * factor[case.device.film.cells])

    ds = error_estimate.simulate_with_error(film("estimate"), on_its_grid)
    assert f"error of {plain.read_resistance.size} of {plain.read_resistance.size} values" in ds.attrs["error_estimate"]
    np.testing.assert_allclose(ds.read_resistance_grid_error, np.log(1.2), rtol=1e-9)


def test_a_read_whose_error_in_time_cancels_has_that_of_the_run():
    values = [np.array([1.0, 2.0])] * 3
    found = error_estimate.extrapolated_error([60, 30, 20], values, np.array([1.0, 2.004]), False)
    np.testing.assert_allclose(found.time, [0.004 / 2**0.5, 0.004], rtol=1e-9)


@pytest.fixture(scope="module")
def plain():
    return simulate(case(JUNCTION, **SMALL).replace(READS))


@needs_speed
def test_an_estimate_leaves_the_reads_as_they_are_and_extrapolation_moves_them(plain):
    estimate, extrapolate = (simulate(film(kind)) for kind in ("estimate", "extrapolate"))
    assert not [name for name in plain if "error" in name]
    np.testing.assert_array_equal(estimate.read_resistance, plain.read_resistance)
    parts = estimate.read_resistance_grid_error + estimate.read_resistance_time_error
    np.testing.assert_allclose(estimate.read_resistance_error, parts, rtol=1e-12)
    moved = np.abs(np.log(extrapolate.read_resistance / plain.read_resistance))
    assert (moved <= estimate.read_resistance_grid_error * (1.0 + 1e-9)).all()
    np.testing.assert_allclose(extrapolate.read_current * extrapolate.read_resistance, extrapolate.read_voltage)
    assert "48, 24, 16 cells" in extrapolate.attrs["error_estimate"]
    assert "% (grid" in summary.of_result(estimate)
    np.testing.assert_array_equal(extrapolate.vacancy_concentration, plain.vacancy_concentration)


@needs_speed
def test_half_the_nodes_of_columns_are_part_of_the_error_and_more_than_what_all_leave():
    law = {"columns.count": 6, "columns.spread": {"ions.activation_energy": {"law": "exponential", "scale": "40 meV"}}}
    spread = case(JUNCTION, **SMALL).replace(READS | law)
    estimate, many = (
        simulate(spread.replace("numerics.error", "estimate")),
        simulate(spread.replace("columns.count", 96)),
    )
    columns, left = estimate.read_resistance_column_error, np.log(estimate.read_resistance / many.read_resistance)
    assert (np.abs(left) > 1e-5).all()
    assert (np.abs(left) < columns).all()
    parts = estimate.read_resistance_grid_error + estimate.read_resistance_time_error + columns
    np.testing.assert_allclose(estimate.read_resistance_error, parts, rtol=1e-12)
    assert "% (grid" in summary.of_result(estimate)
    assert ", columns " in summary.of_result(estimate)
    assert "half the nodes" in estimate.attrs["error_estimate"]


@pytest.mark.parametrize(
    ("columns", "halved"),
    [
        ({}, None),
        ({"columns.count": 5}, None),  # of one value
        ({"columns.count": 5, "columns.spread": {"ions.density": "1e24 1/m^3"}}, [2]),
        ({"columns.count": 5, "columns.nodes": "draws", "columns.spread": {"ions.density": "1e24 1/m^3"}}, None),
        ({"columns.kinds": [
            {"name": "a", "share": 0.5}, {"name": "b", "share": 0.1, "count": 9, "spread": {"ions.density": "1e24 1/m^3"}},
        ]}, [1, 4]),
    ],
)  # fmt: skip
def test_half_the_nodes_are_those_of_each_kind_that_a_law_distributes(columns, halved):
    found = with_half_the_nodes(case(JUNCTION).replace(columns))
    assert (found and [kind.columns.count for kind in kinds_of(found)]) == halved


@needs_speed
def test_a_limit_is_what_is_extrapolated_without_an_error(plain):
    limit, extrapolate = (simulate(film(kind)) for kind in ("limit", "extrapolate"))
    np.testing.assert_array_equal(limit.read_resistance, extrapolate.read_resistance)
    np.testing.assert_array_equal(limit.read_current, extrapolate.read_current)
    assert not [name for name in limit if "error" in name]
    assert limit.attrs["error_estimate"].startswith("not stated; read_resistance and its current are extrapolated")
    assert "from 48 and 24" in limit.attrs["error_estimate"]
    assert summary.of_result(limit).endswith("ohm, extrapolated to small cells, errors not stated")
    np.testing.assert_array_equal(limit.vacancy_concentration, plain.vacancy_concentration)


@pytest.mark.parametrize(
    ("drive", "runs"),
    [
        ({"kind": "hold", "voltage": "0.1 V", "duration": "1 us"}, [48]),
        (READS["drive"], [16, 24, 24, 48]),
        ({"kind": "iv", "start": "0 V", "stop": "0.1 V", "step": "0.1 V", "states": {"fresh": []}}, [16, 24, 24, 48]),
        ({"kind": "cv", "start": "0 V", "stop": "0.1 V", "step": "0.1 V", "states": {"fresh": []}}, [48]),
    ],
    ids=["no reads", "reads", "curves", "small signal"],
)
def test_coarser_grids_run_where_there_is_something_to_compare(plain, drive, runs):
    cells = []
    found = plain if len(runs) > 1 else plain.drop_vars("read_resistance")

    def on_its_grid(case, *rest):
        cells.append(case.device.film.cells)
        return found

    error_estimate.simulate_with_error(film("estimate", drive=drive), on_its_grid)
    assert sorted(cells) == runs


@pytest.mark.parametrize("processors", [1, 4])
def test_an_interruption_after_the_finest_run_keeps_that_one(plain, monkeypatch, processors):
    monkeypatch.setattr("otjdd.system.pool.cores", lambda: processors)
    done = threading.Event()

    def on_its_grid(case, *rest):
        if case.device.film.cells == 48:
            done.set()
            return plain
        done.wait(10.0)
        error = KeyboardInterrupt()
        error.partial = plain.isel(x=slice(24))
        raise error

    with pytest.raises(KeyboardInterrupt) as caught:
        error_estimate.simulate_with_error(film("estimate"), on_its_grid)
    kept = caught.value.partial
    np.testing.assert_array_equal(kept.vacancy_concentration, plain.vacancy_concentration)
    assert np.isnan(kept.read_resistance_error).all()
    assert kept.attrs["error_estimate"] == "not known: interrupted"

    def finest(case, *rest):
        error = KeyboardInterrupt()
        error.partial = plain
        raise error

    with pytest.raises(KeyboardInterrupt) as caught:
        error_estimate.simulate_with_error(film("estimate"), finest)
    assert caught.value.partial is plain  # as it is


@pytest.mark.parametrize(
    ("kind", "attribute", "told"),
    [("estimate", "not known: on 24 cells, no time step", "errors not known"),
     ("limit", "not extrapolated: on 24 cells, no time step", "ohm, not extrapolated")],
)  # fmt: skip
def test_a_coarser_grid_that_fails_leaves_the_reads_and_no_error(plain, caplog, kind, attribute, told):

    def on_its_grid(case, *rest):
        if case.device.film.cells < 48:
            raise not_solved()
        return plain

    ds = error_estimate.simulate_with_error(film(kind), on_its_grid)
    assert ds.attrs["error_estimate"].startswith(attribute)
    assert attribute.split(":")[0] in caplog.text
    assert told in summary.of_result(ds)
    np.testing.assert_array_equal(ds.read_resistance, plain.read_resistance)
    errors = [ds[name] for name in ds if str(name).endswith("_error")]
    assert bool(errors) == (kind == "estimate")
    assert all(np.isnan(error).all() for error in errors)


@pytest.mark.parametrize("kind", ["estimate", "extrapolate"])
@pytest.mark.parametrize(
    ("fails", "words", "lost"),
    [
        (lambda case: case.device.film.cells == 16, "not known on 16 cells, no time step", "grid"),
        (lambda case: case.numerics.rtol < 1e-3, "not known on 24 cells with smaller tolerances, no time step", "time"),
    ],
)  # fmt: skip
def test_a_run_that_fails_is_named_and_takes_only_its_own_part_of_the_error(plain, caplog, kind, fails, words, lost):

    def on_its_grid(case, *rest):
        if fails(case):
            raise not_solved()
        return plain.assign(read_resistance=plain.read_resistance * (1.0 + case.device.film.cells**-2))

    ds = error_estimate.simulate_with_error(film(kind), on_its_grid)
    assert words in ds.attrs["error_estimate"]
    assert words.removeprefix("not known ") in caplog.text
    for part in ("grid", "time"):
        assert np.isnan(ds[f"read_resistance_{part}_error"]).all() == (part == lost)
    assert np.isnan(ds.read_resistance_error).all()
    moved = ds.read_resistance.values != plain.read_resistance.values * (1.0 + 48**-2)
    assert moved.all() == (kind == "extrapolate" and lost != "grid")


def erased(folder, changes, more=MappingProxyType({})):
    """The result of a reset that starts from the result of a set, both of a case with changes. more : of the reset"""
    pulses = [{"drive": {"kind": "pulse", "voltage": V, "width": "10 us", "read": {}}} for V in ("1 V", "-1 V")]
    written = case(**SMALL | {"device__film__cells": 48}).replace(pulses[0] | changes)
    (folder / "case.toml").write_text(written.resolved())
    otjdd.write(otjdd.run(written), folder / "written.nc")
    return otjdd.run(
        otjdd.load_case(folder / "case.toml", pulses[1] | {"ions.initial": {"result": "written.nc"}} | more)
    )


@needs_speed
def test_the_error_of_a_run_from_a_result_covers_what_finer_grids_show(tmp_path):
    stated, fine = (erased(tmp_path, {}, more) for more in ({"numerics.error": "estimate"}, {"device.film.cells": 192}))
    off = abs(np.log(fine.read_resistance.values / stated.read_resistance.values))
    assert (off < stated.read_resistance_error.values).all()
    assert (off > 0.3 * stated.read_resistance_error.values).all()


@needs_speed
def test_a_result_that_no_coarser_grid_can_start_from_is_refused_before_the_run(tmp_path):
    columns = {"columns.count": 2, "columns.spread": {"device.film.thickness": "0.05 nm"}}
    with pytest.raises(CaseError, match="another grid, and columns of different thickness"):
        erased(tmp_path, columns, {"numerics.error": "limit"})


@needs_speed
@pytest.mark.campaign
def test_stated_errors_of_random_trains_are_honest():
    found = stated_errors.campaign(4, seed=11, written=devices.in_trains)
    assert found.slow == 0
    for verdict in found.verdicts.values():
        assert verdict.reads >= 2 * devices.TRAIN
        assert verdict.within >= 0.9


def test_a_verdict_counts_reads_beyond_three_times_what_was_stated():
    one = stated_errors.Compared(0, "estimate", [1e-3, 4e-3, 1e-3, 1e-3], [1e-3, 1e-3, 2e-3, 1e-3])
    found = stated_errors.verdict([one])
    assert (found.reads, found.within, found.median) == (4, 0.75, pytest.approx(1.0))
    assert not found.honest

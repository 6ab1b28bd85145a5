"""From a case to a model: progress, the range of the state, what is refused, columns that share tables, films of traps."""

from dataclasses import replace

import compact_device
import numpy as np
import pytest

from otjdd.case.case import load_case
from otjdd.compact_models import build, error, extraction
from otjdd.compact_models.bench import Branch, Ends
from otjdd.compact_models.build import SHARES, stages
from otjdd.compact_models.extraction import KindOfColumn, Knot
from otjdd.compact_models.tables import Range
from otjdd.errors import CaseError, ExitCode, ExtractionError, NotAsExpected
from otjdd.runs.run import run
from otjdd.solver import model
from otjdd.system.pool import counted_jobs, one_by_one
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate


@pytest.mark.parametrize(
    ("voltage", "time", "said"),
    [
        ((1.0, 2.0), (1e-8, 1.0), "around 0 V"),
        ((-1.0, 1.0), (1e-3, 1e-2), "longest time"),
        ((-1.0, np.nan), (1e-8, 1.0), "around"),
    ],
)
def test_range_that_holds_no_model_is_refused(voltage, time, said):
    with pytest.raises(NotAsExpected, match=said):
        build.compact(compact_device.written_case(), voltage=voltage, time=time)


def test_ions_that_do_not_move_give_no_model_and_random_hops_are_left_out_aloud(caplog):
    still = compact_device.written_case().replace({"ions.activation_energy": "4 eV", "ions.noise": "shot"})
    with pytest.raises(NotAsExpected, match="ions that the voltage moves, in one kind of columns at least") as caught:
        build.compact(still)
    assert caught.value.exit_code == ExitCode.CASE
    assert "the model describes the mean" in caplog.text


@pytest.mark.campaign
def test_vacancies_that_no_well_keeps_have_a_model_whose_state_is_their_mean_position():
    """They are in one place at 0 V sooner or later, wherever they were. The seed of the trains is not that of the error."""
    changes = {"device.film.cells": 20, "device.left.barrier": "1.7 eV", "device.right.barrier": "2.1 eV"}
    case = load_case("tutorials/tin-hfo2-tin", changes)
    hafnia = build.compact(case, voltage=(-2.5, 2.5), measure=False)
    assert hafnia.about["solver_settling_time"] == hafnia.limits.shortest
    drive = error.ramped_train(np.random.default_rng(71), hafnia.limits)
    solved, _ = error.solved_reads(case, drive)
    off = np.log10(hafnia.predicted(error.with_drive(case, drive).drive).read_current.values / solved)
    assert np.abs(off).max() < 0.03
    assert np.ptp(np.log10(solved)) > 0.01


def test_range_that_the_solver_does_not_reach_is_a_fault_of_the_case():
    with pytest.raises(NotAsExpected, match="range of voltages that the solver reaches") as caught:
        build.compact(compact_device.written_case(), {"numerics.max_steps": 5})
    assert caught.value.exit_code == ExitCode.CASE


def test_columns_share_tables_where_only_their_activation_energies_differ():
    case = load_case("li2019")
    assert build.columns_alike(case, model.members(case)) == [[0, 1, 2, 3, 4]]
    tilted = case.replace("ions.law", "genreith-schriever")
    assert len(build.columns_alike(tilted, model.members(tilted))) == 5
    spread = {"ions.activation_energy": "0.05 eV", "device.film.thickness": "0.01 nm"}
    both = case.replace(**{"columns.spread": spread, "columns.count": 2})
    assert sorted(map(len, build.columns_alike(both, model.members(both)))) == [2, 2]


def test_columns_of_the_linear_law_are_one_column_at_other_speeds():
    linear = load_case("li2019").replace("ions.law", "linear")
    parts = model.members(linear)
    kind, energy = build.stand_in(linear, parts)
    assert kind.fast is None
    assert energy == parts[-1].activation_energy
    assert kind.speeds[0] == 1.0
    assert kind.speeds[1] == pytest.approx(np.exp((energy - parts[0].activation_energy) / (8.617333262e-5 * 300.0)))


def test_drives_that_are_excluded_are_told_and_not_held_against_a_model(compact_model):
    worst, name = error.largest_rms(compact_model)
    assert build.excluded_drives([name.split(" at ")[0]], compact_model.limits, ())[0].startswith(name.split(" at ")[0])
    without = replace(compact_model, about=compact_model.about | {error.EXCLUDED: name})
    assert error.largest_rms(without)[0] < worst
    assert f"{name}: rms {worst:.3f}" in error.error_sentence(without)
    assert error.error_sentence(without).count("excluded") == 1
    with pytest.raises(NotAsExpected, match=r"drives that the error is measured under.*first sweeps at 1 V/us.*'swep'"):
        build.excluded_drives(["swep"], compact_model.limits, ())


@pytest.mark.campaign
def test_model_that_is_too_far_from_the_solver_is_kept_and_refused(compact_model):
    found = compact_model
    with pytest.raises(ExtractionError, match="decades") as caught:
        error.with_measured_error(found, compact_device.written_case(), one_by_one, 1e-6)
    assert caught.value.exit_code == ExitCode.SOLVER
    assert caught.value.partial.error.keys() == found.error.keys()


def test_heat_of_the_junction_is_that_of_the_case():
    heat = '{ resistance = "spreading", conductivity = "10 W/m/K", capacity = "1e-13 J/K", share = 0.5 }'
    case = load_case("li2019", {"device.heat": heat, "device.radius": "10 um"})
    found = build.heat_of(case)
    assert found.resistance == pytest.approx(0.5 / (4.0 * 10.0 * 10e-6))
    assert found.time_constant == pytest.approx(1e-13 / (4.0 * 10.0 * 10e-6))
    assert case.isothermal().device.heat is None
    assert build.heat_of(case.isothermal()) is None
    with pytest.raises(CaseError, match=r"device\.heat: expected none with a compact model without --temperatures"):
        build.compact(case)
    columns = load_case("li2019", {"device.heat": '{ resistance = "1e4 K/W", time_constant = "1 us", of = "columns" }'})
    with pytest.raises(CaseError, match=r'unless heat\.of is "junction"'):
        build.compact(columns, temperatures=(300.0, 400.0))


def test_progress_rises_over_all_stages_and_ends_full():
    fractions: list[float] = []
    within = stages(fractions.append, list(SHARES))
    for name in SHARES:
        for _ in range(2):  # a stage may have several rounds of jobs
            assert list(counted_jobs(one_by_one, within[name])(abs, [(-1,), (2,)])) == [(0, 1), (1, 2)]
    assert len(fractions) == 4 * len(SHARES)
    assert fractions == sorted(fractions)
    assert fractions[1] == pytest.approx(SHARES["extraction"] / sum(SHARES.values()))
    assert fractions[-1] == pytest.approx(1.0)
    assert list(counted_jobs(one_by_one, stages(None, ["error"])["error"])(abs, [(-3,)])) == [(0, 3)]


def test_states_reach_as_far_as_a_voltage_within_the_range_leads(monkeypatch):
    """As film electrons draw vacancies back at high voltages: states of rest are 0.5 at both ends, 0.2 and 0.8 within."""

    def knot_at(kind, ends, states, voltage, fastest, both):
        rest = 0.5 + 0.3 * np.sin(2.0 * voltage)
        run = Branch(np.zeros(1), np.array([rest]), np.array([[rest]]))
        return Knot(rest, np.zeros(states.size), None, [run]), 1

    monkeypatch.setattr(extraction, "knot_at", knot_at)
    monkeypatch.setattr(extraction, "state_of", lambda bench, c, settling: float(c[0, 0]))
    limits = Range(-1.57, 1.57)
    order = extraction.Extraction(limits, lambda function, jobs: enumerate(function(*job) for job in jobs))
    _, states, knots, runs, _ = extraction.ends_and_knots(
        KindOfColumn(None, (1.0, 1.0)), Ends(np.array([[0.499]]), np.array([[0.501]]), 1.0), order
    )
    assert states[[0, -1]] == pytest.approx([0.2, 0.8], abs=extraction.BEYOND)
    assert runs > len(knots)


@pytest.mark.campaign
def test_a_leaky_capacitor_has_the_current_of_its_traps():
    """No vacancies move: the tables of one state, against curves of the solver between their voltages."""
    V = [-2.3, -0.7, 0.4, 1.7, 2.9]
    exact = run("hfo2-leakage", {"drive.voltages": [f"{v} V" for v in V], "drive.temperatures": ["300.15 K"]})
    model = build.compact("hfo2-leakage", {"temperature": "300.15 K"}, voltage=(-3.0, 3.0), measure=False)
    reads = model.run(concatenate(shapes.read(v, 1e-3) for v in V))
    assert reads.read_current.values == pytest.approx(exact.bias_current.values[0, 0], rel=0.02)

"""Bad inputs, invariants of random devices, other integrators; in the campaign accidents and what counts them.

A small part of what `python -m validation.reliability` does at length.
"""

import os
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from devices import needs_speed
from typer.testing import CliRunner

from otjdd.cli import app
from otjdd.results import outputs, store
from validation.reliability import (
    accidents,
    attack,
    attack_explorer,
    attack_files,
    bad_inputs,
    currents,
    devices,
    folds,
    free_energy,
    fuzz,
    readings,
    terminals,
    versions,
)

FOLDER = Path(bad_inputs.__file__).parent
ROOT = FOLDER.parent.parent

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the words of other systems differ")


@needs_linux
def test_every_bad_input_is_refused_with_its_exit_code_in_a_few_lines(tmp_path):
    met = bad_inputs.meet_all(tmp_path)
    for seen in met:
        assert seen.code == seen.bad.code, f"{seen.bad.name}: {seen.err}"
        assert "Traceback" not in seen.err, seen.bad.name
        assert seen.out == "", seen.bad.name
        assert 1 <= len(seen.err.splitlines()) <= 25, seen.bad.name
        assert str(tmp_path) not in seen.err, seen.bad.name
        if seen.bad.code == bad_inputs.CASE:
            assert re.match(r"\S+(:\d+:\d+)? ?.*: ", seen.message), seen.bad.name  # file, place and what is wrong
    (tmp_path / "alone").mkdir()
    alone = bad_inputs.meet(met[0].bad, tmp_path / "alone")
    assert (alone.code, alone.err) == (met[0].code, met[0].err)  # of a process of its own


@pytest.mark.campaign
def test_mutants_are_taken_or_refused_in_time_and_memory(tmp_path):
    verdict = fuzz.fuzz(600, 7, tmp_path)
    assert verdict.tracebacks == []
    assert verdict.slow == []
    assert verdict.grown < 300
    assert verdict.taken + verdict.refused == 600
    assert min(verdict.taken, verdict.refused) > 50


@pytest.mark.campaign
@needs_linux
def test_a_killed_writer_leaves_a_whole_result_or_none(tmp_path):
    found = accidents.kills(6, tmp_path)
    assert found["damaged"] == 0
    assert found.total() == 6


@pytest.mark.campaign
@needs_linux
@needs_speed
def test_places_that_cannot_take_a_result_are_told_and_left_clean(tmp_path):
    told = accidents.places(tmp_path)
    assert len(told) == 5
    assert set(told.values()) <= {"", "may not mount"}


@pytest.mark.campaign
@needs_linux
@needs_speed
def test_damage_of_a_result_is_always_detected(tmp_path):
    assert accidents.damaged_results(40, tmp_path) == {"detected": 40}


@pytest.mark.campaign
@needs_linux
@needs_speed
def test_spoilt_caches_and_first_runs_at_once_give_right_numbers(tmp_path):
    assert accidents.spoilt_caches(4, tmp_path) == {"right": 4}
    assert accidents.first_runs_together(4, tmp_path) == {"right": 4}


DANGEROUS = {
    r"\beval\(": set(),
    r"\bexec\(": {"kernel.py", "in_turn.py"},  # functions with the names of the parameters of kernels
    # its own files, in a folder of this user alone, under a seal; what processes of a pool send through their pipes
    r"\bpickle\b": {"cluster.py", "kernel_cache.py", "pool.py", "workers.py"},
    r"allow_pickle": {"workbook_process.py"},  # False
    r"\bmarshal\b|\bshelve\b|\bdill\b|\bcloudpickle\b|\bjoblib\b": set(),
    r"os\.system|shell=True|\bpopen\(": set(),
    r"yaml": {"__init__.py"},  # of physics, which keeps numba from reading its settings from the working folder
    r"__import__": set(),
}


def test_nothing_in_a_file_is_ever_run():
    sources = [(path.name, path.read_text(encoding="utf-8")) for path in (ROOT / "otjdd").rglob("*.py")]
    assert len(sources) > 30
    used = {pattern: {name for name, text in sources if re.search(pattern, text)} for pattern in DANGEROUS}
    assert used == DANGEROUS


@needs_linux
@needs_speed
def test_random_devices_are_solved_or_stop_in_words():
    found = [devices.fate(k, devices.text(u, k)) for k, u in enumerate(devices.drawn(16, seed=11)[:6])]
    assert [fate for fate in found if fate.kind not in ("solved", "stopped")] == []
    assert sum(fate.kind == "solved" for fate in found) >= 5


@needs_speed
def test_integrals_of_the_hardest_devices_are_right():
    """Narrow levels, pairs of them, slow waves in a lead, kinks of WKB: none is off by its tolerance, nor turned round.

    Device 271 has two stacks of electrons at 0.5 V: which one is met depends on the side that it is seen from.
    """
    v = currents.hard_ones()
    assert (v.beyond, v.turned, v.stopped) == (0, 0, 0)
    assert v.worst_turned < 3e-5
    assert v.stacks <= 1
    assert v.currents > 150


@pytest.mark.campaign
@needs_linux
@needs_speed
@pytest.mark.parametrize("number", [207, 637, 942])
def test_junction_voltages_are_found_where_currents_jump_or_fall_with_the_voltage(number):
    """Of 2000 devices those, and three slow ones, are not solved where no tangent is held or a jump of V_j is not known."""
    row = devices.drawn(2000, seed=1)[number]
    assert devices.fate(number, devices.text(row, number)).kind == "solved"


@pytest.mark.campaign
def test_holes_in_a_result_are_seen():
    ds = outputs.dataset(
        {
            "current": [0.0, np.nan],
            "band_edge": [[0.0, 1.0, np.nan]],
            "read_current": [0.0],
            "read_resistance": [np.nan],
        },
        {"time": [0.0, 1.0]},
    )
    assert devices.holes(ds) == "current"
    ds["band_edge"][0, 0] = np.nan
    assert set(devices.holes(ds).split()) == {"current", "band_edge"}
    ds["read_current"][0] = 1.0
    assert set(devices.holes(ds).split()) == {"current", "band_edge", "read_resistance"}


@pytest.mark.campaign
@needs_speed
def test_a_device_that_hangs_is_ended():
    (fate,) = devices.fates(1, seed=1, limit=1.0, simulated=hang)
    assert (fate.kind, fate.what) == ("hang", "over 1 s")


@pytest.mark.campaign
def test_devices_come_in_order_whichever_ends_first():
    found = list(devices.fates(3, seed=1, limit=60.0, workers=2, simulated=late_first))
    assert found == [0, 1, 2]
    assert [fate.kind for fate in devices.fates(3, seed=1, limit=60.0, simulated=end_second)] == [
        "fine",
        "crash",
        "fine",
    ]


def late_first(number, text):
    time.sleep(1.0 if number == 0 else 0.0)
    return number


def end_second(number, text):
    if number == 1:
        os._exit(3)
    return devices.Fate(number, "fine", "", 0.0)


def hang(number, text):
    time.sleep(60)


@needs_speed
@pytest.mark.parametrize("number", [1, pytest.param(5, marks=pytest.mark.campaign)])
def test_another_integrator_with_its_own_equations_agrees(number):
    pytest.importorskip("sksundae")
    from validation.reliability import agreement

    compared = agreement.compare(devices.drawn(8, seed=3)[number], number)
    assert compared.moved > 0.1
    assert compared.error < 1e-6


@needs_speed
@pytest.mark.parametrize("number", [3, pytest.param(4, marks=pytest.mark.campaign)])
def test_another_integrator_with_its_own_equations_of_the_electrons_agrees(number):
    pytest.importorskip("sksundae")
    from validation.reliability import agreement_electrons

    compared = agreement_electrons.compare(devices.drawn(8, seed=3)[number], number)
    assert compared.moved > 0.1
    assert compared.error < 1e-6


@needs_speed
@pytest.mark.parametrize("number", [1, *(pytest.param(i, marks=pytest.mark.campaign) for i in (0, 3, 4, 5, 6))])
def test_another_integrator_with_its_own_equations_of_layers_agrees(number):
    pytest.importorskip("sksundae")
    from validation.reliability import agreement_layers

    compared = agreement_layers.compare(devices.drawn(8, seed=3)[number], number)
    assert compared.moved > 0.1
    assert compared.error < 1e-7


@needs_speed
@pytest.mark.parametrize("beside", ["electrons", "exchange"])
@pytest.mark.parametrize("number", [1, *(pytest.param(i, marks=pytest.mark.campaign) for i in (0, 2, 3, 4, 5, 6, 7))])
def test_another_integrator_agrees_on_electrons_and_exchange_in_layers(number, beside):
    pytest.importorskip("sksundae")
    from validation.reliability import agreement_layers

    compare = getattr(agreement_layers, f"compare_with_{beside}")
    compared = compare(devices.drawn(8, seed=3)[number], number)
    assert compared.moved > 1e-3
    assert compared.error < (1e-6 if beside == "electrons" else 1e-7)


@needs_speed
@pytest.mark.parametrize("electrons", [False, True])
@pytest.mark.parametrize("number", [1, pytest.param(3, marks=pytest.mark.campaign)])
def test_another_integrator_with_its_own_equations_of_the_polarisation_agrees(number, electrons):
    pytest.importorskip("sksundae")
    from validation.reliability import agreement_polarised

    compared = agreement_polarised.compare(devices.drawn(8, seed=3)[number], number, electrons)
    assert compared.moved > 0.1
    assert compared.error < 1e-6


@needs_speed
@pytest.mark.parametrize("number", [3, pytest.param(2, marks=pytest.mark.campaign)])
def test_another_integrator_with_its_own_equations_of_the_exchange_agrees(number):
    pytest.importorskip("sksundae")
    from validation.reliability import agreement_exchange

    compared = agreement_exchange.compare(devices.drawn(8, seed=3)[number], number)
    assert compared.moved > 0.1
    assert compared.error < 1e-6


@needs_speed
def test_random_devices_with_electrons_are_solved_or_stop_in_words():
    rows = devices.drawn(16, seed=1)
    found = [devices.fate(k, devices.with_electrons(rows[k], k)) for k in range(2)]
    assert [(fate.kind, fate.what) for fate in found] == [("solved", "")] * 2


@needs_speed
def test_reads_of_a_film_whose_stack_leaps_to_and_fro_are_told_from_others(tmp_path, monkeypatch, caplog):
    """Two tolerances read another moment of the oscillation; below the fold they read the same, and nothing is told."""
    monkeypatch.chdir(tmp_path)
    reads, told = {}, {}
    for name, rtol, volts in (("a", 1e-3, 9.0), ("b", 1e-5, 9.0), ("c", 1e-3, 2.0), ("d", 1e-5, 2.0)):
        Path(f"{name}.toml").write_text(folds.text(rtol, voltage=volts))
        caplog.clear()
        done = CliRunner().invoke(app, ["run", f"{name}.toml"])
        assert done.exit_code == 0, done.output
        ds = store.read(f"{name}.nc")
        reads[name], told[name] = ds.read_current.item(), folds.TOLD in ds.attrs["model_limits"]
        assert (folds.TOLD in caplog.text) == told[name] == (float(ds.stack_leaps) > 0)
    assert told == {"a": True, "b": True, "c": False, "d": False}
    assert abs(reads["a"] / reads["b"] - 1.0) > folds.ALIKE
    assert reads["c"] == pytest.approx(reads["d"], rel=folds.ALIKE)


@needs_speed
def test_free_energy_never_rises_at_a_constant_voltage():
    found = [fall for k, u in enumerate(devices.drawn(8, seed=5)) for fall in free_energy.falls(u, k)]
    assert sum(fall.steps for fall in found) > 150
    assert [fall for fall in found if fall.rise > fall.round_off] == []
    assert [fall for fall in found if fall.overshoot > 1e-6 / free_energy.ROUND_OFF * fall.round_off] == []


@needs_speed
@pytest.mark.parametrize("numbers", [range(3), pytest.param(range(3, 16), marks=pytest.mark.campaign)])
def test_free_energy_never_rises_in_films_of_several_layers(numbers):
    rows = devices.drawn(16, seed=5)
    found = [fall for k in numbers for fall in free_energy.falls(rows[k], k, layered=True)]
    assert sum(fall.steps for fall in found) > 50
    assert [fall for fall in found if fall.rise > fall.round_off] == []
    # on its way back from beyond its bounds, where it has no free energy, a concentration overshoots by 1.02e-6
    assert [fall for fall in found if fall.overshoot > 2e-6 / free_energy.ROUND_OFF * fall.round_off] == []


@needs_speed
def test_free_energy_never_rises_with_a_polarisation():
    rows = enumerate(devices.drawn(8, seed=5))
    found = [fall for k, u in rows for fall in free_energy.falls(u, k, devices.with_polarisation)]
    assert sum(fall.steps for fall in found) > 150
    assert [fall for fall in found if fall.rise > fall.round_off] == []
    assert [fall for fall in found if fall.overshoot > 1e-6 / free_energy.ROUND_OFF * fall.round_off] == []


@needs_speed
@pytest.mark.parametrize("written", [devices.with_electrons, devices.with_both])
def test_free_energy_never_rises_with_electrons_at_no_voltage(written):
    rows = enumerate(devices.drawn(8, seed=5))
    found = [fall for k, u in rows for fall in free_energy.falls(u, k, written)]
    assert sum(fall.steps for fall in found) > 50
    assert [fall for fall in found if fall.rise > fall.round_off] == []
    assert [fall for fall in found if fall.overshoot > 1e-6 / free_energy.ROUND_OFF * fall.round_off] == []


@needs_speed
@pytest.mark.parametrize("linear", [False, True])
def test_as_much_charge_leaves_one_terminal_as_enters_the_other(linear):
    for number, u in enumerate(devices.drawn(3, seed=7)):
        misfits = terminals.misfits(terminals.device(u, number, linear))
        assert max(misfits[:2]) < 1e-9
        assert misfits.theorem < 1e-9 or not linear


@pytest.mark.campaign
@needs_linux
@needs_speed
def test_a_study_that_is_killed_in_its_first_second_leaves_no_process(tmp_path):
    said, good = attack.killed_studies(True, tmp_path)
    assert good, said
    assert re.search("[234] of them after it had begun: 0 processes left", said)


@pytest.mark.campaign
@needs_linux
@needs_speed
def test_a_title_is_shown_at_a_terminal_and_not_obeyed(tmp_path):
    said, good = attack.hostile_titles(True, tmp_path)
    assert good, said


PARTS = {"folds": folds.folding_films} | readings.READINGS | attack_files.FILES | attack_explorer.EXPLORER


@pytest.mark.campaign
@needs_linux
@needs_speed
@pytest.mark.parametrize("name", PARTS)
def test_what_was_attacked_once_holds(name, tmp_path):
    said, good = PARTS[name](True, tmp_path)
    assert good, said


@pytest.mark.campaign
def test_versions_to_try_are_those_of_the_project():
    lowest, highest = (versions.requirements(which) for which in versions.SETS)
    assert "numba==0.60" in lowest
    assert any(one.startswith("numba>=0.60") for one in highest)
    assert len(lowest) == len(highest)

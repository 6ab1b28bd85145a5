"""Kinetic traps in the place of the vacancies of metal | Nb:SrTiO3: judgement, closed form and numbers of both searches."""

import numpy as np
import pytest

from validation.traps import claims, estimate, interface, nearest


def test_the_onset_of_a_front_is_found_in_its_train():
    onset, slope, width = 3e-7, 0.4, 1.5
    before, first, last = (np.exp(slope * np.log(t / onset)) for t in (onset, width, 25 * width))
    assert interface.onset(before, first, last, 25, width) == pytest.approx(onset, rel=1e-9)


def test_vacancies_have_the_numbers_of_their_claims():
    numbers = dict(
        zip(interface.MEASURED, interface.figures(*map(interface.of_vacancies, interface.RESETS)), strict=True)
    )
    assert numbers["reset slope, -2 V"] == pytest.approx(-0.57, abs=0.01)
    assert numbers["growth after -4 V"] == pytest.approx(40.8, abs=1.0)
    assert numbers["memory"] == pytest.approx(4.84, abs=0.1)


@pytest.mark.parametrize(("file", "number"), [(interface.SETS, 15), (interface.NEAREST, 7)])
def test_a_set_whose_current_changes_runs_to_its_row(file, number):
    row = interface.rows_of(file)[number]
    again = interface.row_of(interface.set_of(row), float(row["rtol"]))
    assert abs(np.log(float(row[interface.WINDOW]))) > np.log(2.0)
    for name in (interface.WINDOW, "share"):
        assert float(again[name]) == pytest.approx(float(row[name]), rel=0.02)


def test_a_sweep_of_traps_runs_to_its_row_and_remembers_nothing():
    name = "32um -2 V"
    V, current = claims.below("32um", "-2")
    row = claims.run(name, claims.cases()[name], most=60.0)
    again, on_file = np.array(row["currents (A)"].split(), float), claims.ended()[name]
    assert row["reached (s)"] == row["of (s)"]
    assert again == pytest.approx(on_file, rel=0.02)
    assert claims.window(V, current, -1.0) == pytest.approx(0.0035 / 0.000736)
    assert claims.window(V, again, -1.0) < 1.0


def test_the_second_search_goes_on_from_its_rows():
    rows = interface.rows_of(interface.NEAREST)
    traps = nearest.next_set(rows)
    assert traps == nearest.next_set(list(rows))
    assert nearest.next_set(rows[:3]) == nearest.STARTS[3]
    depth_to_fixed = dict(zip(interface.BOUNDS, traps.values, strict=True))
    assert depth_to_fixed["gap (nm)"] + depth_to_fixed["extent (nm)"] <= depth_to_fixed["thickness (nm)"] + 1e-9
    for name, (low, high) in nearest.BOUNDS_HERE.items():
        if name not in ("gap (nm)", "extent (nm)"):
            assert low <= depth_to_fixed[name] <= high


@pytest.mark.parametrize("law", ["classical", "phonons"])
def test_a_lattice_takes_what_relaxes_and_balances(law):
    d = np.linspace(-4.0, 4.0, 8001)[None]
    of_lattice = estimate.of_lattice(d, np.array([[0.5]]), law)
    assert of_lattice.sum() * 1e-3 == pytest.approx(1.0, rel=1e-6)
    assert (of_lattice * d).sum() * 1e-3 == pytest.approx(-0.5, rel=1e-6)
    near = np.abs(d[0]) < 0.5
    ratio = np.log(of_lattice[0, near] / of_lattice[0, ::-1][near])
    assert ratio == pytest.approx(-d[0, near] / estimate.KT, rel=1e-9)


def test_a_trap_of_weak_coupling_remembers_by_the_classical_law_alone():
    traps = np.array([[1.28, 2.6, 1.2, 0.361, 0.0206, 1.2]]).T
    change = {}
    for law in ("classical", "phonons"):
        filling, share = estimate.run(estimate.all_rates(traps, law))
        change[law] = float(filling[2, 0] - filling[0, 0])
        assert share[0] == pytest.approx(5.3e-5, rel=0.1)
    assert change["classical"] > 0.9
    assert abs(change["phonons"]) < 1e-6

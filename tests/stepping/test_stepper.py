"""Time steps: junction and circuit together, what is recorded, what is rejected and counted."""

import math

import numpy as np
import pytest
from devices import SMALL, begin, case, hold, needs_speed
from yardstick import CASES

from otjdd import variables
from otjdd.case.case import load_case, parse_case
from otjdd.runs.run import simulate
from otjdd.solver import integrate
from otjdd.stepping import course
from validation.reliability import devices as random_devices


def recorded(run):
    return np.concatenate(run.rows)


def rows_of(voltage, duration=1e-5, **changes):
    run = begin(case(**SMALL, **changes))
    hold(run, voltage, duration, record=True)
    return recorded(run)


def of_source(rows):
    """Current [A] of the source in each row: what the junction conducts, and what charges it."""
    return rows[:, variables.CURRENT] + rows[:, variables.CHARGING]


def test_a_jump_remembers_what_the_circuit_takes_at_each_voltage():
    run = begin(case(**SMALL, circuit__series_resistance=50.0))
    known = {0.0: 0.0}
    for V in (0.9, -0.5, 0.9):
        integrate.jump(run, V)
        known[V] = V - run.state.V[0]
    assert known[0.9] > 0.1
    assert {V: lost for V, lost in run.memory.losses if V < math.inf} == known


def test_a_step_that_is_too_long_is_rejected_and_counted_and_a_shorter_one_taken():
    run, duration = begin(case(**SMALL)), 1e-4
    integrate.jump(run, -2.0)
    run.step = duration
    integrate.follow_piece(run, duration, -2.0, -2.0, True)
    assert run.counts.rejected >= 2
    assert run.counts.accepted == len(recorded(run)) > 10


def test_a_step_is_chosen_anew_after_an_edge_and_nowhere_else():
    firsts = {}
    for task in (0, course.EDGE, course.OBSERVE):
        run = begin(case(**SMALL), rtol=1e-3, atol=1e-5)
        pieces = np.array([[0.0, 1e-6, -2.0, -2.0], [1e-6, 2e-6, 0.8, 0.8]])
        integrate.follow_pieces(run, pieces, np.array([task, task]), integrate.place_at_start(0.0), True)
        times = recorded(run)[:, variables.TIME]
        firsts[task] = times[times > 1e-6][0] - 1e-6
    assert firsts[0] == pytest.approx(firsts[course.OBSERVE], rel=1e-6)
    assert firsts[0] > 100 * firsts[course.EDGE]


def test_a_source_that_gives_way_costs_few_steps():
    run = begin(case(**SMALL, circuit__compliance=1e-4))
    integrate.follow_piece(run, 1e-2, 0.0, 1.2, True)
    rows = recorded(run)
    assert rows[-1, variables.JUNCTION] < 1.0
    assert rows[-1, variables.CURRENT] == pytest.approx(1e-4, rel=2e-3)
    assert len(rows) + run.counts.rejected < 1500


@needs_speed
@pytest.mark.parametrize("rtol", [1e-3, 1e-10])
def test_jumps_of_the_quadrature_do_not_stop_the_circuit(rtol):
    film = case(
        device__film__cells=16, device__film__thickness=6e-9, device__left__barrier=0.5,
        circuit__series_resistance=1e4, device__conducting_fraction=1.0, numerics__rtol=rtol,
    )  # fmt: skip
    run = begin(film)
    for V in np.linspace(-3.0, 2.0, 101):
        integrate.jump(run, V)
        integrate.record_row(run, V)
    rows = recorded(run)
    lost = 1e4 * rows[:, variables.CURRENT]
    np.testing.assert_allclose(rows[:, variables.JUNCTION] + lost, rows[:, variables.SOURCE], atol=2e-9)


@needs_speed
def test_a_jump_of_the_quadrature_is_crossed_where_changes_by_voltage_and_field_cancel():
    """In 46 nm between high barriers: ln I changes by 38/V with the band and by -38/V with the levels in it."""
    text = random_devices.text(random_devices.drawn(256, 1)[143], 143)
    run = begin(parse_case("\n".join(line for line in text.splitlines() if not line.startswith("columns"))))
    for V in np.arange(-24.5112, -24.5028, 0.0012):
        integrate.jump(run, V)


def test_a_limit_far_below_the_current_is_met():
    free = abs(rows_of(-0.5)[-1, variables.CURRENT])
    for share in (1e-2, 1e-5, 1e-8):
        rows = rows_of(-0.5, circuit__compliance=max(free * share, 1e-18))
        assert np.abs(of_source(rows)).max() <= free * share * 1.001


@needs_speed
@pytest.mark.campaign
def test_errors_of_pulses_that_move_ions_to_and_fro_do_not_add_up():
    """Ions too slow to cross the film in a pulse of 50 ns: what the first has moved is where 300 leave it."""
    pulses = {"kind": "train", "voltage": "2.2 V", "width": "50 ns", "count": 300, "period": "10 us", "read_each": True}
    changes = {"columns.count": 1, "ions.activation_energy": "0.506 eV", "drive.parts": [pulses]}
    film = load_case(CASES / "pulses.toml", changes)
    found, exact = [
        mean_position(film.replace({"numerics.rtol": rtol, "numerics.atol": rtol})) for rtol in (3e-3, 1e-4)
    ]
    assert found == pytest.approx(exact, abs=3e-13)  # 1e-12 where values below zero were put at zero


def mean_position(film) -> float:
    """Mean distance [m] of the vacancies from the left electrode at the end of a run."""
    return float(simulate(film).vacancy_mean_position[-1])


@needs_speed
def test_a_cell_that_was_left_below_zero_by_round_off_does_not_stop_the_run():
    film = load_case("cases/li2019.toml")
    run = begin(film, rtol=1e-3, atol=1e-5)
    for voltage, duration in ((0.1, 1e-6), (-4.3, 0.1), (0.1, 1e-6), (2.2, 0.1), (0.1, 1e-6), (-2.5, 0.1)):
        hold(run, voltage, duration, record=True)
    assert run.time == pytest.approx(0.300003)
    assert run.state.c.min() >= 0.0


@needs_speed
def test_a_ramp_along_which_the_ions_turn_round_is_followed_where_nothing_is_recorded():
    """Back from -1.9 V the ions leave their wall; a step through all of it has the wrong rates and a small estimate."""
    points = [["0 s", "0 V"], ["2.775 us", "1.872 V"], ["8.325 us", "-1.872 V"], ["11.1 us", "0.1 V"]]
    drive = {"kind": "table", "points": points, "reads_at": ["11.1 us"]}
    of_ions = {"ions.activation_energy": "0.33864 eV", "ions.prefactor": "1e-7 m^2/s"}
    ramps = load_case("junction", {"drive": drive, "record.every": "reads"} | of_ions)
    ds, exact = simulate(ramps), simulate(ramps.replace({"numerics.rtol": 1e-5, "numerics.atol": 1e-6}))
    assert ds.read_current.values[-1] == pytest.approx(exact.read_current.values[-1], rel=2e-3)
    c, of_exact = ds.vacancy_concentration.values[-1], exact.vacancy_concentration.values[-1]
    assert np.abs(c - of_exact).max() < 2e-2 * of_exact.max()

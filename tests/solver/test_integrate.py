"""Ions in time: order in space, error in time, conservation, equilibrium; an independent solution."""

import math

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, hold, needs_speed

from otjdd import variables
from otjdd.compiler.pointer_tuples import Row
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.errors import WORDS, SolverError, Status
from otjdd.mechanisms import heat, polarisation
from otjdd.solver import integrate, model, self_check, simulate
from otjdd.stepping import course
from otjdd.stepping.step_control import ACCEPTED, TRIED
from otjdd.waveform.waveform import Waveform

KT = 300 * BOLTZMANN_EV
# A film of 2.8 nm between blocking ends, z = 2, D = 1e-18 m2/s, 300 K, eps_r = 60, uniform background -z e c0 with
# c0 = 5e26 1/m3; 0.1 V for 1 s, then 0 V. c(0)/c0, c(L)/c0 and surface charge [C/m2], 1e-3, 1e-2, 0.1 and 1 s after
# each step: Richardson's extrapolation of 400 and 800 uniform cells of another program (potential and concentration as
# unknowns, scipy Radau at rtol 1e-8).
DOUBLE_LAYERS = np.array(
    [
        [0.90447, 1.10326, 0.0194084],
        [0.70751, 1.37835, 0.0231511],
        [0.178804, 3.19315, 0.0530640],
        [3.4409e-3, 7.72300, 0.101481],
        [3.8790e-3, 7.10453, 0.0820903],
        [5.9786e-3, 6.21887, 0.0787148],
        [0.0637594, 3.85834, 0.0540123],
        [0.942995, 1.05909, 0.00176306],
    ]
)
C0 = 5e26


def at_the_ends(run):
    """c(0) and c(L) [1/m3]: from the centre of the end cells with the flat potential of a blocked end."""
    junction, state = run.junction, run.state
    for face, outward in ((0, 1.0), (-1, -1.0)):
        c, half = state.c[0, face], 0.5 * junction.columns.width[0, face]
        rho = junction.ions[0].z * ELEMENTARY_CHARGE * (c - C0)
        E = state.E[0, face] + outward * rho / state.eps[0, face] * half / 2
        yield c * math.exp(-outward * junction.ions[0].z * E * half / junction.kT[0])


def double_layer_errors(cells, **numerics):
    film = case(
        BETWEEN_METALS,
        device__film__cells=cells,
        device__film__grading=20.0,
        ions__prefactor=1e-18 * math.exp(0.5 / KT),
    )
    junction = model.junction(film)
    no_limit = {
        "sites": np.full_like(junction.columns.sites, 1e40),
        "crowding": np.zeros_like(junction.columns.crowding),
    }
    junction = junction._replace(  # the reference knows no site limit
        ions=Row([junction.ions[0]._replace(c_max=1e40)]), columns=junction.columns._replace(**no_limit)
    )
    run, found = begin(film, junction=junction, **numerics), []
    for voltage in (0.1, 0.0):
        integrate.jump(run, voltage)
        for duration in (1e-3, 9e-3, 0.09, 0.9):
            integrate.follow_piece(run, duration, voltage, voltage, False)
            found.append([*at_the_ends(run), run.state.D_left[0]])
        hold(run, voltage, 1e-12)
    found = np.array(found) / [C0, C0, 1.0]
    size = DOUBLE_LAYERS.copy()
    size[:, 2] = DOUBLE_LAYERS[:, 2].max()
    return np.abs((found - DOUBLE_LAYERS) / size)


@needs_speed
@pytest.mark.parametrize(
    ("cells", "numerics", "least"),
    [(200, {"rtol": 1e-4, "atol": 1e-6}, 1e-3), (140, {}, 1e-2), (140, {"rtol": 1e-3}, 1.2e-3)],
)
def test_double_layers_of_a_blocked_film_agree_with_an_independent_program(cells, numerics, least):
    assert double_layer_errors(cells, **numerics).max() < least


def test_a_plain_film_calls_no_kernel_of_random_hops_heat_and_polarisation(monkeypatch):
    for kernel in (heat.warm, polarisation.put_polarisation, integrate.single_ions.show_random):
        monkeypatch.setattr(kernel, "entry_point", None, raising=False)
    film = case(BETWEEN_METALS, device__film__cells=12, ions__initial={"history": [{"voltage": 0.1, "duration": 1e-9}]})
    assert np.isfinite(simulate.simulate_junction(film).read_current).all()


def test_too_many_steps_are_told_with_time_and_voltage():
    run = begin(case(device__film__cells=8))
    run.max_steps = 3
    run.control = run.control._replace(max_steps=2)
    with pytest.raises(SolverError, match="max_steps") as caught:
        hold(run, -2.0, 1.0)
    assert caught.value.reason == "TOO_MANY_STEPS"
    assert caught.value.voltage == -2.0
    assert 0.0 < caught.value.time < 1.0
    assert (run.state.c > 0).all()


def test_a_run_that_stands_still_ends_in_words_with_what_it_has(monkeypatch):
    """Each call of the kernels here tries its steps and advances by a 1e-12th of the piece."""

    def crawl(run, course, log):
        course.counts[:] = 0
        course.counts[TRIED] = course.counts[ACCEPTED] = course.control.max_steps
        run.counts = integrate.counted(run.counts, course.counts.tolist(), 0)
        course.place.elapsed[0] += 1e-9
        return Status.PAUSED, 1e-17

    monkeypatch.setattr(integrate, "advance", crawl)
    monkeypatch.setattr(self_check, "verify_kernels", lambda: None)
    film = case(device__film__cells=8, drive={"kind": "hold", "voltage": "1.2 V", "duration": "1000 s"})
    with pytest.raises(SolverError, match="makes no progress") as caught:
        simulate.simulate_junction(film)
    assert caught.value.reason == "STANDS_STILL"
    assert caught.value.voltage == 1.2
    assert caught.value.partial.sizes["time"] == 1
    steps = caught.value.partial.attrs["solver_accepted"]
    assert integrate.STILL <= steps < 3 * integrate.STILL


def test_steps_that_grow_over_decades_do_not_stand_still():
    stall, elapsed = integrate.Stall(), 1e-22
    while elapsed < 1e9:
        stall.count(0, elapsed, 1e9, 64)
        elapsed *= 1.1
        assert stall.steps < 20 * 64


def test_a_waveform_is_cut_at_its_marks():
    waveform = Waveform(np.array([0.0, 1.0, 1.0, 3.0]), np.array([0.0, 2.0, -1.0, -1.0]))
    marks = ((0.25, course.KEEP), (1.0, course.READ), (1.0 + 1e-12, course.KEEP), (3.0, course.KEEP))
    pieces, tasks = integrate.pieces_between(waveform, marks)
    assert pieces.tolist() == [[0.0, 0.25, 0.0, 0.5], [0.25, 1.0, 0.5, 2.0], [1.0, 3.0, -1.0, -1.0]]
    assert tasks.tolist() == [course.EDGE | course.KEEP, course.READ | course.KEEP, course.EDGE | course.KEEP]
    pieces, tasks = integrate.pieces_between(waveform, ())
    assert (len(pieces), tasks.tolist()) == (2, [course.EDGE, course.EDGE])


def test_a_read_at_the_start_is_taken_at_the_first_voltage_before_the_ions_move():
    waveform = Waveform([0.0, 1e-9, 2e-9], [0.5, 0.5, -0.5], [(0.0, np.nan), (2e-9, np.nan)])
    found = []
    for reads in (waveform.reads, waveform.reads[1:]):
        run = begin(case(device__film__cells=16))
        integrate.follow_waveform(run, Waveform(waveform.times, waveform.voltages, reads))
        found.append(np.concatenate(run.reads))
    assert found[0][:, :2].tolist() == [[0.0, 0.5], [2e-9, -0.5]]
    assert found[0][0, 2] > 0.0 > found[0][1, 2]
    np.testing.assert_allclose(found[0][1], found[1][0], rtol=1e-4)


def test_a_mark_is_near_an_end_by_the_measure_of_the_piece_in_which_it_lies():
    pulse = 5e-8  # after 100 s, a billionth of which is longer
    waveform = Waveform(np.array([0.0, 100.0, 100.0, 100.0 + pulse]), np.array([0.0, 0.0, 2.0, 2.0]))
    edge, kept = course.EDGE, course.EDGE | course.KEEP
    for time, found in (
        (100.0 + pulse, [edge, kept]),
        (100.0 + 0.5 * pulse, [edge, kept, 0]),
        (100.0 - 1e-8, [kept, edge]),
        (200.0, [edge, kept]),  # later than the end: of the last piece
    ):
        assert integrate.pieces_between(waveform, ((time, course.KEEP),))[1].tolist() == found


def test_what_is_kept_on_the_way_is_what_a_stop_there_finds():
    film, waveform = case(device__film__cells=16), Waveform(np.array([0.0, 3e-7]), np.array([0.8, 0.8]))
    run, stopped = begin(film), begin(film)
    integrate.follow_waveform(run, waveform, stops=[1e-7, 3e-7])
    for kept, duration in zip(run.kept_states, (1e-7, 2e-7), strict=True):
        hold(stopped, 0.8, duration)
        np.testing.assert_allclose(kept.c, stopped.state.c, rtol=1e-4)
        assert kept.D_left - kept.D_right == pytest.approx(stopped.state.D_left - stopped.state.D_right, rel=1e-9)
        integrate.restore_state(run, kept)
        assert run.state.D_right == pytest.approx(kept.D_right, rel=1e-9)
    assert [kept.time for kept in run.kept_states] == [1e-7, 3e-7]


def test_a_stop_on_the_way_costs_less_than_a_step():
    film = case(BETWEEN_METALS, device__film__cells=40, ions__prefactor=1e-10)
    waveform = Waveform(np.array([0.0, 1.0]), np.array([0.1, 0.1]))
    whole, stopped, stops = begin(film), begin(film), np.geomspace(1e-9, 1.0, 10)
    integrate.follow_waveform(whole, waveform)
    integrate.follow_waveform(stopped, waveform, stops=stops)
    assert stopped.counts.accepted < whole.counts.accepted + stops.size - 1  # the end is no stop on the way


def test_every_step_inside_the_windows_is_recorded_and_none_outside():
    film = case(device__film__cells=8)
    times, voltages = np.array([0.0, 1e-7, 1e-7, 1e-3, 1.0]), np.array([0.8, 0.8, -0.5, -0.5, -0.5])
    waveform = Waveform(times, voltages, np.array([[1e-3, 0.8]]))
    whole, part = begin(film), begin(film)
    integrate.follow_waveform(whole, waveform, every="all")
    windows = [(0.0, 3e-8), (9e-8, 2e-7), (0.5, 1.0)]
    integrate.follow_waveform(part, waveform, every="reads", windows=windows)
    times, all_times = (np.concatenate(run.rows)[:, variables.TIME] for run in (part, whole))
    inside = integrate.in_windows(times, windows)
    assert times[~inside].tolist() == [1e-3]  # of the read
    for start, end in windows:
        own = times[(start <= times) & (times <= end)]
        assert own[0] == start or start == 0.0
        assert own[-1] == end
        assert len(own) >= np.count_nonzero((start < all_times) & (all_times < end)) // 2 + 2
    assert (np.diff(times) >= 0).all()
    assert times[1:][np.diff(times) == 0.0].tolist() == [1e-7]  # before and after the jump of the voltage
    np.testing.assert_allclose(part.state.c, whole.state.c, rtol=1e-2)


def test_a_jump_of_the_voltage_is_recorded_before_and_after_with_the_ions_unmoved():
    run = begin(case(device__film__cells=8))
    integrate.record_row(run, 0.0)
    integrate.follow_waveform(
        run, Waveform(np.array([0.0, 1e-7, 1e-7, 2e-7]), np.array([0.8, 0.8, -0.5, -0.5])), every="all"
    )
    rows = np.concatenate(run.rows)
    after = np.flatnonzero(np.diff(rows[:, variables.TIME]) == 0.0) + 1
    assert rows[after, variables.TIME].tolist() == [0.0, 1e-7]
    assert rows[after - 1, variables.SOURCE].tolist() == [0.0, 0.8]
    assert rows[after, variables.SOURCE].tolist() == [0.8, -0.5]
    np.testing.assert_allclose(rows[after, variables.POSITION], rows[after - 1, variables.POSITION], rtol=1e-15)
    assert np.all(rows[after, variables.CHARGE_LEFT] != rows[after - 1, variables.CHARGE_LEFT])
    assert rows[-1, variables.TIME] == 2e-7


def test_progress_rises_to_the_end_through_all_windows():
    shares, waveform = [], Waveform(np.array([0.0, 1e-7]), np.array([0.8, 0.8]))
    windows = [(1e-8, 2e-8), (5e-8, 6e-8)]
    integrate.follow_waveform(begin(case(device__film__cells=8)), waveform, windows=windows, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) >= 5


def test_every_failure_is_named_with_two_things_to_try():
    assert set(WORDS) == set(Status) - {Status.DONE, Status.PAUSED, Status.STEP_REJECTED}
    for status in WORDS:
        error = SolverError(status.name, 1e-9, -2.0, 1e-12, 3.0, 1.2e-9)
        for words in ("t = 1e-09 s", "V = -2 V", "x = 1.2 nm", "step 1e-12 s", "norm 3"):
            assert words in str(error)
        assert len(str(error).partition("Try: ")[2].replace(", or ", " or ").split(" or ")) >= 2


def test_a_step_that_is_too_small_is_told_with_the_cell_of_its_largest_error():
    run = begin(case(device__film__cells=8))
    width = run.junction.columns.width[0]
    with pytest.raises(SolverError) as caught:
        integrate.fail(run, "STEP_TOO_SMALL", 0.0, 0.0, 0.0, 2.0, 5)
    assert caught.value.place == pytest.approx(width[:5].sum() + 0.5 * width[5])
    with pytest.raises(SolverError) as caught:
        integrate.fail(run, "NOT_CLOSED", 0.0, 0.0, 0.0, 2.0, 5)
    assert caught.value.place == pytest.approx(width[: np.argmax(np.abs(run.state.E[0]))].sum())

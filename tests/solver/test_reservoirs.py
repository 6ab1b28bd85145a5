"""Rest and relaxation of a film whose electrodes exchange vacancies, against closed forms and the second law."""

import math

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, conducted, hold, needs_speed
from layered import between_metals, layer
from scipy.integrate import solve_ivp

import otjdd
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.exchange import end_hops, end_inflow, fill_row, ionic_current
from otjdd.physics.ion_fluxes import flux_slopes_of, fluxes_of
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import FluxSlopes
from otjdd.physics.rest import relaxed
from otjdd.solver import at_rest as at_rest_of_curves
from otjdd.solver import linear_response, model
from otjdd.variables import (
    FILLING_LEFT,
    FILLING_RIGHT,
    FLUX_LEFT,
    FLUX_RIGHT,
    RECORD,
    TERMINAL_LEFT,
    TERMINAL_RIGHT,
    WALL_LEFT,
    WALL_RIGHT,
)
from validation.reliability import agreement
from validation.reliability.agreement_exchange import ExchangeEquations

SLOW = {"rate": "1e-8 m/s", "formation_energy": "1.55 eV"}
WELLS = {"ions__well_left": "0.1 eV", "ions__well_right": "0.05 eV"}
UNLIKE = {
    "device__left__barrier": "0.9 eV", "device__left__screening_length": "0.05 nm",
    "device__right__screening_length": "0.1 nm", "device__film__cells": 16, "device__film__grading": 4.0,
}  # fmt: skip
SIDES = {side: {f"device__{side}__exchange": SLOW} for side in ("left", "right")}

BALANCE = {
    "device__film__electrons": "balance", "device__film__density_of_states": "1e26 1/m^3",
    "device__film__fixed_charge": "0 1/m^3",
}  # fmt: skip


def film(**changes):
    """A film between two metals of unlike work function, with wells."""
    return case(BETWEEN_METALS, **(UNLIKE | WELLS | changes))


def fluxes(run, k=0):
    """Fluxes at all faces (N+1,) of a column [1/(m2 s)]."""
    N = run.state.c.shape[1]
    J = np.zeros(N + 1)
    fluxes_of(run.junction, run.state, k, new_factors(N), J)
    return J


def test_slopes_at_the_walls_are_differences():
    """By the field at a wall, which takes D along, and by what passed it: minus at the left, plus at the right."""
    finite = SLOW | {"capacity": "3e18 1/m^2", "initial_filling": 0.3, "oxygen_pressure": "20 kPa"}
    run = begin(film(device__left__exchange=finite, device__right__exchange=finite), voltage=0.2)
    state, N = run.state, run.state.c.shape[1]
    J, slopes = np.zeros(N + 1), FluxSlopes(*np.zeros((3, N + 1)))
    flux_slopes_of(run.junction, state, 0, new_factors(N), J, slopes)
    carried = ELEMENTARY_CHARGE * run.junction.channels.area[0] * (J[0] + J[-1])  # z = 2, by the mean of both ends
    assert ionic_current(run.junction, state, 0) == pytest.approx(carried, rel=1e-9)
    row = row_of(run)
    assert row[[FLUX_LEFT, FLUX_RIGHT]] == pytest.approx([J[0], -J[-1]], rel=1e-9)
    assert row[[FILLING_LEFT, FILLING_RIGHT]] == pytest.approx([0.3, 0.3], rel=1e-12)

    def difference(face, array, place, step):
        before, ends = array[place], []
        for sign in (1, -1):
            array[place] = before + sign * step
            ends.append(fluxes(run)[face])
        array[place] = before
        return (ends[0] - ends[1]) / (2 * step)

    for face, by_passed, column, sign in ((0, slopes.by_left, 0, -1), (N, slopes.by_right, 1, 1)):
        assert by_passed[face] == pytest.approx(sign * difference(face, state.passed, (0, column), 1e13), rel=1e-5)
        by_E = difference(face, state.E, (0, face), 1e2)
        by_D = difference(face, state.D, (0, face), 1e-8)
        assert slopes.by_field[face] == pytest.approx(by_E + by_D * state.eps[0, face], rel=1e-5)


@pytest.mark.parametrize("at_right", [False, True], ids=["left", "right"])
def test_hops_over_a_wall_one_way_and_the_other_are_its_flux_and_their_balance_has_its_slopes(at_right):
    """Single ions hop by them. By the field at the wall, which takes the edge of the band along, and by what came in."""
    finite = SLOW | {"capacity": "3e18 1/m^2", "initial_filling": 0.3, "oxygen_pressure": "20 kPa"}
    run = begin(film(device__left__exchange=finite, device__right__exchange=finite), voltage=0.2)
    state, c = run.state, run.state.c[0, -1 if at_right else 0]

    def balance(field, into):
        hops = end_hops(run.junction, state, 0, at_right, field, into, c)
        return math.log(hops.into / (hops.out * c))

    state.passed[:] = [2e17, 3e17]
    for cell in (c, 0.9 * run.junction.columns.sites[0, 0]):
        hops = end_hops(run.junction, state, 0, at_right, 0.0, 0.0, cell)
        state.c[0, -1 if at_right else 0] = cell
        J = end_inflow(run.junction, state, 0, at_right).J
        assert hops.into - hops.out * cell == pytest.approx(J, rel=1e-9, abs=1e-12 * hops.into)
    hops = end_hops(run.junction, state, 0, at_right, 0.0, 0.0, c)
    assert hops.by_field == pytest.approx((balance(1e3, 0.0) - balance(-1e3, 0.0)) / 2e3, rel=1e-5)
    assert hops.by_into == pytest.approx((balance(0.0, 1e13) - balance(0.0, -1e13)) / 2e13, rel=1e-5)


def at_rest(case, V=0.0):
    """A run at rest at V [V], from a uniform film."""
    junction, parts = model.junction(case), model.members(case)
    c = relaxed(junction, model.uniform(case, parts), V)
    assert c is not None
    return begin(case, c, voltage=V)


def row_of(run):
    """The part of a row of a result that tells what the electrodes give."""
    row = np.zeros(RECORD)
    fill_row(run.junction, run.state, row)
    return row


def resting_walls(run, end):
    """Concentrations [1/m3] at one wall of all columns at which no vacancy hops to the cell beside it, by its level."""
    columns, state, ions = run.junction.columns, run.state, run.junction.ions[0]
    down = (columns.site - ions.z * state.E * columns.distance)[:, end] / state.kT
    odds = state.c[:, end] / (columns.sites[:, end] - state.c[:, end]) * np.exp(down if end == 0 else -down)
    return columns.sites[:, end] * odds / (1.0 + odds)


@pytest.mark.parametrize(("rate", "fixed"), [("1e-9 m/s", "level"), ("0 m/s", "number")])
def test_a_start_in_equilibrium_has_the_level_of_a_reservoir_or_the_number_of_the_case(rate, fixed):
    changes = {
        "device.film.cells": 24, "device.right.exchange.rate": rate, "ions.initial": "equilibrium", "record.profiles": 2,
        "drive": {"kind": "hold", "voltage": "0 V", "duration": "1 ms"},
    }  # fmt: skip
    numbers = []
    for density in ("1e26 1/m^3", "3e26 1/m^3"):
        ds = otjdd.run("oxygen-exchange", changes | {"ions.density": density})
        number = (ds.vacancy_concentration * ds.cell_width).sum("x").values
        np.testing.assert_allclose(number, number[0], rtol=1e-9)
        numbers.append(number[0])
    assert numbers[1] / numbers[0] == pytest.approx(1.0 if fixed == "level" else 3.0, rel=1e-7)


def test_films_that_a_layer_without_sites_parts_rest_at_the_levels_of_their_own_reservoirs():
    """In columns of unlike barriers, and with a band that ends where it did not begin."""
    last = layer(0.9, 6, band_offset=-0.15, site_energy=0.05)
    parted = between_metals(layer(1.1, 6), layer(0.5, 4, ions="none", band_offset=0.1), last, **UNLIKE | WELLS)
    exchange = {f"device.{side}.exchange": SLOW | {"oxygen_pressure": "20 kPa"} for side in ("left", "right")}
    run = at_rest(parted.replace(exchange | {"columns.count": 2, "columns.spread": {"device.left.barrier": "50 meV"}}))
    weight, state = run.junction.columns.weight, run.state
    walls = [weight @ resting_walls(run, end) for end in (0, -1)]
    assert row_of(run)[[WALL_LEFT, WALL_RIGHT]] == pytest.approx(walls, rel=1e-6)
    state.passed[:] = [[3e17, 1e17], [-2e17, 5e16]]  # each leaves its electrons, whose charge came from the terminal
    given = 2 * ELEMENTARY_CHARGE * (weight @ state.passed)
    assert row_of(run)[[TERMINAL_LEFT, TERMINAL_RIGHT]] == pytest.approx(given * [1, -1], rel=1e-12)
    for k in range(2):
        still = np.abs(fluxes(run, k))
        run.state.c[k] *= 1.0 + 0.01 * np.random.default_rng(k).random(run.state.c.shape[1])
        moved = np.abs(fluxes(run, k))
        assert (still <= 1e-9 * moved).all()
        assert moved[[0, -1]].min() > 0.0


def log_chord(run):
    """ln G of a run, whose stack is settled."""
    return math.log(float(conducted(run)[0]))


def by_voltage(column):
    """d ln G/dV_j at constant charges."""
    return (column.conductance / column.chord - 1.0) / column.voltage


def test_small_signals_carry_what_passes_an_electrode():
    """At no frequency charge and conductance change as between two states of rest, at a high one as at frozen ions."""
    slow, h, V = film(**SIDES["left"], numerics__current_tolerance=1e-7), 1e-3, 0.1
    run = at_rest(slow, V)
    (column,) = linear_response.linearised(run.junction, run.state, 1e-10)
    change, charge = column.charges.answer(2 * np.pi * np.array([1e-14, 1e14]), True, False)
    for number, pair in enumerate((
        [at_rest(slow, V + dV) for dV in (h, -h)], [begin(slow, run.state.c, voltage=V + dV) for dV in (h, -h)],
    )):  # fmt: skip
        width, charge_of_ions = run.junction.columns.width[0], 2 * ELEMENTARY_CHARGE
        above, below = (
            other.state.D_left[0] + charge_of_ions * float((other.state.c[0] - run.state.c[0]) @ width)
            for other in pair
        )
        assert charge[number].real == pytest.approx((above - below) / (2 * h), rel=1e-5)
        slope = (log_chord(pair[0]) - log_chord(pair[1])) / (2 * h)
        assert change[number].real + by_voltage(column) == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("electrons", [{}, BALANCE])
def test_small_signals_of_two_electrodes_lead_from_one_steady_flux_to_another(electrons):
    fine = {"numerics__rtol": 1e-7, "numerics__atol": 1e-8, "numerics__current_tolerance": 1e-7}
    both, V, h = film(**SIDES["left"], **SIDES["right"], **electrons, **fine), 0.05, 2e-3
    run = begin(both, voltage=V)
    hold(run, V, 1e6)
    (column,) = linear_response.linearised(run.junction, run.state, 1e-10)
    change, _ = column.charges.answer(np.array([1e-12]), True, False)
    slopes = []
    for dV in (h, -h):
        other = begin(both, run.state.c, voltage=V + dV)
        hold(other, V + dV, 1e6)
        slopes.append((log_chord(other) - log_chord(run)) / dV)
    assert change[0].real + by_voltage(column) == pytest.approx(np.mean(slopes), rel=1e-3)


@needs_speed
@pytest.mark.parametrize("sides", [("left",), ("right",), ("left", "right")])
def test_another_integrator_with_its_own_equations_of_random_electrodes_agrees(sides):
    pytest.importorskip("sksundae")
    rng = np.random.default_rng(len(sides) + ("left" in sides))
    exchange = {
        f"device__{side}__exchange": {
            "rate": 10.0 ** rng.uniform(-11, -8), "activation_energy": rng.uniform(0, 0.1),
            "formation_energy": rng.uniform(1.2, 1.7), "transfer_coefficient": rng.uniform(0, 1),
            "hop_distance": rng.uniform(1e-10, 4e-10), "capacity": rng.uniform(1.5e18, 6e18),
            "initial_filling": rng.uniform(0.2, 0.8), "oxygen_pressure": 10.0 ** rng.uniform(3, 6),
        }
        for side in sides
    }  # fmt: skip
    exchanging = film(**exchange, ions__law="mott-gurney", ions__hop_distance="0.4 nm", device__film__cells=8)
    compared = agreement.compared(exchanging, ExchangeEquations(exchanging), (0.25, -0.4), (0.5, 1.0))
    assert compared.moved > 1e-3
    assert compared.error < 1e-6


OUT = {
    "device__film__cells": 8, "device__film__grading": 2.0, "temperature": "340 K", "ions__hop_distance": "0.3 nm",
    "device__left__barrier": "1.1 eV", "device__right__barrier": "1.0 eV", "device__film__fixed_charge": "0 1/m^3",
}  # fmt: skip
WALL = {"rate": "1e-6 m/s", "formation_energy": "2.2 eV", "oxygen_pressure": "1e5 Pa"}
SMALL_ONE, LARGE_ONE = WALL | {"initial_filling": 0.3}, WALL | {"capacity": "2e19 1/m^2", "initial_filling": 0.45}
EMPTY = 1e-7  # filling below which a reservoir counts as empty
HOLDS = ((-1.3, 2.0), (0.0, 3.0))  # V, s


def run_out(at="left", **changes):
    """A case whose reservoir at one electrode runs out."""
    film = case(BETWEEN_METALS, **(OUT | changes))
    holds = film.ions.density * film.device.film.thickness
    small = SMALL_ONE | {"capacity": 1.2 * holds}
    sides = {"left": (small, LARGE_ONE), "right": (LARGE_ONE, small)}[at]
    return film.replace({"device.left.exchange": sides[0], "device.right.exchange": sides[1]})


def by_radau(film):
    """Fillings of both reservoirs and c (N,) after each of HOLDS. Once it is EMPTY the left one blocks until 0 V."""
    equations, N = ExchangeEquations(film), film.device.film.cells
    mean, sheet = film.ions.density, film.ions.density * film.device.film.thickness
    left, right = film.device.left.exchange, film.device.right.exchange

    def rates(t, y, V, blocks):
        c, passed = y[:N] * mean, (y[N:] - [left.initial_filling, 0.0]) * [left.capacity, sheet]
        D, u_left, u_right = equations.settled(c, V)
        into, rate = equations.both(c, equations.fields(c, D)[1], u_left, u_right, passed)
        if blocks:
            rate[0] -= into[0] / equations.h[0]
            into[0] = 0.0
        return np.concatenate((rate / mean, into / [left.capacity, sheet]))

    def empty(t, y, V, blocks):
        return y[N] - EMPTY

    empty.terminal = True
    y, ends = np.concatenate((np.ones(N), [left.initial_filling, 0.0])), []
    for V, duration in HOLDS:
        stop = empty if V else None
        solved = solve_ivp(rates, (0.0, duration), y, "Radau", events=stop, args=(V, False), rtol=1e-5, atol=1e-9)
        assert solved.success
        if solved.t[-1] < duration:
            there = solved.t[-1], duration
            solved = solve_ivp(rates, there, solved.y[:, -1], "Radau", args=(V, True), rtol=1e-5, atol=1e-9)
        y = solved.y[:, -1]
        ends.append((y[N], right.initial_filling + y[N + 1] * sheet / right.capacity, y[:N] * mean))
    return ends


def by_kernels(film, sign=1.0, **changes):
    """The same by a run."""
    run = begin(film, **changes)
    left, right = film.device.left.exchange, film.device.right.exchange
    for V, duration in HOLDS:
        hold(run, sign * V, duration)
        passed = run.state.passed[0]
        filling = left.initial_filling + passed[0] / left.capacity
        yield filling, right.initial_filling - passed[1] / right.capacity, run.state.c[0].copy()


@needs_speed
def test_a_reservoir_that_runs_out_stays_within_its_bounds_and_fills_again():
    film = run_out()
    exact = by_radau(film)
    assert exact[0][0] == pytest.approx(EMPTY, rel=1e-9)
    assert exact[1][0] > 0.01
    for rtol, allowed in ((None, 1e-3), (1e-4, 1e-5)):
        for (y, other, c), (y_exact, other_exact, c_exact) in zip(by_kernels(film, rtol=rtol), exact, strict=True):
            assert -1e-6 < y < 1.0
            assert y == pytest.approx(y_exact, abs=allowed)
            assert other == pytest.approx(other_exact, abs=allowed)
            np.testing.assert_allclose(c, c_exact, rtol=10 * allowed, atol=10 * allowed * c_exact.mean())


@needs_speed
def test_a_reservoir_behind_a_wall_that_no_hop_can_follow_runs_out_by_the_hops_alone():
    ends = []
    for rate in ("1 m/s", "1e6 m/s"):
        ends.append(list(by_kernels(run_out().replace("device.left.exchange.rate", rate))))
        assert -1e-6 < ends[-1][0][0] < 1e-6
    for (y, other, c), (y_fast, other_fast, c_fast) in zip(*ends, strict=True):
        assert (y, other) == pytest.approx((y_fast, other_fast), abs=1e-7)
        np.testing.assert_allclose(c, c_fast, rtol=1e-6)


SOME = SLOW | {"rate": "1e-6 m/s", "capacity": "2e18 1/m^2", "initial_filling": 0.4, "oxygen_pressure": "20 kPa"}
WITH_ELECTRONS = BALANCE | {"device__left__barrier": "0.3 eV"}
UNLIKE_COLUMNS = {"columns__count": 3, "columns__spread": {"ions.well_left": "30 meV", "ions.density": "2e25 1/m^3"}}


@needs_speed
@pytest.mark.parametrize(("side", "V"), [("left", 0.3), ("left", -0.5), ("right", 0.3), ("right", -0.5)])
@pytest.mark.parametrize("more", [{}, WITH_ELECTRONS, UNLIKE_COLUMNS], ids=["film", "electrons", "columns"])
def test_a_film_and_a_reservoir_with_an_end_rest_where_a_long_hold_leaves_them(side, V, more):
    """Without steps in time; from any state that has as much oxygen, the same."""
    some = SOME | ({"formation_energy": "0.35 eV"} if more is WITH_ELECTRONS else {})  # above a lower band
    exchanging = film(**{f"device__{side}__exchange": some}, device__film__cells=12, **more)
    slow, fast = (begin(exchanging, rtol=1e-5) for _ in range(2))
    hold(slow, V, 1e9)
    for before in (V, -0.2, V):
        at_rest_of_curves.rest(fast, before, before)
    np.testing.assert_allclose(fast.state.passed, slow.state.passed, rtol=1e-9)
    np.testing.assert_allclose(fast.state.c, slow.state.c, rtol=1e-9)
    assert np.abs(slow.state.passed).max() > 5e15  # and the reservoir is not that of the beginning
    endless = {key: value for key, value in some.items() if key not in ("capacity", "initial_filling")}
    other = begin(film(**{f"device__{side}__exchange": endless}, device__film__cells=12, **more))
    at_rest_of_curves.rest(other, V, V)
    assert np.abs(other.state.c / slow.state.c - 1.0).max() > 1e-3


@needs_speed
def test_the_small_signal_of_a_film_that_settles_with_its_reservoir_is_that_after_a_long_hold():
    exchanging = film(device__left__exchange=SOME, device__film__cells=12, circuit__series_resistance="10 kohm")
    signal = {"kind": "impedance", "bias": ["0.3 V"], "frequencies": ["1 Hz", "1 MHz"], "ions": "moving"}
    held = {"held": [{"voltage": "0.3 V", "duration": "1e9 s"}]}
    settled, after = (otjdd.run(exchanging, {"drive": signal | more}) for more in ({"settle": True}, {"states": held}))
    for name in ("capacitance", "conductance_ac", "bias_current", "bias_electrode_charge"):
        np.testing.assert_allclose(settled[name], after[name], rtol=1e-4)

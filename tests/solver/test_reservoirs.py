"""Rest and relaxation of a film whose electrodes exchange vacancies, against closed forms and the second law."""

import itertools
import math

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, conducted, hold, needs_speed
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import otjdd
from otjdd.case.case import parse_case
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.physics.ion_fluxes import flux_slopes_of, fluxes_of
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import FluxSlopes
from otjdd.results import store
from otjdd.runs.run import differences, rerun
from otjdd.solver import equilibrium, linear_response, model
from validation.reliability.agreement_exchange import ExchangeEquations

KT = 300 * BOLTZMANN_EV
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


def fluxes(run):
    """Fluxes at all faces (N+1,) of the first column [1/(m2 s)]."""
    N = run.state.c.shape[1]
    J = np.zeros(N + 1)
    fluxes_of(run.junction, run.state, 0, new_factors(N), J)
    return J


def test_slopes_at_the_walls_are_differences():
    """By the field at a wall, which takes D along, and by what passed it: minus at the left, plus at the right."""
    finite = SLOW | {"capacity": "3e18 1/m^2", "initial_filling": 0.3, "oxygen_pressure": "20 kPa"}
    run = begin(film(device__left__exchange=finite, device__right__exchange=finite), voltage=0.2)
    state, N = run.state, run.state.c.shape[1]
    J, slopes = np.zeros(N + 1), FluxSlopes(*np.zeros((3, N + 1)))
    flux_slopes_of(run.junction, state, 0, new_factors(N), J, slopes)

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


def at_rest(case, V=0.0):
    """A run at rest at V [V], from a uniform film."""
    junction, parts = model.junction(case), model.members(case)
    c = equilibrium.relaxed(junction, model.uniform(case, parts), V)
    assert c is not None
    return begin(case, c, voltage=V)


@pytest.mark.parametrize(
    "electrons", [{}, {"device__film__electrons": "balance", "device__film__density_of_states": 1e26}]
)
@pytest.mark.parametrize("right", [{}, {"device__right": "doped"}])
def test_one_formation_energy_is_at_rest_at_no_voltage_whichever_electrodes_exchange(right, electrons):
    changes = dict(electrons)
    if right:
        doped = {
            "kind": "semiconductor", "band_offset": "0.1 eV", "doping": "1e26 1/m^3",
            "permittivity": {"law": "linear", "eps_r": 100},
        }  # fmt: skip
        changes = {**changes, "device__right": doped}
        unlike = {key: value for key, value in UNLIKE.items() if not key.startswith("device__right__")}
    else:
        unlike = UNLIKE
    runs = [
        at_rest(case(BETWEEN_METALS, **(unlike | WELLS | changes)).replace(
            {f"device.{side}.exchange": SLOW for side in sides}
        ))
        for sides in (("left",), ("right",), ("left", "right"))
    ]  # fmt: skip
    for run in runs:
        np.testing.assert_allclose(run.state.c, runs[0].state.c, rtol=1e-8)
    # of a flux that one way of the hops or of the exchange would make
    both = runs[2]
    assert np.abs(fluxes(both)).max() < 1e-8 * 1e-8 * both.state.c.max()


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


def test_two_electrodes_carry_a_steady_flux_under_bias():
    """The same all along the film."""
    run = begin(film(**SIDES["left"], **SIDES["right"]), voltage=0.05)
    hold(run, 0.05, 1e6)
    J = fluxes(run)
    assert J.min() > 0.0
    np.testing.assert_allclose(J, J.mean(), rtol=1e-3)


def test_a_fast_electrode_holds_the_wall_at_its_reservoir():
    from otjdd.physics.exchange import end_inflow

    run = begin(film(device__left__exchange=SLOW | {"rate": "1e6 m/s"}), voltage=0.1)
    hold(run, 0.1, 1e-3)
    wall, junction, state = run.junction.left_wall[0], run.junction, run.state
    edge = junction.left[0].edge + junction.left[0].screening * state.D_left[0]
    odds = math.exp(-(wall.formation - 2 * edge) / KT)
    assert end_inflow(junction, state, 0, False).wall == pytest.approx(
        junction.ions[0].c_max * odds / (1 + odds), rel=1e-6
    )


def neutral(biot, cells, duration, rtol):
    """Share of the uptake that is left after D t/L^2 = duration, of a film without field; k L/D = biot."""
    slow = case(BETWEEN_METALS, device__film__cells=cells, device__film__grading=1.0, numerics__rtol=rtol)
    slow = slow.replace({
        "device.film.fixed_charge": "0 1/m^3", "ions.density": "1e15 1/m^3", "numerics.atol": rtol,
        "device.left.exchange": {"rate": "1 m/s", "equilibrium_density": "3e15 1/m^3"},
    })  # fmt: skip
    L, D0 = 2.8e-9, 1e-10 * math.exp(-0.5 / KT)
    slow = slow.replace("device.left.exchange.rate", f"{biot * D0 / L!r} m/s")
    run = begin(slow, voltage=0.0)
    hold(run, 0.0, duration * L * L / D0)
    assert np.abs(run.state.E).max() * L < 1e-6 * KT
    return 1.0 - float(run.state.passed[0, 0]) / (2e15 * L)


def series(biot, duration):
    """The same by Carslaw and Jaeger's series for a Robin boundary: roots of b tan b = k L/D."""
    roots = [
        brentq(lambda b: b * math.tan(b) - biot, n * math.pi + 1e-12, (n + 0.5) * math.pi - 1e-12) for n in range(60)
    ]
    return sum(2 * biot**2 * math.exp(-(b**2) * duration) / (b**2 * (b**2 + biot**2 + biot)) for b in roots)


@pytest.mark.parametrize("biot", [0.1, 1.0, 10.0])
def test_neutral_uptake_is_that_of_a_robin_boundary(biot):
    duration = 0.3
    left = [neutral(biot, cells, duration, 1e-8) for cells in (16, 32, 64)]
    orders = math.log2(abs((left[0] - left[1]) / (left[1] - left[2])))
    assert orders == pytest.approx(2.0, abs=0.2)
    twice = [(4 * fine - coarse) / 3 for coarse, fine in itertools.pairwise(left)]
    assert (16 * twice[1] - twice[0]) / 15 == pytest.approx(series(biot, duration), abs=1e-6)


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
    assert exact[0][0] <= EMPTY < 0.01 < exact[1][0]
    for rtol, allowed in ((None, 1e-3), (1e-4, 1e-5)):
        for (y, other, c), (y_exact, other_exact, c_exact) in zip(by_kernels(film, rtol=rtol), exact, strict=True):
            assert -1e-6 < y < 1.0
            assert y == pytest.approx(y_exact, abs=allowed)
            assert other == pytest.approx(other_exact, abs=allowed)
            np.testing.assert_allclose(c, c_exact, rtol=10 * allowed, atol=10 * allowed * c_exact.mean())


@needs_speed
def test_a_run_says_that_a_reservoir_has_run_out_and_one_that_goes_on_has_its_filling(tmp_path):
    film = run_out().replace({"drive": {"kind": "hold", "voltage": "-1.3 V", "duration": "2 s"}, "record.every": "all"})
    ds = otjdd.run(film)
    assert float(ds.reservoir_share) > 0.999
    assert "the left electrode" in ds.attrs["model_limits"].split("reservoir_share:")[1].splitlines()[0]
    store.write(ds, tmp_path / "empty.nc")
    after = parse_case(film.resolved(), allow_outside=True).replace(
        {
            "ions.initial": {"result": str(tmp_path / "empty.nc")},
            "drive": {"kind": "hold", "voltage": "0 V", "duration": "3 s"},
        }
    )
    on = otjdd.run(after)
    for side in ("left", "right"):
        name = f"reservoir_filling_{side}"
        assert float(on[name][0]) == pytest.approx(float(ds[name][-1]), abs=1e-9)
    assert float(on.reservoir_filling_left[-1]) > 1e-3
    store.write(on, tmp_path / "on.nc")
    assert differences(*rerun(tmp_path / "on.nc")) == []

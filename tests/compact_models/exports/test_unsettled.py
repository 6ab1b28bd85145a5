"""A film that was never written: the share of its vacancies that has not settled, in Python and in circuits."""

import dataclasses
import re

import made_model
import numpy as np
import pytest
import simulators
from scipy.integrate import solve_ivp

from otjdd.case.case import load_case
from otjdd.compact_models import build, error
from otjdd.compact_models.exports import verilog_a
from otjdd.compact_models.tables import evaluated, monotone
from otjdd.system.pool import one_by_one
from otjdd.waveform import shapes

POINTS = [0.0, 1e-9, 2e-6, 2.001e-6, 3e-5], [0.0, 1.0, 1.0, 0.1, 0.1]  # s, V: a set that begins with the fresh film
READS = [1e-6, 1.99e-6, 4e-6, 1e-5, 2.99e-5]  # s


@pytest.fixture(scope="module")
def fresh():
    return made_model.made_model(fresh=True, resistance=0.0)


def test_kernel_solves_the_equations_of_the_share_and_of_the_state(fresh):
    tables, wave = fresh.kinds[0], shapes.table(*POINTS, READS)

    def at(name, V, state):
        return evaluated(tables, name, np.array([V]), np.array([state]))[0, 0]

    def flows(t, y):
        V = float(np.interp(t, *POINTS))
        settled = 10.0 ** at("log_settling", V, y[1]) * y[1]
        drift = 10.0 ** at("log_rate", V, y[0]) * (monotone(tables.voltage, tables.rest)(V) - y[0])
        return [drift + at("settling_move", V, y[1]) * settled, -settled]

    start = [fresh.start[0], 1.0]
    solved = solve_ivp(
        flows, (0.0, POINTS[0][-1]), start, method="LSODA", rtol=1e-6, atol=1e-8, t_eval=READS, max_step=1e-6
    )
    voltages = np.interp(READS, *POINTS)
    wanted = [
        V * 10.0 ** (at("log_conductance", V, q) + w * at("excess", V, w))
        for V, q, w in zip(voltages, *solved.y, strict=True)
    ]
    assert fresh.run(wave).read_current.values == pytest.approx(wanted, rel=2e-3)
    assert fresh.run(wave).rest_position.values[-1, 0] / fresh.thickness == pytest.approx(solved.y[0, -1], abs=1e-3)


def test_junctions_begin_with_the_film_of_the_case_or_at_rest(fresh):
    assert fresh.states(2).tolist() == [[0.1, 0.0, 1.0]] * 2
    assert fresh.states(1, [0.3]).tolist() == [[0.3, 0.0, 0.0]]
    rested, pristine = fresh.states(1, fresh.start), made_model.made_model(resistance=0.0)
    assert fresh.hold(rested, 1.0, 1e-6) == pytest.approx(pristine.hold(pristine.states(1), 1.0, 1e-6), rel=1e-9)


def test_each_column_of_a_circuit_has_the_tables_and_the_noise_of_its_kind(fresh):
    """A kind that began at rest beside one that was never written, a quarter of which fills the way between its wells."""
    at_rest, slow = made_model.made_model().kinds[0], fresh.kinds[0]._replace(emptying=1e-5, way=np.full(2, 0.25))
    noise = made_model.noisy_model(400.0).noise
    both = dataclasses.replace(
        fresh, kinds=(at_rest, slow), kind=np.arange(2), speed=np.ones(2), weight=np.full(2, 0.5),
        start=np.repeat(fresh.start, 2), unsettled=np.array([0.0, 1.0]),
        noise=noise._replace(kinds=(*noise.kinds, noise.kinds[0]._replace(ions=100.0))),
    )  # fmt: skip
    columns = verilog_a.verilog_a(both).split("// Column ")[1:]
    for t, (text, way, emptied, ions) in enumerate(zip(columns, "04", ("1000000", "100000"), (200, 50), strict=True)):
        assert set(re.findall(r"[a-z](\d)_\d", text)) == {str(t)}
        assert ("decay = " in text) == bool(t)
        assert f"filling = (away > 0.0 ? {way} : {way})" in text
        assert f"faster{t + 1} * {emptied})" in text
        assert f"({ions} * area / reference_area)" in text
        assert f"scale = {0.5 / ions} * reference_area" in text


@simulators.needed
@pytest.mark.parametrize(
    ("simulator", "unsettled"),
    [("ngspice", 1), *(pytest.param(*row, marks=pytest.mark.campaign) for row in (("ngspice", 0), ("vacask", 1)))],
)
def test_simulators_begin_with_the_same_film(fresh, simulator, unsettled, tmp_path):
    simulators.compiled(verilog_a.verilog_a(fresh), tmp_path)
    device = f"charging=0 unsettled={unsettled}"
    found, _ = simulators.transient(simulator, tmp_path, shapes.table(*POINTS), READS, device, step=5e-8)
    assert found == pytest.approx(currents(fresh, unsettled), rel=0.01)


def currents(model, unsettled: int) -> np.ndarray:
    """Currents [A] that the model reads, from the fresh film or from one at rest."""
    states = None if unsettled else model.states(1, model.start)[0]
    found = model.run(shapes.table(*POINTS, READS), states).read_current.values
    assert found[0] > 10.0 * found[-1] or not unsettled
    return found


@pytest.mark.campaign
def test_first_pulses_and_sweeps_are_those_of_the_solver(monkeypatch):
    changes = {"columns.count": 1, "columns.spread": {}, "device.film.cells": 40}
    case = load_case("li2019", changes)
    model = build.compact(case, voltage=(-4.3, 3.0), time=(1e-7, 1e2), measure=False)
    found = {name: each for name, each in error.drives(model.limits).items() if name.startswith("first")}
    monkeypatch.setattr(error, "drives", lambda _: found)
    told = error.with_measured_error(model, case, one_by_one, limit=0.1).error
    assert set(told) == {error.FIRST, *(f"first sweeps at 1 V/{per}" for per in ("us", "ms", "s"))}

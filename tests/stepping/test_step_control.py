"""Norms of the error of a step: of concentrations, charges and the band edge; ions outside of their bounds."""

import math

import numpy as np
import pytest
from devices import COLUMNS, SMALL, begin, case

from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import CLOSURE_TOLERANCE, close
from otjdd.physics.state import copy_state
from otjdd.solver import integrate
from otjdd.stepping import step_control
from otjdd.stepping.rosenbrock import RODAS

EXCHANGE = {"rate": "1e-8 m/s", "equilibrium_density": "3e26 1/m^3"}


def test_largest_error_is_found_in_any_cell_of_any_column():
    control = step_control.Control(0.1, 1.0, 1, 1e-3)
    old, new, error = np.full((3, 5), 10.0), np.full((3, 5), 20.0), np.full((3, 5), 0.5)
    for k, i in ((0, 0), (0, 4), (1, 2), (2, 4)):
        larger = error.copy()
        larger[k, i] = -0.6
        assert step_control.worst_cell(control, old, new, larger) == 5 * k + i
    assert step_control.error_norm(control, old, new, error) == pytest.approx(0.5 / 3.0)
    new[1, 3] = math.nan
    assert step_control.worst_cell(control, old, new, error) == 8


def test_ions_outside_of_their_bounds_count_as_a_share():
    run = begin(case(**SMALL, **COLUMNS))
    width, mean, c_max = run.junction.columns.width, run.state.c.mean(), run.junction.ions[0].c_max
    c = run.state.c
    assert step_control.outside(run.junction, run.control, run.state) == 0.0
    c[0, 3], c[1, 2], c[1, 5] = -1e-4 * mean, 1.001 * c_max, -2e-3 * mean
    out = np.maximum(-c, 0.0) + np.maximum(c - c_max, 0.0)
    share = ((out * width).sum(axis=1) / (np.clip(c, 0.0, c_max) * width).sum(axis=1)).max()
    assert step_control.outside(run.junction, run.control, run.state) == pytest.approx(share)


@pytest.mark.parametrize("at_ends", [(0.0, 0.0), (0.7, -1.3)], ids=["closed", "exchanged"])
def test_an_error_of_charges_is_seen_in_the_band_edge_and_in_the_share_of_the_ions(at_ends):
    """at_ends : ions that passed the electrodes, over those that passed a face of the film"""
    of = {f"device__{side}__exchange": EXCHANGE for side in ("left", "right")} if any(at_ends) else {}
    run = begin(case(**SMALL, **of), voltage=0.3)
    junction, state, moved = run.junction, run.state, 1e-6
    before, width = band(junction, state), junction.columns.width[0]
    dS = np.zeros(state.c.shape[1] + 1)
    dS[[0, 4, -1]] = moved * (state.c[0] * width).sum() * np.array([at_ends[0], 1.0, at_ends[1]])
    state.c[0] -= np.diff(dS) / width
    integrate.jump(run, 0.3)
    rise, passed = step_control.shift(junction, state, 0, dS)
    assert passed == pytest.approx(np.abs(dS).max(), rel=1e-6)
    assert rise == pytest.approx(np.abs(band(junction, state) - before).max(), rel=1e-3)


@pytest.mark.parametrize("face", [0, -1], ids=["left", "right"])
def test_what_passed_an_electrode_is_an_error_of_the_reservoir_behind_it(face):
    """Over the tolerance of its free sites, 0.3 of all, and what a film of atol in each cell holds."""
    finite = EXCHANGE | {"capacity": "2e18 1/m^2", "initial_filling": 0.7}
    run = begin(case(**SMALL, device__left__exchange=finite, device__right__exchange=finite), rtol=1e-5, atol=1e-7)
    dS, none = np.zeros((2, run.state.c.shape[1] + 1))
    dS[face] = 1e10
    allowed = 1e-5 * 0.3 * 2e18 + run.control.atol * run.junction.columns.width[0].sum()
    assert step_control.reservoir_norm(run.junction, run.control, run.state, 0, dS) == pytest.approx(1e10 / allowed)
    assert step_control.reservoir_norm(run.junction, run.control, run.state, 0, none) == 0.0


def test_charge_that_traps_take_in_a_step_is_an_error_of_the_ions_by_half_of_what_bends_the_band():
    trap = {"name": "t", "kind": "donor", "density": 1e25, "depth": 0.9, "occupation": "kinetic"}
    run = begin(case(**SMALL, device__traps=[trap | {"relaxation_energy": 0.3}]), voltage=0.3)
    junction, state, new, work = run.junction, run.state, run.trial.state, run.trial.work
    copy_state(state, new)
    before, off = band(junction, state), 1e-3
    new.c[0] *= 1.0 + 1e-3 * np.sin(np.arange(new.c.shape[1]))
    new.trapped[0] += 1e-4 * np.cos(np.arange(new.trapped.shape[1]))
    moved = step_control.motion(junction, run.control, state, new, work)
    error = step_control.error_by_charge(junction, run.control, state, new, work, off)
    state.trapped[:] = new.trapped
    assert close(junction, state, 0, 0.3, CLOSURE_TOLERANCE)
    bent = np.abs(band(junction, state) - before).max()
    assert bent > 1e-5
    assert error == pytest.approx(0.5 * (bent + off) / state.kT[0] * moved, rel=1e-3)


def band(junction, state):
    """Band edge [eV] of the first column at the right end, the cell centres and the left end, from the right."""
    steps = (junction.columns.distance[0] * state.E[0])[::-1]
    return edge(junction.right[0], -state.D_right[0])[0] - np.concatenate(([0.0], np.cumsum(steps)))


# lengths of steps: the trend of the error after an edge


def foreseen(growth, norm, step, last_norm, last_step):
    place = integrate.place_at_start(step)
    place.last_norm[0], place.last_step[0] = last_norm, last_step
    return step_control.foreseen(RODAS, growth, norm, step, place)


def test_steps_whose_error_falls_while_they_grow_grow_faster():
    growth = RODAS.safety * 1e-4**-0.25
    assert foreseen(growth, 1e-4, 10.0, 0.0, 0.0) == growth  # the first step of a piece
    assert foreseen(growth, 1e-4, 3.0, 1e-4, 1.0) == pytest.approx(3.0 * growth)
    assert foreseen(growth, 1e-4, 3.0, 1e-2, 1.0) == pytest.approx(3.0 * growth * 100**0.25)
    assert foreseen(growth, 1e-4, 0.5, 1e-5, 1.0) == growth  # never slower
    assert foreseen(growth, 1e-4, 1e6, 1e-4, 1.0) == pytest.approx(
        min(step_control.GROWTH, step_control.MOST_TREND * growth)
    )
    assert foreseen(0.5 * growth, 1e-4, 3.0, 1e-4, 1.0) == 0.5 * growth  # cut for V_j
    assert foreseen(step_control.GROWTH, 0.0, 3.0, 1e-4, 1.0) == step_control.GROWTH

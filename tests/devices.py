"""Small devices for tests of the kernels: an oxide tunnel junction, and a film between two equal metals."""

import numba
import numpy as np
import pytest

from otjdd.case.case import parse_case
from otjdd.constants import BOLTZMANN_EV
from otjdd.errors import Status
from otjdd.physics import quasistatic
from otjdd.physics.columns import conduct
from otjdd.physics.junction import new_state
from otjdd.physics.state import copy_state, new_tangent
from otjdd.solver import electrodes, integrate, model
from otjdd.solver.self_check import CASE as KNOWN
from otjdd.stepping import step_control
from validation.benchmarks.peers.problems import CONDITIONING, FILM

COMPILED = not numba.config.DISABLE_JIT
needs_speed = pytest.mark.skipif(not COMPILED, reason="takes minutes where kernels are interpreted")

# the junction of the self-check with an ideal metal, and without wells, series resistance and numerics of its own
BLUR = ("numerics", "screening_length", "well_", "[circuit]", "series_resistance")
JUNCTION = "\n".join(line for line in KNOWN.strip().splitlines() if not line.startswith(BLUR)) + "\n"
JUNCTION = JUNCTION.replace("cells = 12", "cells = 24").replace("grading = 3", "grading = 5")
BARE = "".join(
    line for line in JUNCTION.splitlines(True) if not line.startswith("drive")
)  # for another drive before it
# keyword arguments of `case`: a device small enough for interpreted kernels, and two columns of it
SMALL = {
    "device__film__cells": 16 if COMPILED else 8,
    "device__transmission": "wkb",
    "device__conducting_fraction": 1.0,
}
COLUMNS = {"columns__count": 2, "columns__spread": {"ions.activation_energy": "30 meV"}}
BETWEEN_METALS = FILM.format(title="a film between two equal metals", cells=140, grading=20.0) + CONDITIONING


def case(text: str = JUNCTION, **changes):
    """A case from its text with changed values. A double underscore in a keyword stands for the dot of a dotted key."""
    return parse_case(text).replace(**{key.replace("__", "."): value for key, value in changes.items()})


def begin(case, c=None, *, rtol=None, atol=None, voltage=0.0, junction=None):
    """A run of a case from concentrations c (K, N) [1/m3], uniform by default, with the stack solved at a voltage [V]."""
    parts = model.members(case)
    junction = model.junction(case, parts=parts) if junction is None else junction
    c = model.uniform(case, parts) if c is None else np.atleast_2d(c)
    numerics = case.numerics
    run = integrate.begin(junction, c, rtol=rtol or numerics.rtol, atol=atol or numerics.atol)
    integrate.jump(run, voltage)
    return run


def closed(film, seed, V):
    """A run with random ions, with the stack solved at V [V]."""
    return begin(film, lumpy(model.junction(film), np.random.default_rng(seed)), voltage=V)


def doped():
    """The doped electrode: (as the kernels hold it, its bulk as the quadrature of the first integral takes it)."""
    film = case()
    right, kT = film.device.right, film.temperature * BOLTZMANN_EV
    bulk = (
        electrodes.fermi_level(right.form(film.temperature), film.temperature),
        kT,
        right.doping,
        right.density_of_states,
    )
    return model.junction(film).right[0], (*bulk, electrodes.permittivity(right.permittivity, film.temperature))


def settled(V_source, guess=None, **changes):
    """A run with random ions in two columns, solved at a source voltage [V] from a guess of V_j [V], with its tangent."""
    run = begin(case(**SMALL, **COLUMNS, **changes))
    run.state.c[:] = lumpy(run.junction, np.random.default_rng(2), 0.3)
    assert solve(run, V_source, 0.5 * V_source if guess is None else guess) == Status.DONE
    return run


def solve(run, V_source, guess):
    """Solve stack and circuit of a run from a guess of V_j [V], as for a recorded current. Returns a Status."""
    accuracy = quasistatic.Accuracy(step_control.voltage_slack(run.control), True)
    return quasistatic.settle(run.junction, run.state, run.tangent, V_source, guess, accuracy)


def conducted(run):
    """Conductances of all columns [S] at the state of a run, computed in a copy of the state."""
    copy = new_state(run.junction)
    copy_state(run.state, copy)
    assert conduct(run.junction, copy, new_tangent(*run.state.c.shape, len(run.junction.channels.code)), False)
    return copy.G


def hold(run, voltage: float, duration: float, record: bool = False):
    """Jump to a voltage and stay there."""
    integrate.jump(run, voltage)
    integrate.follow_piece(run, duration, voltage, voltage, record)


def lumpy(junction, rng, spread: float = 1.0):
    """Random concentrations (K, N) [1/m3] around 2e26, independent from cell to cell."""
    return 2e26 * np.exp(spread * rng.standard_normal(junction.columns.width.shape))

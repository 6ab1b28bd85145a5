"""Lengths of steps: the trend of the error after an edge."""

import pytest

from otjdd.solver import integrate
from otjdd.stepping import pieces
from otjdd.stepping.rosenbrock import RODAS


def foreseen(growth, norm, step, last_norm, last_step):
    place = integrate.place_at_start(step)
    place.last_norm[0], place.last_step[0] = last_norm, last_step
    return pieces.foreseen(RODAS, growth, norm, step, place)


def test_steps_whose_error_falls_while_they_grow_grow_faster():
    growth = RODAS.safety * 1e-4**-0.25
    assert foreseen(growth, 1e-4, 10.0, 0.0, 0.0) == growth  # the first step of a piece
    assert foreseen(growth, 1e-4, 3.0, 1e-4, 1.0) == pytest.approx(3.0 * growth)
    assert foreseen(growth, 1e-4, 3.0, 1e-2, 1.0) == pytest.approx(3.0 * growth * 100**0.25)
    assert foreseen(growth, 1e-4, 0.5, 1e-5, 1.0) == growth  # never slower
    assert foreseen(growth, 1e-4, 1e6, 1e-4, 1.0) == pytest.approx(min(pieces.GROWTH, pieces.MOST_TREND * growth))
    assert foreseen(0.5 * growth, 1e-4, 3.0, 1e-4, 1.0) == 0.5 * growth  # cut for V_j
    assert foreseen(pieces.GROWTH, 0.0, 3.0, 1e-4, 1.0) == pieces.GROWTH

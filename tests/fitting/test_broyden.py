"""Rank-one updates and damped moves of a search in the unit cube, on functions whose slopes are known."""

import numpy as np
import pytest

from otjdd.fitting import least_squares

A = np.array([[3.0, 1.0], [0.0, 2.0], [1.0, -1.0]])


def test_updated_slopes_agree_with_the_step_and_stay_across_it():
    guess, move = np.ones((3, 2)), np.array([0.1, 0.2])
    slopes = least_squares.updated(guess, move, A @ move)
    assert slopes @ move == pytest.approx(A @ move)
    across = np.array([0.2, -0.1])
    assert slopes @ across == pytest.approx(guess @ across)
    np.testing.assert_array_equal(least_squares.updated(guess, 0 * move, np.ones(3)), guess)


def test_undamped_moves_end_at_the_least_squares_and_updates_replace_the_jacobian():
    x, truth = np.array([0.4, 0.5]), np.array([0.3, 0.6])
    assert x + least_squares.damped_move(A, A @ (x - truth), x, 1e-12) == pytest.approx(truth)

    def bent(x):
        return A @ (x - truth) + 0.3 * (x - truth) ** 2 @ np.ones((2, 3))

    slopes, pulls = A, bent(x)
    for _ in range(8):
        move = least_squares.damped_move(slopes, pulls, x, 1e-6)
        slopes = least_squares.updated(slopes, move, bent(x + move) - pulls)
        x, pulls = x + move, bent(x + move)
    assert x == pytest.approx(truth, abs=1e-5)


def test_a_move_stays_in_the_cube_and_goes_along_its_wall():
    truth = np.array([-0.5, 0.6])
    x = np.array([0.0, 0.5])
    move = least_squares.damped_move(A, A @ (x - truth), x, 1e-9)
    assert move[0] == 0.0
    slopes = A[:, 1]
    assert move[1] == pytest.approx(-slopes @ (A @ (x - truth)) / (slopes @ slopes))
    far = least_squares.damped_move(A, A @ (np.array([0.9, 0.9]) - 0.1), np.array([0.9, 0.9]), 1e-9)
    assert np.abs(far).max() <= least_squares.FARTHEST


def test_the_best_of_some_scores_has_to_gain():
    assert least_squares.best_of([3.0, 1.0, 2.0], before=1.5) == 1
    assert least_squares.best_of([3.0, 1.5, 2.0], before=1.5) is None

"""The local search, its updates of derivatives, and errors, on functions of known answers, in place of the solver."""

from dataclasses import replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize._lsq.least_squares import IMPLEMENTED_LOSSES

from otjdd.case.fit import LOSSES
from otjdd.errors import CaseError, DataError
from otjdd.fitting import covariance, least_squares
from otjdd.fitting.curves import ComparedRun, MeasuredCurve, Scale, loss
from otjdd.fitting.least_squares import minimise
from otjdd.fitting.parameters import Parameter
from otjdd.fitting.search import Evaluator, Simulated
from otjdd.fitting.task import Task

X = np.linspace(0, 3, 40)
CASE = SimpleNamespace(drive=SimpleNamespace(kind="patterns"))  # of a function, which has no time steps


class Function(NamedTuple):
    """An evaluator of a function of the coordinates instead of a case."""

    task: Task
    function: object
    count: list

    def __call__(self, points, near=None):
        self.count[0] += len(points)
        return np.array([self.function(np.asarray(x)) for x in points])

    def all_alike(self, points, near):
        return True


def made(function, truth, sigma=0.02, seed=0, bounds=(-10.0, 10.0), uncertainty="column"):
    rng = np.random.default_rng(seed)
    y = function(np.asarray(truth)) + sigma * rng.standard_normal(len(X))
    curve = MeasuredCurve(0, "made", "number", "x", X, y, False, Scale("linear", 1.0), np.full(len(X), sigma), uncertainty,
                  np.arange(len(X)) + 1, "reads", np.arange(len(X)))  # fmt: skip
    moving = tuple(Parameter(f"p{i}", "", *bounds, False, 5.0) for i in range(len(truth)))
    return Function(Task(case=None, runs=(ComparedRun(CASE, (curve,)),), parameters=moving, notes=()), function, [0, 0])


def decay(x):
    return np.exp(x[0]) * np.exp(-np.exp(x[1]) * X)


def exact_slopes(x):
    return np.column_stack([decay(x), -np.exp(x[1]) * X * decay(x)])


@pytest.mark.parametrize("move", [[1e-3, 0.0], [0.0, 4e-3], [-3e-3, 2e-3]])
def test_slopes_of_a_place_nearby_are_as_good_as_stated(move):
    x = np.array([0.2, -0.3])
    gradient = least_squares.Gradient(exact_slopes(x), np.full(2, 1e-5), np.zeros(2, bool))
    there = exact_slopes(x + move)
    off = np.linalg.norm(there - gradient.slopes, axis=0) / np.linalg.norm(there, axis=0)
    stated = least_squares.error_nearby(gradient, np.array(move))
    assert (off < stated).all()
    assert (stated < 30 * off.max()).all()


def test_slopes_are_not_measured_again_after_a_small_move():
    solutions = {size: minimise(near(size), np.array([0.2, -0.3])) for size in (1e-3, 0.3)}
    assert solutions[1e-3].jacobians == 1
    assert (solutions[1e-3].gradient.error < 3e-2).all()
    assert solutions[0.3].jacobians > 1
    for solution in solutions.values():
        off = np.linalg.norm(solution.gradient.slopes - exact_slopes(solution.x), axis=0)
        assert (off < 3e-2 * np.linalg.norm(exact_slopes(solution.x), axis=0)).all()


def near(size):
    """A function whose data are a size away from the start (0.2, -0.3)."""
    return made(decay, [0.2 + size, -0.3 - size], sigma=1e-4)


def test_gradients_are_right_beside_the_noise_of_a_solver():
    rng = np.random.default_rng(1)
    for noise in (1e-6, 1e-4):
        noisy = made(lambda x, s=noise: decay(x) + s * rng.standard_normal(len(X)), [0.2, -0.3])
        x = np.array([0.2, -0.3])
        measured = least_squares.solver_noise(noisy, x)
        assert 0.5 * noise < measured < 2 * noise
        first = least_squares.gradient(noisy, x, decay(x), measured, None)
        found = least_squares.gradient(noisy, x, decay(x), measured, first.slopes)
        exact = np.column_stack([decay(x), -np.exp(x[1]) * X * decay(x)])
        error = np.sqrt(np.mean((found.slopes - exact) ** 2, axis=0) / np.mean(exact**2, axis=0))
        assert (error < 4 * noise ** (2 / 3)).all()
        assert (error < 10 * found.error).all()


def test_a_gradient_at_a_bound_and_beside_a_failure_is_one_sided():
    evaluate = made(lambda x: np.where(x[1] > 0.1, np.nan, decay(x)), [0.0, 0.0], bounds=(4.0, 6.0))
    low = evaluate.task.ends[0][0]
    x = np.array([low, 0.0999])
    found = least_squares.gradient(evaluate, x, decay(x), 1e-9, None)
    np.testing.assert_allclose(found.slopes[:, 0], decay(x), rtol=1e-2)
    np.testing.assert_allclose(found.slopes[:, 1], -np.exp(x[1]) * X * decay(x), rtol=1e-2, atol=1e-3)
    with pytest.raises(CaseError, match="fail on both sides"):
        least_squares.gradient(
            made(lambda x: np.full(len(X), np.nan), [0.0]), np.zeros(1), np.zeros(len(X)), 1e-9, None
        )


def test_a_search_finds_the_truth_and_steps_back_from_failures():
    evaluate = made(lambda x: np.where(x[0] > 1.5, np.nan, decay(x)), [1.0, 0.5])
    found = minimise(evaluate, np.array([-1.0, -1.0]))
    errors = covariance.standard_errors(evaluate.task, found)
    assert (np.abs(found.x - [1.0, 0.5]) < 4 * errors.error).all()
    assert 0.5 < errors.reduced < 1.6
    assert errors.warnings == ()
    assert found.jacobians <= 12


def test_a_start_without_numbers_is_told():
    with pytest.raises(DataError, match="a number of the run"):
        minimise(made(lambda x: np.full(len(X), np.nan), [0.0]), np.zeros(1))


def test_parameters_that_are_alike_at_a_bound_or_without_effect_are_named():
    def function(x):
        return decay(x[:2]) * (1 + x[0] - x[0]) + 1e-3 * (x[2] + 1.001 * x[3]) * X + 1e-9 * x[3] * X**2

    evaluate = made(function, [1.0, 0.5, 0.2, 0.3, 0.0])
    found = minimise(evaluate, np.zeros(5))
    said = " ".join(covariance.standard_errors(evaluate.task, found).warnings)
    assert "p2 and p3: correlation -1.000; fix one" in said
    assert "p4 changes nothing in these data" in said
    bounded = made(decay, [1.2, 0.0], bounds=(4.0, 5.5))
    errors = covariance.standard_errors(bounded.task, minimise(bounded, np.zeros(2)))
    assert errors.at_bound[0]
    assert np.isnan(errors.error[0])
    assert "p0 is at its bound" in errors.warnings[0]


def test_estimated_uncertainties_scale_the_errors():
    sure, guessed = made(decay, [1.0, 0.5]), made(decay, [1.0, 0.5], uncertainty="estimated")
    found = minimise(sure, np.zeros(2))
    a, b = covariance.standard_errors(sure.task, found), covariance.standard_errors(guessed.task, found)
    np.testing.assert_allclose(b.error, a.error * np.sqrt(a.reduced))
    assert b.scaled
    assert not a.scaled


@pytest.mark.parametrize("count", [150])
def test_errors_are_honest(count):
    inside = []
    for seed in range(count):
        evaluate = made(decay, [1.0, 0.5], seed=seed)
        found = minimise(evaluate, np.array([0.8, 0.3]), final=False)
        found = found._replace(gradient=least_squares.Gradient(
            np.column_stack([decay(found.x), -np.exp(found.x[1]) * X * decay(found.x)]), np.zeros(2), np.zeros(2, bool),
        ))  # fmt: skip
        inside.append(np.abs(found.x - [1.0, 0.5]) / covariance.standard_errors(evaluate.task, found).error)
    within = np.array(inside)
    assert abs(np.mean(within < 1) - 0.683) < 0.08
    assert abs(np.mean(within < 2) - 0.954) < 0.04


def test_the_evaluator_of_cases_counts_and_keeps_the_order():
    jobs = []

    def compute(function, given):
        jobs.extend(given)
        return [(i, Simulated(np.array([float(i), 0.0]))) for i in reversed(range(len(given)))]

    task = made(decay, [0.0, 0.0]).task
    evaluate = Evaluator(replace(task, runs=task.runs * 2), compute, [0, 0])
    np.testing.assert_array_equal(evaluate([np.zeros(2), np.ones(2)]), [[0, 0, 1, 0], [2, 0, 3, 0]])
    assert evaluate.count == [2, 0]
    assert jobs[2][1] == {"p0": 6.0, "p1": 6.0}


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "linear"])
def test_losses_are_those_of_scipy_and_bear_an_outlier(name):
    z = np.array([0.0, 0.3, 0.99, 1.01, 4.0, 1e4])
    ours, theirs = loss(name, z), np.empty((3, len(z)))
    IMPLEMENTED_LOSSES[name.replace("-", "_")](z, theirs, cost_only=False)
    np.testing.assert_allclose(np.array(ours), theirs, rtol=1e-9, atol=1e-12)
    evaluate = made(decay, [1.0, 0.5])
    (run,) = evaluate.task.runs
    curve = run.curves[0]
    spoilt = curve._replace(y=curve.y + np.where(np.arange(len(X)) == 5, 1.0, 0.0))
    evaluate = evaluate._replace(task=replace(evaluate.task, runs=(run._replace(curves=(spoilt,)),), loss=name))
    found = minimise(evaluate, np.array([0.9, 0.4]))
    errors = covariance.standard_errors(evaluate.task, found)
    assert (np.abs(found.x - [1.0, 0.5]) < 3 * errors.error).all()
    plain = evaluate._replace(task=replace(evaluate.task, loss="linear"))
    assert np.abs(minimise(plain, np.array([0.9, 0.4])).x - [1.0, 0.5])[0] > 3 * errors.error[0]
    assert len(errors.outliers) == 1
    assert "made line 6" in errors.outliers[0]


def test_a_reduced_chi_square_far_from_one_is_told():
    small, large = made(decay, [1.0, 0.5], sigma=0.2), made(decay, [1.0, 0.5], sigma=0.2)
    for evaluate, factor, said in ((small, 0.2, "misses the data"), (large, 5.0, "scatter less")):
        (run,) = evaluate.task.runs
        curve = run.curves[0]._replace(sigma=factor * run.curves[0].sigma)
        task = replace(evaluate.task, runs=(run._replace(curves=(curve,)),))
        found = covariance.standard_errors(task, minimise(evaluate._replace(task=task), np.zeros(2)))
        assert said in found.warnings[0]


def test_a_correlation_of_one_is_named_also_within_a_combination_of_several():
    """Three alike columns have one small singular value, whose direction has but two largest entries."""
    correlation = np.array([[1.0, -0.99951, 0.98], [-0.99951, 1.0, -0.97], [0.98, -0.97, 1.0]])
    J = np.linalg.qr(np.random.default_rng(1).standard_normal((9, 3)))[0]
    assert covariance.inseparable(J, correlation, ["a", "b", "c"]) == ["a and b: correlation -1.000; fix one"]
    correlation[0, 1] = correlation[1, 0] = -0.9994
    assert covariance.inseparable(J, correlation, ["a", "b", "c"]) == []


A = np.array([[3.0, 1.0], [0.0, 2.0], [1.0, -1.0]])


def test_updated_slopes_agree_with_the_step_and_stay_across_it():
    guess, move = np.ones((3, 2)), np.array([0.1, 0.2])
    slopes = least_squares.broyden_updated(guess, move, A @ move)
    assert slopes @ move == pytest.approx(A @ move)
    across = np.array([0.2, -0.1])
    assert slopes @ across == pytest.approx(guess @ across)
    np.testing.assert_array_equal(least_squares.broyden_updated(guess, 0 * move, np.ones(3)), guess)


def test_updated_slopes_of_numbers_that_are_not_known_stay():
    change = np.array([1.0, np.nan, 0.5])
    slopes = least_squares.broyden_updated(A, np.array([0.1, 0.2]), change)
    np.testing.assert_array_equal(slopes[1], A[1])
    assert slopes[[0, 2]] @ [0.1, 0.2] == pytest.approx(change[[0, 2]])

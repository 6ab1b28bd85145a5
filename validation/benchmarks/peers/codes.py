"""The compared codes. Each function takes a problem and returns solve(rtol, share) -> (`Found`, work).

Each code has compiled equations, an analytic banded Jacobian, and consistent initial values after every jump of the
voltage. The absolute tolerance is `share` times the relative one, in units of the mean concentration and of 1 V. Numbers
that a code fails to compute are nan.
"""

import numpy as np
from numba import njit

from otjdd.physics.electrostatics import displacement
from otjdd.solver import integrate
from validation.benchmarks.peers.equations import LOWER, UPPER, consistent, kernels, left_charge
from validation.benchmarks.peers.problems import Found, segments

SHARE = 1e-2  # default ratio of the absolute to the relative tolerance
# 1/s, relaxation rate of the potential for LSODA: lower rates are inaccurate, with higher ones LSODA fails
RELAXATION = {"conditioning": 1e7, "pulses": 1e11}


def otjdd(problem):
    """The package itself, as `otjdd.run` calls it."""

    def solve(rtol, share=SHARE):
        run = integrate.begin(problem.junction, problem.c, rtol=rtol, atol=share * rtol)
        integrate.follow_waveform(run, problem.waveform, stops=problem.outputs)
        found = Found(
            np.array([kept.c[0] for kept in run.kept_states]), np.array([kept.D_left[0] for kept in run.kept_states])
        )
        return found, f"{run.counts.accepted} + {run.counts.rejected} steps"

    return solve


def ida(problem):
    """SUNDIALS IDA (BDF of variable order for differential-algebraic equations), banded, restarted at every jump.

    Its alternatives are slower here: a Jacobian from differences by a sixth, SuperLU by a factor of two.
    """
    from sksundae.ida import IDA

    rates, bands = kernels(problem)
    n, mean = 2 * problem.c.size, problem.c.mean()
    B = np.empty((LOWER + UPPER + 1, n))
    work = np.zeros(2, int)

    @njit
    def residual_kernel(y, yp, V, res):
        rates(y, V, res)
        for i in range(0, n, 2):
            res[i] -= yp[i]

    @njit
    def jacobian_kernel(y, V, cj, B, JJ):
        bands(y, V, B)
        for column in range(n):
            if column % 2 == 0:
                B[UPPER, column] -= cj
            for row in range(max(0, column - UPPER), min(n, column + LOWER + 1)):
                JJ[row, column] = B[row - column + UPPER, column]

    def residual(t, y, yp, res, data):
        work[0] += 1
        residual_kernel(y, yp, data[0], res)

    def jacobian(t, y, yp, res, cj, JJ, data):
        work[1] += 1
        jacobian_kernel(y, data[0], cj, B, JJ)

    def solve(rtol, share=SHARE):
        work[:] = 0
        found, charge, data, c = [], [], [0.0], problem.c[0]
        solver = IDA(
            residual, userdata=data, algebraic_idx=range(1, n, 2), rtol=rtol, atol=share * rtol,
            max_num_steps=10**6, linsolver="band", lband=LOWER, uband=UPPER, jacfn=jacobian,
        )  # fmt: skip
        for t0, t1, voltage, outputs in segments(problem):
            data[0] = voltage
            solver.init_step(t0, *consistent(problem, c, voltage))
            for t in [*outputs, t1] if len(outputs) == 0 or outputs[-1] < t1 else outputs:
                reached = solver.step(t)
                if not reached.success:
                    return failed(problem)
                y = reached.y
                if len(found) < len(problem.outputs) and t == problem.outputs[len(found)]:
                    found.append(mean * y[::2])
                    charge.append(left_charge(problem, y, voltage))
            c = mean * y[::2]
        return Found(np.array(found), np.array(charge)), f"{work[0]} residuals, {work[1]} Jacobians"

    return solve


def lsoda(problem):
    """scipy LSODA (BDF of ODEPACK), banded.

    It solves no algebraic equations. So Poisson's equation is replaced by a relaxation of the potential that is faster than
    all other processes.
    """
    from scipy.integrate import odeint

    rates, bands = kernels(problem)
    junction, n, mean = problem.junction, 2 * problem.c.size, problem.c.mean()
    width = junction.columns.width[0]
    stiffness = np.ones(n)
    stiffness[1::2] = RELAXATION[problem.name] * width.sum() / width / capacitance(problem)

    @njit
    def rhs_kernel(y, V, r):
        rates(y, V, r)
        for i in range(1, n, 2):
            r[i] *= stiffness[i]

    @njit
    def jacobian_kernel(y, V, B):
        bands(y, V, B)
        for column in range(n):
            for row in range(max(0, column - UPPER), min(n, column + LOWER + 1)):
                B[row - column + UPPER, column] *= stiffness[row]

    def rhs(t, y, V):
        r = np.empty(n)
        rhs_kernel(y, V, r)
        return r

    def jacobian(t, y, V):
        B = np.empty((LOWER + UPPER + 1, n))
        jacobian_kernel(y, V, B)
        return B

    def solve(rtol, share=SHARE):
        found, charge, c, work = [], [], problem.c[0], np.zeros(2, int)
        for t0, t1, voltage, outputs in segments(problem):
            times = [0.0, *(outputs - t0)]
            if times[-1] < t1 - t0:
                times.append(t1 - t0)
            y, info = odeint(
                rhs, consistent(problem, c, voltage)[0], times, (voltage,), jacobian, ml=LOWER, mu=UPPER,
                rtol=rtol, atol=share * rtol, mxstep=10**6, tfirst=True, full_output=True,
            )  # fmt: skip
            if info["message"] != "Integration successful.":
                return failed(problem)
            found += [mean * state[::2] for state in y[1 : 1 + len(outputs)]]
            charge += [left_charge(problem, state, voltage) for state in y[1 : 1 + len(outputs)]]
            c = mean * y[-1, ::2]
            work += info["nfe"][-1], info["nje"][-1]
        return Found(np.array(found), np.array(charge)), f"{work[0]} rates, {work[1]} Jacobians"

    return solve


def failed(problem):
    """Result of a code that failed: nan."""
    return Found(
        np.full((len(problem.outputs), problem.c.size), np.nan), np.full(len(problem.outputs), np.nan)
    ), "failed"


def capacitance(problem) -> float:
    """Capacitance of the film [F/m2] in a strong field, which scales the relaxation of the potential."""
    return displacement(1e9, problem.junction.film[0])[1] / problem.junction.columns.width[0].sum()


CODES = {"otjdd": otjdd, "SUNDIALS IDA": ida, "scipy LSODA": lsoda}

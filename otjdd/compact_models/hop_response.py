"""Hops of a settled column in both directions, and the linear response of the column to them."""

import numpy as np

from otjdd.physics import bound_electrons
from otjdd.physics.ions import DOWNHILL, UPHILL, G, new_factors
from otjdd.physics.junction import FluxSlopes
from otjdd.solver import integrate, linear_response
from otjdd.solver.integrate import Run


def hops(run: Run) -> np.ndarray:
    """Hops (N - 1,) [1/(m2 s)] over the inner faces of the column of a settled run, the sum of both directions."""
    junction, c, columns = run.junction, run.state.c[0], run.junction.columns
    N, inner = c.size, slice(1, c.size)
    factors = new_factors(N)
    bound_electrons.flux_slopes_of(junction, run.state, 0, factors, np.zeros(N + 1), FluxSlopes(*np.zeros((3, N + 1))))
    rate = run.state.diffusivity[0, inner] / columns.distance[0, inner] * factors[G, inner]
    free = 1.0 - c * columns.crowding[0]
    return rate * (factors[UPHILL, inner] * c[:-1] * free[1:] + factors[DOWNHILL, inner] * c[1:] * free[:-1])


def propagator(run: Run, step: float) -> np.ndarray:
    """(1 - step dJ/dS)^-1 of the column of a settled run at constant V_j, an array (N - 1, N - 1). step : [s]"""
    return column_of(run).charges.propagator(step)


def column_of(run: Run) -> linear_response.LinearColumn:
    """The column of a settled run, linear around its state. Raises SolverError."""
    column = linear_response.linearised_column(run.junction, run.state, 0, 1.0)
    if column is None:
        integrate.fail(run, "SPECTRUM_NOT_CONVERGED", 0.0, float(run.state.V[0]), 0.0, 0.0)
    return column

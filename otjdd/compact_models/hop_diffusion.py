"""Diffusion of the state of a column by ions that hop at random, from their one-way fluxes along runs at constant voltage.

The vacancies S_f to the right of face f obey dS = J(S) dt + dB, with <dB_f^2> = (forward + backward hops)_f dt / area,
hops per area and time. The change of the state that remains after a hop over face f is w_f, the sensitivity of the state
to S_f: most hops are undone within a well, hops over the barrier are not. Along a run w is integrated backward in time by
dw/dt = -(dJ/dS)^T w. All of w but its slow part decays; the slow part is scaled to w . dS = dq between two samples. Then

    2 D = sum_f w_f^2 (forward + backward)_f / area

The matrix dJ/dS is that of small signals (`solver.linear_response`), at constant V_j. The steps are implicit and lead from
sample to sample. D is complete to first order in 1/n, with n ions: the noise is then small, and the run that of the mean.
"""

import numpy as np

from otjdd.compact_models import bench as on_bench
from otjdd.compact_models import well_noise
from otjdd.compact_models.bench import Bench
from otjdd.compact_models.branches import LAG, SAME, Branch, Ends, along, branches_at, ordered, rest_of
from otjdd.compact_models.ends import SETTLED, extremes, uniform
from otjdd.compact_models.limits import Range
from otjdd.compact_models.noise import NoiseTables
from otjdd.compact_models.tables import Tables, stays
from otjdd.compact_models.well_noise import hops, propagator
from otjdd.solver import integrate
from otjdd.system.pool import Spread

KNOTS = 17  # voltages of the table
MOVED = 2.0 * SAME  # of the thickness: least move between two samples
LEAST, MOST = 1e-3, 30.0  # limits to which phi is clipped


def noise_tables(bench: Bench, tables: Tables, limits: Range, ions: float, spread: Spread) -> NoiseTables:
    """Tables of the noise of a kind of column. limits : of its slowest and fastest column   ions : of the whole area

    Raises SolverError.
    """
    settling, states = tables.emptying * SETTLED, tables.state
    if stays(tables):
        voltage, rows = np.linspace(limits.low, limits.high, 3), np.zeros((3, 1))
        ends = Ends(uniform(bench), uniform(bench), settling)
        columns = well_noise.AtRest(states, [ends.low])
    else:
        ends = Ends(*extremes(bench, limits), settling)
        voltage = np.unique(np.append(np.linspace(limits.low, limits.high, KNOTS), 0.0))
        rows = np.empty((voltage.size, states.size))
        for number, row in spread(row_at, [(bench, ends, states, float(V)) for V in voltage]):
            rows[number] = row
        columns = well_noise.at_rest(bench, ends, states, limits)
    reads = well_noise.log_reads(bench, ends, states, columns)
    white, corner = well_noise.log_spectra(bench, ends, states, columns, voltage, spread)
    return NoiseTables(voltage, states, rows, ions, reads, white, corner)


def row_at(bench: Bench, ends: Ends, states: np.ndarray, voltage: float) -> np.ndarray:
    """log10 of phi (Q,) at states (Q,) and a voltage [V]."""
    branches = branches_at(bench, ends, voltage)
    rest = float(np.clip(rest_of(branches), states[0], states[-1]))
    samples = np.concatenate([scatter_along(bench, run, rest, states, voltage) for run in branches])
    return along(ordered(samples), states) if len(samples) else np.zeros(states.size)


def scatter_along(bench: Bench, branch: Branch, rest: float, states: np.ndarray, voltage: float) -> np.ndarray:
    """States and log10 of phi (n, 2) between the samples of a branch with the state of rest `rest`."""
    q, low, high, samples = branch.state, states[0], states[-1], []
    passed = ions_passed(bench, branch.c)
    ions = bench.density * bench.junction.columns.width[0].sum()  # 1/m2
    w = np.ones(passed.shape[1])  # at the end of the run a hop over any face counts 1
    for i in range(len(q) - 2, -1, -1):
        step, moved = branch.time[i + 1] - branch.time[i], q[i + 1] - q[i]
        run = on_bench.at_rest(bench, branch.c[i : i + 1])
        integrate.jump(run, voltage)
        w = propagator(run, step).T @ w
        w /= np.abs(w).max()
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.log((rest - q[i]) / (rest - q[i + 1])) / step
        binomial = 0.5 * ((rest - low) * (high - q[i]) + (high - rest) * (q[i] - low)) / ions
        along_path = w @ (passed[i + 1] - passed[i])
        lagging = abs(q[i] - q[0]) < LAG and abs(rest - q[0]) > 3.0 * LAG  # the way fills, as in `branches.rates_of`
        if not lagging and abs(moved) > MOVED and rate > 0.0 and along_path * moved != 0.0 and binomial > 0.0:
            diffusion = 0.5 * ((w * moved / along_path) ** 2) @ hops(run)
            samples.append((0.5 * (q[i] + q[i + 1]), np.log10(np.clip(diffusion / rate / binomial, LEAST, MOST))))
    return np.array(samples[::-1]).reshape(-1, 2)


def ions_passed(bench: Bench, c: np.ndarray) -> np.ndarray:
    """Ions (n, N - 1) [1/m2] beyond the inner faces of concentrations (n, N) [1/m3]."""
    sheets = c * bench.junction.columns.width[0]
    return np.cumsum(sheets[:, :0:-1], axis=1)[:, ::-1]

"""Diffusion of the state of a column by ions that hop at random, from their one-way fluxes along runs at constant voltage.

Ions that pass the faces obey dS = J(S) dt + dB, with <dB_f^2> = (forward + backward hops per area) dt / area. What a hop
over face f makes of the state in the end is w_f, the sensitivity of the state to S_f: most hops are undone within a well,
those over the barrier are not. Along a run w follows backward in time from dw/dt = -(dJ/dS)^T w. All but its slow part
dies, and the slow part has w . dS = dq between two samples. Then

    2 D = sum_f w_f^2 (forward + backward)_f / area

The matrix is that of small signals (`solver.linear_response`), at constant V_j; steps are implicit, as long as the samples
are apart. To first order in 1/n, n ions, nothing is left out: the noise is small, and the run is that of the mean.

Ions that come to rest within the wells sooner than the state changes make reads scatter at one state. At rest their
covariance is -(dJ/dS)^-1 (hops)/2 per area; an implicit step as long as they take to settle, in place of the inverse,
leaves out the slow part.
"""

import numpy as np

from otjdd.compact_models import bench as on_bench
from otjdd.compact_models.bench import Bench
from otjdd.compact_models.branches import FIRST, LAG, SAME, Branch, Ends, along, branches_at, ordered, rest_of
from otjdd.compact_models.ends import SETTLED, extremes, uniform
from otjdd.compact_models.limits import Range
from otjdd.compact_models.noise import NoiseTables
from otjdd.compact_models.tables import Tables, stays
from otjdd.physics import bound_electrons
from otjdd.physics.ions import DOWNHILL, UPHILL, G, new_factors
from otjdd.physics.junction import FluxSlopes
from otjdd.solver import integrate, linear_response
from otjdd.solver.integrate import Run
from otjdd.system.pool import Spread

KNOTS = 17  # voltages of the table
RUN, READS = 40, 13  # stations of the two runs between both ends, and states of them at which reads are judged
READ = 0.1  # V
MOVED = 2.0 * SAME  # of the thickness: least move between two samples
LEAST, MOST = 1e-3, 30.0  # between which phi is kept


def noise_tables(bench: Bench, tables: Tables, limits: Range, ions: float, spread: Spread) -> NoiseTables:
    """Table of phi of a kind of column. limits : of its slowest and fastest column   ions : of one that is the whole area

    Raises SolverError.
    """
    if stays(tables):
        voltage = np.linspace(limits.low, limits.high, 3)
        read = read_variance(bench, uniform(bench), tables.emptying * SETTLED)
        return NoiseTables(voltage, tables.state, np.zeros((3, 1)), ions, np.full(1, np.log10(read)))
    low, high = extremes(bench, limits)
    ends = Ends(low, high, tables.emptying * SETTLED)
    voltage = np.unique(np.append(np.linspace(limits.low, limits.high, KNOTS), 0.0))
    rows = np.empty((voltage.size, tables.state.size))
    for number, row in spread(row_at, [(bench, ends, tables.state, float(V)) for V in voltage]):
        rows[number] = row
    return NoiseTables(voltage, tables.state, rows, ions, log_reads(bench, ends, tables.state, limits))


def log_reads(bench: Bench, ends: Ends, states: np.ndarray, limits: Range) -> np.ndarray:
    """log10 (Q,) of the variance of ln G at states (Q,), times the number of ions, from columns at rest at 0 V."""
    times = np.geomspace(FIRST, limits.longest, RUN)
    moved = [
        *on_bench.stations(bench, ends.low, limits.high, times),
        *on_bench.stations(bench, ends.high, limits.low, times),
    ]
    at_rest = [on_bench.concentrations_after(bench, c, 0.0, ends.settling) for c in (ends.low, ends.high, *moved)]
    place = np.array([on_bench.position(bench, c) for c in at_rest])
    chosen = {int(np.abs(place - q).argmin()) for q in np.linspace(states[0], states[-1], READS)}
    found = [(place[i], np.log10(read_variance(bench, at_rest[i], ends.settling))) for i in chosen]
    return along(ordered(np.array(found)), states)


def read_variance(bench: Bench, c: np.ndarray, settling: float) -> float:
    """Variance of ln G at READ by ions that move within `settling` seconds, times their number. c : (1, N) at rest"""
    run = on_bench.at_rest(bench, c)
    integrate.jump(run, READ)
    charges = column_of(run).charges
    slope, ions = charges.log_chord_by_ions(), bench.density * bench.junction.columns.width[0].sum()
    variance = float(0.5 * settling * slope @ charges.propagator(settling) @ (hops(run) * slope))
    return float(max(variance * ions, 1e-12))


def row_at(bench: Bench, ends: Ends, states: np.ndarray, voltage: float) -> np.ndarray:
    """log10 of phi (Q,) at states (Q,) and a voltage [V]."""
    branches = branches_at(bench, ends, voltage)
    rest = float(np.clip(rest_of(branches), states[0], states[-1]))
    found = np.concatenate([scatter_along(bench, each, rest, states, voltage) for each in branches])
    return along(ordered(found), states) if len(found) else np.zeros(states.size)


def scatter_along(bench: Bench, branch: Branch, rest: float, states: np.ndarray, voltage: float) -> np.ndarray:
    """States and log10 of phi (n, 2) between the samples of a branch with the state of rest `rest`."""
    q, low, high, found = branch.state, states[0], states[-1], []
    passed = ions_passed(bench, branch.c)
    ions = bench.density * bench.junction.columns.width[0].sum()  # 1/m2
    w = np.ones(passed.shape[1])  # 1 for every hop: the number of ions that passed
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
            found.append((0.5 * (q[i] + q[i + 1]), np.log10(np.clip(diffusion / rate / binomial, LEAST, MOST))))
    return np.array(found[::-1]).reshape(-1, 2)


def ions_passed(bench: Bench, c: np.ndarray) -> np.ndarray:
    """Ions (n, N - 1) [1/m2] beyond the inner faces of concentrations (n, N) [1/m3]."""
    held = c * bench.junction.columns.width[0]
    beyond: np.ndarray = np.cumsum(held[:, :0:-1], axis=1)[:, ::-1]
    return beyond


def hops(run: Run) -> np.ndarray:
    """Hops (N - 1,) [1/(m2 s)] over the inner faces of the column of a settled run, both ways together."""
    junction, c, columns = run.junction, run.state.c[0], run.junction.columns
    N, inner = c.size, slice(1, c.size)
    factors = new_factors(N)
    bound_electrons.flux_slopes_of(junction, run.state, 0, factors, np.zeros(N + 1), FluxSlopes(*np.zeros((3, N + 1))))
    rate = columns.diffusivity[0] / columns.distance[0, inner] * factors[G, inner]
    free = 1.0 - c / junction.ions[0].c_max
    both: np.ndarray = rate * (
        factors[UPHILL, inner] * c[:-1] * free[1:] + factors[DOWNHILL, inner] * c[1:] * free[:-1]
    )
    return both


def propagator(run: Run, step: float) -> np.ndarray:
    """(1 - step dJ/dS)^-1 of the column of a settled run at constant V_j, an array (N - 1, N - 1). step : [s]"""
    left: np.ndarray = column_of(run).charges.propagator(step)
    return left


def column_of(run: Run) -> linear_response.Column:
    """The column of a settled run, linear around its state. Raises SolverError."""
    column = linear_response.linearised_column(run.junction, run.state, 0, 1.0)
    if column is None:
        integrate.fail(run, "SPECTRUM_NOT_CONVERGED", 0.0, float(run.state.V[0]), 0.0, 0.0)
    return column

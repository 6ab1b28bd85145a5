"""Noise of ions that hop at random, from their one-way fluxes: diffusion of the state, noise of the current at one state.

The vacancies S_f to the right of face f obey dS = J(S) dt + dB, with <dB_f^2> = (forward + backward hops)_f dt / area,
hops per area and time. The change of the state that remains after a hop over face f is w_f, the sensitivity of the state
to S_f: most hops are undone within a well, hops over the barrier are not. Along a run w is integrated backward in time by
dw/dt = -(dJ/dS)^T w. All of w but its slow part decays; the slow part is scaled to w . dS = dq between two samples. Then

    2 D = sum_f w_f^2 (forward + backward)_f / area

The matrix dJ/dS is that of small signals (`solver.linear_response`), at constant V_j. The steps are implicit and lead from
sample to sample. D is complete to first order in 1/n, with n ions: the noise is then small, and the run that of the mean.

Ions that come to rest within the wells sooner than the state changes scatter reads at one state. At rest the covariance of
S is -(dJ/dS)^-1 (hops)/2 per area; an implicit step of the settling time in place of the inverse leaves out its slow part,
the motion of the state. The one-sided spectrum of ln G, with the sensitivity g of ln G to S, is

    S(f) = 2 sum_f |g (i w - dJ/dS)^-1|_f^2 (hops)_f / area        w = 2 pi f

The spectrum is white below the rates of the wells, and falls above a corner; at low frequencies the 1/f^2 of the state
dominates. A least-squares fit of ln{C/f^2 + W/[1 + (f/f_c)^2]} to ln S, from 0.01 over the settling time to CEILING
corners, gives the white level W and the corner f_c.

The spectrum of the current of a compact model follows, as by `.noise` of its circuits. The states diffuse from given
values, S_q = D/(pi f)^2. This and the ions within the wells scatter the current G V_j of a column. The shot noise 2qI and
the noise 4kT/R of the series resistance are added; the latter drives the charge of the junction as well. Below r/(2 pi),
with the relaxation rate r, a state relaxes meanwhile, and scatters less than this spectrum.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from scipy.optimize import least_squares

from otjdd.compact_models import kernels
from otjdd.compact_models.bench import (
    FINE,
    FIRST,
    LAG,
    SAME,
    SETTLED,
    Bench,
    Branch,
    Ends,
    at_states,
    branches_at,
    concentrations_after,
    extreme_profiles,
    ordered,
    position,
    rest_of,
    run_from,
    stations,
    uniform_film,
)
from otjdd.compact_models.tables import (
    LN10,
    NoiseTables,
    Range,
    Tables,
    chebyshev_factors,
    ln_scatter,
    scaled_states,
    spline,
    stays,
)
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.physics import ion_fluxes
from otjdd.physics.ions import DOWNHILL, UPHILL, G, new_factors
from otjdd.physics.junction import FluxSlopes
from otjdd.solver import integrate, linear_response
from otjdd.solver.integrate import Run
from otjdd.system.late import xr
from otjdd.system.pool import Spread


def hops(run: Run) -> np.ndarray:
    """Hops (N - 1,) [1/(m2 s)] over the inner faces of the column of a settled run, the sum of both directions."""
    junction, c, columns = run.junction, run.state.c[0], run.junction.columns
    N, inner = c.size, slice(1, c.size)
    factors = new_factors(N)
    ion_fluxes.flux_slopes_of(junction, run.state, 0, factors, np.zeros(N + 1), FluxSlopes(*np.zeros((3, N + 1))))
    rate = run.state.diffusivity[0, inner] / columns.distance[0, inner] * factors[G, inner]
    free = 1.0 - c * columns.crowding[0]
    return rate * (factors[UPHILL, inner] * c[:-1] * free[1:] + factors[DOWNHILL, inner] * c[1:] * free[:-1])


def linear_column(run: Run) -> linear_response.LinearColumn:
    """The column of a settled run, linear around its state. Raises SolverError."""
    column = linear_response.linearised_column(run.junction, run.state, 0, 1.0)
    if column is None:
        integrate.fail(run, "SPECTRUM_NOT_CONVERGED", 0.0, float(run.state.V[0]), 0.0, 0.0)
    return column


RUN, READS = 40, 13  # samples of each of the two runs between both ends; states at which noise is computed
READ = 0.1  # V
QUIET = 1e-30  # 1/Hz, times the number of ions: the white level of a current that ions do not touch
STAYED = 2e-3  # of the thickness: a state that moves further while its wells settle does not stay at a voltage
LOWEST, DECADES, PER_DECADE = 0.01, 8, 3  # frequencies: the first over 1/settling time, and how many
STEEP, CEILING = -0.5, 2.0  # d ln S/d ln f above which a spectrum counts as white; corners up to which the fit goes
LATE = 100.0  # over the settling time: a spectrum that is not white at this frequency is that of the state alone


class AtRest(NamedTuple):
    """Columns that are at rest at 0 V."""

    state: np.ndarray  # (n,)
    c: list[np.ndarray]  # (1, N) each


def columns_at_rest(bench: Bench, ends: Ends, states: np.ndarray, limits: Range) -> AtRest:
    """Columns at rest near READS of the states (Q,), from runs between both ends."""
    times = np.geomspace(FIRST, limits.longest, RUN)
    moved = [
        *stations(bench, ends.low, limits.high, times),
        *stations(bench, ends.high, limits.low, times),
    ]
    settled = [concentrations_after(bench, c, 0.0, ends.settling) for c in (ends.low, ends.high, *moved)]
    place = np.array([position(bench, c) for c in settled])
    chosen = sorted({int(np.abs(place - q).argmin()) for q in np.linspace(states[0], states[-1], READS)})
    return AtRest(place[chosen], [settled[i] for i in chosen])


def log_reads(bench: Bench, ends: Ends, states: np.ndarray, columns: AtRest) -> np.ndarray:
    """log10 (Q,) of the variance of ln G at READ and states (Q,), times the number of ions.

    Of ions that move within the settling time of the column.
    """
    logs, settling = [], ends.settling
    for c in columns.c:
        run = run_from(bench, c)
        integrate.jump(run, READ)
        charges = linear_column(run).charges
        slope = charges.log_chord_by_ions()
        variance = float(0.5 * settling * slope @ charges.propagator(settling) @ (hops(run) * slope))
        logs.append(np.log10(max(variance * ions_per_area(bench), 1e-12)))
    return at_states(ordered(np.column_stack((columns.state, logs))), states)


def spectra_at(
    bench: Bench, ends: Ends, states: np.ndarray, columns: AtRest, voltage: float
) -> tuple[np.ndarray, np.ndarray]:
    """log10 (Q,) of the white level of ln G [1/Hz] times the number of ions, and of the corner [Hz].

    The voltage [V] is held until the wells have settled.
    A state that does not stay so long at the voltage, or whose own noise covers that of the wells, has values at_states
    between the other states, constant beyond them.
    """
    samples_of_rest = []
    for begun, c in zip(columns.state, columns.c, strict=True):
        settled = concentrations_after(bench, c, voltage, ends.settling)
        back = position(bench, concentrations_after(bench, settled, 0.0, ends.settling))
        if abs(back - begun) < STAYED and (level_corner := level_and_corner(bench, settled, voltage, ends.settling)):
            samples_of_rest.append((back, *level_corner))
    if not samples_of_rest:  # all states have moved on to that of rest
        level_corner = level_and_corner(bench, settled, voltage, ends.settling)
        samples_of_rest.append((back, *(level_corner or (np.log10(QUIET), -np.log10(ends.settling)))))
    samples = np.array(samples_of_rest)
    return at_states(ordered(samples[:, [0, 1]]), states), at_states(ordered(samples[:, [0, 2]]), states)


def level_and_corner(bench: Bench, c: np.ndarray, voltage: float, settling: float) -> tuple[float, float] | None:
    """log10 of the white level [1/Hz] times the number of ions, and of the corner [Hz]; None for a spectrum without them.

    c : (1, N) settled at the voltage
    """
    f = LOWEST / settling * 10.0 ** (np.arange(DECADES * PER_DECADE + 1) / PER_DECADE)
    S = spectrum_of_reads(bench, c, voltage, f)
    if not (np.isfinite(S).all() and S.min() > 0.0):
        return None
    flat = np.flatnonzero(np.diff(np.log(S)) > STEEP * np.diff(np.log(f)))
    if not flat.size or f[flat[0]] > LATE / settling:
        return None
    level = S[flat[0]]
    fallen = np.flatnonzero((f > f[flat[0]]) & (S < 0.5 * level))
    corner = f[fallen[0] if fallen.size else -1]
    near = f <= CEILING * corner
    begin = np.log([S[0] * f[0] ** 2, level, corner])

    def off(x: np.ndarray) -> np.ndarray:
        falling, white, f_c = np.exp(x)
        return np.log((falling / f**2 + white / (1.0 + (f / f_c) ** 2)) / S)[near]

    _, white, f_c = least_squares(off, begin, bounds=(begin - 3.0, begin + 3.0)).x / np.log(10.0)
    return float(white), float(f_c)


def spectrum_of_reads(bench: Bench, c: np.ndarray, voltage: float, f: np.ndarray) -> np.ndarray:
    """One-sided spectrum (F,) [1/Hz] of ln G at a voltage [V] and frequencies f (F,) [Hz], times the number of ions.

    Raises SolverError. c : (1, N)
    """
    run = run_from(bench, c)
    integrate.jump(run, voltage)
    charges, both = linear_column(run).charges, hops(run)
    by_frequency = np.array([charges.log_chord_by_hops(2j * np.pi * frequency) for frequency in f])
    return 2.0 * (np.abs(by_frequency) ** 2 @ both) * ions_per_area(bench)


def ions_per_area(bench: Bench) -> float:
    """Ions of a column [1/m2], which are in layers with sites."""
    return float(uniform_film(bench)[0] @ bench.junction.columns.width[0])


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
        ends = Ends(uniform_film(bench), uniform_film(bench), settling)
        columns = AtRest(states, [ends.low])
    else:
        ends = Ends(*extreme_profiles(bench, limits), settling)
        voltage = np.unique(np.append(np.linspace(limits.low, limits.high, KNOTS), 0.0))
        rows = np.empty((voltage.size, states.size))
        for number, row in spread(row_at, [(bench, ends, states, float(V)) for V in voltage]):
            rows[number] = row
        columns = columns_at_rest(bench, ends, states, limits)
    reads = log_reads(bench, ends, states, columns)
    white, corner = np.empty((2, voltage.size, states.size))
    for number, levels in spread(spectra_at, [(bench, ends, states, columns, float(V)) for V in voltage]):
        white[number], corner[number] = levels
    return NoiseTables(voltage, states, rows, ions, reads, white, corner)


def row_at(bench: Bench, ends: Ends, states: np.ndarray, voltage: float) -> np.ndarray:
    """log10 of phi (Q,) at states (Q,) and a voltage [V]."""
    branches = branches_at(bench, ends, voltage, FINE)
    rest = float(np.clip(rest_of(branches), states[0], states[-1]))
    samples = np.concatenate([scatter_along(bench, run, rest, states, voltage) for run in branches])
    return at_states(ordered(samples), states) if len(samples) else np.zeros(states.size)


def scatter_along(bench: Bench, branch: Branch, rest: float, states: np.ndarray, voltage: float) -> np.ndarray:
    """States and log10 of phi (n, 2) between the samples of a branch with the state of rest `rest`."""
    q, low, high, samples = branch.state, states[0], states[-1], []
    sheets, ions = branch.c * bench.junction.columns.width[0], ions_per_area(bench)
    passed = np.cumsum(sheets[:, :0:-1], axis=1)[:, ::-1]  # ions (n, N - 1) [1/m2] beyond the inner faces
    w = np.ones(passed.shape[1])  # at the end of the run a hop over any face counts 1
    for i in range(len(q) - 2, -1, -1):
        step, moved = branch.time[i + 1] - branch.time[i], q[i + 1] - q[i]
        run = run_from(bench, branch.c[i : i + 1])
        integrate.jump(run, voltage)
        w = linear_column(run).charges.propagator(step).T @ w
        w /= np.abs(w).max()
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.log((rest - q[i]) / (rest - q[i + 1])) / step
        binomial = 0.5 * ((rest - low) * (high - q[i]) + (high - rest) * (q[i] - low)) / ions
        along_path = w @ (passed[i + 1] - passed[i])
        lagging = abs(q[i] - q[0]) < LAG and abs(rest - q[0]) > 3.0 * LAG  # the way fills, as in `bench.log_rates`
        if not lagging and abs(moved) > MOVED and rate > 0.0 and along_path * moved != 0.0 and binomial > 0.0:
            diffusion = 0.5 * ((w * moved / along_path) ** 2) @ hops(run)
            samples.append((0.5 * (q[i] + q[i + 1]), np.log10(np.clip(diffusion / rate / binomial, LEAST, MOST))))
    return np.array(samples[::-1]).reshape(-1, 2)


AnyModel = Any  # CompactModel, whose module imports this one
STEP = 1e-4  # V, of the difference that gives the slope of the current


class ColumnNoise(NamedTuple):
    """Noise of ln G of one column."""

    wander: float  # Hz, factor of 1/f^2: by diffusion of the state
    white: float  # 1/Hz, by ions within the wells
    corner: float  # Hz, above which the noise of these ions falls
    lasts: float  # Hz, r/(2 pi): below it the state relaxes


def current_spectrum(model: AnyModel, frequency: np.ndarray, voltage: float, states: np.ndarray) -> "xr.Dataset":
    """Dataset over `frequency` (F,) [Hz] of the current at a source voltage [V]; states : (2 K,) or (3 K,)

    current_spectrum [A2/Hz], one-sided, and its parts: state_spectrum, well_spectrum, shot_spectrum, thermal_spectrum
    lasts (column) [Hz] : r/(2 pi), below which the state of a column does not stay
    """
    f, K = np.asarray(frequency, float), model.kind.size
    V, current = kernels.junction_voltage(model.lookup, float(voltage), states, float(voltage))
    of_columns = [column_noise(model, k, V, states) for k in range(K)]
    alone = [model.lookup._replace(weight=model.weight * mask) for mask in np.eye(K)]
    currents = V * np.array([kernels.conductance_of_columns(lookup, V, states)[0] for lookup in alone])
    above = kernels.junction_voltage(model.lookup, float(voltage) + STEP, states, V)
    slope = (above[1] - current) / STEP / max((above[0] - V) / STEP, 1e-12)  # S, dI/dV_j
    charge = model.charge(np.array([V - STEP, V + STEP]), np.tile(states[:K], (2, 1)))
    admittance = slope + 2j * math.pi * f * model.area * float(np.diff(charge)[0]) / (2.0 * STEP)
    behind = np.abs(1.0 + model.resistance * admittance) ** -2  # the series resistance
    kT = BOLTZMANN_EV * model.temperature * ELEMENTARY_CHARGE
    thermal = 4.0 * kT * model.resistance * np.abs(admittance) ** 2 * behind
    pairs = list(zip(currents, of_columns, strict=True))
    by_source = {
        "by the states": behind * sum(i**2 * column.wander for i, column in pairs) / f**2,
        "by ions within the wells": behind * sum(i**2 * c.white / (1.0 + (f / c.corner) ** 2) for i, c in pairs),
        "2qI": behind * 2.0 * ELEMENTARY_CHARGE * abs(current),
        "by the resistance": thermal,
    }

    def density(values: Any, source: str = "") -> tuple[str, Any, dict[str, str]]:
        return "frequency", values, {"units": "A2 Hz-1", "long_name": f"spectral density of the current{source}"}

    names = (f"{part}_spectrum" for part in ("state", "well", "shot", "thermal"))
    arrays = {
        name: density(values, f" {source}") for name, (source, values) in zip(names, by_source.items(), strict=True)
    }
    below = {"units": "Hz", "long_name": "below, the state has moved on"}
    return xr.Dataset(
        {
            "current_spectrum": density(sum(by_source.values())), **arrays,
            "lasts": ("column", [column.lasts for column in of_columns], below),
        },
        {"frequency": ("frequency", f, {"units": "Hz", "long_name": "frequency"})},
        {"voltage": float(voltage), "junction_voltage": float(V), "current": float(current)},
    )  # fmt: skip


def column_noise(model: AnyModel, k: int, V: float, states: np.ndarray) -> ColumnNoise:
    """Noise of column k at V_j and states."""
    assert model.noise is not None
    t, lookup = int(model.kind[k]), model.lookup
    kind, tables, ions, speed = model.kinds[t], model.noise.kinds[t], model.ions[k], float(model.speed[k])
    hops = speed * kernels.own_rate(lookup, V)
    q, at = float(states[k]), np.array([V])
    x = scaled_states(kind.state, q)
    white, corner = (
        math.exp(
            float(chebyshev.chebval(x, (spline(tables.voltage, chebyshev_factors(kind, "log_rate", table))(V) * LN10)))
        )
        for table in (tables.log_white, tables.log_corner)
    )
    white, corner = white / (ions * hops), corner * hops
    if stays(kind):
        return ColumnNoise(0.0, white, corner, 0.0)
    rates = np.empty((5, model.kind.size))
    kernels.rates_at(lookup, V, states, rates)
    low, high = kind.state[0], kind.state[-1]
    flows = max((rates[1, k] - low) * (high - q) + (high - rates[1, k]) * (q - low), 0.0)
    filling = rates[2, k]
    share = 1.0 - filling / (filling + speed / kind.emptying)
    rate = rates[0, k] * share
    variance = 0.5 * flows / ions * math.exp(float(ln_scatter(tables, at, np.array([q]))[0, 0]))
    factor = spline(kind.conductance_voltage, chebyshev_factors(kind, "log_conductance"))(V) * LN10
    slope = 2.0 * float(chebyshev.chebval(x, chebyshev.chebder(factor))) + model.gain[1] - model.gain[0]
    wander = rate * variance * (slope / (high - low) / math.pi) ** 2
    return ColumnNoise(wander, white, corner, rate / (2.0 * math.pi))

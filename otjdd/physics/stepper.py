"""Time steps of the ions: Rosenbrock method RODAS on the differential-algebraic system of all columns.

    dS_f/dt = J_f(c, E)                      one row per inner face of a column
    0       = closure(S, D(L), V_j)          one per column
    0       = V(t) - V_j - R_s I(S, D(L), V_j)   one for the junction

RODAS (Hairer & Wanner, Solving Ordinary Differential Equations II, 2nd ed., section VI.4) is of order 4 with an embedded
order 3, L-stable, stiffly accurate, and made for such systems of index 1. Every stage is one tridiagonal solve per column
with a border of one row (D(L)), and the borders of all columns meet in one scalar (V_j).

Within a step the logarithm of the current is linear in the state, along its tangent at the state where it was evaluated
last. At the end of the step D(L) and V_j are solved anew, with a fresh tangent when ln I has changed by more than TRUST;
how far V_j was off is part of the error control. So the equations hold at every accepted time, and the current is
evaluated at most once or twice a step, not six times, and not at all while nothing moves.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiled import njit
from otjdd.physics.electrostatics import edge
from otjdd.physics.ions import exchange, field_factors
from otjdd.physics.junction import (
    close,
    closure,
    column_spectrum,
    conductance,
    faces,
    fluxes,
    log_conductance_slopes,
)
from otjdd.physics.numerics import dot, factor_tridiagonal, solve_tridiagonal
from otjdd.units import ELEMENTARY_CHARGE

# RODAS, in the transformed variables of Hairer & Wanner (IV.7.25)
GAMMA = 0.25
ALPHA = np.array([0.0, 0.386, 0.21, 0.63, 1.0, 1.0])
GAMMA_SUM = np.array([0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0])
A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [1.544, 0.0, 0.0, 0.0, 0.0],
        [0.9466785280815826, 0.2557011698983284, 0.0, 0.0, 0.0],
        [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0],
    ]
)
C = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [-5.6688, 0.0, 0.0, 0.0, 0.0],
        [-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0],
        [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0],
        [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0.0],
        [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
    ]
)
STAGES = 6

# status of `advance`; words and advice are in otjdd.simulate
DONE, PAUSED, STEP_TOO_SMALL, NOT_CLOSED, CIRCUIT_NOT_SOLVED, SPECTRUM_NOT_CONVERGED, NOT_FINITE = range(7)

GROWTH, SHRINK, SAFETY = 8.0, 0.2, 0.9
FIRST_CHANGE = 3e-3  # relative change of the concentrations, in the norm of the error control, by the first step
NEGATIVE = 1e-12  # of the mean concentration: round-off of the sums; below it a step is rejected
VOLTAGE_ERROR = 3.0  # V per unit rtol: the drift velocity changes by some 7/V, half of it within a step
VOLTAGE_TOLERANCE = 1e-9  # V, of the circuit equation at accepted times
TRUST = 0.01  # largest change of ln I along its tangent: the current is then off by half the square, 5e-5
NEGLIGIBLE_DROP = 0.01  # V per unit rtol: a voltage drop too small to be followed within a step

FARTHEST = 0.5  # change of ln I along the tangent that is trusted at most, however small the voltage drop

# columns of the record that `advance` keeps
RECORD = 8
TIME, SOURCE, JUNCTION, BENDING, CHARGE, POSITION, CURRENT, BALANCE = range(RECORD)


class Control(NamedTuple):
    """Error control of the time steps."""

    rtol: float
    atol: float  # 1/m3
    max_steps: int


class State(NamedTuple):
    """State of all columns, arrays changed in place; only c is memory, the rest follows from it and the voltage."""

    c: np.ndarray  # (K, N) 1/m3
    D_right: np.ndarray  # (K,) C/m2
    D_left: np.ndarray  # (K,)
    E: np.ndarray  # (K, N+1) V/m
    eps: np.ndarray  # (K, N+1) F/m
    G: np.ndarray  # (K,) chord conductance I/V_j of each column [S]
    V: np.ndarray  # (1,) junction voltage V_j


class Slopes(NamedTuple):
    """Jacobian of a step: factors and borders of each column."""

    lower: np.ndarray  # (K, N+1) faces; 1..N-1 used
    inverse: np.ndarray
    upper: np.ndarray
    response: np.ndarray  # (K, N+1) T^-1 dJ/dD(L)
    closure: np.ndarray  # (K, N+1) d closure/dS
    bordered: np.ndarray  # (K,) d closure/dD(L), the response of S included


class Tangent(NamedTuple):
    """ln of the chord conductance of every column, linear around the state at which it was evaluated last."""

    V: np.ndarray  # (1,) junction voltage there; nan: nothing evaluated yet
    D: np.ndarray  # (K,) D(L) there
    c: np.ndarray  # (K, N) concentrations there
    G: np.ndarray  # (K,) I/V [S] there
    by_V: np.ndarray  # (K,) d ln G/dV
    by_D: np.ndarray  # (K,) d ln G/dD(L)
    by_S: np.ndarray  # (K, N+1) d ln G/dS


@njit(cache=True, error_model="numpy")
def new_state(K, N):
    """An empty state of K columns with N cells."""
    return State(
        np.zeros((K, N)), np.zeros(K), np.zeros(K), np.zeros((K, N + 1)), np.zeros((K, N + 1)), np.zeros(K), np.zeros(1)
    )


@njit(cache=True, error_model="numpy")
def new_slopes(K, N):
    """Work space for the Jacobian."""
    face = (K, N + 1)
    return Slopes(np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(K))


@njit(cache=True, error_model="numpy")
def new_tangent(K, N):
    """A tangent that knows nothing yet."""
    return Tangent(
        np.full(1, np.nan), np.zeros(K), np.zeros((K, N)), np.zeros(K), np.zeros(K), np.zeros(K), np.zeros((K, N + 1))
    )


@njit(cache=True, error_model="numpy")
def copy_state(source, target):
    """Copy all arrays of a state."""
    target.c[:] = source.c
    target.D_right[:] = source.D_right
    target.D_left[:] = source.D_left
    target.E[:] = source.E
    target.eps[:] = source.eps
    target.G[:] = source.G
    target.V[:] = source.V


@njit(cache=True, error_model="numpy")
def drop(junction, current):
    """Voltage lost between source and junction at a current [A], and its derivative [ohm].

    Beyond the compliance the source gives way with 1000 times the resistance that 1 V at the limit would mean.
    """
    R = junction.resistance
    if abs(current) <= junction.compliance:
        return R * current, R
    stiff = 1e3 / junction.compliance
    return R * current + math.copysign(stiff * (abs(current) - junction.compliance), current), R + stiff


@njit(cache=True, error_model="numpy")
def coupled(junction):
    """Does the current act back on the junction voltage?"""
    return junction.resistance > 0.0 or junction.compliance < math.inf


@njit(cache=True, error_model="numpy")
def close_all(junction, state, V):
    """Solve the closure of every column at junction voltage V. Returns success."""
    state.V[0] = V
    for k in range(state.c.shape[0]):
        D = close(junction, k, state.c[k], state.D_right[k], V, state.E[k], state.eps[k])
        if math.isnan(D):
            return False
        state.D_right[k] = D
        state.D_left[k] = faces(junction, k, state.c[k], D, state.E[k], state.eps[k])
    return True


@njit(cache=True, error_model="numpy")
def conduct(junction, state, panels, tangent, derive):
    """Chord conductance of every column at the present fields; with derive, the tangent is laid here.

    panels : (K, P) energy panels of the last call, padded with nan; updated. Returns convergence.
    """
    V = state.V[0]
    for k in range(state.c.shape[0]):
        n = 0
        while n < panels.shape[1] and not math.isnan(panels[k, n]):
            n += 1
        D_left, D_right, E = state.D_left[k], state.D_right[k], state.E[k]
        result, profile, used = column_spectrum(junction, k, D_left, D_right, V, E, panels[k, :n])
        if not result.error <= junction.energy_tolerance * result.chord and result.chord != 0.0:
            return False
        n = used.size if used.size <= panels.shape[1] else 0
        panels[k, :n] = used[:n]
        panels[k, n:] = math.nan
        state.G[k] = conductance(junction, k, result)
        if derive:
            tangent.by_V[k], tangent.by_D[k] = 0.0, 0.0
            tangent.by_S[k, :] = 0.0
            if result.chord > 0.0:
                tangent.by_V[k], tangent.by_D[k] = log_conductance_slopes(
                    junction, k, profile, result, D_left, D_right, V, E, state.eps[k], tangent.by_S[k]
                )
    if derive:
        tangent.V[0] = V
        tangent.D[:] = state.D_right
        tangent.c[:] = state.c
        tangent.G[:] = state.G
    return True


@njit(cache=True, error_model="numpy")
def along_tangent(junction, state, tangent):
    """Set the conductances of a state from the tangent. Returns the largest |change of ln G| that this takes."""
    largest = 0.0
    for k in range(state.c.shape[0]):
        change = tangent.by_V[k] * (state.V[0] - tangent.V[0]) + tangent.by_D[k] * (state.D_right[k] - tangent.D[k])
        S = 0.0
        for f in range(state.c.shape[1] - 1, 0, -1):
            S += (state.c[k, f] - tangent.c[k, f]) * junction.columns.width[k, f]
            change += tangent.by_S[k, f] * S
        if not abs(change) < 50.0:
            return math.inf
        state.G[k] = tangent.G[k] * math.exp(change)
        largest = max(largest, abs(change))
    return largest


@njit(cache=True, error_model="numpy")
def conductance_slope(junction, state, tangent):
    """d ln(G)/dV [1/V] of the junction at constant charges c, D(L) following the closure."""
    total, change = 0.0, 0.0
    for k in range(state.c.shape[0]):
        slope = closure(junction, k, state.D_left[k], state.D_right[k], state.V[0], state.E[k], state.eps[k])[1]
        total += state.G[k]
        change += state.G[k] * (tangent.by_V[k] + tangent.by_D[k] / slope)
    return change / total if total > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def settle(junction, state, V_source, guess, panels, tangent, allowed):
    """Solve closure and circuit at frozen ions; the state then holds fields, D, V_j and G. Returns a status.

    Newton in V_j with the slope of the logarithm of the current, inside the bracket between 0 and the source. The
    current is evaluated anew where the tangent would have to be trusted further than TRUST. Where the current itself is
    not wanted, allowed [V] is how far it may put V_j off by its curvature, change^2/2; 0 where it is.
    """
    if not coupled(junction) or V_source == 0.0:
        return DONE if close_all(junction, state, V_source) else NOT_CLOSED
    low, high = min(0.0, V_source), max(0.0, V_source)
    V = guess if low < guess < high else V_source
    before = math.inf
    for attempt in range(100):
        if not close_all(junction, state, V):
            return NOT_CLOSED
        change = along_tangent(junction, state, tangent)
        lost = drop(junction, V * np.sum(state.G))[0] if change < math.inf else 0.0
        if not (change <= TRUST or (change <= FARTHEST and 0.5 * change * change * abs(lost) <= allowed)):
            if not conduct(junction, state, panels, tangent, True):
                return SPECTRUM_NOT_CONVERGED
        current = V * np.sum(state.G)
        lost, stiffness = drop(junction, current)
        residual = V + lost - V_source
        if abs(residual) <= VOLTAGE_TOLERANCE:
            return DONE
        if residual > 0.0:
            high = V
        else:
            low = V
        log_slope = conductance_slope(junction, state, tangent)
        move = residual / (1.0 + stiffness * (np.sum(state.G) + current * log_slope))
        # far up the exponential, Newton for V creeps by kT a step; for ln I it leaps
        if abs(lost) > abs(V_source) and log_slope * V > 0.0:
            target = math.copysign(max(abs(V_source - V), 0.1 * abs(V_source)), V)
            move = math.log(lost / target) / (log_slope + 1.0 / V)
        V -= move
        slow = False
        if attempt % 4 == 3:  # leaps and steps can take turns without end
            slow, before = abs(residual) > 0.1 * before, abs(residual)
        if slow or not (low < V < high):
            V = 0.5 * (low + high)
    return CIRCUIT_NOT_SOLVED


@njit(cache=True, error_model="numpy")
def factor(junction, state, slopes, dt, J):
    """Jacobian of the system at the state, factored for the step dt, and the fluxes J (K, N+1) there. Returns success."""
    columns = junction.columns
    charge = junction.ions.z * ELEMENTARY_CHARGE
    K, N = state.c.shape
    for k in range(K):
        D0, c_max, c = columns.diffusivity[k], junction.ions.c_max, state.c[k]
        E, eps, width, distance = state.E[k], state.eps[k], columns.width[k], columns.distance[k]
        lower, diagonal, upper, response = slopes.lower[k], slopes.inverse[k], slopes.upper[k], slopes.response[k]
        work = np.empty((5, N + 1))
        B, B_back, dB, g, dg = work[0], work[1], work[2], work[3], work[4]
        site, E_a = columns.site[k], columns.barrier[k]
        field_factors(junction.ions, E, distance, site, D0, E_a, junction.kT, B, B_back, dB, g, dg)
        for f in range(1, N):
            tilt = -junction.ions.z * distance[f] / junction.kT
            J[k, f], by_left, by_right, by_field = exchange(
                c[f - 1], c[f], c_max, tilt, distance[f], D0, B[f], B_back[f], dB[f], g[f], dg[f]
            )
            by_D = by_field / eps[f]
            lower[f] = -by_left / width[f - 1]
            upper[f] = by_right / width[f]
            diagonal[f] = 1.0 / (dt * GAMMA) + by_left / width[f - 1] - by_right / width[f] + by_D * charge
            response[f] = by_D
            slopes.closure[k, f] = -charge * columns.distance[k, f] / eps[f]
        n = N - 1
        if not factor_tridiagonal(lower[1:N], diagonal[1:N], upper[1:N], n):
            return False
        solve_tridiagonal(lower[1:N], diagonal[1:N], upper[1:N], response[1:N], n)
        bordered = closure(junction, k, state.D_left[k], state.D_right[k], state.V[0], E, eps)[1]
        slopes.bordered[k] = bordered + dot(slopes.closure[k, 1:N], response[1:N])
    return True


@njit(cache=True, error_model="numpy")
def solve_borders(junction, state, slopes, tangent, with_current, x, r_closure, r_circuit, y):
    """Solve the bordered system: x (K, N+1) holds right-hand sides, then dS; y (K,) dD(L). Returns dV_j.

    With p = T^-1 r and z = T^-1 dJ/dD: x = p + z y,  y = (v - r_closure - closure_S . p)/bordered, and the circuit row
    V - V_j - drop(sum V_j G) gives v.
    """
    K, n1 = x.shape
    N = n1 - 1
    drop_slope = 0.0
    if with_current:
        drop_slope = drop(junction, state.V[0] * np.sum(state.G))[1]
    by_V, rest = 1.0, r_circuit
    for k in range(K):
        solve_tridiagonal(slopes.lower[k, 1:N], slopes.inverse[k, 1:N], slopes.upper[k, 1:N], x[k, 1:N], N - 1)
        y[k] = -(r_closure[k] + dot(slopes.closure[k, 1:N], x[k, 1:N])) / slopes.bordered[k]
        if with_current:
            along = tangent.by_D[k] + dot(tangent.by_S[k, 1:N], slopes.response[k, 1:N])
            direct = dot(tangent.by_S[k, 1:N], x[k, 1:N])
            current = drop_slope * state.V[0] * state.G[k]
            by_V += drop_slope * state.G[k] + current * (tangent.by_V[k] + along / slopes.bordered[k])
            rest -= current * (direct + along * y[k])
    v = rest / by_V
    for k in range(K):
        y[k] += v / slopes.bordered[k]
        for f in range(1, N):
            x[k, f] += slopes.response[k, f] * y[k]
    return v


@njit(cache=True, error_model="numpy")
def modelled_drop(junction, state, tangent, with_current, dS, dD, dV):
    """Voltage lost in the circuit for a state that differs from the start of the step: log-linear conductance."""
    if not with_current:
        return drop(junction, state.V[0] * np.sum(state.G))[0]
    total = 0.0
    for k in range(state.c.shape[0]):
        change = tangent.by_V[k] * dV + tangent.by_D[k] * dD[k]
        change += dot(tangent.by_S[k], dS[k])
        total += state.G[k] * math.exp(max(-50.0, min(50.0, change)))
    return drop(junction, (state.V[0] + dV) * total)[0]


@njit(cache=True, error_model="numpy")
def rosenbrock_step(junction, state, slopes, tangent, with_current, V_source, ramp, dt, new, error):
    """One RODAS step from `state`; `new` receives c, D(L) and V_j, `error` (K, N) the error estimate of c.

    V_source, ramp : source voltage at the start [V] and its slope [V/s]. Returns success.
    """
    K, N = state.c.shape
    J = np.zeros((K, N + 1))
    if not factor(junction, state, slopes, dt, J):
        return False
    US, UD, UV = np.zeros((STAGES, K, N + 1)), np.zeros((STAGES, K)), np.zeros(STAGES)
    dS, dD = np.zeros((K, N + 1)), np.zeros(K)
    r_closure = np.zeros(K)
    E, eps = np.empty(N + 1), np.empty(N + 1)
    for i in range(STAGES):
        dS[:] = 0.0
        dD[:] = 0.0
        dV = 0.0
        for j in range(i):
            if A[i, j] != 0.0:
                dS += A[i, j] * US[j]
                dD += A[i, j] * UD[j]
                dV += A[i, j] * UV[j]
        V = state.V[0] + dV
        x = US[i]
        for k in range(K):
            if i == 0:
                r_closure[k] = 0.0  # the state is settled
            else:
                for cell in range(N):
                    new.c[k, cell] = (
                        state.c[k, cell] + (dS[k, cell] - dS[k, cell + 1]) / junction.columns.width[k, cell]
                    )
                D_right = state.D_right[k] + dD[k]
                D_left = faces(junction, k, new.c[k], D_right, E, eps)
                fluxes(junction, k, new.c[k], E, J[k])
                r_closure[k] = closure(junction, k, D_left, D_right, V, E, eps)[0]
            x[k, :] = J[k]
            for j in range(i):
                f = C[i, j] / dt
                for face in range(1, N):
                    x[k, face] += f * US[j, k, face]
        source = V_source + ramp * ALPHA[i] * dt
        r_circuit = source - V - modelled_drop(junction, state, tangent, with_current, dS, dD, dV)
        r_circuit += GAMMA_SUM[i] * dt * ramp
        if not (abs(r_circuit) < math.inf):
            return False
        UV[i] = solve_borders(junction, state, slopes, tangent, with_current, x, r_closure, r_circuit, UD[i])
    dS += US[5]
    for k in range(K):
        new.D_right[k] = state.D_right[k] + dD[k] + UD[5, k]
        for cell in range(N):
            h = junction.columns.width[k, cell]
            new.c[k, cell] = state.c[k, cell] + (dS[k, cell] - dS[k, cell + 1]) / h
            error[k, cell] = (US[5, k, cell] - US[5, k, cell + 1]) / h
    new.V[0] = state.V[0] + dV + UV[5]
    return True


@njit(cache=True, error_model="numpy")
def error_norm(control, old, new, error):
    """Largest over the columns of the root mean square of error/(atol + rtol |c|)."""
    worst = 0.0
    for k in range(old.shape[0]):
        total = 0.0
        for i in range(old.shape[1]):
            scale = control.atol + control.rtol * max(abs(old[k, i]), abs(new[k, i]))
            total += (error[k, i] / scale) ** 2
        worst = max(worst, math.sqrt(total / old.shape[1]))
    return worst


@njit(cache=True, error_model="numpy")
def physical(junction, c):
    """Is every concentration between zero and the site density, to round-off?"""
    mean = np.mean(c)
    for value in c.flat:
        if not (-NEGATIVE * mean <= value <= junction.ions.c_max * (1.0 + 1e-12)):
            return False
    return True


@njit(cache=True, error_model="numpy")
def first_step(junction, state, control, horizon):
    """Step after an edge: in the norm of the error control the concentrations change by FIRST_CHANGE, relatively.

    The error estimate is blind to a boundary layer that a first step crosses whole (1e-3 at the end cells of a linear
    film when the step was chosen by the vacancies that pass a face), and the step grows eightfold where it may.
    """
    K, N = state.c.shape
    J, rate = np.empty(N + 1), np.empty((K, N))
    for k in range(K):
        fluxes(junction, k, state.c[k], state.E[k], J)
        for i in range(N):
            rate[k, i] = (J[i] - J[i + 1]) / junction.columns.width[k, i]
    speed = error_norm(control, state.c, state.c, rate) * control.rtol
    return horizon if speed * horizon <= FIRST_CHANGE else FIRST_CHANGE / speed


@njit(cache=True, error_model="numpy")
def observe(junction, state, time, V_source, total, row):
    """Write what is recorded of a settled state into row (RECORD,); columns are averaged by their weight.

    total : (K,) vacancies per area at the start [1/m2]. The current must be known: state.G at state.V.
    """
    row[TIME], row[SOURCE], row[JUNCTION] = time, V_source, state.V[0]
    row[BENDING], row[CHARGE], row[POSITION], row[BALANCE] = 0.0, 0.0, 0.0, 0.0
    for k in range(state.c.shape[0]):
        weight = junction.columns.weight[k]
        row[BENDING] += weight * edge(junction.right, -state.D_right[k])[2]
        row[CHARGE] += weight * state.D_left[k]
        count, moment, x = 0.0, 0.0, 0.0
        for i in range(state.c.shape[1]):
            h = junction.columns.width[k, i]
            count += state.c[k, i] * h
            moment += state.c[k, i] * h * (x + 0.5 * h)
            x += h
        row[POSITION] += weight * moment / count
        change = count / total[k] - 1.0
        if abs(change) > abs(row[BALANCE]):
            row[BALANCE] = change
    row[CURRENT] = state.V[0] * np.sum(state.G)
    if abs(row[CURRENT]) > junction.compliance:  # the source has given way
        row[SOURCE] = state.V[0] + junction.resistance * row[CURRENT]


@njit(cache=True, error_model="numpy")
def ensure_current(junction, state, panels, tangent):
    """Evaluate the chord conductance where the steps did not need it. Returns a status."""
    if coupled(junction) and state.V[0] != 0.0:
        return DONE
    if state.V[0] == 0.0:
        state.G[:] = 0.0
        return DONE
    return DONE if conduct(junction, state, panels, tangent, False) else SPECTRUM_NOT_CONVERGED


@njit(cache=True, error_model="numpy")
def advance(junction, control, state, total, t0, tau, duration, V_start, ramp, dt, panels, tangent, rows, record):
    """Integrate the ions over one straight piece of the source voltage, V_start + ramp (t - t0), from tau to duration.

    state : settled at t0 + tau; changed in place   tau, duration : time in this piece [s]   dt : first step [s], or 0
    panels : (K, P) energy panels, tangent : of the current; kept between calls
    rows : (R, RECORD) filled from 0 when record is set
    Returns status, tau, next dt, rows used, counts (accepted, rejected, non-physical rejections), largest error norm seen
    at the last rejection. PAUSED: rows are full or max_steps are done; call again with the returned tau and dt.
    """
    K, N = state.c.shape
    slopes, new, error = new_slopes(K, N), new_state(K, N), np.empty((K, N))
    counts = np.zeros(3, np.int64)
    used, attempts, after_rejection, norm = 0, 0, False, 0.0
    status = DONE
    if dt <= 0.0:
        dt = first_step(junction, state, control, duration - tau)
    while tau < duration:
        if attempts == control.max_steps or (record and used == rows.shape[0]):
            return PAUSED, tau, dt, used, counts, norm
        attempts += 1
        remaining = duration - tau
        last = dt >= 0.99 * remaining
        step = remaining if last else (dt if dt < 0.5 * remaining else 0.5 * remaining)
        if step < 1e-22 or tau + step == tau:
            return status if status != DONE else STEP_TOO_SMALL, tau, step, used, counts, norm
        V_source = V_start + ramp * tau
        lost = junction.resistance * abs(state.V[0]) * np.sum(state.G)
        with_current = coupled(junction) and state.V[0] != 0.0 and lost > NEGLIGIBLE_DROP * control.rtol
        new.G[:] = state.G
        good = rosenbrock_step(junction, state, slopes, tangent, with_current, V_source, ramp, step, new, error)
        factor_c, factor_V = SHRINK, GROWTH
        norm = math.inf
        if good:
            norm = error_norm(control, state.c, new.c, error)
            good = norm <= 1.0
            factor_c = min(GROWTH, max(SHRINK, SAFETY * norm**-0.25)) if norm > 0.0 else GROWTH
            if not norm < math.inf:
                good, factor_c, status = False, SHRINK, NOT_FINITE
        if good and not physical(junction, new.c):
            good, factor_c = False, 0.5
            counts[2] += 1
        if good:
            predicted = new.V[0]
            allowed = 0.0 if record else 0.1 * VOLTAGE_ERROR * control.rtol
            status = settle(junction, new, V_start + ramp * (tau + step), predicted, panels, tangent, allowed)
            good = status == DONE
            if not good:
                factor_c = SHRINK
            elif coupled(junction):
                off = abs(new.V[0] - predicted) / (VOLTAGE_ERROR * control.rtol)
                factor_V = min(GROWTH, max(SHRINK, SAFETY * off**-0.5)) if off > 0.0 else GROWTH
                good = off <= 1.0 or not with_current
        growth = min(factor_c, factor_V)
        if not good:
            counts[1] += 1
            dt = step * min(growth, 0.9)
            after_rejection = True
            continue
        status = DONE
        counts[0] += 1
        tau = duration if last else tau + step
        copy_state(new, state)
        dt = step * (min(growth, 1.0) if after_rejection else growth)
        after_rejection = False
        if record:
            status = ensure_current(junction, state, panels, tangent)
            if status != DONE:
                return status, tau, dt, used, counts, norm
            observe(junction, state, t0 + tau, V_start + ramp * tau, total, rows[used])
            used += 1
    return DONE, tau, dt, used, counts, norm

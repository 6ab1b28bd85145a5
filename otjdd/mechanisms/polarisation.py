"""Polarisation of the films of a junction: one number P a column, uniform through its film.

    D = P + eps0 [eps_r E + ...]        in the film; P > 0 points to the right electrode

So the film carries sheets of charge -P at its left and +P at its right end, which the electrodes screen as they can: what
they leave is the depolarising field. In the kernels D at a face is that of the dielectric, without P; D_left and D_right
are the charges of the electrodes, with it.

A law moves one number q of each column by the mean field E of its film, less an offset E_off:

    two-level   q = P        dP/dt = k+ (P_s - P) - k- (P_s + P)        k+- = (kT/h) exp{-[w_b -+ (E - E_off) d_e]/kT}
    merz-kai    q reduced time      dq/dt = exp[-(E_a/|E - E_off|)^alpha]/tau0      P = T - (T - P_0) exp(-q^n)

Rates of two levels saturate at kT/h where the field has removed the barrier, with k+/k- as above: they keep detailed
balance. In the second law T = +-P_s is where the field points, and P_0 was P when the field turned last; there q = 0.
Sources: Merz, J. Appl. Phys. 27, 938 (1956); Ishibashi & Takagi, J. Phys. Soc. Jpn. 31, 506 (1971); for two levels
the model card Heracles, IEEE Trans. Electron Devices 72, 6009 (2025).

In a time step q is one more unknown of each column, in the border beside V_j, see `physics.state.Border`:

    dq/dt = F(q, E)        E the mean field of the film, by which q and it pull at each other: the depolarising field

In a stage w = dq follows from the voltage u = own + by_V v + by_P P' w across the film, with P' = dP/dq and v = dV_j:

    w = [r + pull (own + by_V v)]/pivot        pull = F_E/L        pivot = 1/(gamma dt) - F_q - pull by_P P'
"""

import math
from typing import Any, NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, inlined, spliced
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE, PLANCK
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import Junction, Polarisation, closure_slope, polarised
from otjdd.physics.state import CHARGE, LOG_G, VOLTAGE, Border, State
from otjdd.variables import FIELD, POLARISATION, Progress

TWO_LEVEL, MERZ_KAI = 0, 1
FARTHEST = 700.0  # largest exponent that is evaluated
MOST_RECORDED = 0.1  # of P_s: change in a step that is recorded, as curves are drawn through these
BEYOND = 0.1  # per unit rtol: share of P_s by which the stages of a step may lead beyond P_s
JUST_BEYOND = 0.25  # norm of the switching left out by a step that is taken anew to end just beyond a turn of the field
HALVINGS = 100  # of the field at the end of a step, in search of that place


class Rate(NamedTuple):
    """dq/dt of a column, and its derivatives by q and by the mean field."""

    value: float
    by_q: float
    by_field: float
    against: float  # the rate at which q would begin anew in a field that points against the direction so far [1/s]


@bare
def two_level_rates(x: float, barrier: float, kT: float):
    """k+ and k- [1/s] at a gain x = (E - E_off) d_e [eV], and their derivatives by x."""
    size, sign = abs(x), math.copysign(1.0, x)
    share = 1.0 / (1.0 + math.exp(min((barrier - size) / kT, FARTHEST)))
    forward = kT * ELEMENTARY_CHARGE / PLANCK * share
    backward = forward * math.exp(max(-2.0 * size / kT, -FARTHEST))
    grows, falls = sign * forward * (1.0 - share) / kT, -sign * backward * (1.0 + share) / kT
    if x >= 0.0:
        return forward, backward, grows, falls
    return backward, forward, falls, grows


@bare
def merz_rate(E: float, time: float, activation: float, power: float):
    """1/tau [1/s] in a field of the strength E [V/m], and its derivative by E."""
    r = math.exp(min(power * math.log(activation / E), FARTHEST)) if E > 0.0 else math.inf
    if r >= FARTHEST:
        return 0.0, 0.0
    rate = math.exp(-r) / time
    return rate, rate * r * power / E


@bare
def rate_of(polar: Polarisation, k: int, kT: float, q: float, towards: float, E: float) -> Rate:
    """Rate of q of column k in a mean field E [V/m].

    towards : sign of the field in which q began, 0 where there was none
    """
    E -= polar.offset[k]
    if polar.law == TWO_LEVEL:
        P_s, d = polar.saturation[k], polar.dipole[k]
        up, down, up_slope, down_slope = two_level_rates(E * d, polar.barrier[k], kT)
        by_field = d * (up_slope * (P_s - q) - down_slope * (P_s + q))
        return Rate(up * (P_s - q) - down * (P_s + q), -(up + down), by_field, 0.0)
    rate, slope = merz_rate(abs(E), polar.time[k], polar.activation[k], polar.power[k])
    return Rate(rate, 0.0, slope * towards, 0.0) if E * towards > 0.0 else Rate(0.0, 0.0, 0.0, rate)


@bare
def polarisation_at(polar: Polarisation, k: int, q: float, begun: float, towards: float):
    """P [C/m2] of column k at q, and dP/dq."""
    if polar.law == TWO_LEVEL:
        return q, 1.0
    q, n = max(q, 0.0), polar.dimension[k]
    end = towards * polar.saturation[k]
    left = (end - begun) * math.exp(-(q**n))
    return end - left, left * n * q ** (n - 1.0)


@inlined
def mean_field(distance: np.ndarray, E: np.ndarray, thickness: float) -> float:
    """Mean of the field [V/m] over a film, from distances (N+1,) [m] between centres and fields (N+1,) at the faces."""
    voltage = 0.0
    for f in range(E.size):
        voltage += distance[f] * E[f]
    return voltage / thickness


@detached
def put_polarisation(polar: Polarisation, P: np.ndarray, progress: Progress):
    """Start the laws of all columns afresh at polarisations P (K,) [C/m2]."""
    for k in range(polar.saturation.size):
        progress.advance[k] = P[k] if polar.law == TWO_LEVEL else 0.0
        progress.begun[k], progress.towards[k] = P[k], 0.0


def begin_run(junction: Junction, state: State, start: dict[str, np.ndarray]) -> None:
    """Start the laws afresh where a run goes on from no progress."""
    if "advance" not in start and state.progress.advance.size:  # a call compiles a kernel
        put_polarisation(junction.polarisation, state.P, state.progress)


def at_temperature(before: Junction, after: Junction, memory: dict[str, np.ndarray]) -> None:
    """The share of P_s stays."""
    cold, there = before.polarisation.saturation, after.polarisation.saturation
    if cold.size and not np.array_equal(cold, there):
        memory |= {name: memory[name] * there / cold for name in ("P", "begun")}
        if after.polarisation.law == TWO_LEVEL:
            memory["advance"] = memory["P"]


@by_pointer
class PolarisationWork(NamedTuple):
    """Work space for the polarisation in a step; arrays of size 0 where no film is polarised."""

    per_dt: np.ndarray  # (K,) 1/(gamma dt) [1/s]
    coupling: np.ndarray  # (K,) V m/C, by which a step of q changes the voltage across the film
    pivot: np.ndarray  # (K,) 1/s, at the start of the step
    least_pivot: np.ndarray  # (K,) 1/s, smallest of those that the stages would have
    pull: np.ndarray  # (K,) F_E/L
    slope: np.ndarray  # (K,) dP/dq at the start of the step
    stages: np.ndarray  # (s, K) stages of q
    advance: np.ndarray  # (K,) change of q since the start of the step
    rate: np.ndarray  # (K,) dq/dt at a stage
    against: np.ndarray  # (K,) 1/s, largest rate against the direction of the step at any of its stages
    answer: np.ndarray  # (K,) right-hand side of a stage, then w
    per_V: np.ndarray  # (K,) w per v
    error: np.ndarray  # (K,) C/m2, error estimate of P


STAGES = PolarisationWork._fields.index("stages")


def new_polarisation_work(stages: int, K: int, polarised: bool) -> PolarisationWork:
    """Work space of a method for K columns, polarised or not."""
    n = K if polarised else 0
    rows = [np.zeros(n) for _ in PolarisationWork._fields[1:]]
    return PolarisationWork(*rows[:STAGES], np.zeros((stages, n)), *rows[STAGES:])


@bare
def electrode_elastance(junction: Junction, state: State, k: int) -> float:
    """Elastance of the two electrodes of column k [V m2/C]."""
    return edge(junction.left[k], state.D_left[k])[1] + edge(junction.right[k], -state.D_right[k])[1]


@bare
def rate_at(junction: Junction, state: State, k: int, q: float):
    """`rate_of` column k in the fields of a state, at q."""
    polar = junction.polarisation
    E = mean_field(junction.columns.distance[k], state.E[k], polar.thickness[k])
    return rate_of(polar, k, state.kT[k], q, state.progress.towards[k], E)


@detached
def begin_step(junction: Junction, state: State):
    """Let the polarisation of a settled state switch towards its mean field.

    Where the field has turned since the step before, a law that counts the time of a switching event begins a new one.
    """
    polar = junction.polarisation
    if polar.law == TWO_LEVEL:
        return
    for k in range(state.progress.advance.size):
        E = mean_field(junction.columns.distance[k], state.E[k], polar.thickness[k]) - polar.offset[k]
        if E * state.progress.towards[k] <= 0.0 and E != 0.0:
            state.progress.advance[k], state.progress.begun[k] = 0.0, state.P[k]
            state.progress.towards[k] = math.copysign(1.0, E)


@bare
def fill_rates(junction: Junction, state: State, new: State, work: PolarisationWork):
    """Fill rate and against of all columns at the stage that `advance` leads to, whose fields a new state holds."""
    for k in range(work.advance.size):
        rate = rate_at(junction, new, k, state.progress.advance[k] + work.advance[k])
        work.rate[k], work.against[k] = rate.value, max(work.against[k], rate.against)
        pull = rate.by_field / junction.polarisation.thickness[k]
        work.least_pivot[k] = min(work.least_pivot[k], work.per_dt[k] - rate.by_q + pull * work.coupling[k])


@detached
def start_polarisation(junction: Junction, state: State, work: PolarisationWork, per_dt: float):
    """Fill the work of all columns at the start of a step, but for what follows from the border. per_dt : 1/s"""
    polar = junction.polarisation
    for k in range(work.slope.size):
        q = state.progress.advance[k]
        rate = rate_at(junction, state, k, q)
        work.slope[k] = polarisation_at(polar, k, q, state.progress.begun[k], state.progress.towards[k])[1]
        work.pull[k], work.rate[k], work.advance[k] = rate.by_field / polar.thickness[k], rate.value, 0.0
        work.against[k], work.per_dt[k], work.pivot[k] = rate.against, per_dt, per_dt - rate.by_q


@bare
def eliminate_polarisation(work: PolarisationWork, border: Border):
    """Eliminate q of all columns from the border: what V_j does by way of P adds to what it does."""
    for k in range(work.slope.size):
        work.coupling[k] = -work.slope[k] * border.by_P[k, VOLTAGE]
        work.pivot[k] += work.pull[k] * work.coupling[k]
        work.least_pivot[k] = work.pivot[k]
        work.per_V[k] = work.pull[k] * border.by_V[k, VOLTAGE] / work.pivot[k]
        for number in (LOG_G, CHARGE):
            border.by_V[k, number] += border.by_P[k, number] * work.slope[k] * work.per_V[k]


@bare
def solve_polarisation(work: PolarisationWork, border: Border):
    """Turn right-hand sides in `answer` into w of all columns at constant V_j, and add what P does to the border."""
    for k in range(work.slope.size):
        work.answer[k] = (work.answer[k] + work.pull[k] * border.own[k, VOLTAGE]) / work.pivot[k]
        for number in (LOG_G, CHARGE):
            border.own[k, number] += border.by_P[k, number] * work.slope[k] * work.answer[k]


@spliced
def fill_right_hand_side(work: PolarisationWork, factors: np.ndarray, scale: float, count: int):
    """Fill `answer` with the rate at a stage and scale times the sum of factors[j] times the stages j < count."""
    for k in range(work.rate.size):
        total = 0.0
        for j in range(count):
            total += factors[j] * work.stages[j, k]
        work.answer[k] = work.rate[k] + scale * total


@spliced
def move_polarisation(work: PolarisationWork, A: np.ndarray, i: int):
    """Move `advance` from the stage before to stage i, as `rosenbrock.move_to_stage`. A : (stages, stages) of the method"""
    for k in range(work.advance.size):
        if i >= A.shape[0]:
            work.advance[k] += work.stages[i - 1, k]
        else:
            work.advance[k] = 0.0
            for j in range(i):
                work.advance[k] += A[i, j] * work.stages[j, k]


@bare
def polarisation_after(junction: Junction, state: State, k: int, advance: float) -> float:
    """P [C/m2] of column k where q has advanced since a state."""
    q, begun, towards = state.progress.advance[k], state.progress.begun[k], state.progress.towards[k]
    return polarisation_at(junction.polarisation, k, q + advance, begun, towards)[0]


@bare
def put_polarisations(junction: Junction, state: State, new: State, work: PolarisationWork):
    """Put P of all columns at the stage that `advance` leads to from a state into a new one."""
    for k in range(work.advance.size):
        new.P[k] = polarisation_after(junction, state, k, work.advance[k])


@detached
def end_polarisation(junction: Junction, state: State, new: State, work: PolarisationWork):
    """Put P and q after the last stage into a new state, and the error of P into the work.

    The exact solution of two levels stays within P_s. So a P beyond P_s is an error, and P_s is nearer to the solution. A
    step whose rates fall by decades is solved with the pivot of its start, which makes stages and error too small. The
    pivot of its slowest stage gives the error its size.
    """
    polar, last = junction.polarisation, work.stages.shape[0] - 1
    for k in range(work.advance.size):
        advance = work.advance[k] + work.stages[last, k]
        error = work.stages[last, k] * work.pivot[k] / work.least_pivot[k]
        new.progress.advance[k] = state.progress.advance[k] + advance
        new.progress.begun[k], new.progress.towards[k] = state.progress.begun[k], state.progress.towards[k]
        P, P_s = polarisation_after(junction, state, k, advance), polar.saturation[k]
        new.P[k] = min(max(P, -P_s), P_s)
        work.error[k] = abs(P - polarisation_after(junction, state, k, advance - error)) + abs(P - new.P[k]) / BEYOND
        if polar.law == TWO_LEVEL:
            new.progress.advance[k] = new.P[k]


@bare
def polarisation_change(junction: Junction, state: State, k: int, dP: float) -> float:
    """Size [1] of a change dP [C/m2] of column k: over P_s, or as the rise of the band edge at an electrode over kT."""
    left = edge(junction.left[k], state.D_left[k])[1]
    right = edge(junction.right[k], -state.D_right[k])[1]
    whole = closure_slope(junction, k, state.D_left[k], state.D_right[k], state.eps[k])
    dD = (1.0 - (left + right) / whole) * dP
    return max(abs(dP) / junction.polarisation.saturation[k], max(left, right) * abs(dD) / state.kT[k])


@detached
def step_error(junction: Junction, state: State, trial: Any, rtol: float) -> float:
    """Norm of the errors of P of a step; 1 is the limit."""
    work, worst = trial.work.polar, 0.0
    for k in range(work.error.size):
        norm = polarisation_change(junction, state, k, work.error[k]) / rtol
        worst = max(worst, norm) if norm < math.inf else math.inf
    return worst


@detached
def speed(junction: Junction, state: State, rtol: float, recorded: bool) -> float:
    """Norm of what the polarisations of a state change in a second, or could: a reduced time has no speed at its start."""
    worst = 0.0
    for k in range(state.progress.advance.size):
        rate = rate_at(junction, state, k, state.progress.advance[k]).value
        if junction.polarisation.law != TWO_LEVEL:
            rate *= junction.polarisation.saturation[k] * state.progress.towards[k] - state.P[k]
        worst = max(worst, polarisation_change(junction, state, k, rate) / rtol)
    return worst


@bare
def largest_change_of_polarisation(junction: Junction, state: State, new: State) -> float:
    """Largest |change of P| over P_s in a step."""
    largest = 0.0
    for k in range(state.progress.advance.size):
        largest = max(largest, abs(new.P[k] - state.P[k]) / junction.polarisation.saturation[k])
    return largest


@detached
def neglected(junction: Junction, state: State, k: int, rate: float, time: float, rtol: float) -> float:
    """Norm of the switching that a rate [1/s] of the law of Merz makes in a time [s]; 1 is the limit."""
    polar = junction.polarisation
    dP = 2.0 * polar.saturation[k] * polar.dimension[k] * rate * time
    return polarisation_change(junction, state, k, dP) / rtol


@detached
def share_to_turn(
    junction: Junction, state: State, new: State, work: PolarisationWork, step: float, rtol: float
) -> float:
    """Share of a step [s] that leads to just beyond the first turn of a field; 1 where no step has to end at a turn.

    The direction of switching is fixed within a step. A step may pass a turn where the film would have switched by less
    than the error control sees since. Just beyond a turn the law of Merz is slow to all orders in the field.
    """
    polar, share = junction.polarisation, 1.0
    for k in range(work.against.size):
        if work.against[k] == 0.0:
            continue
        towards, distance = state.progress.towards[k], junction.columns.distance[k]
        before = abs(mean_field(distance, state.E[k], polar.thickness[k]) - polar.offset[k]) * abs(towards)
        end = mean_field(distance, new.E[k], polar.thickness[k]) - polar.offset[k]
        beyond = -end * towards if towards != 0.0 else abs(end)
        whole = before + beyond
        after = beyond / whole if beyond > 0.0 else 1.0
        if neglected(junction, state, k, work.against[k], after * step, rtol) <= 1.0:
            continue
        if beyond <= 0.0:  # the field has turned and come back
            share = min(share, 0.5)
            continue
        for _ in range(HALVINGS):
            beyond *= 0.5
            rate = merz_rate(beyond, polar.time[k], polar.activation[k], polar.power[k])[0]
            if neglected(junction, state, k, rate, beyond / whole * step, rtol) <= JUST_BEYOND:
                break
        share = min(share, (before + beyond) / whole)
    return share


@detached
def step_limit(junction: Junction, state: State, trial: Any, step: float, rtol: float, recorded: bool):
    """True where the polarisation lets a step [s] pass, and the growth that it allows, 1 and less after a step too long.

    recorded : curves are drawn through the ends of the steps
    """
    new = trial.state
    share = share_to_turn(junction, state, new, trial.work.polar, step, rtol)
    if share < 1.0:
        return False, share
    change = largest_change_of_polarisation(junction, state, new) if recorded else 0.0
    return change <= 2.0 * MOST_RECORDED, MOST_RECORDED / change if change > 0.0 else math.inf


def answer(
    junction: Junction, state: State, k: int, response: Any, log_slopes: tuple[float, float, np.ndarray]
) -> Any:  # fmt: skip
    """The linear response of column k, with its polarisation.

    response : `solver.linear_response.Response`   log_slopes : of ln G by D(L), by P and by S_f
    The rate of P is pull u - relaxation P, with u the voltage across the film.
    """
    if not polarised(junction):
        return response
    polar = junction.polarisation
    advance, begun, towards = (float(array[k]) for array in state.progress)
    rate = rate_at(junction, state, k, advance)
    _, slope = polarisation_at(polar, k, advance, begun, towards)
    pull = slope * rate.by_field / polar.thickness[k]
    joined = response.with_unknown(
        relaxation=-rate.by_q - pull * response.numbers_by_P[VOLTAGE], by_V=pull * response.numbers_by_V[VOLTAGE],
        flux=slope * rate.value, onto_others=-response.by_P, by_others=-pull * response.numbers[VOLTAGE],
        numbers=response.numbers_by_P,
    )  # fmt: skip
    return joined._replace(polarisation=np.array([response.by_V.size]), saturation=float(polar.saturation[k]))


@detached
def fill_row(junction: Junction, state: State, row: np.ndarray):
    """Add polarisation and mean field of a film that has one to a row."""
    if polarised(junction):
        for k in range(state.c.shape[0]):
            weight, thickness = junction.columns.weight[k], junction.polarisation.thickness[k]
            row[POLARISATION] += weight * state.P[k]
            row[FIELD] += weight * mean_field(junction.columns.distance[k], state.E[k], thickness)

"""One time step by a Rosenbrock method: its stages, on any system of equations of the ions and what moves with them.

A `System` says how its equations are factored at the start of a step, evaluated at a stage and solved for it: that of
`ion_step` for ions alone, that of `electron_step` for a film with electrons. Its rows are solved at constant V_j and P of
each column; the border about them, which gives these, is the same for all (`physics.state.Border`).

The methods are tables of coefficients, one for each tolerance. Both are L-stable, stiffly accurate and made for
differential-algebraic systems of index 1. Coefficients are those of the transformed variables of Hairer & Wanner,
Solving Ordinary Differential Equations II, 2nd ed., equation (IV.7.25).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, fused, inlined, spliced
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.rows import ElectronWork, new_electron_work
from otjdd.mechanisms.electrons.step import new_between
from otjdd.mechanisms.polarisation import (
    PolarisationWork,
    eliminate_polarisation,
    end_polarisation,
    fill_right_hand_side,
    move_polarisation,
    new_polarisation_work,
    solve_polarisation,
    start_polarisation,
)
from otjdd.mechanisms.single_ions.walk import Noise, no_noise
from otjdd.physics.ions import new_factors
from otjdd.physics.junction import Junction, coupled, displaced, new_state
from otjdd.physics.numerics import add_scaled, copy
from otjdd.physics.quasistatic import drop, relaxation, source_current
from otjdd.physics.state import (
    AT_LEFT,
    AT_RIGHT,
    CHARGE,
    GUESS,
    LOG_G,
    VOLTAGE,
    Border,
    State,
    Tangent,
    WayBetween,
    new_border,
)


@by_pointer
class Method(NamedTuple):
    """A method of s stages. Each of the last r begins at the state of the stage before it plus the result of that stage."""

    order: int  # of a step; that of its error estimate is one lower
    safety: float  # share of the step whose error would be just allowed that the next step takes
    gamma: float
    alpha: np.ndarray  # (s,) times of the stages, in steps
    gamma_sum: np.ndarray  # (s,) of the derivative of the source voltage
    A: np.ndarray  # (s - r, s - r - 1) the state of a stage from stages before
    C: np.ndarray  # (s, s - 1) the right-hand side of a stage from stages before


def lower(*rows: tuple[float, ...]) -> np.ndarray:
    """A lower triangular array from its rows below the diagonal, of which the first is empty."""
    table = np.zeros((len(rows) + 1, len(rows)))
    for i, row in enumerate(rows, 1):
        table[i, :i] = row
    return table


# Hairer & Wanner, section VI.4
RODAS = Method(
    order=4, safety=0.9, gamma=0.25,
    alpha=np.array([0.0, 0.386, 0.21, 0.63, 1.0, 1.0]),
    gamma_sum=np.array([0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0]),
    A=lower(
        (1.544,),
        (0.9466785280815826, 0.2557011698983284),
        (3.314825187068521, 2.896124015972201, 0.9986419139977817),
        (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950),
    ),
    C=lower(
        (-5.6688,),
        (-2.430093356833875, -0.2063599157091915),
        (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
        (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
        (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
    ),
)  # fmt: skip

# Steinebach, BIT Numer. Math. 63, 27 (2023), doi:10.1007/s10543-023-00967-x. With a safety of 0.9 twice as many steps are
# rejected, and 4 % more tried at equal error: validation.benchmarks.peers.
RODAS5P = Method(
    order=5, safety=0.8, gamma=0.21193756319429014,
    alpha=np.array(
        [0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0]
    ),
    gamma_sum=np.array(
        [0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0, 0, 0]
    ),
    A=lower(
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
    ),
    C=lower(
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (
            30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
            -54.66780262877968, -9.48861652309627,
        ),
    ),
)  # fmt: skip

# Where a step may be wrong by a hundredth, the higher order saves less than two more stages cost, and its steps are so long
# that reads jump where their number changes: validation.benchmarks.peers.
LOOSE = 1e-2  # relative tolerance from which on RODAS is used


def method_for(rtol: float) -> Method:
    """The method that costs least at a relative tolerance."""
    return RODAS if rtol >= LOOSE else RODAS5P


@by_pointer
class Work(NamedTuple):
    """Work space of a step: Jacobian, stages, and arrays of one stage."""

    lower: np.ndarray  # (K, N+1) faces; those that vacancies may pass are used, here and below
    inverse: np.ndarray
    upper: np.ndarray
    response: np.ndarray  # (K, N+1) T^-1 dJ/dQ
    closure: np.ndarray  # (K, N+1) d closure/dS
    bordered: np.ndarray  # (K,) d closure/dQ, the response of S included
    along: np.ndarray  # (K,) d ln G/dQ along the tangent, the response of S included
    J: np.ndarray  # (K, N+1) fluxes 1/(m2 s)
    US: np.ndarray  # (s, K, N+1) stages of S, Q and V_j
    UD: np.ndarray  # (s, K)
    UV: np.ndarray  # (s,)
    UQ: np.ndarray  # (s,) stages of the charge that came from the source [C]
    source: np.ndarray  # (SOURCE,) numbers of the circuit in a stage, see below
    dS: np.ndarray  # (K, N+1) change of S and Q since the start of the step
    dD: np.ndarray  # (K,)
    mismatch: np.ndarray  # (K,) of the closure
    factors: np.ndarray  # of `ions.field_factors`
    error: np.ndarray  # (K, N) error estimate of c [1/m3]
    polar: PolarisationWork
    border: Border


@by_pointer
class Trial(NamedTuple):
    """A step on trial: its method, its work space, the state that it leads to, and the noise that it adds."""

    method: Method
    work: Work
    state: State
    film: ElectronWork
    noise: Noise
    between: WayBetween


# numbers of Work.source: dV/dI of what is in series [ohm], 0 without; the same over gamma dt [ohm/s]; charge that came from
# the source [C] since the start of the step, and what a stage has more than it counts so; dQ/dV_j [F], above 0 without;
# what dV_j does to the equation of the circuit [1]
IN_SERIES, PER_CHARGE, CAME, MORE, CAPACITANCE, BY_V, SOURCE = range(7)


class Ramp(NamedTuple):
    """Source voltage during a step, a straight line in time."""

    voltage: float  # V, at the start
    slope: float  # V/s
    observed: bool = False  # a current is recorded at the end of each step, or at that of the line


def new_trial(junction: Junction, method: Method = RODAS, noise: Noise | None = None) -> Trial:
    """Room for a step of a method. noise : of random hops; None for none"""
    noise, stages = no_noise() if noise is None else noise, method.alpha.size
    state = new_state(junction, noise.area.size > 0)
    (K, N), electrons, polarised = state.c.shape, state.band.size > 0, state.progress.advance.size > 0
    work, film = new_work(stages, K, N, polarised), new_electron_work(stages, K, N, electrons, polarised)
    return Trial(method, work, state, film, noise, new_between(junction, state))


def new_work(stages: int, K: int, N: int, polarised: bool = False) -> Work:
    """Work space of a method for K columns of N cells, polarised or not."""
    face = (K, N + 1)
    return Work(
        np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(face), np.zeros(K), np.zeros(K),
        np.zeros(face), np.zeros((stages, K, N + 1)), np.zeros((stages, K)), np.zeros(stages), np.zeros(stages),
        np.zeros(SOURCE),
        np.zeros(face), np.zeros(K), np.zeros(K), new_factors(N),
        np.zeros((K, N)), new_polarisation_work(stages, K, polarised), new_border(K),
    )  # fmt: skip


@inlined
def count_passed(junction: Junction, state: State, k: int, dS: np.ndarray, new: State) -> float:
    """Count in a new state what passed the ends of column k since a state; return its charge at the right end [C/m2]."""
    last = dS.size - 1
    new.passed[k, AT_LEFT], new.passed[k, AT_RIGHT] = (
        state.passed[k, AT_LEFT] + dS[0],
        state.passed[k, AT_RIGHT] + dS[last],
    )
    return junction.ions[k].z * ELEMENTARY_CHARGE * dS[last]


@fused
def add_stages(factors: np.ndarray, scale: float, stages: np.ndarray, k: int, count: int, out: np.ndarray):
    """out (N+1,) += scale * sum of factors[j] times the first stages j < count (s, K, N+1) of column k, two at a time."""
    for j in range(0, count - 1, 2):
        a, b, x, y = scale * factors[j], scale * factors[j + 1], stages[j, k], stages[j + 1, k]
        for f in range(out.size):
            out[f] += a * x[f] + b * y[f]
    if count % 2 == 1:
        add_scaled(scale * factors[count - 1], stages[count - 1, k], out)


@bare
def advanced(method: Method, stages: np.ndarray, i: int, before: float) -> float:
    """Change of a number since the start of a step at stage i, from its stages (s,) and the change at the stage before."""
    if i >= method.A.shape[0]:
        return before + stages[i - 1]
    change = 0.0
    for j in range(i):
        change += method.A[i, j] * stages[j]
    return change


@detached
def move_to_stage(method: Method, work: Work, i: int):
    """Move work.dS and work.dD from the stage before to stage i."""
    if i >= method.A.shape[0]:
        for k in range(work.dD.size):
            add_scaled(1.0, work.US[i - 1, k], work.dS[k])
            work.dD[k] += work.UD[i - 1, k]
        return
    for k in range(work.dD.size):
        work.dS[k, :] = 0.0
        work.dD[k] = 0.0
        add_stages(method.A[i], 1.0, work.US, k, i, work.dS[k])
        for j in range(i):
            work.dD[k] += method.A[i, j] * work.UD[j, k]


class System(NamedTuple):
    """The equations of a time step as its stages ask for them: kernels. All columns meet in one scalar, V_j."""

    factor: Any  # (junction, state, trial, per_dt): factor the rows of the columns at the start; fluxes there
    fill_answers: Any  # (junction, state, tangent, trial): what the border answers to V_j and to P
    evaluate: Any  # (junction, state, trial, stage, dV): fluxes and residuals at a stage
    conducted: Any  # (junction, state, tangent, trial, with_current, dV): A, conducted at a stage
    solve: Any  # (junction, state, tangent, trial, stage): the rows at constant V_j and P, and the border's own
    fill: Any  # (junction, state, trial, stage, dV): the stage, dV_j and dP among it
    finish: Any  # (junction, state, trial): fields at the end from the last stage


@spliced
def begin_stages(state: State, new: State):
    """Give a new state what its stages start from."""
    for k in range(state.c.shape[0]):
        for row in range(GUESS):
            copy(state.guess[k, row], new.guess[k, row])
        new.P[k] = state.P[k]
    copy(state.progress.towards, new.progress.towards)


@spliced
def fill_right_hand_sides(method: Method, work: Work, i: int, per_dt: float):
    """Fill those of stage i of the ions, into work.US, and of a polarisation."""
    fill_right_hand_side(work.polar, method.C[i], per_dt, i)
    for k in range(work.J.shape[0]):
        copy(work.J[k], work.US[i, k])
        add_stages(method.C[i], per_dt, work.US, k, i, work.US[i, k])


@spliced
def begin_border(junction: Junction, state: State, work: Work, V_source: float, per_dt: float, with_current: bool):
    """Fill what acts in a step, and the numbers of the circuit at its start. per_dt : 1/(gamma dt) [1/s]"""
    source, asked = work.source, work.border.asked
    asked[VOLTAGE] = 1.0 if work.polar.slope.size > 0 else 0.0
    asked[LOG_G], asked[CHARGE] = 1.0 if with_current else 0.0, 1.0 if coupled(junction) else 0.0
    source[CAME], source[MORE], source[CAPACITANCE] = 0.0, 0.0, 1.0
    if coupled(junction):
        source[IN_SERIES] = drop(junction, source_current(junction, V_source - state.V[0]))[1]
        source[PER_CHARGE] = source[IN_SERIES] * per_dt


@spliced
def charging_rest(junction: Junction, method: Method, work: Work, i: int, per_dt: float, lost: float, current: float):
    """Right-hand side [V] of the circuit row of stage i. lost : [V]   current : [A] that does not charge the junction"""
    source, before = work.source, 0.0
    for j in range(i):
        before += method.C[i, j] * work.UQ[j]
    charging = source_current(junction, lost) - current
    return source[IN_SERIES] * (charging + per_dt * before) - source[PER_CHARGE] * source[MORE]


@spliced
def factor_border(junction: Junction, state: State, work: Work):
    """Fill what a change of V_j does to the equation of the circuit, V - V_j - drop(sum V_j G + dQ/dt) = 0."""
    source, border, by_V = work.source, work.border, 1.0
    eliminate_polarisation(work.polar, border)
    if border.asked[LOG_G]:
        for k in range(state.G.size):
            current = source[IN_SERIES] * state.V[0] * state.G[k]
            by_V += source[IN_SERIES] * state.G[k] + current * border.by_V[k, LOG_G]
    if border.asked[CHARGE]:
        source[CAPACITANCE] = junction.capacitance
        for k in range(state.G.size):
            source[CAPACITANCE] += junction.area * junction.columns.weight[k] * border.by_V[k, CHARGE]
        by_V += source[PER_CHARGE] * source[CAPACITANCE]
    source[BY_V] = by_V


@spliced
def solve_border(junction: Junction, state: State, work: Work, stage: int, rest: float):
    """Fill the stages of V_j, of the charge from the source, and of the polarisations. rest : of the circuit [V]"""
    source, border, polar, came = work.source, work.border, work.polar, 0.0
    solve_polarisation(polar, border)
    if border.asked[LOG_G]:
        for k in range(state.G.size):
            rest -= source[IN_SERIES] * state.V[0] * state.G[k] * border.own[k, LOG_G]
    if border.asked[CHARGE]:
        for k in range(state.G.size):
            came += junction.area * junction.columns.weight[k] * border.own[k, CHARGE]
        rest -= source[PER_CHARGE] * came
    work.UV[stage] = rest / source[BY_V]
    if border.asked[CHARGE]:
        work.UQ[stage] = came + source[CAPACITANCE] * work.UV[stage] + source[MORE]
    for k in range(polar.slope.size):
        polar.answer[k] += polar.per_V[k] * work.UV[stage]
        polar.stages[stage, k] = polar.answer[k]


@spliced
def end_stages(junction: Junction, state: State, trial: Trial, dV: float):
    """Put concentrations, P and V_j after the last stage into trial.state, and the error estimate into the work."""
    work, new = trial.work, trial.state
    last = work.UV.size - 1
    for k in range(state.c.shape[0]):
        moved = work.US[last, k]
        add_scaled(1.0, moved, work.dS[k])
        count_passed(junction, state, k, work.dS[k], new)
        displaced(junction.columns, k, state.c[k], work.dS[k], new.c[k])
        for i in range(state.c.shape[1]):
            work.error[k, i] = (moved[i] - moved[i + 1]) * junction.columns.dilution[k, i]
    new.V[0] = state.V[0] + dV + work.UV[last]
    work.source[CAME] += work.UQ[last]
    end_polarisation(junction, state, new, work.polar)


def step_of(system: System, name: str):
    """The kernel that takes a step of a system. name : that of the kernel in the cache"""
    factor, fill_answers, evaluate, conducted, solve, fill, finish = system

    def step(
        junction: Junction, state: State, tangent: Tangent, trial: Trial, source: Ramp, dt: float, with_current: bool
    ) -> bool:
        """One step of dt [s] from a state to trial.state; trial.work.error is its error estimate of c. Returns success.

        with_current : the current acts on V_j, along its tangent; else it stays that of the start.
        """
        method, work, dV, own = trial.method, trial.work, 0.0, relaxation(state)
        begin_border(junction, state, work, source.voltage, 1.0 / (dt * method.gamma), with_current)
        if not factor(junction, state, trial, 1.0 / (dt * method.gamma)):
            return False
        start_polarisation(junction, state, work.polar, 1.0 / (dt * method.gamma))
        fill_answers(junction, state, tangent, trial)
        factor_border(junction, state, work)
        if not work.source[CAPACITANCE] > 0.0:
            return False
        begin_stages(state, trial.state)
        for i in range(method.alpha.size):
            move_to_stage(method, work, i)
            dV = advanced(method, work.UV, i, dV)
            work.source[CAME] = advanced(method, work.UQ, i, work.source[CAME])
            if i > 0:
                move_polarisation(work.polar, method.A, i)
            evaluate(junction, state, trial, i, dV)
            fill_right_hand_sides(method, work, i, 1.0 / dt)
            rest = source.voltage + source.slope * method.alpha[i] * dt - state.V[0] - dV
            if coupled(junction):
                current = conducted(junction, state, tangent, trial, with_current, dV) + own
                rest = charging_rest(junction, method, work, i, 1.0 / dt, rest, current)
            rest += method.gamma_sum[i] * dt * source.slope
            if not abs(rest) < math.inf:
                return False
            solve(junction, state, tangent, trial, i)
            solve_border(junction, state, work, i, rest)
            fill(junction, state, trial, i, work.UV[i])
        end_stages(junction, state, trial, dV)
        finish(junction, state, trial)
        return True

    step.__qualname__ = name
    return detached(step)

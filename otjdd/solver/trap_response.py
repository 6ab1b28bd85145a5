"""Linear response of traps whose filling takes time: what they add to the admittance of a settled junction at frozen ions.

A small voltage v on the junction swings the rates of capture c_i and emission e_i, which the filling follows as it can:

    i w f' = S_L + S_R - (r_L + r_R) f'        S_i = [c_i (1 - f) dln c_i/dV - e_i f dln e_i/dV] v,  r_i = c_i + e_i
    Y = e area sum N {(1 - w_x)(S_R - r_R f') - w_x (S_L - r_L f') + j'}/v

with w_x the share of v to the left of a trap, and j' the change of the electrons that pass it at rest, which the chord
conductance of the channel holds already (`physics.channels.kinetic_traps`). So Y is zero at low frequencies, where the
filling is steady; at high ones the traps do not follow.

At rest each trap is full and empty by turns, and the current through the terminals is a train of pulses: -w_x e of an
electron that comes from the left electrode, (1 - w_x) e of one from the right, the opposite of those that go. With the mean
current I_0 of an empty trap, I_1 of a full one, and r = r_L + r_R, its spectral density is, one-sided,

    S = 2 e^2 {(1 - f) [w_x^2 c_L + (1 - w_x)^2 c_R] + f [w_x^2 e_L + (1 - w_x)^2 e_R]}
        + 4 (I_1 - I_0) [I_0 (1 - f)^2 - I_1 f^2] r/(r^2 + w^2)

the shot noise of the pulses and the Lorentzian of the telegraph (as of two states of charge: Korotkov, Phys. Rev. B 49,
10381 (1994)). Traps are independent of one another. At 0 V S = 4 kT Re Y, Y with the chord conductance.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.channels.kinetic_traps import fill_traps, voltage_shares
from otjdd.physics.channels.traps import placed_traps
from otjdd.physics.closing import close_all
from otjdd.physics.junction import CLOSURE_TOLERANCE
from otjdd.physics.traps.kinetic import FROM_LEFT, FROM_RIGHT, TO_LEFT, TO_RIGHT, moment_of_rates
from otjdd.solver import integrate
from otjdd.solver.integrate import Run

STEP = 1e-4  # V, of the differences that swings of the rates are: exact to some 1e-6
SLOWEST = 1e-300  # 1/s, of a trap that is divided by
SIDES = (FROM_LEFT, TO_LEFT), (FROM_RIGHT, TO_RIGHT)  # rates of the exchange with each electrode


def log_rates_at(run: Run, V: float) -> np.ndarray:
    """ln of the rates (K, T, RATES) of a run at a junction voltage [V], its ions as they are. Raises SolverError."""
    status = close_all(run.junction, run.state, V, CLOSURE_TOLERANCE)
    integrate.check_status(run, status, run.time, V, 0.0, 0.0)
    fill_traps(run.junction, run.state)
    rates: np.ndarray = run.state.traps.rates.copy()
    return rates


def admittances_of_traps(run: Run, omega: np.ndarray) -> np.ndarray:
    """Admittances (K, F) [S] by the traps of each column of a settled run at omega (F,) [1/s]. Raises SolverError."""
    junction, V = run.junction, float(run.state.V[0])
    swing = (log_rates_at(run, V + STEP) - log_rates_at(run, V - STEP)) / (2.0 * STEP)
    log_rate = log_rates_at(run, V)
    rate, traps, total = (
        np.exp(log_rate),
        run.state.traps,
        np.zeros((len(junction.kT), len(omega)), complex),
    )
    for own, share in groups_of(run):
        k = own[0]
        response = terminal_response(rate[own], swing[own], traps.filling[own], share, omega)
        response += passing_swing(log_rate[own], swing[own])[:, None]
        total[k] += ELEMENTARY_CHARGE * junction.channels.area[k] * traps.amount[own] @ response
    return total


def groups_of(run: Run) -> Iterator[tuple[tuple[int, slice], np.ndarray]]:
    """Index of the groups of each column and kind of traps in arrays (K, T), and w_x of each group (n,)."""
    junction = run.junction
    for k in range(len(junction.kT)):
        for channel in np.flatnonzero(np.diff(junction.channels.first)):
            x = placed_traps(junction, run.state, k, int(channel)).sites.x
            first = junction.channels.first[channel]
            yield (k, slice(first, first + len(x))), voltage_shares(junction, run.state, k, x)


def noise(run: Run, omega: np.ndarray) -> np.ndarray:
    """Spectral density (F,) [A^2/Hz] of the current by the traps of a settled run, at rest, at omega (F,) [1/s]."""
    traps, total = run.state.traps, np.zeros(len(omega))
    for own, share in groups_of(run):
        amount = run.junction.channels.area[own[0]] * traps.amount[own]
        total += ELEMENTARY_CHARGE**2 * amount @ spectral_density(np.exp(traps.rates[own]), share, omega)
    return total


def spectral_density(rate: np.ndarray, share: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """Spectral densities (n, F) [1/s] of the currents of n traps at rest, over e^2, one-sided.

    rate : (n, RATES) [1/s]   share : (n,) w_x   omega : (F,) [1/s]
    """
    c_left, c_right, e_left, e_right = (rate[:, row] for row in (FROM_LEFT, FROM_RIGHT, TO_LEFT, TO_RIGHT))
    whole, rest = np.maximum(rate.sum(axis=1), SLOWEST), 1.0 - share
    full, empty = (c_left + c_right) / whole, (e_left + e_right) / whole
    shot = empty * (share**2 * c_left + rest**2 * c_right) + full * (share**2 * e_left + rest**2 * e_right)
    of_empty, of_full = rest * c_right - share * c_left, share * e_left - rest * e_right
    telegraph = (of_full - of_empty) * (of_empty * empty**2 - of_full * full**2)
    lorentzian = whole[:, None] / (whole[:, None] ** 2 + omega**2)
    density: np.ndarray = 2.0 * shot[:, None] + 4.0 * telegraph[:, None] * lorentzian
    return density


def bias_of(log_rate: np.ndarray) -> float:
    """V_j/kT of rates whose logarithms are (RATES,): each electrode keeps detailed balance."""
    return float(log_rate[TO_LEFT] - log_rate[FROM_LEFT] - log_rate[TO_RIGHT] + log_rate[FROM_RIGHT])


def passing_swing(log_rate: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """Change [1/(V s)] (n,) of the electrons that pass each of n traps at rest. log_rate, swing : (n, RATES)"""
    above, below = (
        np.array([moment_of_rates(np.exp(row), bias_of(row)).passing for row in log_rate + step * swing])
        for step in (STEP, -STEP)
    )
    change: np.ndarray = (above - below) / (2.0 * STEP)
    return change


def terminal_response(
    rate: np.ndarray, swing: np.ndarray, filling: np.ndarray, share: np.ndarray, omega: np.ndarray
) -> np.ndarray:
    """Charges [1/(V s)] (n, F) that each of n traps sends through the terminals, over e, at omega (F,) [1/s].

    rate, swing : (n, RATES) rates [1/s] and the derivatives of their logarithms by V [1/V]   share : (n,) w_x
    """
    free = np.where([True, True, False, False], 1.0 - filling[:, None], -filling[:, None])
    pushed, exchange = rate * swing * free, [rate[:, side].sum(axis=1)[:, None] for side in SIDES]
    left, right = (pushed[:, side].sum(axis=1)[:, None] for side in SIDES)
    follows = (left + right) / (1j * omega + exchange[0] + exchange[1])
    of_left, of_right = left - exchange[0] * follows, right - exchange[1] * follows
    response: np.ndarray = (1.0 - share)[:, None] * of_right - share[:, None] * of_left
    return response

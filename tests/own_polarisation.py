"""Own equations of a polarised film between two metals, integrated by scipy. Nothing of otjdd is imported here.

    E L + S_l D(0) + S_r D(L) = V            S = lambda/(eps0 eps_metal), E the mean field of the film, equal work functions
    D(x) = D(0) + 2 e int_0^x c dx'          eps0 eps_r E(x) = D(x) - P
    two-level    dP/dt = k+ (P_s - P) - k- (P_s + P)
    merz-kai     dq/dt = exp[-(E_a/|E - E_off|)^alpha]/tau0        P = T - (T - P_0) exp(-q^n)

A turn of E - E_off is an event of the integrator: q begins there at 0, P_0 is P, T is P_s where the field points. Vacancies
in N equal cells drift and diffuse with the flux of Scharfetter and Gummel.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

CHARGE, VACUUM, BOLTZMANN, PLANCK = (
    1.602176634e-19,
    8.8541878128e-12,
    8.617333262e-5,
    4.135667696e-15,
)  # C F/m eV/K eV s
LARGEST = 700.0  # exponent
PIECES = 400  # longest step of the integrator, in parts of a piece of the waveform


@dataclass(frozen=True)
class Film:
    """A film and its metals, in SI units and eV."""

    law: str  # "two-level" or "merz-kai"
    saturation: float
    thickness: float
    eps_r: float
    initial: float  # P at the start over P_s
    offset: float = 0.0
    barrier: float = 0.0
    dipole: float = 0.0
    time: float = 0.0
    activation: float = 0.0
    power: float = 1.0
    dimension: float = 2.0
    left: float = 0.0  # S_l, V m2/C
    right: float = 0.0  # S_r
    vacancies: float = 0.0  # 1/m3, uniform at the start
    cells: int = 4
    sites: float = math.inf  # 1/m3
    prefactor: float = 0.0  # m2/s, of the diffusivity
    activation_energy: float = 0.0  # eV


def bounded_exp(x: float) -> float:
    return math.exp(min(max(x, -LARGEST), LARGEST))


def bernoulli(x: np.ndarray) -> np.ndarray:
    return np.array([1.0 - 0.5 * y if abs(y) < 1e-8 else y / math.expm1(y) for y in x])


class Column:
    """Equations of a film; `towards` and `begun` are T/P_s and P_0 of the law of Merz."""

    def __init__(self, film: Film, temperature: Callable[[float], float]):
        self.film, self.temperature = film, temperature
        self.towards, self.begun = 0.0, film.initial * film.saturation
        self.h = film.thickness / film.cells
        self.distance = np.full(film.cells + 1, self.h)
        self.distance[[0, -1]] = 0.5 * self.h

    def fields(self, c: np.ndarray, P: float, V: float) -> tuple[np.ndarray, float]:
        """Fields (N+1,) [V/m] at the faces of the cells and D(0) [C/m2]."""
        film, eps = self.film, VACUUM * self.film.eps_r
        sheet = np.concatenate(([0.0], np.cumsum(2.0 * CHARGE * c * self.h)))
        rest = V - film.right * sheet[-1] - ((sheet - P) * self.distance).sum() / eps
        D = rest / (film.thickness / eps + film.left + film.right)
        return (D + sheet - P) / eps, D

    def mean_field(self, E: np.ndarray) -> float:
        return float((E * self.distance).sum() / self.film.thickness)

    def polarisation(self, q: float) -> float:
        """P [C/m2] at q: P/P_s of two levels, the reduced time of Merz."""
        film = self.film
        if film.law == "two-level":
            return q * film.saturation
        end = self.towards * film.saturation
        return end - (end - self.begun) * bounded_exp(-(max(q, 0.0) ** film.dimension))

    def rate(self, P: float, E: float, T: float) -> float:
        """dq/dt [1/s] in a mean field E [V/m] at a temperature T [K]."""
        film, x = self.film, E - self.film.offset
        if film.law == "merz-kai":
            ahead = x * self.towards
            return bounded_exp(-((film.activation / ahead) ** film.power)) / film.time if ahead > 0.0 else 0.0
        kT, gain = BOLTZMANN * T, abs(x) * film.dipole
        fast = kT / PLANCK / (1.0 + bounded_exp((film.barrier - gain) / kT))
        slow = fast * bounded_exp(-2.0 * gain / kT)
        up, down = (fast, slow) if x > 0.0 else (slow, fast)
        return up * (1.0 - P / film.saturation) - down * (1.0 + P / film.saturation)

    def accumulation(self, c: np.ndarray, E: np.ndarray, T: float) -> np.ndarray:
        """dc/dt (N,) [1/(m3 s)]."""
        film, kT = self.film, BOLTZMANN * T
        d = -2.0 * E[1:-1] * self.h / kT
        hops = bernoulli(d) * c[:-1] * (1.0 - c[1:] / film.sites) - bernoulli(-d) * c[1:] * (1.0 - c[:-1] / film.sites)
        flux = np.concatenate(([0.0], film.prefactor * math.exp(-film.activation_energy / kT) / self.h * hops, [0.0]))
        return (flux[:-1] - flux[1:]) / self.h


@dataclass(frozen=True)
class Solution:
    """Polarisation, mean field and D(0) (n,) at the times that were asked for, and the times of the turns [s]."""

    P: np.ndarray
    E: np.ndarray
    D: np.ndarray
    turns: list[float]


def solve(
    film: Film, times, volts, asked, temperature: Callable[[float], float] = lambda t: 300.0, rtol: float = 1e-9
) -> Solution:
    """Integrate a film along a voltage that is straight between times. asked : (n,) rising times, within these"""
    column, N, scale = Column(film, temperature), film.cells, max(film.vacancies, 1.0)
    y = np.append(np.full(N, film.vacancies / scale), film.initial if film.law == "two-level" else 0.0)
    turns: list[float] = []
    rows: dict[float, tuple[float, float, float]] = {}
    for start, end, V_start, V_end in zip(times[:-1], times[1:], volts[:-1], volts[1:], strict=True):

        def voltage(t, start=start, end=end, V_start=V_start, V_end=V_end):
            return V_start + (V_end - V_start) * (t - start) / (end - start)

        def ahead(t, y, voltage=voltage):
            E, _ = column.fields(y[:N] * scale, column.polarisation(y[N]), voltage(t))
            return (column.mean_field(E) - film.offset) or column.towards  # no field: none turns

        def rates(t, y, voltage=voltage):
            P, T = column.polarisation(y[N]), column.temperature(t)
            E, _ = column.fields(y[:N] * scale, P, voltage(t))
            moved = column.accumulation(y[:N] * scale, E, T) / scale if film.prefactor else np.zeros(N)
            return np.append(moved, column.rate(P, column.mean_field(E), T))

        ahead.terminal = film.law == "merz-kai"
        now = start
        while now < end:
            if film.law == "merz-kai":
                sign = math.copysign(1.0, ahead(now, y) or V_end - V_start) if now == start else -column.towards
                if sign != column.towards:
                    column.begun, column.towards, y[N] = column.polarisation(y[N]), sign, 0.0
                    turns.append(now)
            ahead.direction = -column.towards
            wanted = np.unique([now, *(t for t in asked if now <= t <= end), end])
            part = solve_ivp(
                rates, (now, end), y, "LSODA", t_eval=wanted, rtol=rtol, atol=1e-3 * rtol, events=ahead,
                max_step=(end - start) / PIECES,
            )  # fmt: skip
            assert part.success, part.message
            for t, row in zip(part.t, part.y.T, strict=True):
                P = column.polarisation(row[N])
                E, D = column.fields(row[:N] * scale, P, voltage(t))
                rows[float(t)] = P, column.mean_field(E), D
            stopped = part.status == 1
            now, y = (part.t_events[0][0], part.y_events[0][0]) if stopped else (end, part.y[:, -1])
    P, E, D = np.transpose([rows[float(t)] for t in asked])
    return Solution(P, E, D, turns)

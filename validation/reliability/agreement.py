"""Random devices by otjdd and by SUNDIALS IDA, whose equations are written here independently, from the case alone.

The two share the records of a case and its grid (`model.grid_faces`), so both integrate the same cells. Written again are
the three flux laws, the site energy, both laws of D(E) and their inverse, the electrode (Fermi-Dirac integrals by
Gauss-Legendre quadrature of their definition, the bending by the first integral without a table), Gauss's law (summed from
the left instead of the right), the closure, and the time integration. Unknowns are the concentrations of all cells, D(0),
and the bending or potential step of both electrodes (u, eV):

    dc_i/dt = (J_i - J_i+1)/h_i        Q_left(u_left) = D(0)        Q_right(u_right) = -D(L)
    edge_left + u_left - V + sum_f E_f d_f = edge_right + u_right
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.case.case import parse_case
from otjdd.solver import integrate, model
from otjdd.waveform.waveform import Waveform
from validation.reliability.devices import Shares, text

E_CHARGE, EPS0, K_EV = 1.602176634e-19, 8.8541878128e-12, 1.380649e-23 / 1.602176634e-19
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
FEW_NODES, FEW_WEIGHTS = np.polynomial.legendre.leggauss(24)
IDA_RTOL, RTOL = 1e-9, 1e-9
FLOOR = 1e-3  # of the mean concentration: relative errors are relative to this at least


def fermi_half(eta):
    """F_1/2 of an array, by quadrature in s = sqrt(t) up to where the integrand is below 1e-17 of the integral."""
    eta = np.atleast_1d(eta)[:, None]
    end = np.sqrt(np.maximum(eta, 0.0) + 45.0)
    s = 0.5 * end * (1.0 + NODES)
    value = s * s / (1.0 + np.exp(np.minimum(s * s - eta, 700.0)))
    return (0.5 * end * WEIGHTS * value).sum(axis=1) * 2.0 / math.gamma(1.5)


def displacement(record, E):
    """D(E) [C/m2] of a permittivity record."""
    if record.law == "linear":
        return EPS0 * record.eps_r * E
    return EPS0 * (record.eps_inf * E + record.b * np.arcsinh(E / math.sqrt(record.a)))


def field(record, D):
    """E(D) [V/m]: Newton in asinh(E/sqrt(a)) from above, where the law is convex."""
    if record.law == "linear":
        return D / (EPS0 * record.eps_r)
    root, d = math.sqrt(record.a), np.abs(D) / EPS0
    p = record.eps_inf * root
    y = np.minimum(d / (p + record.b), np.arcsinh(d / p) if p > 0 else np.inf)
    for _ in range(60):
        move = (p * np.sinh(y) + record.b * y - d) / (p * np.cosh(y) + record.b)
        y = y - move
        if (np.abs(move) <= 1e-15 * y).all():
            break
    return np.sign(D) * root * np.sinh(y)


def field_of_work(record, work: float) -> float:
    """|E| [V/m] at which int E dD equals `work` [J/m3]."""
    if record.law == "linear":
        return math.sqrt(2.0 * work / (EPS0 * record.eps_r))
    a = record.a

    def of(E):
        return EPS0 * (0.5 * record.eps_inf * E * E + record.b * E * E / (math.sqrt(a + E * E) + math.sqrt(a)))

    E = math.sqrt(work / EPS0 / record.b * (work / EPS0 / record.b + 2.0 * math.sqrt(a)))
    for _ in range(60):
        slope = EPS0 * E * (record.eps_inf + record.b / math.sqrt(a + E * E))
        move = (of(E) - work) / slope if slope > 0.0 else 0.0
        E -= move
        if abs(move) <= 1e-15 * E:
            break
    return E


class Electrode:
    """An electrode of a case: band edge of the film at the uncharged interface, and the charge Q(u) [C/m2] at a step u."""

    def __init__(self, record, T: float):
        self.record, self.kT = record, K_EV * T
        self.metal = record.kind == "metal"
        if self.metal:
            self.edge, self.stiffness = record.barrier, 0.0
            self.elastance = record.screening_length / (EPS0 * record.relative_permittivity)
            return
        from scipy.optimize import brentq

        self.states = record.states(T)
        share = record.doping / self.states
        self.eta = brentq(lambda x: math.log(fermi_half(x)[0] / share), -60.0, 1e4, xtol=1e-13)
        self.edge = record.band_offset - self.kT * self.eta

    def mismatch(self, u: float, Q: float) -> float:
        """Residual of the relation between the step u [eV] and the charge Q [C/m2]; in eV for a metal, else in C/m2."""
        return u - self.elastance * Q if self.metal else self.charge(u) - Q

    def charge(self, u: float) -> float:
        """Charge of a semiconductor bent by u, by the first integral of Poisson's equation."""
        steps = max(1, math.ceil(abs(u) / self.kT / 4.0))
        ends = np.linspace(0.0, u, steps + 1)
        v = (ends[:-1, None] + 0.5 * (u / steps) * (1.0 + FEW_NODES)).ravel()
        rho = E_CHARGE * (self.record.doping - self.states * fermi_half(self.eta - v / self.kT))
        work = 0.5 * (u / steps) * (np.tile(FEW_WEIGHTS, steps) * rho).sum()
        eps = self.record.permittivity
        return math.copysign(float(displacement(eps, field_of_work(eps, max(work, 0.0)))), u)

    def step(self, Q: float) -> float:
        """The step u [eV] at a charge Q [C/m2]."""
        from scipy.optimize import brentq

        if self.metal:
            return self.elastance * Q
        end = math.copysign(self.kT, Q)
        while abs(self.charge(end)) < abs(Q):
            end *= 2.0
        return brentq(self.mismatch, 0.0, end, args=(Q,), xtol=1e-15, rtol=1e-14) if Q else 0.0


class Equations:
    """The discrete equations of a case with one column and no series resistance."""

    P_s = 0.0  # C/m2, the largest polarisation

    def __init__(self, case):
        film, ions, T = case.device.film, case.ions, case.temperature
        self.case, self.kT = case, K_EV * T
        self.left, self.right = Electrode(case.device.left, T), Electrode(case.device.right, T)
        faces = model.grid_faces(film.thickness, film.cells, film.grading)
        self.h, x = np.diff(faces), 0.5 * (faces[1:] + faces[:-1])
        self.d = np.diff([0.0, *x, film.thickness])
        reach = ions.well_width
        W = -ions.well_left * np.exp(-((x / reach) ** 2))
        W -= ions.well_right * np.exp(-(((film.thickness - x) / reach) ** 2))
        self.rise, self.mean = np.diff(W), ions.density
        self.D0 = ions.prefactor * math.exp(-ions.activation_energy / self.kT)

    def start(self):
        """Concentrations (N,) [1/m3] that the case begins with."""
        return np.full(self.h.size, self.mean)

    def acceleration(self, E, D0=None, hop=None, barrier=None):
        """Acceleration g(E) of hops by the field, as the flux law has it: of those of the film, or of others.

        D0 : diffusivity [m2/s]   hop : distance [m]   barrier : eV
        """
        ions, kT = self.case.ions, self.kT
        D0, hop = self.D0 if D0 is None else D0, hop or ions.hop_distance
        barrier = ions.activation_energy if barrier is None else barrier
        u = np.abs(ions.charge * hop * E / (2.0 * kT)) + 1e-30
        half = -np.expm1(-2.0 * u) / 2.0  # sinh(u) = e^u half
        if ions.law == "linear":
            return np.ones_like(E)
        if ions.law == "mott-gurney":  # 1/v^2 adds
            k = 2.0 * D0 / (hop**2 * ions.attempt_frequency)
            return 1.0 / np.sqrt((u * np.exp(-u) / half) ** 2 + (k * u) ** 2)
        G = ions.charge * hop * np.abs(E) / (math.pi * barrier)
        low = np.minimum(G, 1.0)
        common = np.sqrt(1.0 - low**2) + low * np.arcsin(low)
        forward, back = common - low * math.pi / 2.0, common + low * math.pi / 2.0
        forward = np.where(G < 1.0, forward, 0.0)
        back = np.where(G < 1.0, back, 2.0 * u * kT / barrier)
        return (np.exp(barrier / kT * (1.0 - forward)) - np.exp(barrier / kT * (1.0 - back))) / (2.0 * u)

    def rates(self, c, E, rise=None):
        """dc/dt (N,) [1/(m3 s)]. rise : of the site energy from cell to cell (N-1,) [eV], by default that of the case"""
        ions = self.case.ions
        tilt = ((self.rise if rise is None else rise) - ions.charge * E[1:-1] * self.d[1:-1]) / self.kT
        size = np.abs(tilt) + 1e-30
        down = size / np.expm1(np.minimum(size, 700.0))  # B(|d|); B(-|d|) = B(|d|) + |d|
        forth, back = np.where(tilt > 0, down, down + size), np.where(tilt > 0, down + size, down)
        free = 1.0 - c / ions.site_density
        J = self.D0 / self.d[1:-1] * self.acceleration(E[1:-1]) * (forth * c[:-1] * free[1:] - back * c[1:] * free[:-1])
        return (np.append(0.0, J) - np.append(J, 0.0)) / self.h

    def fields(self, c, D_left):
        """Displacement and field at all faces, by Gauss's law from the left."""
        film = self.case.device.film
        rho = E_CHARGE * (self.case.ions.charge * c + film.fixed_charge)
        D = D_left + np.append(0.0, np.cumsum(rho * self.h))
        return D, field(film.permittivity, D)

    def unclosed(self, c, D_left, u_left, u_right, V):
        """Residual of the closure [eV], the displacement at the right end, and the fields."""
        D, E = self.fields(c, D_left)
        missing = self.left.edge + u_left - V + (E * self.d).sum() - self.right.edge - u_right
        return missing, D[-1], E

    def settled(self, c, V):
        """Solution D(0) [C/m2], u_left, u_right [eV] of the stack at concentrations c and a voltage V."""
        from scipy.optimize import brentq

        def missing(D):
            right = self.right.step(-self.fields(c, D)[0][-1])
            return self.unclosed(c, D, self.left.step(D), right, V)[0]

        low, high = -1e-3, 1e-3
        while missing(low) > 0.0:
            low *= 3.0
        while missing(high) < 0.0:
            high *= 3.0
        D = brentq(missing, low, high, xtol=1e-16, rtol=1e-14)
        return np.array([D, self.left.step(D), self.right.step(-self.fields(c, D)[0][-1])])

    def memory(self):
        """What the state has beside the concentrations at the start (m,), and its scales (m,)."""
        return np.zeros(0), np.zeros(0)

    def memory_of(self, kept):
        """The same (m,) of a state that otjdd has kept."""
        return np.zeros(0)

    def settled_at(self, c, memory, V):
        """As `settled`, with what the state has beside c."""
        return self.settled(c, V)

    def slopes(self, c, memory, stack, V):
        """Residuals (k,) of the stack (k,), whose last three numbers are D(0), u_left, u_right; dc/dt; d(memory)/dt."""
        missing, D_right, E = self.unclosed(c, *stack, V)
        return self.closed([missing], stack, D_right), *self.flows(c, E, memory, stack, V)

    def closed(self, missing, stack, D_right):
        """Residuals of the stack with those of both electrodes."""
        D, u_left, u_right = stack[-3:]
        return np.append(missing, [self.left.mismatch(u_left, D), self.right.mismatch(u_right, -D_right)])

    def flows(self, c, E, memory, stack, V):
        """dc/dt (N,) and d(memory)/dt (m,) in fields E."""
        return self.rates(c, E), np.zeros(0)

    def residual(self, V: float, duration: float):
        """Residual function for IDA of a hold at V: y = (c/mean, memory/scale, stack), time in units of the duration."""
        (memory, scale), N = self.memory(), self.start().size
        units, n = np.concatenate((np.full(N, self.mean), scale)), N + memory.size

        def residual(t, y, yp, res):
            state = y[:n] * units
            wrong, *rates = self.slopes(state[:N], state[N:], y[n:], V)
            res[:n] = yp[:n] - np.concatenate(rates) * duration / units
            res[n:] = wrong

        return residual

    def solve(self, voltages, durations, rtol):
        """c (N,), D(0) and the memory (m,) at the end of each hold; None if IDA gives up."""
        from sksundae.ida import IDA

        (memory, scale), c, found = self.memory(), self.start(), []
        N, m = c.size, memory.size
        units = np.concatenate((np.full(N, self.mean), scale))
        for V, duration in zip(voltages, durations, strict=True):
            stack = self.settled_at(c, memory, V)
            rate = np.concatenate(self.slopes(c, memory, stack, V)[1:]) / units
            moment = 1e-7 / np.abs(rate).max()
            ahead = np.concatenate((c, memory)) + moment * rate * units
            later = (self.settled_at(ahead[:N], ahead[N:], V) - stack) / moment
            solver = IDA(
                self.residual(V, duration), algebraic_idx=list(range(N + m, N + m + stack.size)), rtol=rtol,
                atol=1e-3 * rtol, max_num_steps=10**6, first_step=moment / duration,
            )  # fmt: skip
            y = np.concatenate((c / self.mean, memory / scale, stack))
            reached = solver.solve(np.array([0.0, 1.0]), y, np.concatenate((rate, later)) * duration)
            if not reached.success:
                return None
            state = reached.y[-1][: N + m] * units
            c, memory = state[:N], state[N:]
            found.append((c, reached.y[-1][-3], memory))
        return found


class Compared(NamedTuple):
    """One device by both codes."""

    case: object
    error: float  # largest difference, nan if IDA gave up
    moved: float  # relative change of the concentrations during the holds


def device(u: Shares, number: int):
    """A case with one column and no circuit, of 16 cells, in fields below 6e8 V/m."""
    mild = {
        "field_1": 0.75 * u.of["field_1"],
        "field_2": 0.75 * u.of["field_2"],
        "charge_field": 0.8 * u.of["charge_field"],
    }
    plain = {"cells": 0.0, "columns": 0.0, "resistance": 0.0, "compliance": 0.0, "initial": 0.0, "film_law": 0.9}
    return parse_case(text(Shares(u.of | mild | plain), number))


def holds(case, u: Shares):
    """Voltages [V] and durations [s] of two holds, long enough that some vacancies cross a part of the film."""
    parts = case.drive.parts
    equations = Equations(case)
    c = np.full(equations.h.size, equations.mean)
    for part, share in zip(parts[:2], ("time_1", "time_2"), strict=True):
        E = equations.fields(c, equations.settled(c, part.voltage)[0])[1]
        rate = np.abs(equations.rates(c, E)).max() / equations.mean
        yield part.voltage, u.decades(share, 0.1, 100.0) / rate


def compare(u: Shares, number: int) -> Compared:
    """Integrate a device by both codes and compare them at the end of both holds."""
    case = device(u, number)
    return compared(case, Equations(case), *zip(*holds(case, u), strict=True))


def compared(case, equations, voltages, durations, **start) -> Compared:
    """Compare all that the state has at the end of each hold with what `equations.solve` gives. start : of the run"""
    times = np.cumsum((0.0, *durations))
    waveform = Waveform(np.repeat(times, 2)[1:-1], np.repeat(voltages, 2))
    parts = model.members(case)
    junction, c = model.junction(case, parts=parts), model.uniform(case, parts)
    run = integrate.begin(junction, {"c": c, **start}, rtol=RTOL, atol=1e-3 * RTOL)
    integrate.follow_waveform(run, waveform, stops=times[1:])
    theirs, error, moved = equations.solve(voltages, durations, IDA_RTOL), 0.0, 0.0
    if theirs is None:
        return Compared(case, math.nan, math.nan)
    begun, scale = equations.memory()
    for kept, (c, D, memory) in zip(run.kept_states, theirs, strict=True):
        size = np.abs(c) + FLOOR * c.mean()
        charge = abs(D) + 1e-3 * (
            E_CHARGE * case.ions.charge * case.ions.density * case.device.film.thickness + equations.P_s
        )
        error = max(error, np.abs((kept.c[0] - c) / size).max(), abs(kept.D_left[0] - D) / charge)
        error = max([error, *(np.abs(equations.memory_of(kept) - memory) / scale)])
        changes = np.abs(memory - begun) / scale if scale.size else np.abs(c / case.ions.density - 1.0)
        moved = max(moved, changes.max())
    return Compared(case, float(error), float(moved))

"""Random devices with electrons in the film by otjdd and by SUNDIALS IDA, as in `agreement`. Electrons n, and shares f:

    n = N_c [w F(-U/kT) + (1 - w) F((-V - U)/kT)] + c f  w from the integrals of exp(U/kT), straight between the points
    f = w f1(0) + (1 - w) f1(-V)                         share of the vacancies that hold an electron, if a case has a level

Unknowns beside the concentrations are the band U in all cells, D(0), and the bending or potential step of both electrodes.
Gauss's law is summed from the left; the band rises over each face by its field times the distance of the cells. F comes
from the quadrature of its definition, not from a table. scipy finds the initial values, from those of otjdd as a guess.
"""

import math

import numpy as np
from scipy.special import expit

from otjdd.solver import model
from validation.reliability.agreement import (
    E_CHARGE,
    Compared,
    Equations,
    compared,
    device,
    fermi_half,
    field,
)
from validation.reliability.devices import Shares

STATES = 1e24, 1e27  # 1/m3, least and largest density of states


class ElectronEquations(Equations):
    """The discrete equations of a case with electrons, one column and no series resistance."""

    P = 0.0  # C/m2, polarisation at which the stack is solved; D of the dielectric is less by it

    def __init__(self, case):
        super().__init__(case)
        self.states = case.device.film_states(case.temperature)
        self.level = case.ions.ionisation_energy
        self.guess = model.junction(case)

    def shares(self, U, ends):
        """w and 1 - w (N,) of a band U (N,) between its ends [eV], each to full relative accuracy."""
        y = np.concatenate(([ends[0]], U, [ends[1]])) / self.kT
        step = np.abs(np.diff(y)) + 1e-30
        integral = self.d * np.exp(np.maximum(y[1:], y[:-1]) - y.max()) * -np.expm1(-step) / step
        left, right = np.cumsum(integral), np.cumsum(integral[::-1])[::-1]
        return left[:-1] / left[-1], right[1:] / right[0]

    def bare(self, U, ends, V):
        """Share (N,) of the vacancies without an electron."""
        if self.level is None:
            return np.ones_like(U)
        w, share = self.shares(U, ends)
        right, left = (expit((U - self.level - E_F) / self.kT - math.log(2.0)) for E_F in (0.0, -V))
        return w * right + share * left

    def electrons(self, c, U, ends, V):
        """Electrons (N,) [1/m3] of vacancies c and a band U (N,) between its ends [eV]."""
        w, share = self.shares(U, ends)
        free = self.states * (w * fermi_half(-U / self.kT) + share * fermi_half((-V - U) / self.kT))
        return free + c * (1.0 - self.bare(U, ends, V))

    def missing(self, c, U, D_left, u_left, u_right, V):
        """Residuals of the band at all faces (N+1,) [eV], D(L), and the fields."""
        film = self.case.device.film
        ends = self.left.edge + u_left - V, self.right.edge + u_right
        n = self.electrons(c, U, ends, V)
        rho = E_CHARGE * (self.case.ions.charge * c + film.fixed_charge - n)
        D = D_left + np.append(0.0, np.cumsum(rho * self.h))
        E = field(film.permittivity, D - self.P)
        return np.diff(np.concatenate(([ends[0]], U, [ends[1]]))) - self.d * E, D[-1], E

    def settled(self, c, V):
        """Solution U (N,) [eV], D(0), u_left, u_right of the stack at concentrations and a voltage."""
        from scipy.optimize import root

        from otjdd.mechanisms.electrons.search import static_stack
        from otjdd.physics.electrostatics import edge

        stack, N = static_stack(self.guess, 0, c, V, self.P)[0], c.size
        at_left, at_right = stack.D[0] + self.P, stack.D[-1] + self.P
        steps = edge(self.guess.left[0], at_left)[2], edge(self.guess.right[0], -at_right)[2]
        unit = np.concatenate((np.ones(N), [1e-2], np.ones(2)))

        def wrong(y):
            U, (D, u_left, u_right) = y[:N], y[N:] * unit[N:]
            missing, D_right, _ = self.missing(c, U, D, u_left, u_right, V)
            return np.concatenate((missing, [self.left.mismatch(u_left, D), self.right.mismatch(u_right, -D_right)]))

        found = root(wrong, np.concatenate((stack.U[1:-1], [at_left, *steps])) / unit, tol=1e-14)
        if np.abs(wrong(found.x)).max() > 1e-9:
            raise ArithmeticError(f"no stack found: {found.message}")
        return found.x * unit

    def slopes(self, c, memory, stack, V):
        """As in `Equations`; the stack is (U, D(0), u_left, u_right)."""
        U, (D, u_left, u_right) = stack[: c.size], stack[c.size :]
        missing, D_right, E = self.missing(c, U, D, u_left, u_right, V)
        return self.closed(missing, stack, D_right), *self.flows(c, E, memory, stack, V)

    def flows(self, c, E, memory, stack, V):
        """Vacancies with and without an electron are driven according to their own charges."""
        U, (_, u_left, u_right) = stack[: c.size], stack[c.size :]
        ends = self.left.edge + u_left - V, self.right.edge + u_right
        return self.rates(c, E, self.rise + self.kT * np.diff(np.log(self.bare(U, ends, V)))), np.zeros(0)


def electron_device(u: Shares, number: int):
    """The device of `agreement` with electrons in its film."""
    states = u.decades("compliance", *STATES)  # the column of the compliance is free, because the device has no circuit
    case = device(u, number)
    return case.replace(**{"device.film.electrons": "balance", "device.film.density_of_states": states})


def holds(case, u: Shares):
    """Voltages [V] and durations [s] of two holds, long enough that some vacancies cross a part of the film."""
    equations = ElectronEquations(case)
    c = np.full(equations.h.size, equations.mean)
    for part, share in zip(case.drive.parts[:2], ("time_1", "time_2"), strict=True):
        V = part.voltage
        rate = np.abs(equations.slopes(c, (), equations.settled(c, V), V)[1]).max() / equations.mean
        yield V, u.decades(share, 0.1, 100.0) / rate


def compare(u: Shares, number: int, level: str | None = None) -> Compared:
    """Integrate a device by both codes and compare them at the end of both holds; level : ions.ionisation_energy."""
    case = electron_device(u, number)
    case = case if level is None else case.replace("ions.ionisation_energy", level)
    return compared(case, ElectronEquations(case), *zip(*holds(case, u), strict=True))

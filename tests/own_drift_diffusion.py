"""Drift and diffusion of the electrons of a film between two plain metals, with their own dynamics, for comparison.

Shares nothing with the package but constants: density n at N points, Poisson's equation solved for each n, fluxes by
Scharfetter & Gummel, Boltzmann's statistics, vacancies as a given charge. Nothing follows at once.
"""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import solve_banded

from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY

e = ELEMENTARY_CHARGE


def bernoulli(u):
    """B(u) = u/(exp(u) - 1) and its derivative."""
    near = np.abs(u) < 1e-4
    x = np.where(near, 1.0, u)
    B = x / np.expm1(x)
    slope = (1.0 - B * np.exp(x)) / np.expm1(x)
    return np.where(near, 1.0 - u / 2 + u * u / 12, B), np.where(near, -0.5 + u / 6, slope)


class Film:
    """A film of a thickness [m] between barriers [eV] at its left and right metal; times in units of its own."""

    def __init__(self, thickness, left, right, *, states, eps_r, temperature, points=150):
        self.h, self.kT, self.eps = thickness / (points + 1), BOLTZMANN_EV * temperature, VACUUM_PERMITTIVITY * eps_r
        self.x, self.left, self.right = np.linspace(0.0, thickness, points + 2)[1:-1], left, right
        self.D = thickness**2  # of electrons, by which their time is about 1
        self.ends = states * np.exp(-np.array([left, right]) / self.kT)
        bands = np.zeros((3, points))
        bands[0, 1:], bands[1], bands[2, :-1] = 1.0, -2.0, 1.0
        self.by_charge = solve_banded((1, 1), bands, np.eye(points) * e * self.h**2 / self.eps)  # eV m3

    def band(self, V, n, charge):
        """Band (N+2,) [eV]; charge : (N,) z c and what else is fixed [1/m3]"""
        straight = (self.left - V) + (self.right - self.left + V) * self.x / (self.x[-1] + self.h)
        return np.concatenate(([self.left - V], straight + self.by_charge @ (charge - n), [self.right]))

    def flux(self, V, n, charge):
        """Fluxes (N+1,) to the right, and their derivatives by n (N+1, N)."""
        U, whole = self.band(V, n, charge), np.concatenate((self.ends[:1], n, self.ends[1:]))
        (ahead, slope), (back, slope_back) = (bernoulli(sign * np.diff(U) / self.kT) for sign in (1.0, -1.0))
        by_n = np.diff(np.vstack((0 * n, -self.by_charge, 0 * n)), axis=0)
        by_n *= ((slope * whole[:-1] + slope_back * whole[1:]) / self.kT)[:, None]
        by_n[1:] += np.diag(ahead[1:])
        by_n[:-1] -= np.diag(back[:-1])
        return self.D / self.h * (whole[:-1] * ahead - whole[1:] * back), self.D / self.h * by_n

    def steady(self, V, charge, n=None):
        """Density (N,) at rest, by Newton's method on the way from 0 V, or from a density near it."""
        n, ways = (
            (np.full(self.x.size, charge.max()), np.linspace(0.0, V, 2 + int(abs(V) / 0.02))) if n is None else (n, [V])
        )
        for at in ways:
            for _ in range(400):
                S, by_n = self.flux(at, n, charge)
                new = n - np.linalg.solve(np.diff(by_n, axis=0), np.diff(S))
                new = np.clip(new, 0.3 * n, 3.0 * n)
                off, n = np.abs(new / n - 1.0).max(), new
                if off < 1e-10:
                    break
            assert off < 1e-10
        return n

    def charge(self, V, n, charge):
        """Charge of the left metal [C/m2]."""
        U = self.band(V, n, charge)
        return self.eps * (U[1] - U[0]) / self.h

    def charging(self, V, n, charge):
        """Electrons that the left metal gives beyond those that cross the film [1/(m2 unit of time)], and crossing ones.

        Those that cross are the mean of the flux by exp(U/kT): it is the drop of exp(E_F/kT) over the film, whatever comes
        to rest within. It follows the band, so it lags with the electrons.
        """
        S, U = self.flux(V, n, charge)[0], self.band(V, n, charge)
        piece = np.exp((np.maximum(U[1:], U[:-1]) - U.max()) / self.kT) / bernoulli(-np.abs(np.diff(U)) / self.kT)[0]
        crossing = (S @ piece) / piece.sum()
        return S[0] - crossing, crossing

    def capacitance(self, V, charge):
        """dQ/dV [F/m2] of the left terminal, slowly: all of the current, and but for what the electrons lag behind."""
        n, dV, rate = self.steady(V, charge), 1e-5, 1e-4
        by_n = self.flux(V, n, charge)[1]
        by_V = (self.flux(V + dV, n, charge)[0] - self.flux(V - dV, n, charge)[0]) / (2 * dV)
        dn = np.linalg.solve(1j * rate * np.eye(n.size) + np.diff(by_n, axis=0) / self.h, -np.diff(by_V) / self.h)
        plate = self.eps / (self.x[-1] + self.h) - self.eps / self.h * (self.by_charge[0] @ dn)
        along = [self.charging(V, n + s * dn.imag, charge)[0] / s for s in (1e-3, -1e-3)]  # at this V, none at rest
        return tuple((plate.real - e * given / rate) for given in ((by_n[0] @ dn + by_V[0]).imag, np.mean(along)))

    def along(self, volts, charges, duration, times):
        """Change of the charge of the left terminal [C/m2] at times, from rest at 0, but for electrons that cross the film.

        volts, charges : V and the charge (N,) of what stands still, of a time
        """
        n = self.steady(volts(0.0), charges(0.0))

        def rates(t, y):
            S = self.flux(volts(t), y[:-1], charges(t))[0]
            given = self.charging(volts(t), y[:-1], charges(t))[0]
            return np.append(-np.diff(S) / self.h, given)

        def jacobian(t, y):
            by_y = np.zeros((y.size, y.size))
            by_y[:-1, :-1] = -np.diff(self.flux(volts(t), y[:-1], charges(t))[1], axis=0) / self.h
            return by_y

        solved = solve_ivp(rates, (0.0, duration), np.append(n, 0.0), "BDF", times, jac=jacobian, rtol=1e-5, atol=1e16)
        plate = [self.charge(volts(t), y[:-1], charges(t)) for t, y in zip(times, solved.y.T, strict=True)]
        return np.array(plate) - plate[0] - e * solved.y[-1]

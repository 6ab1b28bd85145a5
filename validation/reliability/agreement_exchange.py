"""Random devices whose electrodes exchange vacancies by SUNDIALS IDA, as in `agreement`: what passed is two more unknowns.

An electrode gives J = gain (1 - c_s/n) - loss c_s with, at the left,

    gain = k g c_eq e^(a z step/kT) (1 - y)/(1 - y0)        loss = k g (1 - c_eq/n) e^(-(1 - a) z step/kT) y/y0
    c_eq/(n - c_eq) = exp{-[G + W - z barrier]/kT} (p/p0)^(-1/2)        y = y0 + passed/capacity

and the half cell to the first centre passes r [B(d) c_s (1 - c/n) - B(-d) c (1 - c_s/n)]. A metal has the step u, a
semiconductor none: its barrier follows u. The right electrode is the mirror image.
"""

import math

import numpy as np

from validation.reliability import agreement
from validation.reliability.devices import Shares

SIDES = "left", "right"


class ExchangeEquations(agreement.Equations):
    """The discrete equations of a case whose electrodes exchange; unknowns c, what passed, D(0), u_left, u_right."""

    def __init__(self, case):
        super().__init__(case)
        ions, L = case.ions, case.device.film.thickness
        x = np.cumsum(self.h) - 0.5 * self.h

        def site_energy(at):
            wells = ((ions.well_left, at), (ions.well_right, L - at))
            return -sum(depth * np.exp(-((d / ions.well_width) ** 2)) for depth, d in wells)

        self.wall = {"left": float(site_energy(0.0)), "right": float(site_energy(L))}
        self.centre = {"left": float(site_energy(x[0])), "right": float(site_energy(x[-1]))}

    def beside(self, side):
        """Sites [1/m3] and half a cell [m] beside an electrode, and the band there over that of the first layer [eV]."""
        return self.case.ions.site_density, self.d[0] if side == "left" else self.d[-1], 0.0

    def hop_rate(self, side, E):
        """Diffusivity [m2/s] in a field E [V/m] beside an electrode."""
        return self.D0 * float(self.acceleration(np.array([E]))[0])

    def ends(self, E):
        """Fields at both electrodes [V/m]."""
        return E[0], E[-1]

    def inflow(self, side, c, E, u, passed):
        """Flux into the film [1/(m2 s)]: c of the cell, E away from the wall, u [eV] of the electrode, passed [1/m2]."""
        given, ions, kT = getattr(self.case.device, side).exchange, self.case.ions, self.kT
        if given is None:
            return 0.0
        electrode, z, (n, h, offset) = getattr(self, side), ions.charge, self.beside(side)
        step, barrier = (u, electrode.edge - offset) if electrode.metal else (0.0, electrode.edge - offset + u)
        odds = math.exp(-(given.formation_energy + self.wall[side] - z * barrier) / kT) / math.sqrt(
            given.oxygen_pressure / 1e5
        )
        y0, a = given.initial_filling, given.transfer_coefficient
        y, k = y0 + passed / given.capacity, given.rate * math.exp(-given.activation_energy / kT)
        if given.hop_distance:
            wall = 0.5 * k * given.hop_distance, given.hop_distance, given.activation_energy
            k *= float(self.acceleration(np.array([E]), *wall)[0])
        gain = k * n * odds / (1 + odds) * math.exp(a * z * step / kT) * (1 - y) / (1 - y0)
        loss = k / (1 + odds) * math.exp((a - 1) * z * step / kT) * y / y0
        d = (self.centre[side] - self.wall[side] - z * E * h) / kT
        B = d / math.expm1(d) if d else 1.0
        rate = self.hop_rate(side, E) / h
        c_s = (gain + rate * (B + d) * c) / (gain / n + loss + rate * (B * (1 - c / n) + (B + d) * c / n))
        return gain * (1 - c_s / n) - loss * c_s

    def both(self, c, E, u_left, u_right, passed):
        """Fluxes into the film from both electrodes, and dc/dt (N,) with them."""
        E_left, E_right = self.ends(E)
        into = np.array([
            self.inflow("left", c[0], E_left, u_left, passed[0]), self.inflow("right", c[-1], -E_right, u_right, passed[1]),
        ])  # fmt: skip
        rate = self.rates(c, E)
        rate[0] += into[0] / self.h[0]
        rate[-1] += into[1] / self.h[-1]
        return into, rate

    def memory(self):
        """What passed into the film from both electrodes (2,) [1/m2], over all vacancies."""
        return np.zeros(2), np.full(2, self.mean * self.h.sum())

    def memory_of(self, kept):
        return kept.start["passed"][0] * [1.0, -1.0]

    def flows(self, c, E, memory, stack, V):
        return self.both(c, E, *stack[-2:], memory)[::-1]


def exchanging(case, u: Shares, duration: float, equations=None):
    """The case with one electrode or two that exchange as much as the film holds, more or less, in a hold [s].

    equations : of the case, `ExchangeEquations` if absent
    """
    equations, ions = ExchangeEquations(case) if equations is None else equations, case.ions
    sheet, tables = ions.density * case.device.film.thickness, {}
    for i, side in enumerate(u.choice("rise", ("left",), ("right",), SIDES)):
        odds = min(ions.density / ions.site_density * u.decades("fraction", 0.1, 10.0), 0.9)
        edge = getattr(equations, side).edge - equations.beside(side)[2]
        level = ions.charge * edge - equations.wall[side] - equations.kT * math.log(odds)
        tables[f"device.{side}.exchange"] = {
            "rate": sheet / (odds * ions.site_density * duration) * u.decades("rtol", 0.01, 3.0) * 3.0**i,
            "formation_energy": min(max(level, -20.0), 20.0), "oxygen_pressure": u.decades("resistance", 1e4, 1e6),
            "transfer_coefficient": u.of["mass"], "capacity": sheet * u.decades("compliance", 1.0, 30.0),
            "initial_filling": u.between("radius", 0.1, 0.9),
        }  # fmt: skip
    return case.replace(tables)

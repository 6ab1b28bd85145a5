"""Random films of two to five layers by otjdd and by IDA, with the equations of `agreement` written for layers.

Each face is two half cells in series, inside a layer as at an interface: the flux is

    J = [theta_l (1 - theta_r) - theta_r (1 - theta_l) e^(d- + w + d+)]/(R- + R_i + R+)        theta = c/n
    R- = h- (e^(d-) - 1)/(d- n_l D_l g(E-))        R+ = h+ e^(d- + w) (e^(d+) - 1)/(d+ n_r D_r g(E+))
    R_i = a e^(d- + w/2)/(sqrt(n_l n_r) D_i)       d-+ = -z E-+ h-+/kT

with E-+ by the law of each layer at the one D of the face. Nothing of `physics.ions` is used.
"""

from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from otjdd.case.case import parse_case
from otjdd.solver import model
from validation.reliability import agreement_exchange
from validation.reliability.agreement import E_CHARGE, K_EV, Compared, Electrode, Equations, compared, field
from validation.reliability.agreement_electrons import ElectronEquations
from validation.reliability.agreement_exchange import ExchangeEquations
from validation.reliability.devices import Shares, text

NO_SITES = 0.3  # share of layers without sites of ions
BARRED = 0.4  # share of interfaces with a barrier


def random_layer(rng, first: bool = False, sites: bool = True) -> dict:
    """Table of a layer whose every number is drawn. first : it has no offset   sites : it has sites of ions for sure"""
    nonlinear = {"law": "nonlinear", "b": 10.0 ** rng.uniform(9.5, 10.2), "a": 10.0 ** rng.uniform(15.0, 16.0)}
    own = {
        "thickness": rng.uniform(0.6e-9, 1.6e-9),
        "cells": int(rng.integers(8, 16)),
        "grading": rng.uniform(1.0, 5.0),
        "permittivity": nonlinear if rng.random() < 0.5 else {"law": "linear", "eps_r": rng.uniform(5.0, 80.0)},
        "tunnelling_mass": rng.uniform(0.2, 1.0),
        "fixed_charge": rng.uniform(-1e25, 1e25),
        "band_offset": 0.0 if first else rng.uniform(-0.4, 0.4),
    }
    hops = {
        "site_density": 10.0 ** rng.uniform(27.5, 28.5),
        "activation_energy": rng.uniform(0.45, 0.6),
        "prefactor": 10.0 ** rng.uniform(-7.0, -6.0),
        "hop_distance": rng.uniform(0.2e-9, 0.5e-9),
        "site_energy": rng.uniform(-0.1, 0.1),
    }
    return own | (hops if sites or rng.random() > NO_SITES else {"ions": "none"})


def random_layers(rng, number: int) -> list[dict]:
    """Tables of layers drawn at random; the first has sites, some have a barrier at their right interface."""
    layers = [random_layer(rng, first=i == 0, sites=i == 0) for i in range(number)]
    for left, right in pairwise(layers):
        if rng.random() < BARRED and "ions" not in left and "ions" not in right:
            left["interface_barrier"] = rng.uniform(0.4, 0.7)
    return layers


class LayeredEquations(Equations):
    """The discrete equations of a case whose film has layers."""

    def __init__(self, case):
        ions, layers, T = case.ions, case.device.film.layers, case.temperature
        self.kT, self.mean = K_EV * T, ions.density
        self.left, self.right = Electrode(case.device.left, T), Electrode(case.device.right, T)
        faces = np.concatenate(([0.0], *(
            sum(layer.thickness for layer in layers[:m])
            + model.grid_faces(layers[m].thickness, layers[m].cells, layers[m].grading)[1:]
            for m in range(len(layers))
        )))  # fmt: skip
        self.case, self.layers, self.h = case, layers, np.diff(faces)
        self.of_cell = np.repeat(np.arange(len(layers)), [layer.cells for layer in layers])
        self.d = np.stack((np.append(0.0, 0.5 * self.h), np.append(0.5 * self.h, 0.0)))  # halves beside each face
        x, L = 0.5 * (faces[1:] + faces[:-1]), faces[-1]
        W = np.array([layer.site_energy for layer in layers])[self.of_cell]
        W = W - ions.well_left * np.exp(-((x / ions.well_width) ** 2))
        self.rise = np.diff(W - ions.well_right * np.exp(-(((L - x) / ions.well_width) ** 2)))
        self.offset = layers[-1].band_offset
        of_ions = {"site_density", "activation_energy", "prefactor", "hop_distance"}
        own = [{key: getattr(layer, key) or getattr(ions, key) for key in of_ions} for layer in layers]
        self.hops = [keys | {"D0": keys["prefactor"] * np.exp(-keys["activation_energy"] / self.kT)} for keys in own]
        self.n = np.array([
            0.0 if layer.ions == "none" else keys["site_density"] for layer, keys in zip(layers, own, strict=True)
        ])  # fmt: skip

    def start(self):
        """Concentrations (N,) [1/m3] that the case begins with."""
        return np.where(self.n[self.of_cell] > 0.0, self.case.ions.density, 0.0)

    def fields(self, c, D_left):
        """Displacement (N+1,) at the faces, and the field on both sides of each (2, N+1)."""
        return self.fields_of(self.case.ions.charge * c, D_left)

    def fields_of(self, charge, D_left):
        """As `fields`, of charges (N,) [elementary charges per m3] beside the fixed ones."""
        fixed = np.array([layer.fixed_charge for layer in self.layers])[self.of_cell]
        D = D_left + np.append(0.0, np.cumsum(E_CHARGE * (charge + fixed) * self.h))
        beside = np.stack((np.append(0, self.of_cell), np.append(self.of_cell, len(self.layers) - 1)))
        E = np.zeros((2, D.size))
        for m, layer in enumerate(self.layers):
            for side in range(2):
                here = beside[side] == m
                E[side, here] = field(layer.permittivity, D[here])
        return D, E

    def unclosed(self, c, D_left, u_left, u_right, V):
        D, E = self.fields(c, D_left)
        missing = self.left.edge + u_left - V + (E * self.d).sum() + self.offset - self.right.edge - u_right
        return missing, D[-1], E

    def own_acceleration(self, E, m: int):
        """g(E) of layer m."""
        ions, keys = self.case.ions, self.hops[m]
        changed = ions.model_copy(update={key: keys[key] for key in ("hop_distance", "activation_energy")})
        before, self.D0 = self.case, keys["D0"]
        self.case = before.model_copy(update={"ions": changed})
        g = self.acceleration(E)
        self.case = before
        return g

    def rates(self, c, E, rise=None):
        ions, (left, right), inner = self.case.ions, (self.of_cell[:-1], self.of_cell[1:]), slice(1, -1)
        d = -ions.charge * E[:, inner] * self.d[:, inner] / self.kT
        w = (self.rise if rise is None else rise) / self.kT
        along = np.where(left == right, w, 0.0)  # inside a layer the site energy is straight between two centres
        d, w = d + along * self.d[:, inner] / self.d[:, inner].sum(axis=0), w - along
        R = np.zeros_like(d)
        for side, layer in enumerate((left, right)):
            for m in range(len(self.layers)):
                here = (layer == m) & (self.n[m] > 0.0)
                g = self.own_acceleration(E[side, inner][here], m)
                R[side, here] = (
                    self.d[side, inner][here] * expm1_ratio(d[side, here]) / (self.n[m] * self.hops[m]["D0"] * g)
                )
        through = R[0] + R[1] * np.exp(d[0] + w) + self.barriers(d[0] + 0.5 * w)
        open_ = (self.n[left] > 0.0) & (self.n[right] > 0.0)
        n = np.where(self.n > 0.0, self.n, 1.0)
        theta = c / n[self.of_cell]
        ahead, back = theta[:-1] * (1.0 - theta[1:]), theta[1:] * (1.0 - theta[:-1])
        J = np.where(open_, (ahead - back * np.exp(d.sum(axis=0) + w)) / np.where(open_, through, 1.0), 0.0)
        return (np.append(0.0, J) - np.append(J, 0.0)) / self.h

    def barriers(self, height):
        """Resistance of the barriers of interfaces at the inner faces (N-1,)."""
        R = np.zeros(height.size)
        for m, left in enumerate(self.layers[:-1]):
            if left.interface_barrier is None:
                continue
            f = np.flatnonzero(np.diff(self.of_cell))[m]
            one, two = self.hops[m], self.hops[m + 1]
            a, n = np.sqrt(one["hop_distance"] * two["hop_distance"]), np.sqrt(self.n[m] * self.n[m + 1])
            D = np.sqrt(one["prefactor"] * two["prefactor"]) * np.exp(-left.interface_barrier / self.kT)
            R[f] = a / (n * D) * np.exp(height[f])
        return R


class LayeredElectronEquations(ElectronEquations, LayeredEquations):
    """The same with electrons in the film: pieces of w are halves of cells, whose fields share the step of the band."""

    def __init__(self, case):
        super().__init__(case)
        given = case.device.states_of_layers(case.temperature)
        self.states = np.array(given)[self.of_cell]
        self.per_states = given[0] / np.array(given)
        offsets = np.array([layer.band_offset for layer in self.layers])
        self.beside = np.stack((np.append(0, self.of_cell), np.append(self.of_cell, len(self.layers) - 1)))
        self.steps = np.diff(offsets[self.beside], axis=0)[0]

    def halves(self, U, ends):
        """Rises [eV] of the band over the left and the right half beside each face (2, N+1), from the band alone."""
        rise = np.diff(np.concatenate(([ends[0]], U, [ends[1]]))) - self.steps
        share = self.d / self.d.sum(axis=0) * rise
        for f in np.flatnonzero(self.beside[0] != self.beside[1]):
            laws = [self.layers[m].permittivity for m in self.beside[:, f]]

            def excess(D, f=f, laws=laws):
                return sum(self.d[side, f] * field(laws[side], np.array([D]))[0] for side in range(2)) - rise[f]

            D = brentq(excess, -2.0, 2.0, xtol=1e-15, rtol=1e-14)
            share[:, f] = [self.d[side, f] * field(laws[side], np.array([D]))[0] for side in range(2)]
        return share

    def shares(self, U, ends):
        whole, halves = np.concatenate(([ends[0]], U, [ends[1]])) / self.kT, self.halves(U, ends) / self.kT
        starts = np.stack((whole[:-1], whole[1:] - halves[1]))
        top, step = np.maximum(starts, starts + halves), np.abs(halves) + 1e-30
        per_states = self.per_states[self.beside]
        integral = (self.d * per_states * np.exp(top - top.max()) * -np.expm1(-step) / step).sum(axis=0)
        left, right = np.cumsum(integral), np.cumsum(integral[::-1])[::-1]
        return left[:-1] / left[-1], right[1:] / right[0]

    def missing(self, c, U, D_left, u_left, u_right, V):
        ends = self.left.edge + u_left - V, self.right.edge + u_right
        D, E = self.fields_of(self.case.ions.charge * c - self.electrons(c, U, ends, V), D_left)
        band = np.diff(np.concatenate(([ends[0]], U, [ends[1]])))
        return band - (self.d * E).sum(axis=0) - self.steps, D[-1], E


class LayeredExchangeEquations(ExchangeEquations, LayeredEquations):
    """The same with electrodes that exchange vacancies with the layer beside them."""

    def __init__(self, case):
        super().__init__(case)
        for side, layer in (("left", self.layers[0]), ("right", self.layers[-1])):
            self.wall[side] += layer.site_energy
            self.centre[side] += layer.site_energy

    def beside(self, side):
        m = 0 if side == "left" else len(self.layers) - 1
        return self.n[m], 0.5 * self.h[0 if side == "left" else -1], self.layers[m].band_offset

    def hop_rate(self, side, E):
        m = 0 if side == "left" else len(self.layers) - 1
        return self.hops[m]["D0"] * float(self.own_acceleration(np.array([E]), m)[0])

    def ends(self, E):
        return E[1, 0], E[0, -1]


def expm1_ratio(d):
    """(e^d - 1)/d of an array."""
    small = np.abs(d) < 1e-12
    return np.where(small, 1.0, np.expm1(d) / np.where(small, 1.0, d))


def device(u: Shares, number: int):
    """A case with one column, no circuit and a film of two to five layers, in mild fields."""
    mild = {name: 0.6 * u.of[name] for name in ("field_1", "field_2", "charge_field")}
    plain = {"cells": 0.0, "columns": 0.0, "resistance": 0.0, "compliance": 0.0, "initial": 0.0, "film_law": 0.9}
    case, rng = parse_case(text(Shares(u.of | mild | plain), number)), np.random.default_rng(number)
    layers = random_layers(rng, int(rng.integers(2, 6)))
    ions = {"ions.site_density": 1e28, "ions.density": 10.0 ** rng.uniform(25.0, 26.5)}
    return case.replace({"device.film": {"layers": layers}} | ions)


def holds(case, u: Shares):
    """Voltages [V] and durations [s] of two holds, long enough that some vacancies cross a part of the film."""
    equations = LayeredEquations(case)
    for part, share in zip(case.drive.parts[:2], ("time_1", "time_2"), strict=True):
        c, V = equations.start(), part.voltage
        rate = np.abs(equations.rates(c, equations.fields(c, equations.settled(c, V)[0])[1])).max() / equations.mean
        yield V, u.decades(share, 0.1, 100.0) / rate


def compare(u: Shares, number: int) -> Compared:
    """Integrate a device by both codes and compare them at the end of both holds."""
    case = device(u, number)
    return compared(case, LayeredEquations(case), *zip(*holds(case, u), strict=True))


def compare_with_electrons(u: Shares, number: int, level: str | None = None) -> Compared:
    """As `compare`, with electrons of a density of states of its own in each layer. level : of those that vacancies hold"""
    case, rng = device(u, number), np.random.default_rng([number, 1])
    layers = [
        layer | {"density_of_states": 10.0 ** rng.uniform(24.5, 26.5)}
        for layer in case.plain()["device"]["film"]["layers"]
    ]
    case = case.replace({"device.film": {"layers": layers, "electrons": "balance"}})
    case = case if level is None else case.replace("ions.ionisation_energy", level)
    return compared(case, LayeredElectronEquations(case), *zip(*holds(case, u), strict=True))


def compare_with_exchange(u: Shares, number: int) -> Compared:
    """As `compare`, with one electrode or both that exchange vacancies, and sites in the layers beside them."""
    thin = {f"{side}_screening": 0.5 + 0.05 * u.of[f"{side}_screening"] for side in ("left", "right")}
    case = device(Shares(u.of | thin), number)
    layers = case.plain()["device"]["film"]["layers"]
    layers[-1].pop("ions", None)
    if "interface_barrier" in layers[-1]:
        layers[-1].pop("interface_barrier")
    case = case.replace({"device.film": {"layers": layers}})
    planned = list(holds(case, u))
    given = agreement_exchange.exchanging(case, u, planned[0][1], LayeredExchangeEquations(case))
    return compared(given, LayeredExchangeEquations(given), *zip(*planned, strict=True))

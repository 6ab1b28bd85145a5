"""Exact Monte Carlo of ions that hop between the cells of a film between two metals: its own equations, no kernel of otjdd.

Cells of equal width in a linear dielectric, a law of hops without acceleration, no electrons. Every hop is drawn by itself.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

CHARGE, VACUUM, BOLTZMANN = 1.602176634e-19, 8.8541878128e-12, 8.617333262e-5  # C, F/m, eV/K

CASE = """
title = "wells at both ends of a film"
temperature = "{temperature} K"
[device]
radius = "10 nm"
left = {{ kind = "metal", barrier = "0.8 eV" }}
right = {{ kind = "metal", barrier = "0.8 eV" }}
[device.film]
thickness = "{thickness} nm"
cells = {cells}
grading = 1
permittivity = {{ law = "linear", eps_r = {eps_r} }}
tunnelling_mass = 0.5
[ions]
charge = {charge}
site_density = "{sites} 1/m^3"
density = "{density} 1/m^3"
law = "linear"
activation_energy = "{activation} eV"
prefactor = "{prefactor} m^2/s"
well_left = "{well} eV"
well_right = "{well} eV"
well_width = "{well_width} nm"
[drive]
kind = "hold"
voltage = "0 V"
duration = "1 s"
"""


class Film(NamedTuple):
    """A film and its ions, in the units of its case: nm, eV, 1/m3, m2/s, K."""

    thickness: float = 3.0
    cells: int = 10
    eps_r: float = 30.0
    charge: int = 1
    density: float = 1e26
    sites: float = 1e28
    activation: float = 0.5
    prefactor: float = 1e-7
    well: float = 0.3
    well_width: float = 0.3
    temperature: float = 300.0

    def text(self) -> str:
        """The text of its case."""
        return CASE.format(**self._asdict())

    def area(self, ions: float) -> float:
        """Area [m2] that holds a number of ions."""
        return ions / (self.density * self.thickness * 1e-9)

    def sites_of_cell(self, ions: float) -> float:
        """Sites of a cell of the film that holds a number of ions."""
        return self.sites * self.area(ions) * self.thickness * 1e-9 / self.cells


def site_energy(film: Film) -> np.ndarray:
    """Energy (N,) [eV] of the sites of the cells."""
    x = (np.arange(film.cells) + 0.5) * film.thickness / film.cells
    wells: np.ndarray = np.exp(-((x / film.well_width) ** 2)) + np.exp(-(((film.thickness - x) / film.well_width) ** 2))
    return -film.well * wells


@numba.njit
def hop(n, rates, chosen):
    """Let the ion hop whose rate a share of their sum falls to.

    n : (N,) ions of the cells   rates : (2, N) [1/s] to the right and to the left through faces   chosen : the share [1/s]
    """
    for f in range(n.size - 1, 0, -1):
        chosen -= rates[0, f]
        if chosen < 0.0:
            n[f - 1] -= 1
            n[f] += 1
            break
        chosen -= rates[1, f]
        if chosen < 0.0:
            n[f - 1] += 1
            n[f] -= 1
            break


@numba.njit
def follow(W, per_ion, drop, attempts, sites, n, times, counts, rng):
    """Fill counts (T, N) with the ions in the cells at times (T,) [s], from n (N,).

    W : (N,) energy of the sites over kT   per_ion : energy e z E h of a hop in the field of an ion behind it, over kT
    drop : energy e z V over kT   attempts : hops over a face without a field [1/s]
    """
    N, t, row = n.size, 0.0, 0
    rates = np.zeros((2, N))
    while row < times.size:
        behind, moment = 0.0, 0.0
        # sum of the ions behind the faces, the last of which is half as long as the others
        for f in range(N - 1, -1, -1):
            behind += n[f]
            moment += behind * (1.0 if f > 0 else 0.5)
        mean = (drop + per_ion * moment) / N
        total, behind = 0.0, 0.0
        for f in range(N - 1, 0, -1):
            behind += n[f]
            d = W[f] - W[f - 1] - (mean - per_ion * behind)
            forth = attempts * (1.0 - 0.5 * d if abs(d) < 1e-6 else d / math.expm1(d))
            back = forth * math.exp(d)
            rates[0, f] = forth * n[f - 1] * max(1.0 - n[f] / sites, 0.0)
            rates[1, f] = back * n[f] * max(1.0 - n[f - 1] / sites, 0.0)
            total += rates[0, f] + rates[1, f]
        t -= math.log(1.0 - rng.random()) / total
        while row < times.size and times[row] < t:
            counts[row] = n
            row += 1
        chosen = rng.random() * total
        hop(n, rates, chosen)


def exact_counts(film: Film, start: np.ndarray, voltage: float, times: np.ndarray, seed: int) -> np.ndarray:
    """Ions (T, N) in the cells at times (T,) [s] of a film at a voltage [V], from start (N,) on."""
    kT, h, ions = BOLTZMANN * film.temperature, film.thickness * 1e-9 / film.cells, start.sum()
    per_ion = film.charge**2 * CHARGE * h / (film.eps_r * VACUUM * film.area(ions) * kT)
    attempts = film.prefactor * math.exp(-film.activation / kT) / h**2
    counts, W, rng = np.zeros((len(times), film.cells)), site_energy(film) / kT, np.random.default_rng(seed)
    drop, sites = film.charge * voltage / kT, film.sites_of_cell(ions)
    follow(W, per_ion, drop, attempts, sites, start.astype(float), times, counts, rng)
    return counts


def set_times(counts: np.ndarray, times: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Times (R,) [s] at which the mean position of ions, counts (R, T, N), first exceeds a share of the film."""
    N = counts.shape[2]
    lines = counts @ ((np.arange(N) + 0.5) / N) / counts[0, 0].sum()
    found = np.full(len(lines), times[-1])
    for row, line in enumerate(lines):
        i = int(np.argmax(line > threshold))
        if i > 0:
            share = (threshold - line[i - 1]) / (line[i] - line[i - 1])
            found[row] = times[i - 1] + share * (times[i] - times[i - 1])
    return found

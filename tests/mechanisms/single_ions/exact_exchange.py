"""Exact Monte Carlo of a film without field beside an electrode that exchanges ions: its own equations, no kernel."""

import math
from typing import NamedTuple

import numba
import numpy as np

BOLTZMANN = 8.617333262e-5  # eV/K

CASE = """
title = "a film without field that takes ions from its left electrode"
temperature = "300 K"
[device]
radius = "10 nm"
right = {{ kind = "metal", barrier = "0.8 eV" }}
[device.left]
kind = "metal"
barrier = "0.8 eV"
exchange = {{ rate = "{rate} m/s", equilibrium_density = "{level} 1/m^3"{reservoir} }}
[device.film]
thickness = "{thickness} nm"
cells = {cells}
grading = 1
permittivity = {{ law = "linear", eps_r = 1e6 }}
tunnelling_mass = 0.5
[ions]
charge = 1
site_density = "1e27 1/m^3"
density = "{density} 1/m^3"
law = "linear"
activation_energy = "0.5 eV"
prefactor = "1e-7 m^2/s"
[drive]
kind = "hold"
voltage = "0 V"
duration = "1 s"
[columns]
count = {columns}
spread = {{}}
"""


class Uptake(NamedTuple):
    """A film of cells of equal width, of as many sites each, with as many ions in each at first."""

    ratio: float = 1.0  # rate of the exchange over D/thickness
    start: int = 5  # ions of a cell
    share: float = 0.3  # of the sites that hold an ion at rest
    sites: int = 40  # of a cell
    cells: int = 8
    thickness: float = 2.0  # nm
    reservoir: float = math.inf  # oxygen sites, half of them filled at first
    columns: int = 1

    @property
    def diffusivity(self) -> float:
        """D [m2/s]."""
        return 1e-7 * math.exp(-0.5 / (BOLTZMANN * 300.0))

    @property
    def width(self) -> float:
        """Width of a cell [m]."""
        return self.thickness * 1e-9 / self.cells

    @property
    def rate(self) -> float:
        """Rate of the exchange [m/s]."""
        return self.ratio * self.diffusivity / (self.width * self.cells)

    @property
    def area(self) -> float:
        """Area [m2] whose cells have so many sites."""
        return self.sites / (1e27 * self.width)

    @property
    def time(self) -> float:
        """Time [s] in which the film comes to rest, about."""
        L = self.width * self.cells
        return L / self.rate + L * L / self.diffusivity

    def text(self) -> str:
        """The text of its case."""
        finite = math.isfinite(self.reservoir)
        given = f', capacity = "{self.reservoir / self.area} 1/m^2"' if finite else ""
        density = 1e27 * self.start / self.sites
        numbers = self._asdict() | {"level": 1e27 * self.share, "density": density, "rate": self.rate}
        return CASE.format(**(numbers | {"reservoir": given}))


@numba.njit
def follow(hop, wall, half, share, sites, reservoir, n, times, counts, rng):
    """Fill counts (T, N) with the ions in the cells at times (T,) [s], from n (N,).

    hop : over a face [1/s]   wall, half : of the exchange, and through the half cell beside it, over its width [1/s]
    """
    N, t, row, first = n.size, 0.0, 0, n.sum()
    while row < times.size:
        filled = 0.5 + (n.sum() - first) / reservoir
        gain, loss = wall * share * 2.0 * (1.0 - filled), wall * (1.0 - share) * 2.0 * filled
        into = half * gain / (half + gain + loss) * (sites - n[0])
        out = half * loss / (half + gain + loss) * n[0]
        total = into + out
        for f in range(1, N):
            total += hop * (n[f - 1] * (1.0 - n[f] / sites) + n[f] * (1.0 - n[f - 1] / sites))
        t -= math.log(1.0 - rng.random()) / total
        while row < times.size and times[row] < t:
            counts[row] = n
            row += 1
        chosen = rng.random() * total - into
        if chosen < 0.0:
            n[0] += 1
            continue
        chosen -= out
        if chosen < 0.0:
            n[0] -= 1
            continue
        for f in range(1, N):
            chosen -= hop * n[f - 1] * (1.0 - n[f] / sites)
            if chosen < 0.0:
                n[f - 1] -= 1
                n[f] += 1
                break
            chosen -= hop * n[f] * (1.0 - n[f - 1] / sites)
            if chosen < 0.0:
                n[f - 1] += 1
                n[f] -= 1
                break


def exact_uptake(film: Uptake, times: np.ndarray, runs: int, seed: int) -> np.ndarray:
    """Ions (runs, T, N) in the cells of a film at times (T,) [s]."""
    counts, rng = np.zeros((runs, len(times), film.cells)), np.random.default_rng(seed)
    hop, wall = film.diffusivity / film.width**2, film.rate / film.width
    for run in counts:
        start = np.full(film.cells, float(film.start))
        follow(hop, wall, 2.0 * hop, film.share, film.sites, film.reservoir, start, times, run, rng)
    return counts

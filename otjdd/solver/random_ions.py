"""Ions that hop at random: the areas of their columns, the numbers of a seed, and what a run starts from.

A film is made with its vacancies on random sites: where it starts uniform, from a profile or with a history, each site
holds one with the probability c/c_max, and so the number of a device is random too. In equilibrium the number is drawn so,
and the profile is that of equilibrium. A result has its ions.
"""

from __future__ import annotations

import numpy as np

from otjdd.case.case import Case
from otjdd.case.device import FromResult
from otjdd.case.kinds import FEWEST, column_area, covered_by, kinds_of
from otjdd.physics.junction import Junction
from otjdd.solver.model import Member
from otjdd.solver.start import Start
from otjdd.stepping.drawn_hops import Noise, new_noise, whole_ions

MOST_SITES = 2**62  # of a cell, in a draw
ROUND_OFF = 1e-9  # of the number of ions of a column
MOST_SHIFT = 40.0  # kT, of the chemical potential of ions whose number is drawn


def noise_of(case: Case, parts: list[Member], stream: int = 0) -> Noise | None:
    """The noise of a run of a case, at its beginning; None where the ions are a density.

    stream : of numbers; runs of one case that follow each other have their own
    """
    if case.ions.noise == "none":
        return None
    kinds = kinds_of(case)
    covered = covered_by(kinds)
    area = [column_area(kinds[part.kind].device, part.weight * covered) for part in parts]
    return new_noise(np.array(area), case.ions.seed, case.device.film.cells, stream, case.numerics.largest_leap)


def drawn(case: Case, junction: Junction, parts: list[Member], start: Start) -> Start:
    """A start with ions on random sites, and the smooth concentrations around which they are drawn.

    The start itself where the ions are a density. A result with single ions has both, for columns of its area. Raises
    ValueError for a column with less than one ion.
    """
    noise = noise_of(case, parts)
    if noise is None:
        return start
    mean, alike = start.c, start.smooth is not None
    width, smooth = junction.columns.width, mean.copy()
    numbers = (mean * width).sum(axis=1) * noise.area
    if not (fewest := numbers.min()) >= FEWEST:  # a profile or a result has them
        where = f"column {numbers.argmin() + 1} of {len(numbers)}"
        raise ValueError(f"ions.noise: {fewest:.2g} ions in {where}, where single ions take {FEWEST:g} at least")
    ions = whole_ions(mean, width, noise.area)
    for k, area in enumerate(noise.area):
        sites = junction.columns.sites[k]
        full = np.divide(mean[k], sites, out=np.zeros_like(sites), where=sites > 0.0)
        rng = np.random.Generator(np.random.PCG64(seed_of_column(case.ions.seed, k)))
        if not isinstance(case.ions.initial, FromResult):
            whole = np.minimum(np.floor(sites * width[k] * area), MOST_SITES).astype(np.int64)
            ions[k] = at_least_one(rng, whole, full)
        if abs(ions[k].sum() - numbers[k]) > ROUND_OFF * numbers[k]:
            smooth[k], alike = holding(full, sites, width[k], ions[k].sum() / area), False
    c = ions / (width * noise.area[:, None])
    return start._replace(c=c) if alike else start._replace(c=c, smooth=smooth, smooth_passed=None)


def holding(full: np.ndarray, sites: np.ndarray, width: np.ndarray, number: float) -> np.ndarray:
    """Concentrations (N,) like full sites (N,) [1/m3] whose ions are a number per area [1/m2].

    full : (N,) share of the sites. The chemical potential is shifted as a whole: a factor would put more ions into cells
    than they have sites.
    """
    low, high = -MOST_SHIFT, MOST_SHIFT
    while low < (shift := 0.5 * (low + high)) < high:
        more = full * np.exp(shift)
        shifted: np.ndarray = sites * (more / (1.0 - full + more))
        low, high = (shift, high) if shifted @ width < number else (low, shift)
    return shifted


def at_least_one(rng: np.random.Generator, sites: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Numbers (N,) of occupied sites of cells, one or more in all."""
    while True:
        counts: np.ndarray = rng.binomial(sites, np.clip(chance, 0.0, 1.0))
        if counts.any():
            return counts


def seed_of_column(seed: int, k: int) -> np.random.SeedSequence:
    """Seed of column k. numpy fills a short sequence with zeros: [5, 1, 0], of the seed 2^32 + 5, would be [5, 1]."""
    if seed < 2**32:
        return np.random.SeedSequence([seed, k])
    return np.random.SeedSequence(seed, spawn_key=(k,))

"""What a channel of conduction returns, and what a leak sees of a column."""

from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import kernel

NO_SLOPES, FEW_ENERGIES, ALL_ENERGIES = range(3)  # slopes that are asked for: none, those for a tangent, exact ones


class Conductance(NamedTuple):
    """Chord conductance of a column by one channel or by all, and its logarithmic slopes, 0 where not asked for."""

    converged: bool
    chord: float  # S, G = I/V_j
    by_V: float  # 1/V, d ln G/dV_j
    by_D: float  # m2/C, d ln G/dD(L), all D_f moving alike
    by_P: float  # m2/C, d ln G/dP
    by_S: np.ndarray  # (N+1,) m2, d ln G/dS_f


class FilmBand(NamedTuple):
    """Band of the film in pieces: parabolas with their own values at both ends, so the band may jump between pieces."""

    length: np.ndarray  # (S,) m
    left: np.ndarray  # (S,) eV above the Fermi level of the right electrode, of the straight part
    right: np.ndarray  # (S,) eV
    curve: np.ndarray  # (S,) eV, added at both ends, half of it taken away in the middle


@kernel
def sum_of(a: Conductance, b: Conductance) -> Conductance:
    """Conductance of two channels in parallel: the slopes of ln G are means by the shares in it."""
    chord = a.chord + b.chord
    share = b.chord / chord if chord > 0.0 else 0.0
    rest = 1.0 - share
    return Conductance(
        a.converged and b.converged,
        chord,
        rest * a.by_V + share * b.by_V,
        rest * a.by_D + share * b.by_D,
        rest * a.by_P + share * b.by_P,
        rest * a.by_S + share * b.by_S,
    )

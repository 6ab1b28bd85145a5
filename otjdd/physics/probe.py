"""What is read off a settled junction: how its current is carried, and how far film electrons may be neglected."""

import math

import numpy as np

from otjdd.physics.fermi_dirac import fermi_dirac_half
from otjdd.physics.jit import apart
from otjdd.physics.junction import column_spectrum
from otjdd.physics.numerics import add_up


@apart
def transport(junction, state):
    """Conductance I/V [S] of the settled junction, tunnelling share [1], mean transport energy [eV], convergence.

    Tunnelling is what passes below the top of a column's own barrier, the rest is thermionic. The energy is the mean of
    the current, counted from the Fermi level of the electrode that emits: right for V > 0, left for V < 0.
    """
    V, none = state.V[0], np.empty(0)
    total, below, moment = 0.0, 0.0, 0.0
    for k in range(state.c.shape[0]):
        result, profile, _ = column_spectrum(junction, k, state.D_left[k], state.D_right[k], V, state.E[k], none)
        if not result.error <= junction.energy_tolerance * result.chord and result.chord != 0.0:
            return math.nan, math.nan, math.nan, False
        top = -math.inf
        for s in range(profile.length.size):
            top = max(top, max(profile.left[s], profile.right[s]))
        weight = junction.columns.weight[k] * junction.supply
        for i in range(result.energy.size):
            share = weight * result.weight[i]
            total += share
            moment += share * (result.energy[i] - max(0.0, -V))
            if result.energy[i] < top:
                below += share
    if total == 0.0:
        return 0.0, math.nan, math.nan, True
    return total, below / total, moment / total, True


@apart
def film_electron_ratio(c, band, kT, density_of_states, z):
    """Largest ratio of the electrons that the film would hold at a place, in equilibrium with the right electrode, to the
    mean vacancy charge of the column. The model has no film electrons: where this nears 1, it is in doubt.

    c, band : (K, N) concentrations [1/m3] and conduction band [eV] above the Fermi level of the right electrode
    """
    largest = 0.0
    for k in range(c.shape[0]):
        mean = add_up(c[k]) / c.shape[1]
        for i in range(c.shape[1]):
            largest = max(largest, density_of_states * fermi_dirac_half(-band[k, i] / kT) / (z * mean))
    return largest

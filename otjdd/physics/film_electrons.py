"""Electrons in the film. The model has none; this says how far that holds."""

import numpy as np

from otjdd.physics.fermi_dirac import fermi_dirac_half
from otjdd.physics.jit import apart
from otjdd.physics.numerics import add_up


@apart
def film_electron_ratio(c: np.ndarray, band: np.ndarray, kT: float, density_of_states: float, z: int) -> float:
    """Largest ratio, over all places, of electrons in equilibrium with the right electrode to the mean vacancy charge.

    c, band : (K, N) concentrations [1/m3] and conduction band [eV] above the Fermi level of the right electrode
    kT : [eV]   density_of_states : N_c [1/m3] of the film   z : charge number of the vacancies
    The model leaves out the charge of electrons in the film: where the ratio comes near 1, it is in doubt.
    """
    largest = 0.0
    for k in range(c.shape[0]):
        mean = add_up(c[k]) / c.shape[1]
        for i in range(c.shape[1]):
            largest = max(largest, density_of_states * fermi_dirac_half(-band[k, i] / kT) / (z * mean))
    return largest

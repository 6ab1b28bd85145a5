"""Transport of electrons at a settled state: conductance, tunnelling share and mean energy of the current."""

import math

import numpy as np

from otjdd.compiler.decorators import apart
from otjdd.physics.conduction import column_spectrum, conductance, converged
from otjdd.physics.current import barrier_top
from otjdd.physics.junction import Junction
from otjdd.physics.state import State


@apart
def transport(junction: Junction, state: State):
    """Conductance I/V [S] of the settled junction, its relative error by levels too narrow to resolve, tunnelling share
    [1], mean transport energy [eV], convergence.

    The current below the top of a column's own barrier is tunnelling, the rest thermionic. The energy is the mean of the
    current, counted from the Fermi level of the electrode that emits: right for V > 0, left for V < 0. Fills state.G.
    """
    V, none = state.V[0], np.empty(0)
    total, unseen, below, moment = 0.0, 0.0, 0.0, 0.0
    for k in range(state.c.shape[0]):
        result, profile, _ = column_spectrum(junction, state, k, none, True)
        if not converged(junction, result):
            return math.nan, math.nan, math.nan, math.nan, False
        state.G[k] = conductance(junction, k, result)
        top = barrier_top(profile)
        weight = junction.columns.weight[k] * junction.columns.supply[k]
        unseen += weight * result.unseen
        for i in range(result.energy.size):
            share = weight * result.weight[i]
            total += share
            moment += share * (result.energy[i] - max(0.0, -V))
            if result.energy[i] < top:
                below += share
    if total == 0.0:
        return 0.0, 0.0, math.nan, math.nan, True
    return total, unseen / total, below / total, moment / total, True

"""Transport of electrons at a settled state: conductance of each channel, tunnelling share, mean energy of the current."""

import math

import numpy as np

from otjdd.compiler.decorators import apart
from otjdd.physics.channels.coherent import column_spectrum, conductance, converged
from otjdd.physics.channels.conductance import NO_SLOPES
from otjdd.physics.channels.table import beside_coherent
from otjdd.physics.current import barrier_top
from otjdd.physics.junction import Junction
from otjdd.physics.state import State


@apart
def transport(junction: Junction, state: State, present: np.ndarray, by_channel: np.ndarray):
    """Conductance I/V [S] of the settled junction, its relative error by levels too narrow to resolve, tunnelling share
    [1], mean transport energy [eV], convergence.

    Only the coherent channel knows the energies of its electrons: share and mean energy are those of its current. What
    passes below the top of a column's own barrier is tunnelling, the rest thermionic. The energy is counted from the Fermi
    level of the electrode that emits: right for V > 0, left for V < 0. Fills state.G, present (K C,) with the
    conductances [S] of the channels of each column, and by_channel (C,) with the conductances of the channels, whose sum is
    that of the junction. Traps whose filling takes time, as it was settled, count with their current over V_j, which is in
    by_channel alone.
    """
    V, none = state.V[0], np.empty(0)
    coherent, unseen, below, moment = 0.0, 0.0, 0.0, 0.0
    for channel in range(by_channel.size):
        by_channel[channel] = 0.0
    for k in range(state.c.shape[0]):
        result, profile, _ = column_spectrum(junction, state, k, none, True)
        if not converged(junction, result):
            return math.nan, math.nan, math.nan, math.nan, False
        present[k * by_channel.size] = conductance(junction, state, k, result)
        state.G[k] = present[k * by_channel.size]
        top = barrier_top(profile)
        weight = junction.columns.weight[k] * state.supply[k]
        unseen += weight * result.unseen
        for i in range(result.energy.size):
            share = weight * result.weight[i]
            coherent += share
            moment += share * (result.energy[i] - max(0.0, -V))
            if result.energy[i] < top:
                below += share
        for channel in range(1, by_channel.size):
            beside = beside_coherent(junction, state, k, channel, NO_SLOPES)
            if not beside.converged:
                return math.nan, math.nan, math.nan, math.nan, False
            by_channel[channel] += beside.chord
            present[k * by_channel.size + channel] = beside.chord
            state.G[k] += beside.chord
            if channel < state.traps.current.shape[1] and V != 0.0:  # a current that is no conductance
                by_channel[channel] += state.traps.current[k, channel] / V
    by_channel[0] = coherent
    total = coherent
    for channel in range(1, by_channel.size):
        total += by_channel[channel]
    if total == 0.0:
        return 0.0, 0.0, math.nan, math.nan, True
    if coherent == 0.0:
        return total, 0.0, math.nan, math.nan, True
    return total, unseen / total, below / coherent, moment / coherent, True

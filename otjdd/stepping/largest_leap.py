"""The bound on a leap: how much the hops that are drawn together, those of one step, may change.

Hops are drawn at the rates of one state, the end of the step. So that these hold through it, the ions that pass a face in a
step are at most a share of those of the column in their mean, and the hops in their standard deviation; one ion and one hop
are always allowed, as an exact Monte Carlo makes no fewer. Hops that are in balance with those back do not count: ions of a
well go back and forth many times in any step. Both are known from the smooth step before anything is drawn. A step refused
for what was drawn would favour leaps that changed little.

Cao, Gillespie and Petzold, J. Chem. Phys. 124, 044109 (2006), with the partial equilibrium of Cao, Gillespie and Petzold,
J. Chem. Phys. 126, 224101 (2007); there the share is that of each species, here of the column: against an exact Monte Carlo
the share of each cell did not help, and took two to three times as many steps.
"""

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.physics.bound_electrons import fluxes_of
from otjdd.physics.ions import G
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import dot
from otjdd.physics.state import State
from otjdd.stepping.hop_noise import one_way
from otjdd.stepping.rosenbrock import Trial

BALANCED = 0.05  # net hops over those of the rarer direction, up to which a face is in partial equilibrium


@bare
def most_passed(width: np.ndarray, old: np.ndarray, new: np.ndarray) -> float:
    """Most ions [1/m2] that passed a face between two concentrations (N,) [1/m3] of a column."""
    passed, most = 0.0, 0.0
    for i in range(old.size):
        passed += (new[i] - old[i]) * width[i]
        most = max(most, abs(passed))
    return most


@bare
def unbalanced_hops(junction: Junction, trial: Trial, k: int) -> float:
    """Hops [1/(m2 s)] both ways over the faces of column k at trial.state that those back do not balance."""
    columns, c, factors = junction.columns, trial.state.c[k], trial.work.factors
    fluxes_of(junction, trial.state, k, factors, trial.work.J[k])
    total = 0.0
    for f in range(1, c.size):
        rate = columns.diffusivity[k, f] / columns.distance[k, f] * factors[G, f]
        forth, back = one_way(factors, rate, f, c, junction.ions[k].c_max)
        if abs(forth - back) > BALANCED * min(forth, back):
            total += forth + back
    return total


@detached
def leap_size(junction: Junction, old: State, trial: Trial, step: float) -> float:
    """What a smooth step [s] from an old state to trial.state changes, over the most that a leap may: the worst column."""
    noise, worst = trial.noise, 0.0
    for k in range(noise.area.size):
        width, area = junction.columns.width[k], noise.area[k]
        most = max(noise.largest * area * dot(old.c[k], width), 1.0)
        mean = area * most_passed(width, old.c[k], trial.state.c[k])
        variance = area * step * unbalanced_hops(junction, trial, k)
        worst = max(worst, mean / most, variance / most**2)
    return worst

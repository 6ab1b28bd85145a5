"""The bound on a leap: how much the hops that are drawn together, those of one step, may change.

Hops are drawn at the rates of one state, the end of the step. So that these hold through it, the ions that pass a face in a
step are at most a share of those of the column in their mean, and the hops in their standard deviation; one ion and one hop
are always allowed, as an exact Monte Carlo makes no fewer. Hops that are in balance with those back do not count: ions of a
well go back and forth many times in any step. Both are known from the smooth step before anything is drawn. A step refused
for what was drawn would favour leaps that changed little.

Cao, Gillespie and Petzold, J. Chem. Phys. 124, 044109 (2006), with the partial equilibrium of Cao, Gillespie and Petzold,
J. Chem. Phys. 126, 224101 (2007); there the share is that of each species, here of the column: a share of each cell takes
two to three times as many steps for the same set times.
"""

from otjdd.compiler.decorators import bare, detached
from otjdd.physics.bound_electrons import fluxes_of
from otjdd.physics.ions import G
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import add_up, dot
from otjdd.physics.state import State
from otjdd.stepping.hop_noise import one_way
from otjdd.stepping.rosenbrock import Trial

# ions that pass a face over hops in the rarer direction, up to which it is in partial equilibrium: of the whole step, as
# fluxes at its end have the error of a density of few ions
BALANCED = 0.05


@bare
def changed(junction: Junction, old: State, trial: Trial, k: int, step: float):
    """What a smooth step [s] from an old state to trial.state changes in column k.

    Returns the most ions that pass a face, and the hops both ways over faces that those back do not balance [1/m2], each by
    the square of its length over that of a mean cell: by what it adds to the variance of the mean position.
    """
    columns, c, factors, c_max = junction.columns, trial.state.c[k], trial.work.factors, junction.ions[k].c_max
    fluxes_of(junction, trial.state, k, factors, trial.work.J[k])
    cell = add_up(columns.distance[k]) / c.size
    passed, most, hops = 0.0, 0.0, 0.0
    for f in range(c.size - 1, 0, -1):
        passed += (c[f] - old.c[k, f]) * columns.width[k, f]
        most = max(most, abs(passed))
        rate = step * columns.diffusivity[k, f] / columns.distance[k, f] * factors[G, f]
        forth, back = one_way(factors, rate, f, c, c_max)
        if abs(passed) > BALANCED * min(forth, back):
            hops += (forth + back) * (columns.distance[k, f] / cell) ** 2
    return most, hops


@detached
def leap_size(junction: Junction, old: State, trial: Trial, step: float) -> float:
    """What a smooth step [s] from an old state to trial.state changes, over the most that a leap may: the worst column."""
    noise, worst = trial.noise, 0.0
    for k in range(noise.area.size):
        area = noise.area[k]
        allowed = max(noise.largest * area * dot(old.c[k], junction.columns.width[k]), 1.0)
        most, hops = changed(junction, old, trial, k, step)
        worst = max(worst, area * most / allowed, area * hops / allowed**2)
    return worst

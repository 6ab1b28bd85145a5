"""The bound on a leap: how many ions of a column may pass a face in one step.

Ions of a step hop at the rates of one state, the end of the step. So that these hold through it, the ions that pass a face
are at most a share of those of the column, in their mean; one ion is always allowed: an exact Monte Carlo moves no fewer.
The mean is known from the smooth step before anything is drawn: a step refused for what was drawn would favour leaps that
changed little. Hops that go back and forth do not count: ions near rest make many in any step, and they feel each other
within it (`hop_noise`).

Cao, Gillespie and Petzold, J. Chem. Phys. 124, 044109 (2006); there the share is that of each species, here of the column.
"""

from otjdd.compiler.decorators import bare, deferred_detached
from otjdd.physics.junction import Junction
from otjdd.physics.numerics import dot
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State
from otjdd.stepping.rosenbrock import Trial


@bare
def most_passed(junction: Junction, old: State, new: State, k: int) -> float:
    """Most ions that pass a face of column k between two states [1/m2]."""
    passed, at_left = new.passed[k, AT_RIGHT] - old.passed[k, AT_RIGHT], new.passed[k, AT_LEFT] - old.passed[k, AT_LEFT]
    most = max(abs(passed), abs(at_left))
    for f in range(new.c.shape[1] - 1, 0, -1):
        passed += (new.c[k, f] - old.c[k, f]) * junction.columns.width[k, f]
        most = max(most, abs(passed))
    return most


@deferred_detached
def leap_size(junction: Junction, old: State, trial: Trial) -> float:
    """What a smooth step from an old state to trial.state changes, over the most that a leap may: the worst column."""
    noise, worst = trial.noise, 0.0
    for k in range(noise.area.size):
        allowed = max(noise.largest * noise.area[k] * dot(old.c[k], junction.columns.width[k]), 1.0)
        worst = max(worst, noise.area[k] * most_passed(junction, old, trial.state, k) / allowed)
    return worst

"""What mechanisms add to a settled state: what fills with its fields, the current beside its conductances, its charge.

Hooks as those of `stepping.hooks`, of states that a step may or may not have led to.
"""

from otjdd import mechanisms
from otjdd.compiler.decorators import ALL, ANY, STATUS, SUM, bare, hook, inlined, parts_of
from otjdd.errors import Status
from otjdd.physics.junction import Junction
from otjdd.physics.state import State, WayBetween

PARTS = parts_of(mechanisms)


@hook(PARTS, ANY, inlined)
def relaxes(state: State) -> bool:
    """True where something follows the fields in a time of its own, with a current of its own: see `fill`."""
    return False


@hook(PARTS, STATUS, bare)
def fill(junction: Junction, state: State):
    """Fill what follows from the fields of a settled state. Returns a status."""
    return Status.DONE


@hook(PARTS, SUM, bare)
def own_current(state: State, k: int) -> float:
    """Current [A] of column k, through the terminals, beside that of its conductances."""
    return 0.0


@bare
def relaxation(state: State) -> float:
    """Current [A] of a settled state beside that of its conductances, which flows at 0 V too."""
    total = 0.0
    for k in range(state.G.size):
        total += own_current(state, k)
    return total


@hook(PARTS, SUM, bare)
def left_charge(junction: Junction, k: int, old: State, new: State) -> float:
    """Change of the charge of the left terminal of column k [C/m2], beyond that of D(0), between two near states."""
    return 0.0


@hook(PARTS, ALL, bare)
def count_charge(junction: Junction, old: State, new: State, between: WayBetween):
    """Count in a settled state the charge that depends on the way to it from another one; between : room for the way"""

"""Electrons in a time step: the electrode from which each of them comes, which is the charge of the terminals.

Where they change sides by themselves, the stack leaps.

The electrons of the film follow its band at once. By continuity, dn/dt = -dS/dx, and as the electrodes alone set the
integral of S exp(E_C/kT)/N_c over the film, an electron that appears at x comes from the left electrode by the share
1 - w(x), w as in `density`:

    S(0) = S_steady + int (1 - w) dn/dt dx          S(L) = S_steady - int w dn/dt dx

This is how Ward & Dutton divide the charge of a transistor (IEEE J. Solid-State Circuits 13, 703 (1978)). Electrons that
vacancies hold hop with them: S contains f J, which adds int f J dw to both. The charges of the terminals change by

    dQ_left = dD(0) + z e dS_0 - e dn_from_left          dQ_right = -dD(L) - z e dS_N - e (dn - dn_from_left)

where S_0, S_N vacancies passed the ends. n_from_left is no function of the state: it depends on the way to it. The state
holds what it is beyond the electrons in balance with the left contact, (1 - w) times their density,

    surplus = n_from_left - int n_left dx          d surplus = int [(1 - w) dn_right - w dn_left] dx + int f dS dw

and it is 0 where a run begins: at 0 V there is one contact, and n_left is its share. It is an integral along the states
that a run settles, by the mean weights of two that are near each other. Between others the way is a straight line in ions,
V_j, polarisation and temperature, followed in parts as short as their error asks for; at once where the electrons at both
ends show that their error cannot matter.
"""

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.mechanisms.electrons.density import BY_WEIGHT, HELD_LEFT, HELD_RIGHT, LEFT, OF_LEFT, OF_RIGHT, RIGHT
from otjdd.mechanisms.electrons.rows import answer
from otjdd.physics.columns import close_with_electrons
from otjdd.physics.ion_fluxes import binds
from otjdd.physics.junction import Junction, hold_electrons, new_state
from otjdd.physics.numerics import copy
from otjdd.physics.state import AT_LEFT, GUESS, State, WayBetween, copy_state
from otjdd.variables import SHEET, TERMINAL_LEFT, TERMINAL_RIGHT

__all__ = ["answer", "count_charge", "fill_row", "left_charge", "may_leap"]  # hooks

ROUND_OFF = 1e-9  # kT that the band of a stack moves where it is solved again
NEAR = 0.5  # kT that the band moves between two states whose mean weights give what flows: to some 2e-3 of it
TOLERANCE = 5e-4  # of what flows over a longer way: error of the mean weights over a part, extrapolated from its halves
LONGEST = 6.0  # kT that the band moves over a part: electrons that come and go within a longer one may be overlooked
NEGLIGIBLE = 1e-6  # of what flows: a surplus that is not followed further
CLOSED = 1e-5  # V, residual of the stacks along the way: states beside it change the integral to second order only
SHORTEST = 2.0**-12  # of the way: a part that is not halved, as where the stack leaps
EASY = 0.1  # of the error allowed, below which the next part is twice as long


def new_between(junction: Junction, state: State) -> WayBetween:
    """Room for the way between two states like one; for a film without electrons, which needs none, the state itself."""
    noisy = state.smooth.size > 0
    return WayBetween(*(new_state(junction, noisy) if hold_electrons(junction) else state for _ in WayBetween._fields))


@detached
def from_left(junction: Junction, state: State, k: int) -> float:
    """Electrons in the film of column k that came from the left electrode [1/m2]."""
    total = state.surplus[k]
    for i in range(state.c.shape[1]):
        total += state.electrons[k, LEFT, i] * junction.columns.width[k, i]
    return total


@detached
def surplus_change(junction: Junction, k: int, old: State, new: State) -> float:
    """Change of the surplus of column k between two near states [1/m2]."""
    before, after, width, change = old.electrons[k], new.electrons[k], junction.columns.width[k], 0.0
    for i in range(width.size):
        right, left = after[RIGHT, i] - before[RIGHT, i], after[LEFT, i] - before[LEFT, i]
        of_left, of_right = before[OF_LEFT, i] + after[OF_LEFT, i], before[OF_RIGHT, i] + after[OF_RIGHT, i]
        change += 0.5 * width[i] * (of_left * right - of_right * left)
    return change + carried(junction, k, old, new) if binds(junction) else change


@detached
def carried(junction: Junction, k: int, old: State, new: State) -> float:
    """Electrons that came from the left electrode to those which vacancies carry across the top of the band [1/m2]."""
    before, after, N = old.electrons[k], new.electrons[k], old.c.shape[1]
    passed, total, weight, share = new.passed[k, AT_LEFT] - old.passed[k, AT_LEFT], 0.0, 0.0, 0.0
    for f in range(N + 1):
        next_weight, next_share = 1.0, share
        if f < N:
            next_weight = 0.5 * (before[OF_RIGHT, f] + after[OF_RIGHT, f])
            next_share = 0.5 * (
                before[HELD_RIGHT, f] + after[HELD_RIGHT, f] + before[HELD_LEFT, f] + after[HELD_LEFT, f]
            )
        of_face = next_share if f == 0 else 0.5 * (share + next_share)
        total += of_face * passed * (next_weight - weight)
        if f < N:
            passed -= (new.c[k, f] - old.c[k, f]) * junction.columns.width[k, f]
        weight, share = next_weight, next_share
    return total


@detached
def left_charge(junction: Junction, k: int, old: State, new: State) -> float:
    """Change of the charge of the electrons of column k that came from the left electrode, on it [C/m2]."""
    if not hold_electrons(junction):
        return 0.0
    count, before, after = surplus_change(junction, k, old, new), old.electrons[k], new.electrons[k]
    for i in range(junction.columns.width.shape[1]):
        count += junction.columns.width[k, i] * (after[LEFT, i] - before[LEFT, i])
    return -ELEMENTARY_CHARGE * count


@bare
def flowing(junction: Junction, k: int, old: State, new: State) -> float:
    """Electrons of column k that come or go between two states, and those that its left plate takes [1/m2]."""
    total = abs(new.D_left[k] - old.D_left[k]) / ELEMENTARY_CHARGE
    for i in range(old.c.shape[1]):
        change = abs(new.electrons[k, RIGHT, i] - old.electrons[k, RIGHT, i])
        change += abs(new.electrons[k, LEFT, i] - old.electrons[k, LEFT, i])
        total += change * junction.columns.width[k, i]
    return total


@bare
def most_surplus(junction: Junction, k: int, old: State, new: State) -> float:
    """Largest surplus of column k by a way between two states, the longest included [1/m2].

    Where the top of the band stays on one side of a cell, its electrons of either contact only come or only go. Where it
    passes, as many may come and go on the way as there are states below the Fermi levels at the ends of it.
    """
    before, after, sheet = old.electrons[k], new.electrons[k], 0.0
    for i in range(old.c.shape[1]):
        right, left = abs(after[RIGHT, i] - before[RIGHT, i]), abs(after[LEFT, i] - before[LEFT, i])
        of_left, of_right = max(before[OF_LEFT, i], after[OF_LEFT, i]), max(before[OF_RIGHT, i], after[OF_RIGHT, i])
        cell = of_left * right + of_right * left
        if of_left >= 0.5 and of_right >= 0.5:
            cell = max(most_electrons(before, i), most_electrons(after, i))
        sheet += cell * junction.columns.width[k, i]
    return sheet


@inlined
def most_electrons(n: np.ndarray, i: int) -> float:
    """Density of the electrons in cell i if all were of that contact of which more would be there [1/m3]."""
    total = n[RIGHT, i] + n[LEFT, i]
    return max(total + n[OF_LEFT, i] * n[BY_WEIGHT, i], total - n[OF_RIGHT, i] * n[BY_WEIGHT, i])


@bare
def negligible(junction: Junction, start: State, old: State, new: State) -> bool:
    """True where the surplus of all columns by the way from a start to its end is less than NEGLIGIBLE of what flows by
    the whole way. Electrons that moving vacancies hold are always followed."""
    for k in range(old.c.shape[0]):
        if binds(junction) or most_surplus(junction, k, start, new) > NEGLIGIBLE * flowing(junction, k, old, new):
            return False
    return True


@bare
def farthest(old: State, new: State) -> float:
    """Largest move of the band of a column between two states, or of the left contact, over kT."""
    largest = 0.0
    for k in range(old.c.shape[0]):
        move = abs(new.V[0] - old.V[0])
        for i in range(old.band.shape[1]):
            move = max(move, abs(new.band[k, i] - old.band[k, i]))
        largest = max(largest, move / min(old.kT[k], new.kT[k]))
    return largest


@detached
def lead(far: State, near: State, share: float, state: State):
    """Guess the stacks of a state beyond a near state, by a share of the way to it from a far one, in a straight line."""
    for k in range(state.c.shape[0]):
        for i in range(state.band.shape[1]):
            state.band[k, i] = near.band[k, i] + share * (near.band[k, i] - far.band[k, i])
        for f in range(state.D.shape[1]):
            state.D[k, f] = near.D[k, f] + share * (near.D[k, f] - far.D[k, f])
        for row in range(GUESS):
            copy(near.guess[k, row], state.guess[k, row])


@detached
def put_between(junction: Junction, old: State, new: State, share: float, state: State) -> bool:
    """Put a state to a share of the way from one state to another, and solve its stacks from a guess. Returns success."""
    V, rest = old.V[0] + share * (new.V[0] - old.V[0]), 1.0 - share
    state.V[0] = V
    for k in range(state.c.shape[0]):
        state.P[k] = rest * old.P[k] + share * new.P[k]
        state.kT[k] = rest * old.kT[k] + share * new.kT[k]
        for end in range(old.passed.shape[1]):
            state.passed[k, end] = rest * old.passed[k, end] + share * new.passed[k, end]
        for i in range(state.c.shape[1]):
            state.c[k, i] = rest * old.c[k, i] + share * new.c[k, i]
        if not close_with_electrons(junction, state, k, V, CLOSED):
            return False
    return True


@detached
def error_of_part(junction: Junction, old: State, new: State, between: WayBetween) -> float:
    """Error of the change over a part of the way, by that over its halves; 1 is the limit."""
    worst = 0.0
    for k in range(old.c.shape[0]):
        direct = surplus_change(junction, k, between.start, between.end)
        halves = surplus_change(junction, k, between.start, between.middle)
        halves += surplus_change(junction, k, between.middle, between.end)
        allowed = TOLERANCE * flowing(junction, k, old, new)
        worst = max(worst, abs(halves - direct) / (3.0 * allowed) if allowed > 0.0 else 0.0)
    return worst


@detached
def add_part(junction: Junction, between: WayBetween, halved: bool, new: State):
    """Add the change of the surplus over a part of the way to a state; extrapolated from that over its halves."""
    for k in range(new.c.shape[0]):
        change = surplus_change(junction, k, between.start, between.end)
        if halved:
            halves = surplus_change(junction, k, between.start, between.middle)
            halves += surplus_change(junction, k, between.middle, between.end)
            change = halves + (halves - change) / 3.0
        new.surplus[k] += change


@detached
def put_middle(junction: Junction, old: State, new: State, reached: float, length: float, between: WayBetween):
    """Put the middle state of a part of the way, and measure the error of the part; 1 is the limit, 0 without a middle.

    Returns whether its stacks could be solved, and the error.
    """
    lead(between.end, between.start, -0.5, between.middle)
    closed = put_between(junction, old, new, reached + 0.5 * length, between.middle)
    return closed, error_of_part(junction, old, new, between) if closed else 0.0


@bare
def is_in_place(old: State, new: State) -> bool:
    """True where a state was settled once more where another one is: only round-off of its stacks differs."""
    same = farthest(old, new) <= ROUND_OFF
    for k in range(old.c.shape[0]):
        same = same and old.P[k] == new.P[k] and old.kT[k] == new.kT[k]
        for i in range(old.c.shape[1]):
            same = same and old.c[k, i] == new.c[k, i]
    return same


@deferred_detached
def follow_surplus(junction: Junction, old: State, new: State, between: WayBetween):
    """Set the surplus of a settled state, to which another one that is settled has come, from that of the other."""
    copy(old.surplus, new.surplus)
    if is_in_place(old, new):
        return
    move = farthest(old, new)
    if move <= NEAR or negligible(junction, old, old, new):
        for k in range(new.c.shape[0]):
            new.surplus[k] += surplus_change(junction, k, old, new)
        return
    copy_state(old, between.start)
    copy_state(old, between.middle)
    copy_state(old, between.end)
    longest = LONGEST / max(move, LONGEST)
    reached, length, half, last = 0.0, longest, longest, False  # half: of the part before
    while not last:
        lead(between.middle, between.start, length / half, between.end)
        last = reached + length >= 1.0 or not put_between(junction, old, new, reached + length, between.end)
        if last:
            copy_state(new, between.end)
            length = 1.0 - reached
        closed, error = put_middle(junction, old, new, reached, length, between)
        while error > 1.0 and length > SHORTEST:
            length, last = 0.5 * length, False
            copy_state(between.middle, between.end)
            closed, error = put_middle(junction, old, new, reached, length, between)
        add_part(junction, between, closed and error <= 1.0, new)
        copy_state(between.end, between.start)
        reached, half = reached + length, 0.5 * length
        length = min(longest, 2.0 * length) if error < EASY else length
        if not last and negligible(junction, between.start, old, new):
            copy_state(new, between.end)
            add_part(junction, between, False, new)
            last = True


@bare
def count_charge(junction: Junction, old: State, new: State, between: WayBetween):
    """As `follow_surplus`, where the film holds electrons."""
    if hold_electrons(junction):
        follow_surplus(junction, old, new, between)


@inlined
def may_leap(junction: Junction) -> bool:
    """Electrons may change sides by themselves."""
    return hold_electrons(junction)


@detached
def fill_row(junction: Junction, state: State, row: np.ndarray):
    """Add the electrons of the film to a row; each belongs to the terminal from which it came."""
    if not hold_electrons(junction):
        return
    for k in range(state.c.shape[0]):
        left, total = from_left(junction, state, k), 0.0
        for i in range(state.c.shape[1]):
            total += (state.electrons[k, LEFT, i] + state.electrons[k, RIGHT, i]) * junction.columns.width[k, i]
        weight = junction.columns.weight[k]
        row[TERMINAL_LEFT] -= weight * ELEMENTARY_CHARGE * left
        row[TERMINAL_RIGHT] -= weight * ELEMENTARY_CHARGE * (total - left)
        row[SHEET] += weight * total

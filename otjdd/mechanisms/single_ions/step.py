"""Shot noise of the hops: whole ions around their mean density.

A step moves a smooth density, as it does without noise. Then the ions hop (`walk.walk`), each on its own, at the
rates of the end of the step. The first part of the step has additional hops: ions that are distributed as the smooth
density at the start of the step are, in their mean, distributed as the smooth density at its end. So the mean has the
order of the smooth steps, and an instant that is recorded, and so cuts a step, changes no distribution.

After the step the slow part of the deviation, which does not relax within LINGERS steps, becomes a part of the smooth
density, and acts on fields and rates as that does. The fast part relaxes within the next steps. Without this division a
step could not be longer than the time in which the fastest cell relaxes, since the smooth density would be one of whole
ions.

Where single ions hop, the ions that pass a face in a step are bounded. They hop at the rates of one state, the end of
the step. So that these hold through it, the ions that pass a face are at most a share of those of the column, in their
mean; one ion is always allowed: an exact Monte Carlo moves no fewer. The mean is known from the smooth step before
anything is drawn: a step refused for what was drawn would favour leaps that changed little. Hops that go back and forth
do not count: ions near rest make many in any step, and they feel each other within it.

Cao, Gillespie and Petzold, J. Chem. Phys. 124, 044109 (2006); there the share is that of each species, here of the
column.
"""

import math
from typing import Any

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, inlined
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.errors import Status
from otjdd.laws import Wall
from otjdd.mechanisms.exchange import EndHops, end_hops, exchanges, filling_of, open_faces, passes
from otjdd.mechanisms.single_ions.deviation import (
    EMPTY,
    factor_response,
    fill_elastances,
    fill_response,
    foresee_deviation,
    relax_deviation,
)
from otjdd.mechanisms.single_ions.walk import (
    AFTER,
    BESIDE,
    DEVIATION,
    DOWN,
    FALLEN,
    FALLEN_BESIDE,
    FIELD,
    LEVEL_DOWN,
    LEVEL_UP,
    MORE_DOWN,
    MORE_UP,
    NOW,
    RELAXING,
    RISE,
    RISE_DOWN,
    RISE_UP,
    RISEN,
    RISEN_BESIDE,
    UP,
    Noise,
    fill_beyond,
    keep_smooth,
    take_sites,
    walk,
)
from otjdd.physics.columns import bend_less
from otjdd.physics.ion_fluxes import binds
from otjdd.physics.ions import DOWNHILL, TILT, UPHILL, G, bernoulli_pair, layer_count
from otjdd.physics.junction import Junction, displaced, hold_electrons
from otjdd.physics.numerics import add_up, copy, dot
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State

ANSWERED_BY = "the density, which these ions are in their mean"  # to a small signal
LATER = 0.846  # factor on the hops of all parts of a step but the first; the first has the hops that are left
SHORTEST = 0.25  # last part of a step, times the rate of the fastest cell
MOST_PARTS = 100
MOST_ADDED = 3.0  # hops that the mean of a step adds, over those at the rates of its end
MOST_FALL = 0.8  # largest fall of ln of a flux within the parts after the first, to which hops are added
BENT = 0.3  # kT, bending of the band by electrons below which they do not respond to deviations
SAFETY = 0.9  # of the growth that the size of a leap allows
LINGERS = 10.0  # steps; a deviation that relaxes within them stays one of the ions


@inlined
def fill_random_hops(lines: np.ndarray, N: int, rise_up: np.ndarray, rise_down: np.ndarray):
    """Fill the hops of an ion up and down from N cells from those without a rise, and the rises (N+1,) [kT] up and down.

    Loops of one line each are vectorised.
    """
    up, down, level_up, level_down = lines[UP], lines[DOWN], lines[LEVEL_UP], lines[LEVEL_DOWN]
    up[N - 1], down[0] = 0.0, 0.0
    for f in range(1, N):
        up[f - 1] = level_up[f - 1] * bernoulli_pair(rise_up[f])[0]
    for f in range(1, N):
        down[f] = level_down[f] * bernoulli_pair(rise_down[f])[1]


@bare
def level_interface(factors: np.ndarray, f: int, lines: np.ndarray):
    """Turn the hops over face f without a rise, as inside a layer, into those over an interface between layers.

    There row UPHILL is not B of the rise, but what both halves and a barrier in series let pass (`ions`). So the hops at
    the rates of the state are exact, and a deviation acts by the rise of the energy as inside a layer: the balance of both
    directions stays exact, the share of each half in the resistance stays what it was.
    """
    B, B_back, _ = bernoulli_pair(factors[TILT, f])
    lines[LEVEL_UP, f - 1] *= factors[UPHILL, f] / B if B > 0.0 else 0.0
    lines[LEVEL_DOWN, f] *= factors[DOWNHILL, f] / B_back if B_back > 0.0 else 0.0


@detached
def fill_walk(junction: Junction, trial: Any, k: int, duration: float, share: float):
    """Fill the hops of an ion up and down from the cells of column k in a duration [s], beside a share of the deviation.

    The deviation is that of `foresee_deviation`. Electrodes give ions as `walk` says.
    """
    lines, factors, columns, c = trial.noise.lines, trial.work.factors, junction.columns, trial.state.c[k]
    per_field, x, crowding = junction.ions[k].z / trial.state.kT[k], lines[DEVIATION], columns.crowding[k]
    free = min(max(1.0 - crowding[0] * (c[0] + share * (x[0] - x[1]) * columns.dilution[k, 0]), 0.0), 1.0)
    for f in range(1, c.size):
        free_behind = 1.0 - crowding[f] * (c[f] + share * (x[f] - x[f + 1]) * columns.dilution[k, f])
        free_behind = min(max(free_behind, 0.0), 1.0)
        rate = duration * trial.state.diffusivity[k, f] / columns.distance[k, f] * factors[G, f]
        tilt = factors[TILT, f] - per_field * columns.distance[k, f] * share * lines[FIELD, f]
        lines[LEVEL_UP, f - 1] = rate * free_behind * columns.dilution[k, f - 1]
        lines[LEVEL_DOWN, f] = rate * free * columns.dilution[k, f]
        lines[RISE, f] = tilt
        free = free_behind
    for j in range(layer_count(junction.layers) - 1):
        level_interface(factors, junction.layers.first[j + 1], lines)
    fill_random_hops(lines, c.size, lines[RISE], lines[RISE])
    if passes(junction.left_wall[k]):
        hops = hops_of_end(junction, trial, k, False, share, 0.0)
        lines[UP, c.size], lines[DOWN, 0] = duration * hops.into, duration * hops.out * columns.dilution[k, 0]
    if passes(junction.right_wall[k]):
        hops, last = hops_of_end(junction, trial, k, True, share, 0.0), c.size - 1
        lines[DOWN, c.size], lines[UP, last] = duration * hops.into, duration * hops.out * columns.dilution[k, last]


@bare
def hops_of_end(junction: Junction, trial: Any, k: int, at_right: bool, share: float, own: float) -> EndHops:
    """Hops over a wall of column k beside a share of the deviation and an own field [V/m] of the ion that leaves."""
    lines, state, N = trial.noise.lines, trial.state, trial.state.c.shape[1]
    f, i, x = N if at_right else 0, N - 1 if at_right else 0, lines[DEVIATION]
    c = state.c[k, i] + share * (x[i] - x[i + 1]) * junction.columns.dilution[k, i]
    c = min(max(c, 0.0), junction.columns.sites[k, i])
    into = -share * x[f] if at_right else share * x[f]
    return end_hops(junction, state, k, at_right, share * lines[FIELD, f] + own, into, c)


@detached
def take_own_fields_out(junction: Junction, trial: Any, k: int, duration: float, share: float):
    """As `take_own_fields`, for ions that leave through an electrode; one that comes has no field there."""
    lines, dilution, distance = trial.noise.lines, junction.columns.dilution[k], junction.columns.distance[k]
    N, volt = trial.state.c.shape[1], trial.state.kT[k] / junction.ions[k].z
    if passes(junction.left_wall[k]):
        field = -volt * lines[RISE_DOWN, 0] / distance[0]
        hops = hops_of_end(junction, trial, k, False, share, field)
        lines[DOWN, 0] = duration * hops.out * dilution[0]
    if passes(junction.right_wall[k]):
        field = -volt * lines[RISE_UP, N] / distance[N]
        hops = hops_of_end(junction, trial, k, True, share, field)
        lines[UP, N - 1] = duration * hops.out * dilution[N - 1]


@inlined
def fill_moving(lines: np.ndarray, c: np.ndarray, width: np.ndarray, least: float):
    """Fill lines RISEN to FALLEN_BESIDE with the ions of the smooth density that hop to each cell. least : see `mobile`

    Both sweeps go side by side: each cell of one waits for a division of the cell before.
    """
    up, down, beside, N = lines[UP], lines[DOWN], lines[BESIDE], c.size
    risen, risen_beside, fallen, fallen_beside = lines[RISEN], lines[RISEN_BESIDE], lines[FALLEN], lines[FALLEN_BESIDE]
    risen[0], risen_beside[0] = up[N], 0.0  # from the electrodes
    fallen[N - 1], fallen_beside[N - 1] = down[N], down[N]
    staying, staying_above = 1.0, 1.0
    for i in range(N - 1):
        j = np.uintp(N - 1 - i)
        below, above = down[i] * staying, up[j] * staying_above
        per, per_above = 1.0 / (1.0 + up[i] + below), 1.0 / (1.0 + down[j] + above)
        staying, staying_above = (1.0 + below) * per, (1.0 + above) * per_above
        ions, share = max(c[i], least) * width[i], up[i] * per
        risen[i + 1], risen_beside[i + 1] = share * (risen[i] + ions), share * (risen_beside[i] + ions * beside[i])
        ions, share, to = max(c[j], least) * width[j], down[j] * per_above, np.uintp(N - 2 - i)
        fallen[to], fallen_beside[to] = share * (fallen[j] + ions), share * (fallen_beside[j] + ions * beside[j])


@detached
def take_own_fields(junction: Junction, trial: Any, k: int):
    """Let an ion take its own field along in the hops of `fill_walk`, for column k.

    There its field is that of an ion where it came from: a mean over the ions of the smooth density that hop to its cell.
    """
    lines, c, eps, width = trial.noise.lines, trial.state.c[k], trial.state.eps[k], junction.columns.width[k]
    risen, risen_beside, fallen, fallen_beside = lines[RISEN], lines[RISEN_BESIDE], lines[FALLEN], lines[FALLEN_BESIDE]
    distance, least, N, beside = junction.columns.distance[k], EMPTY * add_up(c) / c.size, c.size, lines[BESIDE]
    per_ion = junction.ions[k].z ** 2 * ELEMENTARY_CHARGE / (trial.noise.area[k] * trial.state.kT[k])
    fill_moving(lines, c, width, least)
    for i in range(N):
        ions = max(c[i], least) * width[i]
        per_end = 1.0 / (risen[i] + ions + fallen[i])
        moved = beside[i] - (risen_beside[i] + ions * beside[i] + fallen_beside[i]) * per_end
        size, size_behind = per_ion * distance[i] / eps[i], per_ion * distance[i + 1] / eps[i + 1]
        lines[RISE_DOWN, i] = lines[RISE, i] - size * (moved - risen[i] * per_end)
        lines[RISE_UP, i + 1] = lines[RISE, i + 1] - size_behind * (moved + fallen[i] * per_end)
    fill_random_hops(lines, N, lines[RISE_UP], lines[RISE_DOWN])


@detached
def fill_added(junction: Junction, old: State, trial: Any, k: int, step: float, later: float):
    """Fill the hops that the first part of a step [s] adds to those of `fill_walk`, over these, for the smooth density.

    later : time of the hops of all other parts, at the rates of the end of the step [s]
    The flux through a face falls exponentially: from its mean in the step and that at its end follows what it is between.
    """
    lines, J, width, c = trial.noise.lines, trial.work.J[k], junction.columns.width[k], trial.state.c[k]
    (first, end), N, passed = open_faces(junction, c.size), c.size, 0.0
    for f in range(end - 1, first - 1, -1):
        if f == N:
            passed = trial.state.passed[k, AT_RIGHT] - old.passed[k, AT_RIGHT]
        else:
            passed += (c[f] - old.c[k, f]) * width[f]
        mean = passed / (step * J[f]) if J[f] != 0.0 else 1.0
        fall = min(max(2.0 * math.log(mean) * later / step, -MOST_FALL), MOST_FALL) if mean > 0.0 else 0.0
        after = later * J[f] * (1.0 + fall / 3.0)  # in parts that are each half of the one before
        larger = 1.0 + fall * (1.0 + fall / 3.0)  # at the end of the first part, over the end of the step
        below = f - 1 if f > 0 else N  # the left electrode
        forth = larger * lines[UP, below] * (c[below] * width[below] if f > 0 else 1.0)
        back = larger * lines[DOWN, f] * (c[f] * width[f] if f < N else 1.0)
        more = passed - after - (forth - back)
        lines[MORE_UP, below] = min(max(more / forth, 0.0), MOST_ADDED) if forth > 0.0 else 0.0
        lines[MORE_DOWN, f] = min(max(-more / back, 0.0), MOST_ADDED) if back > 0.0 else 0.0


@bare
def take_oxygen(wall: Wall, noise: Noise, k: int, at_right: bool):
    """Let the cells nearest to a wall take the ions that passed it in a step beyond the oxygen of its reservoir.

    Hops at the rates of one state do not know how many ions went before: as many pass as the reservoir has oxygen, or free
    sites for it. A cell may be filled beyond its sites by it. Where the film has fewer ions than came beyond them, the
    others went on through the other electrode, and come back from there.
    """
    if not wall.capacity < math.inf:
        return
    ions, side, sign = noise.after[k], AT_RIGHT if at_right else AT_LEFT, -1.0 if at_right else 1.0
    sites, came = wall.capacity * noise.area[k] * (1.0 + 1e-9), sign * noise.passed[AFTER, k, side]
    beyond = came - min(max(came, -math.floor(wall.filling * sites)), math.floor((1.0 - wall.filling) * sites))
    for place in range(ions.size):
        i = ions.size - 1 - place if at_right else place
        taken = min(beyond, ions[i])
        ions[i] -= taken
        noise.passed[AFTER, k, side] -= sign * taken
        beyond -= taken
    for end in range(2):
        noise.passed[AFTER, k, end] -= sign * beyond


@detached
def hop_at_random(junction: Junction, old: State, trial: Any, k: int, step: float, with_electrons: bool) -> bool:
    """Fill noise.after of column k with its ions after a step [s] from an old state to trial.state. Returns success."""
    noise, lines, width = trial.noise, trial.noise.lines, junction.columns.width[k]
    fastest, ions = fill_response(junction, trial, k, with_electrons), trial.noise.after[k]
    fill_elastances(junction, trial.state, noise, k)
    copy(noise.ions[k], ions)
    copy(noise.passed[NOW, k], noise.passed[AFTER, k])
    left, part = 1.0, 0
    while left > 0.0:
        last = fastest * step * left < SHORTEST or part == MOST_PARTS
        share = left if last else 0.5 * left
        weight = LATER if part > 0 else 1.0 if last else 2.0 - LATER
        duration = weight * share * step
        if part == 0:
            fill_walk(junction, trial, k, duration, 0.0)
            fill_added(junction, old, trial, k, step, step - duration)
        if not foresee_deviation(junction, trial, k, share * step, with_electrons):
            return False
        fill_walk(junction, trial, k, duration, 1.0 / weight)
        take_own_fields(junction, trial, k)
        if exchanges(junction):
            take_own_fields_out(junction, trial, k, duration, 1.0 / weight)
        if part == 0:
            for i in range(lines.shape[1]):
                lines[UP, i] *= 1.0 + lines[MORE_UP, i]
                lines[DOWN, i] *= 1.0 + lines[MORE_DOWN, i]
        walk(noise, k, part, ions)
        left, part = 0.0 if last else left - share, part + 1
    for at_right in (False, True):
        take_oxygen(junction.right_wall[k] if at_right else junction.left_wall[k], noise, k, at_right)
    return take_sites(ions, junction.columns.sites[k], width, noise.area[k])


@bare
def share_of_oxygen(wall: Wall, into: float, change: float, fewest: float) -> float:
    """Share of a change of the vacancies that came from a reservoir for which it has oxygen, or free sites [1/m2]."""
    if change == 0.0 or not wall.capacity < math.inf:
        return 1.0
    filling = filling_of(wall, into)
    return max((1.0 - filling if change > 0.0 else filling) * wall.capacity, fewest) / abs(change)


@detached
def follow_ions(junction: Junction, trial: Any, k: int, step: float, with_electrons: bool) -> bool:
    """Let the smooth density of column k follow its ions after a step [s]. Returns success."""
    noise, state, columns, x = trial.noise, trial.state, junction.columns, trial.noise.lines[RELAXING]
    c, per_dt = state.c[k], 1.0 / (LINGERS * step)
    if not factor_response(junction, trial, k, per_dt, with_electrons):
        return False
    fill_beyond(noise, k, state, columns.width[k], open_faces(junction, c.size), x)
    relax_deviation(junction, trial, k, per_dt, with_electrons)
    share, least, sites = 1.0, EMPTY * add_up(c) / c.size, columns.sites[k]
    for i in range(c.size):
        change = (x[i] - x[i + 1]) * columns.dilution[k, i]
        room = max(sites[i] - c[i], least) if change > 0.0 else max(c[i], least)
        share = min(share, room / abs(change)) if change != 0.0 else share
    fewest = EMPTY * dot(c, columns.width[k])
    share = min(share, share_of_oxygen(junction.left_wall[k], state.passed[k, AT_LEFT], x[0], fewest))
    share = min(share, share_of_oxygen(junction.right_wall[k], -state.passed[k, AT_RIGHT], -x[c.size], fewest))
    for f in range(x.size):
        x[f] *= share
    displaced(columns, k, c, x, c)
    state.passed[k, AT_LEFT] += x[0]
    state.passed[k, AT_RIGHT] += x[c.size]
    return True


@inlined
def is_random(trial: Any) -> bool:
    """True where single ions hop."""
    return trial.noise.area.size > 0


@deferred_detached
def move_at_random(junction: Junction, old: State, trial: Any, step: float) -> Status:
    """Let the ions of all columns hop through a step [s] from an old state to trial.state, and its density follow them.

    Returns a status. After a failure the next try draws other numbers.
    """
    new = trial.state
    trial.noise.steps[0] += 1
    with_electrons = hold_electrons(junction) and (binds(junction) or not bend_less(junction, new, BENT * new.kT[0]))
    for k in range(new.c.shape[0]):
        if not hop_at_random(junction, old, trial, k, step, with_electrons):
            return Status.CELL_EMPTIED
        if not follow_ions(junction, trial, k, step, with_electrons):
            return Status.CELL_EMPTIED
    return Status.DONE


@bare
def accepted(junction: Junction, state: State, trial: Any):
    """The ions are where they have hopped to."""
    noise = trial.noise
    for k in range(noise.area.size):
        copy(noise.after[k], noise.ions[k])
        copy(noise.passed[AFTER, k], noise.passed[NOW, k])


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
def random_limit(junction: Junction, old: State, trial: Any, growth: float) -> tuple[bool, float]:
    """True where a leap may have what a smooth step from an old state to trial.state changes, and the growth it allows.

    growth : of the step otherwise; the noise counts the steps that have less by the leap
    """
    noise, worst = trial.noise, 0.0
    for k in range(noise.area.size):
        allowed = max(noise.largest * noise.area[k] * dot(old.c[k], junction.columns.width[k]), 1.0)
        worst = max(worst, noise.area[k] * most_passed(junction, old, trial.state, k) / allowed)
    limit = SAFETY / worst if worst > 0.0 else math.inf
    if worst > 1.0 or limit < growth:
        noise.limited[0] += 1
    return worst <= 1.0, limit


@deferred_detached
def show_random(junction: Junction, state: State, trial: Any):
    """Let a state hold its ions as they are instead of the smooth density, to be settled."""
    for k in range(trial.noise.area.size):
        keep_smooth(trial.noise, k, state, junction.columns.width[k])


@deferred_detached
def hide_random(junction: Junction, state: State, trial: Any):
    """Let a state hold its smooth density again."""
    for k in range(trial.noise.area.size):
        copy(state.smooth[k], state.c[k])
        copy(state.smooth_passed[k], state.passed[k])

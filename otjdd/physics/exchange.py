"""Flux of vacancies between an electrode and the centre of the cell beside it, by the laws of `laws.exchange`.

    half a cell    J = r [B(d) c_s (1 - c/n) - B(-d) c (1 - c_s/n)]        d = (-z E h + W - W_s)/kT over half a cell h
    wall           J = gain (1 - c_s/n) - loss c_s                         J > 0 into the film

Both are linear in the concentration c_s at the wall, so that c_s is eliminated:

    J = r [gain B(d) (1 - c/n) - loss B(-d) c]/(r [B(d) (1 - c/n) + B(-d) c/n] + gain/n + loss)

Nothing is subtracted where the flux vanishes, and no limit is lost: a fast wall is at its reservoir, a slow one passes its
gain and its loss alone. A wall that blocks has no flux.

Time steps leave a reservoir a little emptier than empty or fuller than full, and cells likewise, whose gain, loss and
shares of sites are then below zero. They count as zero in the denominator, which stays above zero, and as they are in what
is above it: so the flux leads back.

A wall that is faster than the half cell by L0/A takes vacancies at full speed until a share A/L0 of the oxygen is left, and
then stops: within a filling that no step can meet. Where a reservoir holds less than the share `unseen` e of its sites,
which is none to the accuracy of the run, its loss is made slower, so that it falls with the filling over all of e:

    loss = L0 y exp(-u^2 ln(1 + L0 e/A))        u = 1 - y/e, 1 at most        A = r [B(d) (1 - c/n) + B(-d) c/n]

and so is the gain of one that has less than e free. Above e both are those of the law, to the bit.
"""

import math
from typing import NamedTuple

from otjdd.compiler.decorators import bare, inlined
from otjdd.compiler.in_turn import chosen
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.laws import exchange
from otjdd.laws.exchange import Contact, Wall, Ways

by_pointer(Wall)
LAWS = {name: code for code, name in enumerate(exchange.LAWS)}  # name in a case -> Wall.law
BLOCKING = LAWS["blocking"]
NO_WALL = Wall(BLOCKING, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, math.inf, 0.5)


class HalfCell(NamedTuple):
    """Hops between a wall and the centre of the cell beside it, at the field E at the wall."""

    c: float  # 1/m3, of the cell
    sites: float  # 1/m3
    rate: float  # D0 g/h [m/s]
    into: float  # B of a hop from the wall to the cell
    out: float  # B of one back
    into_by_field: float  # m/V
    out_by_field: float
    log_rate_by_field: float  # m/V, d ln rate/dE


class WallHops(NamedTuple):
    """Hops over a wall one way and the other, the wall itself left out."""

    into: float  # 1/(m2 s), into the cell beside it
    out: float  # m/s, out of that cell per concentration


class Inflow(NamedTuple):
    """Flux into a film and its derivatives."""

    J: float  # 1/(m2 s)
    by_c: float  # m/s, by the concentration of the cell
    by_field: float  # 1/(V m s), by the field at the wall, the edge of the band held
    by_edge: float  # 1/(eV m2 s)
    by_filling: float  # 1/(m2 s)
    wall: float  # 1/m3, concentration at the wall
    by_log_gain: float  # 1/(m2 s)
    by_log_loss: float  # 1/(m2 s)


FORMULAS = {LAWS[name]: bare(law.formula) for name, law in exchange.LAWS.items() if law.formula is not None}


@chosen(FORMULAS, "wall.law", bare)
def ways_of(wall: Wall, contact: Contact, z: int, sites: float, rate: float):
    """Gain and loss of a wall; none where no vacancy passes it."""
    return Ways(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@inlined
def passes(wall: Wall) -> bool:
    """True where vacancies pass a wall."""
    return wall.law != BLOCKING


@bare
def wall_hops(ways: Ways, cell: HalfCell) -> WallHops:
    """Gain and loss of a wall through half a cell: `inflow` is into - out c. None is below zero."""
    free, taken = 1.0 - cell.c / cell.sites, cell.c / cell.sites
    through = cell.into * max(free, 0.0) + cell.out * max(taken, 0.0)
    below = cell.rate * through + max(ways.gain, 0.0) / cell.sites + max(ways.loss, 0.0)
    per = cell.rate / below if below > 0.0 else 0.0
    return WallHops(max(per * ways.gain * cell.into * free, 0.0), max(per * ways.loss * cell.out, 0.0))


@bare
def inflow(ways: Ways, log_gain_by_field: float, cell: HalfCell) -> Inflow:
    """Flux between a wall and a cell. log_gain_by_field : d ln k/dE of gain and loss [m/V]"""
    per_site, rate = 1.0 / cell.sites, cell.rate
    free, taken = 1.0 - cell.c * per_site, cell.c * per_site
    has_gain, has_loss = 1.0 if ways.gain > 0.0 else 0.0, 1.0 if ways.loss > 0.0 else 0.0
    has_free, has_taken = 1.0 if free > 0.0 else 0.0, 1.0 if taken > 0.0 else 0.0
    through = cell.into * has_free * free + cell.out * has_taken * taken
    above = rate * (ways.gain * cell.into * free - ways.loss * cell.out * cell.c)
    below = rate * through + has_gain * ways.gain * per_site + has_loss * ways.loss
    per = 1.0 / below if below > 0.0 else 0.0  # a wall that no hop reaches
    J = above * per
    by_gain = per * (rate * cell.into * free - J * has_gain * per_site)
    by_loss = -per * (rate * cell.out * cell.c + J * has_loss)
    by_into = per * rate * free * (ways.gain - J * has_free)
    by_out = -per * rate * cell.c * (ways.loss + J * has_taken * per_site)
    by_rate = per * (ways.gain * cell.into * free - ways.loss * cell.out * cell.c)
    by_rate -= per * J * through
    crowding = cell.out * has_taken - cell.into * has_free
    by_c = -per * rate * (ways.gain * cell.into * per_site + ways.loss * cell.out + J * crowding * per_site)
    by_field = by_into * cell.into_by_field + by_out * cell.out_by_field + by_rate * rate * cell.log_rate_by_field
    by_field += (by_gain * ways.gain + by_loss * ways.loss) * log_gain_by_field
    by_edge = by_gain * ways.gain * ways.gain_by_edge + by_loss * ways.loss * ways.loss_by_edge
    by_filling = by_gain * ways.gain_by_filling + by_loss * ways.loss_by_filling
    wall = (ways.gain + rate * cell.out * cell.c) * per
    return Inflow(J, by_c, by_field, by_edge, by_filling, wall, by_gain * ways.gain, by_loss * ways.loss)


class Slowed(NamedTuple):
    """Gain and loss of a reservoir that is nearly empty or full, and how much of d ln A is in their logarithms."""

    ways: Ways
    gain_by_through: float  # 1
    loss_by_through: float


@bare
def slowness(left: float, unseen: float, fastest: float) -> tuple[float, float, float]:
    """Factor on a way of which a share is left, its d ln by that share, and minus that by ln of `fastest`.

    fastest : L0/A
    """
    u, x = min(1.0 - left / unseen, 1.0), fastest * unseen
    if u <= 0.0:
        return 1.0, 0.0, 0.0
    depth = math.log1p(x)
    return math.exp(-u * u * depth), (2.0 * u * depth / unseen if left > 0.0 else 0.0), u * u * x / (1.0 + x)


@bare
def slowed(ways: Ways, filling: float, unseen: float, cell: HalfCell) -> Slowed:
    """Ways of a reservoir beside a half cell that hops pass. filling : share of its sites   unseen : see `Wall`"""
    through = cell.rate * through_of(cell)
    loss, by_left, of_loss = slowness(filling, unseen, ways.loss_by_filling / through)
    gain, by_free, of_gain = slowness(1.0 - filling, unseen, -ways.gain_by_filling / (cell.sites * through))
    slow = Ways(
        ways.gain * gain, ways.loss * loss, ways.gain_by_edge * (1.0 - of_gain), ways.loss_by_edge * (1.0 - of_loss),
        gain * (ways.gain_by_filling - ways.gain * by_free), loss * (ways.loss_by_filling + ways.loss * by_left),
    )  # fmt: skip
    return Slowed(slow, of_gain, of_loss)


@bare
def through_of(cell: HalfCell) -> float:
    """A/r: what hops that come from a wall or go there meet in the half cell."""
    taken = cell.c / cell.sites
    return cell.into * max(1.0 - taken, 0.0) + cell.out * max(taken, 0.0)


@bare
def is_run_out(filling: float, unseen: float) -> bool:
    """True where less than a share `unseen` of the sites of a reservoir is filled, or free."""
    return filling < unseen or 1.0 - filling < unseen


@bare
def slowed_inflow(ways: Ways, log_gain_by_field: float, cell: HalfCell, filling: float, unseen: float) -> Inflow:
    """As `inflow`, of a reservoir that has run out, see `slowed`."""
    slow = slowed(ways, filling, unseen, cell)
    at, taken = inflow(slow.ways, log_gain_by_field, cell), cell.c / cell.sites
    has_free, has_taken = 1.0 if taken < 1.0 else 0.0, 1.0 if taken > 0.0 else 0.0
    by_through = (at.by_log_gain * slow.gain_by_through + at.by_log_loss * slow.loss_by_through) / through_of(cell)
    of_field = cell.into_by_field * has_free * (1.0 - taken) + cell.out_by_field * has_taken * taken
    of_field += (cell.log_rate_by_field - log_gain_by_field) * through_of(cell)
    by_c = at.by_c + by_through * (cell.out * has_taken - cell.into * has_free) / cell.sites
    by_field = at.by_field + by_through * of_field
    return Inflow(at.J, by_c, by_field, at.by_edge, at.by_filling, at.wall, at.by_log_gain, at.by_log_loss)

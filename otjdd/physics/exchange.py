"""Flux of vacancies between an electrode and the centre of the cell beside it, by the laws of `laws.exchange`.

    half a cell    J = r [B(d) c_s (1 - c/n) - B(-d) c (1 - c_s/n)]        d = (-z E h + W - W_s)/kT over half a cell h
    wall           J = gain (1 - c_s/n) - loss c_s                         J > 0 into the film

Both are linear in the concentration c_s at the wall, so that c_s is eliminated:

    J = r [gain B(d) (1 - c/n) - loss B(-d) c]/(r [B(d) (1 - c/n) + B(-d) c/n] + gain/n + loss)

Nothing is subtracted where the flux vanishes, and no limit is lost: a fast wall is at its reservoir, a slow one passes its
gain and its loss alone. A wall that blocks has no flux.
"""

import math
from typing import NamedTuple

from otjdd.compiler.decorators import bare, inlined
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


@bare
def blocked(wall: Wall, contact: Contact, z: int, sites: float, rate: float):
    """Gain and loss of a wall that no vacancy passes."""
    return Ways(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def with_law(code: int, law, others):
    """Kernel as `blocked` that knows one law more than `others`: a branch for its code."""
    formula = bare(law)

    def ways(wall, contact, z, sites, rate):
        if wall.law == code:
            return formula(wall, contact, z, sites, rate)
        return others(wall, contact, z, sites, rate)

    ways.__qualname__ = f"exchange_law_{code}"  # name in the cache of kernels
    return bare(ways)


ways_of = blocked
for name, code in reversed(LAWS.items()):
    if exchange.LAWS[name].formula is not None:
        ways_of = with_law(code, exchange.LAWS[name].formula, ways_of)


@inlined
def passes(wall: Wall) -> bool:
    """True where vacancies pass a wall."""
    return wall.law != BLOCKING


@bare
def wall_hops(ways: Ways, cell: HalfCell) -> WallHops:
    """Gain and loss of a wall through half a cell: `inflow` is into - out c. None is below zero."""
    free, taken = 1.0 - cell.c / cell.sites, cell.c / cell.sites
    below = cell.rate * (cell.into * free + cell.out * taken) + ways.gain / cell.sites + ways.loss
    per = cell.rate / below if below > 0.0 else 0.0
    return WallHops(max(per * ways.gain * cell.into * free, 0.0), max(per * ways.loss * cell.out, 0.0))


@bare
def inflow(ways: Ways, log_gain_by_field: float, cell: HalfCell) -> Inflow:
    """Flux between a wall and a cell. log_gain_by_field : d ln k/dE of gain and loss [m/V]"""
    per_site, rate = 1.0 / cell.sites, cell.rate
    free, taken = 1.0 - cell.c * per_site, cell.c * per_site
    above = rate * (ways.gain * cell.into * free - ways.loss * cell.out * cell.c)
    below = rate * (cell.into * free + cell.out * taken) + ways.gain * per_site + ways.loss
    per = 1.0 / below if below > 0.0 else 0.0  # a wall that no hop reaches
    J = above * per
    by_gain = per * (rate * cell.into * free - J * per_site)
    by_loss = -per * (rate * cell.out * cell.c + J)
    by_into = per * rate * free * (ways.gain - J)
    by_out = -per * rate * cell.c * (ways.loss + J * per_site)
    by_rate = per * (ways.gain * cell.into * free - ways.loss * cell.out * cell.c)
    by_rate -= per * J * (cell.into * free + cell.out * taken)
    by_c = (
        -per * rate * (ways.gain * cell.into * per_site + ways.loss * cell.out + J * (cell.out - cell.into) * per_site)
    )
    by_field = by_into * cell.into_by_field + by_out * cell.out_by_field + by_rate * rate * cell.log_rate_by_field
    by_field += (by_gain * ways.gain + by_loss * ways.loss) * log_gain_by_field
    by_edge = by_gain * ways.gain * ways.gain_by_edge + by_loss * ways.loss * ways.loss_by_edge
    by_filling = by_gain * ways.gain_by_filling + by_loss * ways.loss_by_filling
    return Inflow(J, by_c, by_field, by_edge, by_filling, (ways.gain + rate * cell.out * cell.c) * per)

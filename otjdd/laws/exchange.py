"""Laws by which an electrode gives vacancies to a film and takes them, as plain formulas. A new law is added here alone.

Vacancies pass the wall between an electrode and the film one way and the other: with the concentration c_s of the film at
the wall and n sites,

    J = gain (1 - c_s/n) - loss c_s        gain in 1/(m2 s), loss in m/s

A formula gives gain and loss at the state of the wall, and their logarithmic slopes. `physics.exchange` finds c_s by the
half cell between the wall and the first centre, and takes the flux from there.

To add a law, write its formula, and add a row to LAWS. Formulas use `math` and their arguments only: `physics` compiles
them, and `case` uses the names of LAWS without compiling anything.
"""

import math
from collections.abc import Callable
from typing import NamedTuple


class Wall(NamedTuple):
    """An electrode at the wall of a film, as numbers."""

    law: int  # index in LAWS
    rate: float  # k0 [m/s], k = k0 exp(-activation/kT)
    activation: float  # eV
    formation: (
        float  # eV, of a vacancy at the wall with its electrons at the edge of the conduction band, in weak field
    )
    log_oxygen: float  # ln(p/p0) of the oxygen that the electrode is in equilibrium with
    transfer: float  # share a of the step of the screening layer that helps vacancies in
    hop: float  # m, by which a field speeds up the exchange
    capacity: float  # 1/m2, oxygen sites of the reservoir; inf for one without end
    filling: float  # share of these that is filled at first
    unseen: float = 0.0  # share of these that is none to the accuracy of a run, filled or free


class Contact(NamedTuple):
    """State of a wall."""

    edge: float  # eV, conduction band of the film at the wall over the Fermi level of the electrode
    step: float  # eV, the part of it that a screening layer of the electrode makes
    follow: float  # d step/d edge: 1 of a metal, 0 of a semiconductor
    filling: float  # share of the oxygen sites of the reservoir that is filled
    kT: float  # eV


class WallRates(NamedTuple):
    """Gain and loss of a wall and their derivatives: relative by the edge, absolute by the filling."""

    gain: float  # 1/(m2 s)
    loss: float  # m/s
    gain_by_edge: float  # 1/eV, d ln gain
    loss_by_edge: float
    gain_by_filling: float  # 1/(m2 s)
    loss_by_filling: float  # m/s


Formula = Callable[[Wall, Contact, int, float, float], WallRates]  # of a wall, its state, z, n [1/m3], and k g [m/s]


class ExchangeLaw(NamedTuple):
    """A law: its formula, and its source."""

    formula: Formula | None  # None for an electrode that blocks vacancies
    source: str = ""


def butler_volmer(wall: Wall, contact: Contact, z: int, sites: float, rate: float) -> WallRates:
    """Exchange in balance with a reservoir of oxygen, its barrier tilted by the step of the screening layer.

        gain = k g c_eq exp(a z step/kT) (1 - y)/(1 - y0)        loss = k g (1 - c_eq/n) exp(-(1 - a) z step/kT) y/y0
        c_eq/(n - c_eq) = exp[-(formation - z (edge - step))/kT] (p/p0)^(-1/2)

    Vacancies enter for oxygen that takes an empty site of the reservoir, and leave for oxygen that comes from a filled one.
    At rest ln[c/(n - c)] = -[formation - z edge]/kT and what oxygen and filling add, at any charge of the electrode.
    """
    kT = contact.kT
    odds = (wall.formation - z * (contact.edge - contact.step)) / kT + 0.5 * wall.log_oxygen
    small = math.exp(-abs(odds))
    occupied, vacant = (small, 1.0) if odds > 0.0 else (1.0, small)
    share, rest = occupied / (1.0 + small), vacant / (1.0 + small)
    into, out = math.exp(wall.transfer * z * contact.step / kT), math.exp((wall.transfer - 1.0) * z * contact.step / kT)
    gain, loss = rate * sites * share * into / (1.0 - wall.filling), rate * rest * out / wall.filling
    by_step, by_odds = z * contact.follow / kT, z * (1.0 - contact.follow) / kT
    return WallRates(
        gain * (1.0 - contact.filling), loss * contact.filling, wall.transfer * by_step + rest * by_odds,
        (wall.transfer - 1.0) * by_step - share * by_odds, -gain, loss,
    )  # fmt: skip


LAWS = {
    "blocking": ExchangeLaw(None),
    "butler-volmer": ExchangeLaw(
        butler_volmer, "Bard & Faulkner, Electrochemical Methods (2001), section 3.3: transfer of charge"
    ),
}

"""Levels of the electrodes of a case that exchange vacancies, and what it means where two of them disagree."""

from __future__ import annotations

import numpy as np

from otjdd.case.case import Case
from otjdd.case.electrodes import SIDES, exchanges
from otjdd.constants import BOLTZMANN_EV
from otjdd.solver.electrodes import edge_beside
from otjdd.solver.model import site_energy

SAME = 1e-3  # eV, between levels that are taken for one: a flux of 4 % of that of either electrode at 300 K


def reservoir_levels(case: Case) -> dict[str, float]:
    """Side -> formation energy [eV] at the oxygen pressure there, of the electrodes that exchange vacancies."""
    ions, T, film, L = case.ions, case.temperature, case.device.film, case.device.film.thickness
    energies = {}
    for side, given in exchanges(case.device).items():
        at = np.array(0.0 if side == "left" else L)
        well = float(site_energy(at, L, ions.well_left, ions.well_right, ions.well_width))
        beside = film.stack[0 if side == "left" else -1]
        edge, sites = edge_beside(case.device, side, T), beside.sites(ions.site_density)
        energy = given.energy(edge, well + beside.site_energy, sites, ions.charge, T)
        energies[side] = energy + 0.5 * BOLTZMANN_EV * T * given.log_oxygen
    return energies


def disagreement(case: Case) -> str:
    """A sentence about two electrodes whose levels drive vacancies through the film at 0 V; "" where none do."""
    at = reservoir_levels(case)
    if len(at) < len(SIDES) or abs(at["left"] - at["right"]) <= SAME:
        return ""
    giver, taker = sorted(SIDES, key=lambda side: at[side])
    energies = " and ".join(f"{at[side]:.4g} eV at the {side} electrode" for side in SIDES)
    return (
        f"device.left.exchange, device.right.exchange: a vacancy takes {energies}, so that at 0 V vacancies pass the film "
        f"for ever, from the {giver} to the {taker} electrode; one formation_energy for both is at rest there"
    )

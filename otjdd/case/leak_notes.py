"""Notes on leaks and traps, for `otjdd check`: barriers that the drive takes away, traps too dense to stand apart, and
more charge of traps than a film can carry."""

from __future__ import annotations

import math

from otjdd.case.case import Case
from otjdd.case.traps import Trap
from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY

DENSE = 1e27  # 1/m3: traps are then a nanometre apart, and their states form bands


STRONGEST = 1e9  # V/m: oxides a few nanometres thick break down there


def density_of(case: Case, trap: Trap) -> float:
    """Traps of one kind per volume [1/m3], those at the vacancies as at the mean density of these."""
    return trap.density if trap.density is not None else (trap.per_ion or 1.0) * (case.ions.density or 0.0)


def charging_traps(case: Case) -> list[str]:
    """A line for each kind of traps that would make a field beyond STRONGEST, were all of them charged."""
    lines, film = [], case.device.film
    for i, trap in enumerate(case.device.traps or ()):
        if trap.kind == "none":
            continue
        layer = film.stack[trap.layer or 0]
        width = trap.width or (film.thickness if trap.layer is None else layer.thickness)
        eps_inf, b, root_a = layer.permittivity.terms(case.temperature)
        charge = ELEMENTARY_CHARGE * density_of(case, trap) * width
        # D = eps0 [eps_inf E + b asinh(E/sqrt(a))] at the strongest field
        most = 2.0 * VACUUM_PERMITTIVITY * (eps_inf * STRONGEST + b * math.asinh(STRONGEST / root_a))
        if charge > most:
            lines.append(
                f"device.traps[{i}]: were all charged, {charge:.2g} C/m^2 would make more than the {STRONGEST:.0e} V/m at "
                f"which films break down; a film carries the charge of {most / charge:.2g} of them at most"
            )
    return lines


def dense_traps(case: Case) -> list[str]:
    """A line for each kind of traps beyond DENSE."""
    densities = [density_of(case, trap) for trap in case.device.traps or ()]
    return [
        f"device.traps[{i}]: {N:.2g} 1/m^3 is more than the {DENSE:.0e} 1/m^3 at which traps are a nanometre "
        "apart: electrons on single traps are no good picture there"
        for i, N in enumerate(densities)
        if N > DENSE
    ]


def notes(case: Case) -> list[str]:
    """A line for each leak that the largest voltage leaves no barrier, built-in fields left out, and for dense traps."""
    drive, thickness = case.drive, case.device.film.thickness
    if hasattr(drive, "waveform"):
        most = max(float(abs(block.waveform.voltages).max()) for block in drive.waveform().blocks())
    else:
        most = max(map(abs, drive.bias_voltages())) if hasattr(drive, "bias_voltages") else 0.0
    bare = [
        f"device.leaks[{i}]: {most:.3g} V is a field of {most / thickness:.2g} V/m in the film, and beyond "
        f"{leak.saturating_field:.2g} V/m this leak has no barrier left: its prefactor limits its conductance"
        for i, leak in enumerate(case.device.leaks or ())
        if most / thickness > leak.saturating_field
    ]
    return bare + dense_traps(case) + charging_traps(case)

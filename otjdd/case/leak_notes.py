"""Notes on leaks and traps, for `otjdd check`: barriers that the drive takes away, and traps too dense to stand apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otjdd.case.case import Case


DENSE = 1e27  # 1/m3: traps are then a nanometre apart, and their states form bands


def dense_traps(case: Case) -> list[str]:
    """A line for each kind of traps beyond DENSE."""
    density = case.ions.density or 0.0
    densities = [
        trap.density if trap.density is not None else (trap.per_ion or 1.0) * density
        for trap in case.device.traps or ()
    ]
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
    return bare + dense_traps(case)

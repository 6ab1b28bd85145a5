"""Notes on leaks, for `otjdd check`: those whose barrier the drive takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otjdd.case.case import Case


def notes(case: Case) -> list[str]:
    """A line for each leak that the largest voltage leaves no barrier, built-in fields left out."""
    drive, thickness = case.drive, case.device.film.thickness
    if hasattr(drive, "waveform"):
        most = max(float(abs(block.waveform.voltages).max()) for block in drive.waveform().blocks())
    else:
        most = max(map(abs, drive.bias_voltages())) if hasattr(drive, "bias_voltages") else 0.0
    return [
        f"device.leaks[{i}]: {most:.3g} V is a field of {most / thickness:.2g} V/m in the film, and beyond "
        f"{leak.saturating_field:.2g} V/m this leak has no barrier left: its prefactor limits its conductance"
        for i, leak in enumerate(case.device.leaks or ())
        if most / thickness > leak.saturating_field
    ]

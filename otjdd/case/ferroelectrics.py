"""Notes of `otjdd check`: a ferroelectric film that is not polarised, and one that its electrodes cannot keep polarised."""

import math
import re
from typing import TYPE_CHECKING

from otjdd.case.electrodes import Metal
from otjdd.case.permittivity import LinearPermittivity
from otjdd.case.polarisation import AnyPolarisation, TwoLevel
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, PLANCK, VACUUM_PERMITTIVITY

if TYPE_CHECKING:
    from otjdd.case.case import Case

NAMES = {
    "BaTiO3": r"BaTiO_?3|BTO\b",
    "Pb(Zr,Ti)O3": r"Pb\(?Zr|PbTiO_?3|PZT\b",
    "BiFeO3": r"BiFeO_?3|BFO\b",
    "(Hf,Zr)O2": r"\(?Hf[0-9.,]*Zr[0-9.]*\)?O|HZO\b",
}
WORDS = {name: re.compile(rf"(?<![A-Za-z])(?:{pattern})") for name, pattern in NAMES.items()}


def ferroelectric_note(case: "Case") -> str:
    """Note for `otjdd check` if title or material of a case without polarisation name a ferroelectric, else ""."""
    if case.device.film.polarisation is not None:
        return ""
    said = f"{case.title} | {case.device.film.material or ''}"
    name = next((name for name, pattern in WORDS.items() if pattern.search(said)), "")
    without = f"{name} is ferroelectric, and this film is not polarised: a memory here is one of vacancies; "
    return (without + "put it into the model by [device.film.polarisation]") * bool(name)


def depolarised_note(case: "Case") -> str:
    """Note on a film that its depolarising field reverses while the drive lasts, else "".

    The field is known beforehand between two metals, for a linear permittivity.
    """
    polar, device = case.device.film.polarisation, case.device
    metals = [one for one in (device.left, device.right) if isinstance(one, Metal)]
    dielectric = device.film.permittivity
    if polar is None or len(metals) < 2 or not hasattr(case.drive, "waveform"):
        return ""
    if not isinstance(dielectric, LinearPermittivity):
        return ""
    oxide = device.film.thickness / dielectric.eps_r
    outside = sum(one.screening_length / one.relative_permittivity for one in metals)
    P_s, duration = polar.saturation_at(case.temperature), case.drive.waveform().duration
    left = P_s / (VACUUM_PERMITTIVITY * dielectric.eps_r) * outside / (oxide + outside)
    turns = max(reversing_field(polar, case.temperature, duration) - abs(polar.offset_field), 0.0)
    if left <= turns:
        return ""
    return (
        f"the electrodes leave a depolarising field of {left / 1e8:.3g} MV/cm at P_s and 0 V, and {turns / 1e8:.3g} MV/cm "
        f"reverses the film within the {duration:.3g} s of the drive: it does not hold its polarisation"
    )


def reversing_field(polar: AnyPolarisation, temperature: float, duration: float) -> float:
    """Field [V/m] in which the characteristic time of a reversal is a duration [s]; 0 where it reverses without one."""
    if isinstance(polar, TwoLevel):
        kT = BOLTZMANN_EV * temperature
        attempts = duration * kT * ELEMENTARY_CHARGE / PLANCK
        return max(polar.barrier - kT * math.log(max(attempts, 1.0)), 0.0) / polar.dipole_length
    decades = math.log(duration / polar.time) if duration > polar.time else 0.0
    return float(polar.activation_field / decades ** (1.0 / polar.exponent)) if decades else math.inf

"""Notes of `otjdd check`: a ferroelectric film that is not polarised, and one that its electrodes cannot keep polarised."""

import math
import re

from otjdd.case.case import Case
from otjdd.case.polarisation import AnyPolarisation, TwoLevel
from otjdd.case.rest_field import field_at_rest
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, PLANCK

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
    text = f"{case.title} | {case.device.film.material or ''}"
    name = next((name for name, pattern in WORDS.items() if pattern.search(text)), "")
    without = f"{name} is ferroelectric, and this film is not polarised: a memory here is one of vacancies; "
    return (without + "put it into the model by [device.film.polarisation]") * bool(name)


def depolarised_note(case: "Case") -> str:
    """Note on a film that the field which its electrodes leave reverses while the drive lasts, else "".

    The field is an estimate, see `rest_field`.
    """
    polar = case.device.film.polarisation
    if polar is None or not hasattr(case.drive, "waveform"):
        return ""
    P_s, duration = polar.saturation_at(case.temperature), case.drive.waveform().duration
    turns, lost = reversing_field(polar, case.temperature, duration), []
    for towards, sign in (("right", 1.0), ("left", -1.0)):
        field = -sign * field_at_rest(case.device, case.temperature, sign * P_s)
        needed = max(turns - sign * polar.offset_field, 0.0)
        if field > needed:
            lost.append((field, needed, f" with P towards the {towards} electrode"))
    if not lost:
        return ""
    field, needed, which = max(lost)
    state = which if len(lost) == 1 else ""
    at = case._polarised
    place = f"{at.file}:{at.line} device.film.polarisation: " if at else ""
    return (
        f"{place}the electrodes leave a depolarising field of {field / 1e8:.3g} MV/cm at P_s and 0 V{state}, and "
        f"{needed / 1e8:.3g} MV/cm reverses the film within the {duration:.3g} s of the drive: it does not hold all of its "
        "polarisation"
    )


def reversing_field(polar: AnyPolarisation, temperature: float, duration: float) -> float:
    """Field [V/m] in which the characteristic time of a reversal is a duration [s]; 0 where it reverses without one."""
    if isinstance(polar, TwoLevel):
        kT = BOLTZMANN_EV * temperature
        attempts = duration * kT * ELEMENTARY_CHARGE / PLANCK
        return max(polar.barrier - kT * math.log(max(attempts, 1.0)), 0.0) / polar.dipole_length
    decades = math.log(duration / polar.time) if duration > polar.time else 0.0
    return float(polar.activation_field / decades ** (1.0 / polar.exponent)) if decades else math.inf

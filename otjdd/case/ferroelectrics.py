"""A note about films of known ferroelectrics without a table [device.film.polarisation]."""

import re
from typing import TYPE_CHECKING

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

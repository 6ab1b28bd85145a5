"""Notes on the instrument of a case, for `otjdd check`: its keys act on the current in time alone."""

from __future__ import annotations

from otjdd.case.case import Case

KEYS = ("range", "bandwidth", "time_constant")  # of [circuit]
IN_TIME = "act on `current` alone, what the instrument shows in time"


def notes(case: Case) -> list[str]:
    """A line where [circuit] states an instrument, and the drive takes curves at frozen ions or reads as well."""
    keys = [f"circuit.{key}" for key in KEYS if getattr(case.circuit, key) is not None]
    if not keys:
        return []
    which = ", ".join(keys)
    if not hasattr(case.drive, "waveform"):
        return [f"{which} {IN_TIME}, and have no effect on this drive: curves at frozen ions are those of the junction"]
    if case.circuit.range is not None and case.waveform().read_count:
        return [f"{which} {IN_TIME}: reads are those of the junction, also beyond circuit.range"]
    return []

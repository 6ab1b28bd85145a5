"""Check of all that a case takes from elsewhere, and of what no key alone shows, before it runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from otjdd.case import toml_text
from otjdd.case.case import Case
from otjdd.case.problem import Problem, Source, dotted
from otjdd.errors import CaseError, NotAsExpected
from otjdd.solver import initial, model, reservoirs

if TYPE_CHECKING:
    from otjdd.waveform.chain import Chain
    from otjdd.waveform.waveform import Waveform


def check_inputs(case: Case, file: str = "case") -> None:
    """Build the columns and the waveform of a case, and read its files. file : name of the case in messages

    Raises CaseError, ResultError.
    """
    try:
        columns = model.members(case)
        if case.crossbar is not None:
            from otjdd.compact_models.crossbars import models

            models.check_devices(case, file)
        if hasattr(case.drive, "waveform"):
            waveform = built_waveform(case, file)
            case.record.instants(waveform.duration)
            case.record.check_reads(waveform.read_count)
        if hasattr(case.ions.initial, "result"):
            initial.from_result(case, model.junction(case, parts=columns), columns)
        if case.ions.initial == "equilibrium" and (unlike := reservoirs.disagreement(case)):
            raise NotAsExpected("another state to start from", f'"equilibrium": {unlike}', "ions", "initial")
    except NotAsExpected as error:
        raise CaseError([Problem(file, 0, 0, dotted(error.key), error.expected, error.got)]) from None
    except (ValueError, OSError) as error:
        raise CaseError([Problem(file, 0, 0, "", reason_in(case, error))]) from None


def built_waveform(case: Case, file: str) -> Waveform | Chain:
    """Waveform of a case. Raises CaseError, with the line of [drive] if the file states it; OSError for a file of it."""
    try:
        return case.waveform()
    except ValueError as error:
        source, offset = Source(file, case.source), toml_text.scan(case.source).places.get(("drive",))
        problem = source.problem(offset or 0, ("drive",), reason_in(case, error))
        raise CaseError([problem if offset is not None else problem._replace(line=0, source="")]) from None


def reason_in(case: Case, error: Exception) -> str:
    """Reason of an error in words, with files in the folder of the case by their names in it."""
    return str(error).replace(f"{case.folder}{os.sep}", "")

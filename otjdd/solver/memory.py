"""Memory that a case needs, estimated before it runs."""

from __future__ import annotations

from otjdd.case.case import Case
from otjdd.case.drive_curves import Following, Prepared
from otjdd.case.drive_patterns import Patterns


def bytes_needed(case: Case, columns: int) -> float:
    """Bytes of the outputs of a case except its time series, whose length is not known before."""
    drive, record, cells = case.drive, case.record, case.device.film.cells
    if isinstance(drive, Prepared):
        frequencies = len(drive.frequency_values()) if isinstance(drive, Following) else 0
        curves = len(drive.histories()) * max(1, len(drive.temperatures)) * len(drive.bias_voltages())
        return 8.0 * curves * (8 + 4 * frequencies)
    if isinstance(drive, Patterns):
        assert case.crossbar is not None  # as the case has been checked
        maps = 6 + 7 * any(part.kind == "program" for part in drive.parts)
        return 8.0 * maps * (len(drive.parts) + 1) * case.crossbar.word_lines * case.crossbar.bit_lines
    reads = drive.waveform().read_count
    profiles = record.profiles + len(record.profiles_at) + reads * record.profiles_at_reads
    return 8.0 * (profiles * (cells * (columns + 2) + 2000) + 20 * reads)

"""Memory that a case needs, known before it runs."""


def needed(case, columns: int) -> float:
    """Bytes of the outputs of a case except its time series, whose length is not known before."""
    drive, record, cells = case.drive, case.record, case.device.film.cells
    if drive.kind == "iv":
        return 0.0
    reads = drive.waveform().read_count
    profiles = record.profiles + len(record.profiles_at) + reads * record.profiles_at_reads
    return 8.0 * (profiles * (cells * (columns + 2) + 2000) + 20 * reads)

"""Drives and results in a line of plain words."""


def of_drive(drive) -> str:
    """What a drive does."""
    if drive.kind == "iv":
        voltages, states = len(drive.bias_voltages()), len(drive.histories())
        return f"{states} states, {voltages} voltages, {max(1, len(drive.temperatures))} temperatures"
    waveform = drive.waveform()
    return f"{waveform.write_count} writes, {waveform.read_count} reads, {waveform.duration:.6g} s"


def of_result(ds) -> str:
    """What came out."""
    if "bias_current" in ds:
        n = ds.sizes
        most = float(abs(ds.bias_current).max())
        return f"{n['state']} states, {n['temperature']} temperatures, {n['bias']} voltages, at most {most:.3g} A"
    if ds.sizes["read"]:
        R = ds.read_resistance.values
        reads = f"{len(R)} read" + "s" * (len(R) > 1)
        return f"{reads}, {R.min():.3g} to {R.max():.3g} ohm" if len(R) > 1 else f"{reads}, {R[0]:.3g} ohm"
    low, high = float(ds.current.min()), float(ds.current.max())
    return f"{ds.sizes['time']} instants, {low:.3g} to {high:.3g} A"

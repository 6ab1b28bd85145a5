"""otjdd compact: a compact model of a case, and its files for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.app import progress_bar, tell
from otjdd.cli.arguments import CasePath, Outside, Settings, check_folder, load


def compact(
    path: CasePath,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the model and its exports.")],
    voltage: Annotated[str, typer.Option(metavar="LOW:HIGH", help="Volts at the junction.")] = "-4.5:4.5",
    time: Annotated[str, typer.Option(metavar="SHORTEST:LONGEST", help="Seconds.")] = "20e-9:1e4",
    devices: Annotated[
        int, typer.Option(metavar="N", help="Draw N devices, for differences between them in the files for networks.")
    ] = 0,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
    settings: Settings = [],
    allow_outside: Outside = False,
):
    """Extract a compact model, measure its error against the solver, and write it for circuits and networks.

    Example: otjdd compact rv-loop -o model --workers 2
    """
    ranges = bounds(voltage, "--voltage"), bounds(time, "--time")
    case = load(path, settings, allow_outside)
    check_folder(out)
    from otjdd.compact_models import build
    from otjdd.compact_models import devices as drawing
    from otjdd.compact_models.exports import folder
    from otjdd.errors import ExtractionError

    folder.check(out)
    told = drawing.source(case, devices) if devices else ""
    with progress_bar("extraction", quiet=False) as bar:
        try:
            model = build.compact(case, voltage=ranges[0], time=ranges[1], workers=workers, progress=bar)
        except ExtractionError as error:
            error.partial.save(out / folder.MODEL)
            tell(f"The model as far as it got is in {out / folder.MODEL}.")
            raise
    written = folder.write(model, out, differing(case, devices, model.limits, workers, told) if devices else None)
    from otjdd.plot import compact as picture
    from otjdd.plot import style

    style.save(picture.agreement(model.measured), out / "error.png")
    for name, (rms, worst) in model.error.items():
        print(f"{name}: rms {rms:.3f}, worst {worst:.3f} decades")
    print("\n".join(map(str, [*written, out / "error.png"])))


def differing(case, count: int, limits, workers: int, source: str):
    """Pulses on devices that differ."""
    from otjdd.compact_models.devices import devices
    from otjdd.compact_models.exports.pulses import pulsed_devices
    from otjdd.system import pool

    with progress_bar("devices", quiet=False) as bar, pool.team(workers) as spread:
        return pulsed_devices(devices(case, count, limits, spread, bar), source)


def bounds(text: str, option: str) -> tuple[float, float]:
    """Two numbers of the text LOW:HIGH. Raises typer.BadParameter."""
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise typer.BadParameter(
            f"expected two numbers with a colon between them, got {text!r}", param_hint=option
        ) from None
    return low, high

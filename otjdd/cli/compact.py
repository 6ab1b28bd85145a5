"""otjdd compact: a compact model of a case, and its files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from otjdd import units
from otjdd.cli.app import progress_bar
from otjdd.cli.arguments import CasePath, Outside, Settings, folder_to_fill, load_checked
from otjdd.errors import ExtractionError, UnitError
from otjdd.system.terminal import tell

if TYPE_CHECKING:
    from otjdd.case.case import Case
    from otjdd.compact_models.exports.pulses import Devices, Pulse, Train
    from otjdd.compact_models.limits import Range
    from otjdd.compact_models.model import CompactModel


Ranges = tuple[tuple[float, float], tuple[float, float]]  # of volts and seconds


def compact(
    path: CasePath,
    *,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the model and its exports.")],
    voltage: Annotated[str, typer.Option(metavar="LOW:HIGH", help="Volts at the junction.")] = "-4.5:4.5",
    time: Annotated[str, typer.Option(metavar="SHORTEST:LONGEST", help="Seconds.")] = "20e-9:1e4",
    devices: Annotated[
        int, typer.Option(metavar="N", help="Draw N devices, for differences between them in the files for networks.")
    ] = 0,
    set_pulse: Annotated[
        str,
        typer.Option(metavar='"VOLTAGE, WIDTH"', help="Pulses that raise the conductance, in the files for networks."),
    ] = "",
    reset_pulse: Annotated[
        str,
        typer.Option(metavar='"VOLTAGE, WIDTH"', help="Pulses that lower the conductance, in the files for networks."),
    ] = "",
    pulses: Annotated[
        int, typer.Option(metavar="N", min=2, max=1000, help="Pulses of either sign in these files.")
    ] = 20,
    exclude: Annotated[
        list[str],
        typer.Option(
            metavar="DRIVE", help='Drives whose error is told and not held against the model: "first sweeps".'
        ),
    ] = [],
    temperatures: Annotated[
        str,
        typer.Option(
            metavar="LOW:HIGH[:N]",
            help='Temperatures that circuits may be set to, such as "250K:400K": N nodes, 3 unless given.',
        ),
    ] = "",
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
    settings: Settings = [],
    allow_outside: Outside = False,
) -> None:
    """Extract a compact model, measure its error against the solver, and write it for circuits and networks.

    Example: otjdd compact rv-loop -o model --set-pulse "2.2 V, 50 ns" --reset-pulse "-2.5 V, 50 ns"
    """
    asked = Asked(bounds(voltage, "--voltage"), bounds(time, "--time"), warmth(temperatures), workers, tuple(exclude))
    train = asked_pulses((asked.voltage, asked.time), set_pulse, reset_pulse, pulses)
    case = load_checked(path, settings, allow_outside)
    with folder_to_fill(out):
        fill(out, case, asked, train, devices)


class Asked(NamedTuple):
    """What is asked of an extraction."""

    voltage: tuple[float, float]  # V
    time: tuple[float, float]  # s
    temperatures: tuple[tuple[float, float], int] | None  # K, and at how many; None for that of the case
    workers: int
    exclude: tuple[str, ...]


def fill(out: Path, case: Case, asked: Asked, train: Train, devices: int) -> None:
    """Extract a model and write all of its files into a folder."""
    from otjdd.compact_models import devices as drawing
    from otjdd.compact_models.exports import compiler, folder
    from otjdd.compact_models.exports import pulses as equal

    folder.check_folder(out)
    told = drawing.source(case, devices) if devices else ""
    model = extracted(case, asked, out)
    taken = equal.pulse_cycle(model, train) if model.heat is None else None
    differ = differing(case, devices, model.limits, asked.workers, told, train) if devices and taken else None
    written = folder.write_exports(model, out, taken, differ)
    from otjdd.plot import compact as picture
    from otjdd.plot import style

    assert model.measured is not None  # as `build.compact` has measured it
    style.save(picture.agreement(model.measured), out / "error.png")
    tell_error(model)
    for text in equal.warnings(taken):
        tell(f"warning: {text}")
    print("\n".join(map(str, [*written, out / "error.png"])))
    tell(compiler.advice())


def extracted(case: Case, asked: Asked, out: Path) -> CompactModel:
    """Compact model of a case; one that is refused is kept in the folder `out`. Raises ExtractionError."""
    from otjdd.compact_models import build
    from otjdd.compact_models.exports import folder

    over, nodes = asked.temperatures or (None, build.NODES)
    with progress_bar("extraction", quiet=False) as bar:
        try:
            return build.compact(
                case, voltage=asked.voltage, time=asked.time, workers=asked.workers, progress=bar,
                exclude=asked.exclude, temperatures=over, nodes=nodes,
            )  # fmt: skip
        except ExtractionError as error:
            reached: Any = error.partial  # a CompactModel
            reached.save(out / folder.MODEL)
            tell_error(reached)
            tell(f"The model as far as it got is in {out / folder.MODEL}.")
            raise


def tell_error(model: CompactModel) -> None:
    """Print the error of a model, drive by drive."""
    from otjdd.compact_models.error import rows

    for name, rms, worst, mark in rows(model):
        print(f"{name}: rms {rms:.3f}, worst {worst:.3f} decades{mark}")


def differing(case: Case, count: int, limits: Range, workers: int, source: str, train: Train) -> Devices:
    """Pulses on devices that differ."""
    from otjdd.compact_models.devices import devices
    from otjdd.compact_models.exports.pulses import pulsed_devices
    from otjdd.system import pool

    with progress_bar("devices", quiet=False) as bar, pool.team(workers) as spread:
        return pulsed_devices(devices(case, count, limits, spread, bar), source, train)


def asked_pulses(ranges: Ranges, set_pulse: str, reset_pulse: str, count: int) -> Train:
    """Pulses of the words of --set-pulse, --reset-pulse and --pulses. Raises typer.BadParameter.

    ranges : volts and seconds that the model is to hold for
    """
    from otjdd.compact_models.exports import pulses
    from otjdd.compact_models.limits import Range

    train = pulses.default_train(Range(*ranges[0], *ranges[1]))
    up = pulse_of_text(set_pulse, "--set-pulse", ranges) if set_pulse else train.up
    down = pulse_of_text(reset_pulse, "--reset-pulse", ranges) if reset_pulse else train.down
    if (set_pulse or reset_pulse) and not up.voltage * down.voltage < 0.0:
        raise typer.BadParameter(
            f"expected two signs, got {up.voltage:g} V to set and {down.voltage:g} V to reset",
            param_hint="--set-pulse, --reset-pulse",
        )
    return train._replace(up=up, down=down, count=count)


def pulse_of_text(text: str, option: str, ranges: Ranges) -> Pulse:
    """A pulse of the text "2.2 V, 50 ns" within ranges of volts and seconds. Raises typer.BadParameter."""
    from otjdd.compact_models.exports.pulses import Pulse

    try:
        voltage, width = text.split(",")
        found = Pulse(units.parse(voltage.strip(), "voltage"), units.parse(width.strip(), "time"))
    except UnitError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    except ValueError:
        raise typer.BadParameter(
            f'expected a voltage, a comma and a width such as "2.2 V, 50 ns", got {text!r}', param_hint=option
        ) from None
    for value, (low, high), unit, said in zip(found, ranges, "Vs", ("--voltage", "--time"), strict=True):
        if not low <= value <= high:
            raise typer.BadParameter(
                f"expected {low:g} {unit} to {high:g} {unit}, as {said} has it, got {value:g} {unit}", param_hint=option
            )
    return found


def warmth(text: str) -> tuple[tuple[float, float], int] | None:
    """Two temperatures [K] of the text LOW:HIGH or LOW:HIGH:N, and the number of nodes. Raises typer.BadParameter."""
    from otjdd.compact_models.build import NODES

    if not text:
        return None
    low, *others = text.split(":")
    try:
        high, count = others[0], int(others[1]) if len(others) == 2 else NODES
        if len(others) > 2:
            raise ValueError
        return (units.parse(low, "temperature"), units.parse(high, "temperature")), count
    except UnitError as error:
        raise typer.BadParameter(str(error), param_hint="--temperatures") from None
    except (ValueError, IndexError):
        raise typer.BadParameter(
            f'expected two temperatures, and how many nodes if not {NODES}, such as "250K:400K" or "250K:400K:4", '
            f"got {text!r}",
            param_hint="--temperatures",
        ) from None


def bounds(text: str, option: str) -> tuple[float, float]:
    """Two numbers of the text LOW:HIGH. Raises typer.BadParameter."""
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise typer.BadParameter(
            f"expected two numbers with a colon between them, got {text!r}", param_hint=option
        ) from None
    return low, high

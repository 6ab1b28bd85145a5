"""otjdd compact: a compact model of a case, and its files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from otjdd import units
from otjdd.cli.app import progress_bar
from otjdd.cli.arguments import CasePath, Outside, Settings, folder_to_fill, load_checked
from otjdd.errors import ExtractionError, UnitError
from otjdd.system.terminal import tell

if TYPE_CHECKING:
    from otjdd.case.case import Case
    from otjdd.compact_models.exports.export_noise import ExportNoise
    from otjdd.compact_models.exports.pulses import Devices, Pulse, Pulsed, Train
    from otjdd.compact_models.limits import Range
    from otjdd.compact_models.model import CompactModel


Ranges = tuple[tuple[float, float], tuple[float, float]]  # lowest and highest: of voltages [V], and of times [s]


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
            metavar="DRIVE", help='Drives whose error is printed and does not reject the model: "first sweeps".'
        ),
    ] = [],
    temperatures: Annotated[
        str,
        typer.Option(
            metavar="LOW:HIGH[:N]",
            help='Temperatures that the model holds for, such as "250K:400K"; tables at N of them, by default 3.',
        ),
    ] = "",
    noise: Annotated[
        bool,
        typer.Option(
            "--noise", help="Find how states scatter where single ions hop at random, and how devices differ."
        ),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
    settings: Settings = [],
    allow_outside: Outside = False,
) -> None:
    """Extract a compact model, measure its error against the solver, and write it for circuits and networks.

    Example: otjdd compact rv-loop -o model --set-pulse "2.2 V, 50 ns" --reset-pulse "-2.5 V, 50 ns"
    """
    ranges = bounds(voltage, "--voltage"), bounds(time, "--time")
    request = Request(*ranges, temperature_range(temperatures), workers, tuple(exclude), noise, devices)
    train = pulse_train(ranges, set_pulse, reset_pulse, pulses)
    case = load_checked(path, settings, allow_outside)
    with folder_to_fill(out):
        write_model(out, case, request, train, devices)


class Request(NamedTuple):
    """Options of an extraction."""

    voltage: tuple[float, float]  # V, lowest and highest at the junction
    time: tuple[float, float]  # s, shortest and longest
    temperatures: tuple[tuple[float, float], int] | None  # K and number of nodes; None: the temperature of the case
    workers: int
    exclude: tuple[str, ...]  # drives whose error does not count
    noise: bool  # the model is one of noise
    devices: int  # to draw, 0 for as many as are by default beside noise


def write_model(out: Path, case: Case, request: Request, train: Train, devices: int) -> None:
    """Extract a model and write all of its files into a folder.

    train : pulses of the files for networks   devices : number of devices to draw, 0 for none
    """
    from otjdd.compact_models import draws
    from otjdd.compact_models.exports import compiler, export_noise, folder
    from otjdd.compact_models.exports import pulses as equal
    from otjdd.compact_models.scatter import runs as measuring

    folder.check_folder(out)
    source = draws.source(case, devices) if devices else ""
    if request.noise:
        measuring.cases(case, devices)
    model = extract(case, request, out)
    cycle = equal.pulse_cycle(model, train) if model.heat is None else None
    drawn, noise = None, None
    if request.noise and cycle and cycle.window >= equal.NOTHING:
        noise = measure_scatter(case, cycle, request.workers, devices, source)
    elif devices and cycle:
        drawn = draw_devices(case, devices, model.limits, request.workers, source, train)
    written = folder.write_exports(model, out, cycle, drawn, noise)
    from otjdd.plot import compact as picture
    from otjdd.plot import style

    assert model.measured is not None  # `build.compact` measures every model
    style.save(picture.agreement(model.measured), out / "error.png")
    tell_error(model)
    if noise:
        print("\n".join(export_noise.comparison(noise.rows)))
    for text in [*equal.warnings(cycle), *(export_noise.warnings(noise, cycle) if noise and cycle else ())]:
        tell(f"warning: {text}")
    print("\n".join(map(str, [*written, out / "error.png"])))
    tell(compiler.advice())


def extract(case: Case, request: Request, out: Path) -> CompactModel:
    """Extract the compact model of a case. A model that is not accurate enough is saved in the folder `out`.

    Raises ExtractionError.
    """
    from otjdd.compact_models import build, device_factors
    from otjdd.compact_models.exports import folder

    over, nodes = request.temperatures or (None, build.NODES)
    with progress_bar("extraction", quiet=False) as bar:
        try:
            return build.compact(
                case, voltage=request.voltage, time=request.time, workers=request.workers, progress=bar,
                exclude=request.exclude, temperatures=over, nodes=nodes, noise=request.noise,
                devices=request.devices or device_factors.DEVICES,
            )  # fmt: skip
        except ExtractionError as error:
            partial: CompactModel = error.partial
            partial.save(out / folder.MODEL)
            tell_error(partial)
            tell(f"The model as far as it got is in {out / folder.MODEL}.")
            raise


def tell_error(model: CompactModel) -> None:
    """Print the error of a model, a line for each drive."""
    from otjdd.compact_models import device_factors, noise_error
    from otjdd.compact_models.error import rows

    for name, rms, worst, mark in rows(model):
        print(f"{name}: rms {rms:.3f}, worst {worst:.3f} decades{mark}")
    for line in (*noise_error.rows(model), *device_factors.words(model)):
        print(line)
    if warning := noise_error.negligible_noise(model):
        tell(f"warning: {warning}")


def draw_devices(case: Case, count: int, limits: Range, workers: int, source: str, train: Train) -> Devices:
    """Draw devices that differ, and apply the pulses to each.

    count : number of devices   source : what they differ in, in words
    """
    from otjdd.compact_models.devices import devices
    from otjdd.compact_models.exports.pulses import pulsed_devices
    from otjdd.system import pool

    with progress_bar("devices", quiet=False) as bar, pool.team(workers) as spread:
        return pulsed_devices(devices(case, count, limits, spread, bar), source, train)


def measure_scatter(case: Case, cycle: Pulsed, workers: int, devices: int, source: str) -> ExportNoise:
    """Run the pulses on devices whose ions hop one by one, and find the noise of the files for networks.

    devices : number of devices, drawn as `source` says; 0 for some that are alike
    """
    from otjdd.compact_models.exports.export_noise import noise_of_exports
    from otjdd.compact_models.scatter.numbers import numbers
    from otjdd.compact_models.scatter.runs import measured
    from otjdd.system import pool

    with progress_bar("scatter", quiet=False) as bar, pool.team(workers) as spread:
        found = measured(case, cycle, spread, devices, bar)
    return noise_of_exports(numbers(case, found), cycle, source or "alike but for their ions and how these hop")


def pulse_train(ranges: Ranges, set_pulse: str, reset_pulse: str, count: int) -> Train:
    """Train of --set-pulse, --reset-pulse and --pulses, with defaults for what is empty. Raises typer.BadParameter.

    ranges : voltages [V] and times [s] that the model holds for
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
    """Pulse of a text such as "2.2 V, 50 ns". Raises typer.BadParameter, also outside of `ranges` [V], [s]."""
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


def temperature_range(text: str) -> tuple[tuple[float, float], int] | None:
    """Two temperatures [K] and the number of nodes, from LOW:HIGH or LOW:HIGH:N; None for "".

    Raises typer.BadParameter.
    """
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
    """The two numbers of a text LOW:HIGH. Raises typer.BadParameter, which names `option`."""
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise typer.BadParameter(
            f"expected two numbers with a colon between them, got {text!r}", param_hint=option
        ) from None
    return low, high

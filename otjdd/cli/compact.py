"""otjdd compact: a compact model of a case, and its files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import otjdd
from otjdd import compact_models
from otjdd.cli.arguments import (
    CasePath,
    OneWorker,
    Outside,
    SettingOption,
    check_outputs,
    folder_to_fill,
    load_checked,
    option_error,
    two_numbers,
    usage_of,
)
from otjdd.cli.progress import progress_lines
from otjdd.compact_models import exports
from otjdd.errors import ExtractionError
from otjdd.system.late import plot
from otjdd.system.terminal import tell
from otjdd.units import parse

Ranges = tuple[tuple[float, float], tuple[float, float]]  # lowest and highest: of voltages [V], and of times [s]

Temperatures = Annotated[
    str,
    typer.Option(
        metavar="LOW:HIGH[:N]",
        help='Temperatures that the model holds for, such as "250K:400K"; tables at N of them, by default 3.',
    ),
]
Varied = Annotated[
    list[str],
    typer.Option(
        metavar="KEY=LOW:HIGH[:N]",
        help="A number of the case that becomes a parameter of the model, such as "
        '"device.film.thickness=2.6nm:3.0nm"; tables at N values of it, by default 3. At most two.',
    ),
]


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
    temperatures: Temperatures = "",
    vary: Varied = [],
    noise: Annotated[
        bool,
        typer.Option(
            "--noise", help="Find how states scatter where discrete ions hop stochastically, and how devices differ."
        ),
    ] = False,
    workers: OneWorker = 1,
    settings: SettingOption = [],
    allow_outside: Outside = False,
) -> None:
    """Extract a compact model, measure its error against the solver, and write it for circuits and networks.

    Example: otjdd compact rv-loop -o model --set-pulse "2.2 V, 50 ns" --reset-pulse "-2.5 V, 50 ns"
    """
    ranges = two_numbers(voltage, "--voltage"), two_numbers(time, "--time")
    varied = varied_ranges([*([f"{compact_models.axes.TEMPERATURE}={temperatures}"] if temperatures else []), *vary])
    request = exports.folder.Request(*ranges, varied, workers, tuple(exclude), noise, devices)
    train = pulse_train(ranges, set_pulse, reset_pulse, pulses)
    case = load_checked(path, settings, allow_outside)
    check_outputs(*(path for name in (exports.folder.MODEL, *exports.folder.NAMES) if (path := out / name).exists()))
    with folder_to_fill(out):
        write_model(out, case, request, train)


def write_model(
    out: Path,
    case: otjdd.Case,
    request: exports.folder.Request,
    train: exports.pulses.PulseTrain,
) -> None:
    """Extract a model and write all of its files into a folder. train : pulses of the files for networks"""
    try:
        extracted = exports.folder.extracted_with_train(case, request, train, out, progress_lines)
    except (ExtractionError, KeyboardInterrupt) as error:
        if (unfinished := getattr(error, "partial", None)) is not None:
            tell_error(unfinished)
            tell(f"The model as far as it got is in {out / exports.folder.MODEL}.")
        raise
    model, cycle, _, noise = extracted
    assert model.measured is not None  # `build.compact` measures every model
    drawn = plot.style.encoded_picture(plot.fit.agreement(model.measured), "png")
    paths = exports.folder.write_exports(extracted, out, drawn)
    tell_error(model)
    if noise:
        print("\n".join(exports.export_noise.comparison_lines(noise.rows)))
    scatter = exports.export_noise.scatter_warnings(noise, cycle) if noise and cycle else ()
    for text in (*exports.pulses.network_warnings(cycle), *scatter):
        tell(f"warning: {text}")
    print("\n".join(map(str, paths)))
    tell(exports.testbench.advice("example.cir and example.sim", "otj.va"))


def tell_error(model: compact_models.model.CompactModel) -> None:
    """Print the error of a model, a line for each drive."""
    errors = compact_models.error.error_lines(model)
    if errors:
        constant = "in decades; a constant: the best of one current for all reads"
        print("\n".join([*(row.words for row in errors), constant]))
    if worse := [row.name for row in errors if row.worse_than_constant]:
        tell(f"warning: the model is worse than a constant under {', '.join(worse)}")
    for line in (*compact_models.noise_error.noise_lines(model), *compact_models.noise_error.spread_lines(model)):
        print(line)
    if warning := compact_models.noise_error.negligible_noise(model):
        tell(f"warning: {warning}")


def pulse_train(ranges: Ranges, set_pulse: str, reset_pulse: str, count: int) -> exports.pulses.PulseTrain:
    """Train of --set-pulse, --reset-pulse and --pulses, with defaults for what is empty. Raises typer.BadParameter.

    ranges : voltages [V] and times [s] that the model holds for
    """
    train = exports.pulses.default_train(compact_models.tables.Range(*ranges[0], *ranges[1]))
    up = pulse_of_text(set_pulse, "--set-pulse", ranges) if set_pulse else train.up
    down = pulse_of_text(reset_pulse, "--reset-pulse", ranges) if reset_pulse else train.down
    if (set_pulse or reset_pulse) and not up.voltage * down.voltage < 0.0:
        raise typer.BadParameter(
            f"expected two signs, got {up.voltage:g} V to set and {down.voltage:g} V to reset",
            param_hint="--set-pulse, --reset-pulse",
        )
    return train._replace(up=up, down=down, count=count)


def pulse_of_text(text: str, option: str, ranges: Ranges) -> exports.pulses.VoltagePulse:
    """Pulse of a text such as "2.2 V, 50 ns". Raises typer.BadParameter, also outside of `ranges` [V], [s]."""
    voltage, comma, width = text.partition(",")
    if not comma or "," in width:
        raise option_error(option, 'a voltage, a comma and a width such as "2.2 V, 50 ns"', text)
    with usage_of(option):
        pulse = exports.pulses.VoltagePulse(parse(voltage.strip(), "voltage"), parse(width.strip(), "time"))
    for value, (low, high), unit, other in zip(pulse, ranges, "Vs", ("--voltage", "--time"), strict=True):
        if not low <= value <= high:
            raise typer.BadParameter(
                f"expected {low:g} {unit} to {high:g} {unit}, as {other} has it, got {value:g} {unit}",
                param_hint=option,
            )
    return pulse


def varied_ranges(texts: list[str]) -> dict[str, tuple[Any, ...]]:
    """Dotted key -> lowest and highest value, and the number of nodes if there is one, of texts KEY=LOW:HIGH[:N].

    Raises typer.BadParameter.
    """
    ranges: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        key, _, ends = text.partition("=")
        option, values = ("--temperatures", ends) if key == compact_models.axes.TEMPERATURE else ("--vary", text)
        try:
            low, high, *count = (part.strip() for part in ends.split(":"))
            ranges[key.strip()] = (low, high, *map(int, count))
            if len(count) > 1 or not key.strip():
                raise ValueError
        except ValueError:
            example = "250K:400K" if key == compact_models.axes.TEMPERATURE else "device.film.thickness=2.6nm:3.0nm"
            raise typer.BadParameter(
                f"expected two values, and how many nodes if not {compact_models.axes.NODES}, "
                f'such as "{example}" or "{example}:4", got {values!r}',
                param_hint=option,
            ) from None
    return ranges

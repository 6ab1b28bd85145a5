"""otjdd plot, export, explore: a result as a picture or film, as a table or netlists, and on a page in the browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

import otjdd.case
import otjdd.explore
from otjdd import fitting, measurements, results, studies
from otjdd.cli.arguments import (
    Outside,
    SettingOption,
    check_outputs,
    check_picture,
    complete_case,
    complete_kind,
    complete_over,
    folder_to_fill,
    is_data,
    load_checked,
    memory_for,
    usage_of,
)
from otjdd.cli.progress import progress_lines
from otjdd.compact_models import crossbars, exports
from otjdd.errors import ResultError
from otjdd.system import late
from otjdd.system.files import write_whole
from otjdd.system.late import xr
from otjdd.system.terminal import say, tell
from otjdd.units import parse

HELP = "help"  # a kind that lists all others


class PageOptions(NamedTuple):
    """Options for the size, the letters and the limits of a picture; "" and None stand for the defaults."""

    width: str
    dpi: int | None
    font: float | None
    xlim: str
    ylim: str


Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FILE...",
        help="Results of `otjdd run`, files of measured data, or the folder of a study. Several files share axes.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="PNG, PDF or SVG; GIF or MP4 for a movie. Default: the name of the first file."),
]
Kinds = Annotated[
    list[str],
    typer.Option(
        "--kind",
        autocompletion=complete_kind,
        help="Panel to draw, or number of a study; may be repeated. `--kind help` lists all.",
    ),
]
Labels = Annotated[
    list[str],
    typer.Option("--label", help="Label of a file in the legend, once for each file. Default: its name."),
]
Width = Annotated[str, typer.Option("--width", metavar="LENGTH", help='Width of the figure, such as "8.5 cm".')]
Dots = Annotated[int | None, typer.Option("--dpi", min=20, max=2400, help="Dots per inch of a PNG.")]
Font = Annotated[float | None, typer.Option("--font", metavar="POINTS", help="Font size. Default: 8.")]
LimitsX = Annotated[
    str, typer.Option("--xlim", metavar="LOW:HIGH", help='Limits of the x axes that have this unit: --xlim "-1 V:2 V".')
]
LimitsY = Annotated[str, typer.Option("--ylim", metavar="LOW:HIGH", help="The same for the y axes.")]


def plot(
    files: Files = None,
    *,
    out: Out = None,
    kind: Kinds = [],
    label: Labels = [],
    width: Width = "",
    dpi: Dots = None,
    font: Font = None,
    xlim: LimitsX = "",
    ylim: LimitsY = "",
) -> None:
    """Draw results: the panels that suit them, or the kinds that you choose.

    Example: otjdd plot thin.nc thick.nc -o loops.pdf --kind loop --width "8.5 cm" --ylim "10 kohm:1 Gohm"
    """
    if HELP in kind:
        say(late.plot.figure.listing())
        return
    if not files:
        raise typer.BadParameter("name a result, or the folder of a study", param_hint="FILE...")
    if label and len(label) != len(files):
        raise typer.BadParameter(f"{len(files)} files take as many labels, not {len(label)}", param_hint="--label")
    stem = files[0].resolve().name if files[0].is_dir() else files[0].stem  # the folder of a study, perhaps "."
    options = PageOptions(width, dpi, font, xlim, ylim)
    if late.plot.figure.MOVIE in kind:
        if len(kind) > 1 or len(files) > 1:
            raise typer.BadParameter("a movie shows one result only", param_hint="--kind")
        if any(options):
            raise typer.BadParameter("a movie has its own size and limits", param_hint="--kind")
        place = out or Path(f"{stem}.gif")
        formats = late.plot.junction.FORMATS
        if place.suffix.lower() not in formats:
            raise typer.BadParameter(f"{place}: a movie is written as {' or '.join(formats)}", param_hint="--out")
        ds = stored_dataset(files[0])
        check_outputs(place)
        with usage_of("--kind"):
            late.plot.junction.write_movie(ds, place)
    else:
        place = out or Path(f"{stem}.png")
        check_picture(place)
        stored = [stored_dataset(file) for file in files]
        check_outputs(place)
        names = label or ([file.stem for file in files] if len(files) > 1 else None)
        save_figure(stored[0] if len(stored) == 1 else stored, place, kind, label=names, options=options)
    say(str(place))


def stored_dataset(file: Path) -> xr.Dataset:
    """Dataset of a result, of the study in a folder, or of measured data.

    Raises ResultError, with advice where a study has no Dataset yet; DataError, OSError.
    """
    if file.suffix.lower() == ".toml":
        raise ResultError(file, "is a case, not a result", f"run it first: otjdd run {file}")
    if file.suffix.lower() not in measurements.read.NETCDF and not file.is_dir():
        return measurements.read.read_data(file)
    if not file.is_dir():
        ds = results.store.read(file)
        if "fit" in ds.attrs:
            fitting.fit.check_parts(ds, file)
        return ds
    if not (file / studies.study.RESULT).exists():
        raise ResultError(
            file, f"is a folder without {studies.study.RESULT}", f"otjdd study CASE -o {file} --resume collects one"
        )
    return results.store.read(file / studies.study.RESULT)


def save_figure(
    results: xr.Dataset | Sequence[xr.Dataset],
    path: Path,
    kinds: Sequence[str] = (),
    label: Sequence[str] | None = None,
    options: PageOptions | None = None,
) -> None:
    """Draw results into a file. Raises ResultError, OSError; typer.BadParameter when there is nothing to draw."""
    with usage_of("--kind"):
        with late.plot.style.page_width(width_of(options)):
            drawn = late.plot.figure.figure(results, kinds, label=label)
    if options:
        axes = late.plot.axes
        steps: dict[str, Callable[[], None]] = {
            "--font": lambda: axes.scale_fonts(drawn, options.font) if options.font is not None else None,
            "--xlim": lambda: axes.limit_axes(drawn, "x", options.xlim) if options.xlim else None,
            "--ylim": lambda: axes.limit_axes(drawn, "y", options.ylim) if options.ylim else None,
        }
        for option, step in steps.items():
            with usage_of(option):
                step()
    late.plot.style.save(drawn, path, options.dpi if options else None)


def width_of(options: PageOptions | None) -> float | None:
    """Width [m] of --width; None for the default. Raises typer.BadParameter."""
    if not options or not options.width:
        return None
    with usage_of("--width"):
        width: float = parse(options.width, "length")
        with late.plot.style.page_width(width):
            return width


TEXT_SUFFIXES = (".csv", ".txt", ".dat", "")  # of comma-separated text


def export(
    file: Annotated[Path, typer.Argument(metavar="RESULT", help="A result of `otjdd run`, or the folder of a study.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="CSV file, or folder of netlists. Default: the result's name.")
    ] = None,
    over: Annotated[
        str | None,
        typer.Option(
            autocompletion=complete_over,
            help='Content of a row: a "read", "time", "snapshot", "bias", "frequency", "cell" or "step" of a '
            'crossbar, or the "points" of a study. Default: read.',
        ),
    ] = None,
    netlist: Annotated[
        bool,
        typer.Option(
            "--netlist", help="Write a crossbar and its patterns as netlists for ngspice and VACASK, into a folder."
        ),
    ] = False,
) -> None:
    """Write a result as comma-separated text in SI units with headers `name (unit)`, or a crossbar as netlists.

    Example: otjdd export rv-loop.nc -o rv-loop.csv --over read
    """
    if netlist:
        if over is not None:
            raise typer.BadParameter("expected none with --netlist", param_hint="--over")
        write_netlists(file, out or Path(f"{file.stem}-netlist"))
        return
    out = out or Path(file.name).with_suffix(".csv")

    ds = results.store.read(file / studies.study.RESULT if file.is_dir() else file)
    check_outputs(out)
    if out.suffix not in TEXT_SUFFIXES:
        raise typer.BadParameter(
            f"expected a file of comma-separated text, which spreadsheets open, such as {out.with_suffix('.csv').name}, "
            f"got {out.name}",
            param_hint="--out",
        )
    with usage_of("--over"):
        results.summary.to_csv(ds, out, over)
    say(str(out))
    for name, rows in results.summary.left_out(ds, over).items():
        tell(f"left out: {name}, which --over {rows} tabulates")


def write_netlists(file: Path, out: Path) -> None:
    """Write the netlists of the crossbar of a result into a folder. Raises ResultError, CaseError, ExtractionError."""
    ds = results.store.read(file)
    if "cell_conductance" not in ds or "case_resolved" not in ds.attrs:
        raise ResultError(file, "is not the result of a crossbar", "--netlist takes results of a drive of patterns")
    case = otjdd.case.case.parse_case(str(ds.attrs["case_resolved"]), file.parent, file=str(file), allow_outside=True)
    assert isinstance(case.drive, otjdd.case.crossbar.Patterns)  # results of other drives have no cell_conductance
    with folder_to_fill(out):
        with progress_lines("extraction") as progress:
            crossbar = crossbars.models.crossbar_of(case, progress)
        texts = exports.array.crossbar_netlists(crossbar, case.drive)
        for name, text in texts.items():
            write_whole(out / name, text.encode("ascii"))
    print("\n".join(str(out / name) for name in texts))
    tell(exports.testbench.advice("array.cir and array.sim", "otj.va", "array.va"))


def explore(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[CASE | RESULT.nc] [DATA.csv]",
            help="A case or a result, and measured data that are drawn with the simulation.",
            autocompletion=complete_case,
        ),
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page. Default: any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address only.")] = False,
    settings: SettingOption = [],
    allow_outside: Outside = False,
) -> None:
    """Open a page in the browser: sliders, experiments, single pulses, and a run in slow motion.

    It is served to this machine only, at an address that nobody can guess, until Ctrl-C.

    Example: otjdd explore device.toml data.csv
    """
    try:  # its libraries are optional
        serve = otjdd.explore.server.serve
    except ImportError as error:
        raise OSError(f"explore needs {error.name}: pip install 'otjdd[explore]'") from error
    opened = opening(paths or [], settings, allow_outside)
    memory_for(opened.case, None)
    serve(opened, port, not no_browser, lambda url: tell(f"The page is at {url} (Ctrl-C ends it)."))


def opening(paths: list[Path], settings: list[str], allow_outside: bool) -> otjdd.explore.tab.Opened:
    """What the page shows first. Raises CaseError, DataError, ResultError, OSError."""
    data, others = [path for path in paths if is_data(path)], [path for path in paths if not is_data(path)]
    if len(data) > 1 or len(others) > 1:
        raise typer.BadParameter("give one case or result, and one file of data", param_hint="CASE DATA")
    path = others[0] if others else Path(otjdd.explore.experiments.REFERENCE)
    measured = None
    if data:
        measured = measurements.read.read_data(data[0])
    if path.suffix != ".nc":
        return otjdd.explore.tab.Opened(load_checked(path, settings, allow_outside), os.fspath(path), measured=measured)
    if settings:
        raise typer.BadParameter("a result is shown as it is; move it in the page", param_hint="--set")
    ds = results.store.read(path)
    if "case_resolved" not in ds.attrs or "solver_status" not in ds.attrs:
        raise ResultError(path, "is not the result of one run", "explore the case that it was made from")
    text = str(ds.attrs["case_resolved"])
    case = otjdd.case.case.parse_case(text, path.resolve().parent, file=os.fspath(path), allow_outside=allow_outside)
    return otjdd.explore.tab.Opened(case, "", ds, measured)

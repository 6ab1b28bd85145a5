"""otjdd plot: draw results as pictures and films."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from otjdd.cli.arguments import check_outputs, check_picture, complete_kind
from otjdd.cli.types import usage_of
from otjdd.errors import ResultError
from otjdd.system.terminal import say
from otjdd.units import parse

if TYPE_CHECKING:
    import xarray as xr

    from otjdd.plot.style import Figure

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
        help="Results of `otjdd run`, files of measured data, or the folder of a study. Several share axes.",
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
    typer.Option("--label", help="Name of a file in the legend; once for each file. Default: the file's own name."),
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
    """Draw results: the panels that suit them, or those that --kind names.

    Example: otjdd plot thin.nc thick.nc -o loops.pdf --kind loop --width "8.5 cm" --ylim "10 kohm:1 Gohm"
    """
    from otjdd.plot.figure import MOVIE, listing

    if HELP in kind:
        say(listing())
        return
    if not files:
        raise typer.BadParameter("name a result, or the folder of a study", param_hint="FILE...")
    if label and len(label) != len(files):
        raise typer.BadParameter(f"{len(files)} files take as many labels, not {len(label)}", param_hint="--label")
    if MOVIE in kind and (len(kind) > 1 or len(files) > 1):
        raise typer.BadParameter("a movie shows one result only", param_hint="--kind")
    if MOVIE in kind and (width or dpi or font or xlim or ylim):
        raise typer.BadParameter("a movie has its own size and limits", param_hint="--kind")
    place = out or Path(stem_of_picture(files[0]) + (".gif" if MOVIE in kind else ".png"))
    check_movie(place) if MOVIE in kind else check_picture(place)
    stored = [stored_dataset(file) for file in files]
    check_outputs(place)
    if MOVIE in kind:
        save_movie(stored[0], place)
    else:
        results = stored[0] if len(stored) == 1 else stored
        names = label or ([file.stem for file in files] if len(files) > 1 else None)
        options = PageOptions(width, dpi, font, xlim, ylim)
        save_figure(results, place, kind, label=names, options=options)
    say(str(place))


def stem_of_picture(file: Path) -> str:
    """Name of a picture without its suffix: that of the file, or of the folder of a study."""
    return file.resolve().name if file.is_dir() else file.stem


def stored_dataset(file: Path) -> xr.Dataset:
    """Dataset of a result, of the study in a folder, or of measured data.

    Raises ResultError, with advice where a study has no Dataset yet; DataError, OSError.
    """
    from otjdd.measurements.read import NETCDF, read_data
    from otjdd.results import store
    from otjdd.studies.study import RESULT

    if file.suffix.lower() == ".toml":
        raise ResultError(file, "is a case, not a result", f"run it first: otjdd run {file}")
    if file.suffix.lower() not in NETCDF and not file.is_dir():
        return read_data(file)
    if not file.is_dir():
        ds = store.read(file)
        if "fit" in ds.attrs:
            from otjdd.fitting.result import check_parts

            check_parts(ds, file)
        return ds
    if not (file / RESULT).exists():
        raise ResultError(file, f"is a folder without {RESULT}", f"otjdd study CASE -o {file} --resume collects one")
    return store.read(file / RESULT)


def check_movie(path: Path) -> None:
    """Raise typer.BadParameter unless the suffix is that of a film."""
    from otjdd.plot.junction import FORMATS

    if path.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"{path}: a movie is written as {' or '.join(FORMATS)}", param_hint="--out")


def save_figure(
    results: xr.Dataset | Sequence[xr.Dataset],
    path: Path,
    kinds: Sequence[str] = (),
    label: Sequence[str] | None = None,
    options: PageOptions | None = None,
) -> None:
    """Draw results into a file. Raises ResultError, OSError; typer.BadParameter when there is nothing to draw."""
    from otjdd.plot import style
    from otjdd.plot.figure import figure

    with usage_of("--kind"):
        with style.page(width_of(options)):
            drawn = figure(results, kinds, label=label)
    if options:
        adjust(drawn, options)
    style.save(drawn, path, options.dpi if options else None)


def width_of(options: PageOptions | None) -> float | None:
    """Width [m] of --width; None for the default. Raises typer.BadParameter."""
    from otjdd.plot.style import page

    if not options or not options.width:
        return None
    with usage_of("--width"):
        width: float = parse(options.width, "length")
        with page(width):
            return width


def adjust(drawn: Figure, options: PageOptions) -> None:
    """Set the size of the letters and the limits of the axes of a figure. Raises typer.BadParameter."""
    from otjdd.plot.axes import lettered, limited

    steps: dict[str, Callable[[], None]] = {
        "--font": lambda: lettered(drawn, options.font) if options.font is not None else None,
        "--xlim": lambda: limited(drawn, "x", options.xlim) if options.xlim else None,
        "--ylim": lambda: limited(drawn, "y", options.ylim) if options.ylim else None,
    }
    for option, step in steps.items():
        with usage_of(option):
            step()


def save_movie(ds: xr.Dataset, path: Path) -> None:
    """Write the film of a result. Raises ResultError, OSError; typer.BadParameter when it has nothing to show."""
    from otjdd.plot.junction import write_movie

    with usage_of("--kind"):
        write_movie(ds, path)

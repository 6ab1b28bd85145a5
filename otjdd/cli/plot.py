"""otjdd plot: results into pictures and films."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from otjdd.cli.arguments import check_picture, check_target, complete_kind
from otjdd.errors import ResultError
from otjdd.system.terminal import say
from otjdd.units import parse

if TYPE_CHECKING:
    import xarray as xr

    from otjdd.plot.style import Figure

HELP = "help"  # a kind that lists all others


class Wanted(NamedTuple):
    """Size, letters and limits of a picture as words of options; "" and None leave them."""

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
    typer.Option("-o", "--out", help="PNG, PDF or SVG; of a movie GIF or MP4. Default: the first name."),
]
Kinds = Annotated[
    list[str],
    typer.Option(
        "--kind",
        autocompletion=complete_kind,
        help="Panel to draw, or result of a study; may be repeated; `--kind help` lists them.",
    ),
]
Labels = Annotated[
    list[str],
    typer.Option("--label", help="Name of a result in the legend; once for each file. Default: its file."),
]
Width = Annotated[str, typer.Option("--width", metavar="LENGTH", help='Width of the picture, such as "8.5 cm".')]
Dots = Annotated[int | None, typer.Option("--dpi", min=20, max=2400, help="Dots per inch of a PNG.")]
Font = Annotated[float | None, typer.Option("--font", metavar="POINTS", help="Height of letters, else 8.")]
LimitsX = Annotated[
    str, typer.Option("--xlim", metavar="LOW:HIGH", help='Ends of the x axes in this unit: --xlim "-1 V:2 V".')
]
LimitsY = Annotated[str, typer.Option("--ylim", metavar="LOW:HIGH", help="The same of the y axes.")]


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
    """Draw results: the panels that fit them, or those that are asked for.

    Example: otjdd plot thin.nc thick.nc -o loops.pdf --kind loop --width "8.5 cm" --ylim "10 kohm:1 Gohm"
    """
    from otjdd.plot.kinds import MOVIE, listing

    if HELP in kind:
        say(listing())
        return
    if not files:
        raise typer.BadParameter("name a result, or the folder of a study", param_hint="FILE...")
    if label and len(label) != len(files):
        raise typer.BadParameter(f"{len(files)} files take as many labels, not {len(label)}", param_hint="--label")
    if MOVIE in kind and (len(kind) > 1 or len(files) > 1):
        raise typer.BadParameter("a movie is of one result, and by itself", param_hint="--kind")
    if MOVIE in kind and (width or dpi or font or xlim or ylim):
        raise typer.BadParameter("a movie has its own size and limits", param_hint="--kind")
    place = out or Path(stem_of_picture(files[0]) + (".gif" if MOVIE in kind else ".png"))
    check_movie(place) if MOVIE in kind else check_picture(place)
    found = [stored(file) for file in files]
    if MOVIE in kind:
        save_movie(found[0], place)
    else:
        results = found[0] if len(found) == 1 else found
        names = label or ([file.stem for file in files] if len(files) > 1 else None)
        wanted = Wanted(width, dpi, font, xlim, ylim)
        save_figure(results, place, kind, label=names, wanted=wanted)
    say(str(place))


def stem_of_picture(file: Path) -> str:
    """Name of a picture without its suffix: of a result's file, or of a study's folder."""
    return file.resolve().name if file.is_dir() else file.stem


def stored(file: Path) -> xr.Dataset:
    """Dataset of a result, of the study in a folder, or of measured data.

    Raises ResultError, with what to do where a study has none yet; DataError, OSError.
    """
    from otjdd.measurements.read import NETCDF, SUFFIXES, read_data
    from otjdd.results import store
    from otjdd.studies.study import RESULT

    if file.suffix.lower() in set(SUFFIXES) - set(NETCDF) and not file.is_dir():
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
    """Refuse a film of a format that is not written. Raises typer.BadParameter, OSError."""
    from otjdd.plot.movie import FORMATS

    if path.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"{path}: a movie is written as {' or '.join(FORMATS)}", param_hint="--out")
    check_target(path)


def save_figure(
    results: xr.Dataset | Sequence[xr.Dataset],
    path: Path,
    kinds: Sequence[str] = (),
    label: Sequence[str] | None = None,
    wanted: Wanted | None = None,
) -> None:
    """Draw results into a file. Raises ResultError, OSError; typer.BadParameter when there is nothing to draw."""
    from otjdd.plot import style
    from otjdd.plot.figure import figure

    try:
        with style.page(width_of(wanted)):
            drawn = figure(results, kinds, label=label)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None
    if wanted:
        adjust(drawn, wanted)
    style.save(drawn, path, wanted.dpi if wanted else None)


def width_of(wanted: Wanted | None) -> float | None:
    """Width [m] that a picture is to have. Raises typer.BadParameter."""
    from otjdd.plot.style import page

    if not wanted or not wanted.width:
        return None
    try:
        width: float = parse(wanted.width, "length")
        with page(width):
            return width
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--width") from None


def adjust(drawn: Figure, wanted: Wanted) -> None:
    """Give a figure its letters and limits. Raises typer.BadParameter."""
    from otjdd.plot import adjust

    steps: dict[str, Callable[[], None]] = {
        "--font": lambda: adjust.lettered(drawn, wanted.font) if wanted.font is not None else None,
        "--xlim": lambda: adjust.limited(drawn, "x", wanted.xlim) if wanted.xlim else None,
        "--ylim": lambda: adjust.limited(drawn, "y", wanted.ylim) if wanted.ylim else None,
    }
    for option, step in steps.items():
        try:
            step()
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint=option) from None


def save_movie(ds: xr.Dataset, path: Path) -> None:
    """Write the film of a result. Raises ResultError, OSError; typer.BadParameter when it has nothing to show."""
    from otjdd.plot import movie

    try:
        movie.write_movie(ds, path)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None

"""otjdd plot: results into pictures and films."""

from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.arguments import check_picture, check_target, complete_kind
from otjdd.system.terminal import say

HELP = "help"  # a kind that lists all others


def plot(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Results of `otjdd run`, files of measured data, or the folder of a study. Several share axes.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="PNG, PDF or SVG; of a movie GIF or MP4. Default: the first name."),
    ] = None,
    kind: Annotated[
        list[str],
        typer.Option(
            "--kind",
            autocompletion=complete_kind,
            help="Panel to draw, or result of a study; may be repeated; `--kind help` lists them.",
        ),
    ] = [],
    label: Annotated[
        list[str],
        typer.Option("--label", help="Name of a result in the legend; once for each file. Default: its file."),
    ] = [],
):
    """Draw results: the panels that fit them, or those that are asked for.

    Example: otjdd plot thin.nc thick.nc -o loops.pdf --kind loop --kind bands
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
    place = out or Path(named(files[0]) + (".gif" if MOVIE in kind else ".png"))
    check_movie(place) if MOVIE in kind else check_picture(place)
    found = [stored(file) for file in files]
    if MOVIE in kind:
        save_movie(found[0], place)
    else:
        results = found[0] if len(found) == 1 else found
        names = label or ([file.stem for file in files] if len(files) > 1 else None)
        save_figure(results, place, kind, label=names)
    say(str(place))


def named(file: Path) -> str:
    """Name of a picture without its suffix: of a result's file, or of a study's folder."""
    return file.resolve().name if file.is_dir() else file.stem


def stored(file: Path):
    """Dataset of a result, of the study in a folder, or of measured data.

    Raises ResultError, with what to do where a study has none yet; DataError, OSError.
    """
    from otjdd.errors import ResultError
    from otjdd.measurements.read import NETCDF, SUFFIXES, read_data
    from otjdd.results import store
    from otjdd.studies.study import RESULT

    if file.suffix.lower() in set(SUFFIXES) - set(NETCDF) and not file.is_dir():
        return read_data(file)
    if not file.is_dir():
        return store.read(file)
    if not (file / RESULT).exists():
        raise ResultError(file, f"is a folder without {RESULT}", f"otjdd study CASE -o {file} --resume collects one")
    return store.read(file / RESULT)


def check_movie(path: Path):
    """Refuse a film of a format that is not written. Raises typer.BadParameter, OSError."""
    from otjdd.plot.movie import FORMATS

    if path.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"{path}: a movie is written as {' or '.join(FORMATS)}", param_hint="--out")
    check_target(path)


def save_figure(results, path: Path, kinds=(), label=None):
    """Draw results into a file. Raises ResultError, OSError; typer.BadParameter when there is nothing to draw."""
    from otjdd.plot import style
    from otjdd.plot.figure import figure

    try:
        drawn = figure(results, kinds, label=label)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None
    style.save(drawn, path)


def save_movie(ds, path: Path):
    """Write the film of a result. Raises ResultError, OSError; typer.BadParameter when it has nothing to show."""
    from otjdd.plot import movie

    try:
        movie.save(ds, path)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None

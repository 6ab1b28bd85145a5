"""otjdd plot: a result into a picture."""

import os
from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.arguments import check_picture
from otjdd.system.terminal import say


def plot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A result of `otjdd run`, or the folder of a study.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="PNG, PDF or SVG. Default: the result's name.")
    ] = None,
    kind: Annotated[
        list[str],
        typer.Option("--kind", help="Panel to draw, or result of a study; may be repeated; `--kind help` lists them."),
    ] = [],
):
    """Draw a result: the panels that fit it, or those that are asked for.

    Example: otjdd plot rv-loop.nc -o loop.pdf --kind loop --kind bands
    """
    from otjdd.plot.result import PANELS
    from otjdd.results import store
    from otjdd.studies.study import RESULT

    unknown = [name for name in kind if name not in PANELS]
    if unknown and not file.is_dir():
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(PANELS)}", param_hint="--kind")
    out = out or Path(Path(os.path.abspath(file)).name).with_suffix(".png")
    check_picture(out)
    save_figure(store.read(file / RESULT if file.is_dir() else file), out, kind)
    say(str(out))


def save_figure(ds, path: Path, kinds=()):
    """Draw a Dataset into a file. Raises ResultError, OSError; typer.BadParameter when it has nothing to draw."""
    from otjdd.plot import result, study, style
    from otjdd.studies.dataset import ENGINE

    try:
        drawn = (study if ENGINE in ds.attrs else result).figure(ds, kinds)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None
    style.save(drawn, path)

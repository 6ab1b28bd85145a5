"""otjdd plot: a result into a picture."""

from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.given import check_picture


def plot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A result of `otjdd run`.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="PNG, PDF or SVG. Default: the result's name.")
    ] = None,
    kind: Annotated[
        list[str], typer.Option("--kind", help="Panel to draw, may be repeated; `--kind help` lists them.")
    ] = [],
):
    """Draw a result: the panels that fit it, or those that are asked for.

    Example: otjdd plot rv-loop.nc -o loop.pdf --kind loop --kind bands
    """
    from otjdd import results
    from otjdd.plot import PANELS

    for name in kind:
        if name not in PANELS:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(PANELS)}", param_hint="--kind")
    out = out or Path(file.name).with_suffix(".png")
    check_picture(out)
    save_figure(results.read(file), out, kind)
    print(out)


def save_figure(ds, path: Path, kinds=()):
    """Draw a Dataset into a file. Raises ResultError, OSError; typer.BadParameter when it has nothing to draw."""
    from otjdd.plot import figure, save

    try:
        drawn = figure(ds, kinds)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None
    save(drawn, path)

"""otjdd export: a result as a table of comma-separated text."""

from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.arguments import check_target, complete_over
from otjdd.system.terminal import say


def export(
    file: Annotated[Path, typer.Argument(metavar="RESULT", help="A result of `otjdd run`, or the folder of a study.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="CSV file. Default: the result's name.")] = None,
    over: Annotated[
        str | None,
        typer.Option(
            autocompletion=complete_over,
            help='What a row is: "read", "time", "snapshot", "bias", "frequency", "cell" or "step" of a crossbar, '
            'or "points" of a study. Default: reads.',
        ),
    ] = None,
) -> None:
    """Write a result as comma-separated text, SI units, a header `name (unit)`.

    Example: otjdd export rv-loop.nc -o rv-loop.csv --over read
    """
    out = out or Path(file.name).with_suffix(".csv")
    check_target(out)
    from otjdd.results import store, table
    from otjdd.studies.study import RESULT

    ds = store.read(file / RESULT if file.is_dir() else file)
    try:
        table.to_csv(ds, out, over)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--over") from None
    say(str(out))

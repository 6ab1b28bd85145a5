"""otjdd export: a result as a table of comma-separated text, a crossbar as netlists."""

from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.app import progress_lines
from otjdd.cli.arguments import check_outputs, complete_over, folder_to_fill
from otjdd.cli.types import usage_of
from otjdd.errors import ResultError
from otjdd.system.files import write_whole
from otjdd.system.terminal import say, tell

SUFFIXES = (".csv", ".txt", ".dat", "")  # of comma-separated text


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
        typer.Option("--netlist", help="Write a crossbar and its patterns for ngspice and VACASK, into a folder."),
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
    from otjdd.results import store, summary
    from otjdd.studies.study import RESULT

    ds = store.read(file / RESULT if file.is_dir() else file)
    check_outputs(out)
    if out.suffix not in SUFFIXES:
        raise typer.BadParameter(
            f"expected a file of comma-separated text, which spreadsheets open, such as {out.with_suffix('.csv').name}, "
            f"got {out.name}",
            param_hint="--out",
        )
    with usage_of("--over"):
        summary.to_csv(ds, out, over)
    say(str(out))
    for name, rows in summary.left_out(ds, over).items():
        tell(f"left out: {name}, which --over {rows} tabulates")


def write_netlists(file: Path, out: Path) -> None:
    """Write the netlists of the crossbar of a result into a folder. Raises ResultError, CaseError, ExtractionError."""
    from otjdd.case.case import parse_case
    from otjdd.case.drive_patterns import Patterns
    from otjdd.compact_models.crossbars.models import crossbar_of
    from otjdd.compact_models.exports import array, compiler
    from otjdd.results import store

    ds = store.read(file)
    if "cell_conductance" not in ds or "case_resolved" not in ds.attrs:
        raise ResultError(file, "is not the result of a crossbar", "--netlist takes those of a drive of patterns")
    case = parse_case(str(ds.attrs["case_resolved"]), file.parent, file=str(file), allow_outside=True)
    assert isinstance(case.drive, Patterns)  # results of other drives have no cell_conductance
    with folder_to_fill(out):
        with progress_lines("extraction") as progress:
            crossbar = crossbar_of(case, progress)
        texts = array.netlists(crossbar, case.drive)
        for name, text in texts.items():
            write_whole(out / name, text.encode("ascii"))
    print("\n".join(str(out / name) for name in texts))
    tell(compiler.advice("array.cir and array.sim", "otj.va", "array.va"))

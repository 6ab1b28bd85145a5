"""otjdd validate: check the claims of published papers, and report the verdicts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.cli.app import progress_lines
from otjdd.cli.arguments import JsonOption, WorkersOption, check_folder, complete_claim
from otjdd.cli.types import usage_of
from otjdd.errors import ExitCode
from otjdd.system import marks
from otjdd.system.terminal import tell

if TYPE_CHECKING:
    from otjdd.claims.claim import Verdict


Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME",
        help="Claims to check, or papers: li-2019, tiotto-2020, anderson-2017, ferroelectric, variability, layers, "
        "exchange. Default: all.",
        autocompletion=complete_claim,
    ),
]
Update = Annotated[
    Path | None, typer.Option("--update", metavar="FILE", help="Put that table between the marks of a file.")
]
Pictures = Annotated[Path | None, typer.Option("--pictures", metavar="DIR", help="Draw each claim into this folder.")]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="DIR", help="Write a page for the browser, DIR/index.html.")
]
Expected = Annotated[
    bool, typer.Option("--expected", help="Exit code 8 only where a verdict is not what the claim expects.")
]
ErrorsOption = Annotated[
    bool, typer.Option("--errors", help="State the numerical error of each number. Takes about 2.5 times as long.")
]
OtherCase = Annotated[
    Path | None, typer.Option("--case", metavar="FILE", help="Judge another set, from `otjdd calibrate -o`.")
]
Runs = Annotated[
    Path | None,
    typer.Option("--runs", metavar="DIR", help="Keep the runs in this folder, and take from it those that are there."),
]


def validate(
    names: Names = [],
    *,
    as_json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    update: Update = None,
    pictures: Pictures = None,
    report: Report = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer runs and shorter trains.")] = False,
    expected: Expected = False,
    errors: ErrorsOption = False,
    case: OtherCase = None,
    runs: Runs = None,
    workers: WorkersOption = None,
) -> None:
    """Check the claims of papers: what was reported, what the model gives, met or missed.

    Example: otjdd validate rv-hrs retention
    """
    from otjdd.claims import judge, table
    from otjdd.claims.papers import another_set
    from otjdd.results.summary import counted
    from otjdd.system.pool import cores

    refuse_other_runs(expected, quick, case)
    check_places(names, update, [pictures, report, runs])
    device = another_set(case) if case else {}
    form = "json" if as_json else "markdown" if markdown else "table"
    try:
        with progress_lines("claims") as progress:
            verdicts = judge.validate(
                names,
                quick=quick,
                workers=workers or cores(),
                progress=progress,
                errors=errors,
                device=device,
                runs=runs,
            )
    except KeyboardInterrupt as error:
        if judged := getattr(error, "partial", []):
            table.report(judged, form)
            sys.stdout.flush()
            goes_on = " The same command continues." if runs else ""
            tell(f"{counted({'claim': len(judged)})} judged until then.{goes_on}")
        raise
    write_verdicts(verdicts, update, pictures, report, quick)
    table.report(verdicts, form)
    sys.stdout.flush()
    surprises = table.surprises(verdicts)
    if expected:
        tell("\n".join(surprises) or f"{len(verdicts)} of {len(verdicts)} claims are as expected")
    if surprises if expected else any(verdict.status == "missed" for verdict in verdicts):
        raise typer.Exit(ExitCode.MISSED)


def refuse_other_runs(expected: bool, quick: bool, case: Path | None) -> None:
    """Raise typer.BadParameter for runs that are not those that claims expect the numbers of."""
    if expected and (quick or case):
        asked = "its full runs, not of a quick look" if quick else "the shipped set"
        raise typer.BadParameter(f"a claim expects the numbers of {asked}", param_hint="--expected")


def check_places(names: list[str], update: Path | None, folders: Sequence[Path | None]) -> None:
    """Raise typer.BadParameter for an unknown claim or a file without marks, OSError for a folder not to be written."""
    from otjdd.claims import papers, table

    with usage_of("NAME"):
        papers.discover(names=names)
    with usage_of("--update"):
        if update:
            marks.check(update, table.PART)
    for folder in filter(None, folders):
        check_folder(folder)


def write_verdicts(
    verdicts: Sequence[Verdict], update: Path | None, pictures: Path | None, report: Path | None, quick: bool
) -> None:
    """Write the pictures, the report and the table of verdicts, each where its path is given."""
    if pictures:
        from otjdd.claims.pictures import save_all

        save_all(verdicts, pictures)
    if report:
        from otjdd.claims import report as page

        tell(f"The report is {page.write_page(verdicts, report, quick)}")
    if update:
        from otjdd.claims import table

        marks.update(update, table.PART, table.to_markdown(verdicts))

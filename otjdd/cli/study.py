"""otjdd study: a case at many points."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.app import LINES, literal, progress_bar
from otjdd.cli.arguments import Outside, SettingOption, WorkersOption, complete_case, load_checked
from otjdd.cli.types import share_of
from otjdd.errors import ExitCode
from otjdd.system.imports import without_unused
from otjdd.system.terminal import say, tell


def study(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="CASE",
            help=literal("A case with a [study], or the name of a shipped one."),
            autocompletion=complete_case,
        ),
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="DIR", help="Folder of the study.")] = None,
    workers: WorkersOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Compute only what DIR does not hold yet.")] = False,
    status: Annotated[
        Path | None, typer.Option("--status", metavar="DIR", help="Count the points in DIR, and compute nothing.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help='Compute on a dask cluster: "tcp://...", or "local".')
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Compute the I-th of N shares: for job arrays.")
    ] = None,
    settings: SettingOption = [],
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no summary.")] = False,
    allow_outside: Outside = False,
) -> None:
    """Run a case at all points of its [study], in parallel. Each point is on disk as soon as it is done.

    Example: otjdd study thickness -o thickness --workers 2
    """
    from otjdd.system import pool

    if status is not None:
        from otjdd.studies import study as studies

        for words, count in studies.status(status).most_common():
            say(f"{count} {words}")
        return
    if path is None or out is None:
        raise typer.BadParameter("give a CASE and -o DIR, or --status DIR")
    share = share_of(shard, "--shard") if shard else None
    from otjdd.studies import dataset
    from otjdd.studies import study as studies

    case = load_checked(path, settings, allow_outside)
    if not scheduler:
        studies.get_ready(case)  # while the points are planned
    with study_progress(case.title, quiet) as progress, contextlib.nullcontext() if scheduler else without_unused():
        ds = studies.study(
            case, out, workers=workers or pool.cores(), resume=resume, scheduler=scheduler, shard=share, progress=progress,
            announce=None if quiet else tell, file=str(path),
        )  # fmt: skip
    if not quiet:
        say(f"{out / studies.RESULT}: {dataset.summary(ds)}")
    if dataset.is_incomplete(ds, share is not None):
        sys.stdout.flush()
        raise typer.Exit(ExitCode.FAILED)


@contextmanager
def study_progress(title: str, quiet: bool) -> Iterator[Callable[[int, int, int], None] | None]:
    """Yield a callback (done, failed, total): a bar on a terminal, else a line every LINES seconds; None if quiet."""
    if quiet or sys.stderr.isatty():
        with progress_bar(title, quiet) as bar:
            yield bar and (lambda done, failed, total: bar(done / total))
        return
    began, last = time.monotonic(), -LINES

    def line(done: int, failed: int, total: int) -> None:
        nonlocal last
        passed = time.monotonic() - began
        if passed - last >= LINES or done == total:
            last = passed
            failures = f", {failed} failed" if failed else ""
            tell(f"{done} of {total} points{failures}, {passed:.0f} s")

    yield line

"""otjdd study: a case at many points."""

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.given import Outside, Settings, load
from otjdd.cli.shell import FAILED, progress_bar, tell

EVERY = 30.0  # s between two lines of progress


def study(
    path: Annotated[
        Path, typer.Argument(metavar="CASE", help="A case with a [study], or the name of one that comes with otjdd.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder of the study.")],
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes. Default: one for each processor.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Compute only what DIR does not hold yet.")] = False,
    settings: Settings = [],
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no summary.")] = False,
    allow_outside: Outside = False,
):
    """Run a case at many points: what its [study] varies, in parallel, each point on disk as soon as it is done.

    Example: otjdd study thickness -o thickness --workers 2
    """
    case = load(path, settings, allow_outside)
    from otjdd import studies
    from otjdd.processes import cores

    with study_progress(case.title, quiet) as progress:
        ds = studies.study(case, out, workers=workers or cores(), resume=resume, progress=progress, file=str(path))
    if not quiet:
        print(f"{out / studies.RESULT}: {studies.summary(ds)}")
    if (ds.status == studies.STATES.index("failed")).any():
        sys.stdout.flush()
        raise typer.Exit(FAILED)


@contextmanager
def study_progress(title: str, quiet: bool):
    """Callback of a study: a bar where somebody looks at it, else a line now and then; None for quiet."""
    if quiet or sys.stderr.isatty():
        with progress_bar(title, quiet) as bar:
            yield bar and (lambda done, failed, total: bar(done / total))
        return
    began, told = time.monotonic(), -EVERY

    def line(done, failed, total):
        nonlocal told
        passed = time.monotonic() - began
        if passed - told >= EVERY or done == total:
            told = passed
            tell(f"{done} of {total} points" + f", {failed} failed" * bool(failed) + f", {passed:.0f} s")

    yield line

"""otjdd study, validate, calibrate: a case at many points, claims of papers, parameters for given numbers."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from otjdd import claims, fitting, results, studies, system
from otjdd.cli.arguments import (
    JsonOption,
    OneWorker,
    Outside,
    SettingOption,
    WorkersOption,
    check_folder,
    check_outputs,
    complete_case,
    complete_claim,
    earlier_search,
    literal,
    load_checked,
    share_of,
    usage_of,
)
from otjdd.cli.progress import progress_lines, search_progress, study_progress
from otjdd.errors import ExitCode
from otjdd.fitting import targets
from otjdd.system import text_files
from otjdd.system.interpreter import without_unused
from otjdd.system.late import np
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
    resume: Annotated[bool, typer.Option("--resume", help="Compute only the points that DIR lacks.")] = False,
    status: Annotated[
        Path | None, typer.Option("--status", metavar="DIR", help="Count the points in DIR, and compute nothing.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help='Compute on a dask cluster: "tcp://...", or "local".')
    ] = None,
    shard: Annotated[str | None, typer.Option(metavar="I/N", help="Compute part I of N, for job arrays.")] = None,
    settings: SettingOption = [],
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no summary.")] = False,
    allow_outside: Outside = False,
) -> None:
    """Run a case at all points of its [study], in parallel. Each point is written to disk as soon as it is finished.

    Example: otjdd study thickness -o thickness --workers 2
    """
    if status is not None:
        for words, count in studies.study.status(status).most_common():
            say(f"{count} {words}")
        return
    if path is None or out is None:
        raise typer.BadParameter("give a CASE and -o DIR, or --status DIR")
    share = share_of(shard, "--shard") if shard else None

    case = load_checked(path, settings, allow_outside)
    if not scheduler:
        studies.study.get_ready(case)  # while the points are planned
    with study_progress(case.title, quiet) as progress, contextlib.nullcontext() if scheduler else without_unused():
        ds = studies.study.study(
            case, out, workers=workers or system.pool.cores(), resume=resume, scheduler=scheduler, shard=share,
            progress=progress, announce=None if quiet else tell, file=str(path),
        )  # fmt: skip
    if not quiet:
        say(f"{out / studies.study.RESULT}: {studies.dataset.summary(ds)}")
    counts = studies.dataset.counts(ds)
    if counts["failed"] > 0 or (counts["missing"] > 0 and share is None):  # other shares compute missing points
        sys.stdout.flush()
        raise typer.Exit(ExitCode.FAILED)


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
    Path | None, typer.Option("--update", metavar="FILE", help="Write that table between the marks in a file.")
]
Pictures = Annotated[Path | None, typer.Option("--pictures", metavar="DIR", help="Draw each claim into this folder.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="DIR", help="Write an HTML report, DIR/index.html.")]
Expected = Annotated[
    bool, typer.Option("--expected", help="Exit with code 8 only if a verdict differs from the expected one.")
]
ErrorsOption = Annotated[
    bool, typer.Option("--errors", help="State the numerical error of each number. Takes about 2.5 times as long.")
]
OtherCase = Annotated[
    Path | None, typer.Option("--case", metavar="FILE", help="Judge another parameter set, from `otjdd calibrate -o`.")
]
Runs = Annotated[
    Path | None,
    typer.Option("--runs", metavar="DIR", help="Store the runs in this folder, and reuse those already there."),
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
    if expected and (quick or case):
        asked = "its full runs, not of a quick look" if quick else "the shipped set"
        raise typer.BadParameter(f"a claim expects the numbers of {asked}", param_hint="--expected")
    check_places(names, update, [pictures, report, runs])
    device, workers = claims.papers.another_set(case) if case else {}, workers or system.pool.cores()
    form = "json" if as_json else "markdown" if markdown else "table"
    try:
        with progress_lines("claims") as progress:
            verdicts = claims.judge.validate(
                names, quick=quick, workers=workers, progress=progress, errors=errors, device=device, runs=runs
            )
    except KeyboardInterrupt as error:
        if judged := getattr(error, "partial", []):
            claims.report.print_verdicts(judged, form)
            sys.stdout.flush()
            goes_on = " The same command continues." if runs else ""
            tell(f"{results.summary.numbers_in_words({'claim': len(judged)})} judged until then.{goes_on}")
        raise
    if pictures:
        claims.report.save_pictures(verdicts, pictures)
    if report:
        tell(f"The report is {claims.report.write_page(verdicts, report, quick)}")
    if update:
        text_files.replace_generated_part(update, claims.report.PART, claims.report.to_markdown(verdicts))
    claims.report.print_verdicts(verdicts, form)
    sys.stdout.flush()
    surprises = claims.report.surprises(verdicts)
    if expected:
        tell("\n".join(surprises) or f"{len(verdicts)} of {len(verdicts)} claims are as expected")
    if surprises if expected else any(verdict.status == "missed" for verdict in verdicts):
        raise typer.Exit(ExitCode.MISSED)


def check_places(names: list[str], update: Path | None, folders: Sequence[Path | None]) -> None:
    """Raise typer.BadParameter for an unknown claim or a file without marks, OSError for a folder not to be written."""
    with usage_of("NAME"):
        claims.papers.discover(names=names)
    with usage_of("--update"):
        if update:
            text_files.generated_part_of(update, claims.report.PART)
    for folder in filter(None, folders):
        check_folder(folder)


def calibrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A calibration: cases/calibration/li2019.toml is one.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out",
            help="Case file of the fitted set, one for each of several cases; all evaluated sets go next to it (.nc).",
        ),
    ] = None,
    evaluations: Annotated[int, typer.Option(min=0, help="Limit of evaluations; 0: least squares only.")] = 1000,
    rounds: Annotated[
        int, typer.Option(min=0, help="Limit of rounds of least squares, each with new derivatives.")
    ] = 20,
    spread: Annotated[float, typer.Option(min=1e-3, max=0.5, help="First step, as a fraction of the bounds.")] = 0.1,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the search.")] = 1,
    workers: OneWorker = 1,
    sensitivity: Annotated[bool, typer.Option(help="Report sensitivities: an evaluation or two per parameter.")] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an earlier search; its evaluations are reused.")
    ] = False,
) -> None:  # fmt: skip
    """Fit parameters of a case to published numbers: CMA-ES from their present values, then least squares.

    Several cases can share parameters: cases/calibration/both-devices.toml.

    Example: otjdd calibrate cases/calibration/li2019.toml -o found.toml
    """
    task = claims.papers.load_task(file)
    if out:
        check_folder(out.parent)
        check_outputs(*targets.files.written_files(out, task))
        targets.files.check_files_replaceable(out, task)
    if resume and not out:
        raise typer.BadParameter("name the file of the earlier search by -o", param_hint="--resume")
    earlier = earlier_search(targets.files.path_beside(out), "search") if resume and out else None
    settings = fitting.search.SearchSettings(
        evaluations, spread=spread, seed=seed, jacobians=rounds and rounds + 1, final=sensitivity
    )
    tell(targets.files.task_words(task))
    visited = targets.files.read_visits(earlier, task) if earlier else {}
    solution, written, fine = search_for_aims(task, out, settings, visited, workers)
    say(targets.files.report_text(task, solution, written, fine))
    say_exclusions(task, visited, out)


def search_for_aims(
    task: targets.task.TargetTask,
    out: Path | None,
    settings: fitting.search.SearchSettings,
    visited: dict[bytes, np.ndarray],
    workers: int,
) -> tuple[fitting.least_squares.Solution, np.ndarray, np.ndarray | None]:
    """Solution of a calibration, whose files are written, and the numbers of `files.report_text`.

    visited : places of an earlier search, to which all others are added
    """
    with (
        search_progress("calibrate", task, settings.evaluations, not sys.stderr.isatty()) as progress,
        fitting.search.evaluator(task, workers, visited) as evaluate,
    ):
        if out:
            progress = fitting.search.now_and_then(partial(targets.files.write_checkpoint, out, task), progress)
        try:
            solution, _ = fitting.least_squares.least_squares_search(evaluate, task.start, settings, progress)
        except KeyboardInterrupt as error:
            keep_best_set(out, task, getattr(error, "partial", None))
            raise
        rounded = task.rounded(solution.x)
        (written,) = evaluate([rounded])
        if out:
            targets.files.write_calibration(out, task, visited, solution.x)
        if all(part.coarse == part.case for part in task.cases):
            return solution, written, None
        return solution, written, evaluate._replace(task=task.with_own_numerics()).simulated([rounded])[0]


def say_exclusions(task: targets.task.TargetTask, visited: Mapping[bytes, np.ndarray], out: Path | None) -> None:
    """Print which aims were not met together, how to draw that, and the files that were written."""
    never, together = targets.files.exclusions(task, visited)
    if together and out:
        together += f"\nThe Pareto fronts between them: otjdd plot {targets.files.path_beside(out)}"
    if never or together:
        say("\n" + "\n".join(filter(None, [never, together])))
    if out:
        say("\n" + ", ".join(map(str, targets.files.written_files(out, task))))


def keep_best_set(
    out: Path | None, task: targets.task.TargetTask, at: fitting.least_squares.SearchProgress | None
) -> None:
    """Write the best set of an interrupted search, if there is one."""
    if out and at:
        targets.files.write_calibration(out, task, at.visited, at.x)
        tell(
            f"The best set until then, with a score of {task.global_score(at.values):.3g}, is in "
            f"{', '.join(map(str, targets.files.case_files(out, task)))}; "
            "the same command with --resume continues from it."
        )

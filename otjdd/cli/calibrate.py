"""otjdd calibrate: find parameters of a case, or of several, with which its runs meet given numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.cli.app import progress_words
from otjdd.cli.arguments import check_folder
from otjdd.system.files import write_whole
from otjdd.system.limits import shielded
from otjdd.system.terminal import say, tell

if TYPE_CHECKING:
    import numpy as np

    from otjdd.claims.calibrate.evaluate import Evaluation, Evaluator
    from otjdd.claims.calibrate.search import Search
    from otjdd.claims.calibrate.task import Task

SAVED = 1.0  # s, at least, between two writes of a search that goes on
SHARE = 0.05  # of the time of a search that these writes take, at most


def calibrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A calibration: cases/calibration/li2019.toml is one.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out",
            help="Write what was found as a case file, of several cases one each, and its evaluations beside it (.nc).",
        ),
    ] = None,
    evaluations: Annotated[int, typer.Option(min=0, help="Evaluations by the search, at most; 0: polish only.")] = 1000,
    rounds: Annotated[int, typer.Option(min=0, help="Rounds of polishing, at most.")] = 20,
    spread: Annotated[float, typer.Option(min=1e-3, max=0.5, help="First step, in ranges of the bounds.")] = 0.1,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the search.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
    sensitivity: Annotated[bool, typer.Option(help="Report sensitivities: one more evaluation per parameter.")] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an earlier search: what it has run is not run again.")
    ] = False,
) -> None:  # fmt: skip
    """Fit chosen parameters of a case to what its runs should show: CMA-ES from where it stands, then least squares.

    Several cases can share parameters: cases/calibration/both-devices.toml.

    Example: otjdd calibrate cases/calibration/li2019.toml -o found.toml
    """
    from otjdd.claims.calibrate import report
    from otjdd.claims.calibrate import search as calibration
    from otjdd.claims.calibrate.evaluate import evaluator
    from otjdd.claims.calibrate.task import load_task

    if out:
        check_folder(out.parent)
    task = load_task(file)
    visited = resumed(out, resume, task)
    tell(report.asked(task))
    with (
        progress_words("calibrate", quiet=False) as words,
        evaluator(task, workers=workers, visited=visited) as evaluate,
    ):
        evaluate = evaluate._replace(report=watch(evaluate, out, words))
        try:
            found = calibration.search(
                evaluate, calibration.present(task), evaluations=evaluations, spread=spread, seed=seed
            )
            found = calibration.polish(evaluate, found, rounds=rounds)
        except KeyboardInterrupt as error:
            keep_best(out, evaluate, getattr(error, "partial", None))
            raise
        if out:
            keep(out, evaluate, found.x)
        slopes = calibration.sensitivities(evaluate, found) if sensitivity else None
        fine = evaluate.fine(found.x) if any(part.coarse != part.case for part in task.cases) else None
    say(report.report(task, found, slopes, fine))
    say_exclusions(evaluate, out)


def say_exclusions(evaluate: Evaluator, out: Path | None) -> None:
    """Print which aims were not met together, how to draw that, and the files that were written."""
    from otjdd.claims.calibrate.visited import exclusions, path_beside

    never, apart = exclusions(evaluate.task, evaluate.visited)
    if apart and out:
        apart += f"\nThe fronts between them: otjdd plot {path_beside(out)}"
    if said := "\n".join(filter(None, [never, apart])):
        say("\n" + said)
    if out:
        say("\n" + ", ".join(str(path) for path in [*case_files(out, evaluate.task), path_beside(out)]))


def resumed(out: Path | None, resume: bool, task: Task) -> Mapping[bytes, np.ndarray]:
    """Evaluations of an earlier search beside the file `out`: bytes of a point -> values (targets,); {} without `resume`.

    Raises BadParameter without `out`, and ResultError for a file that does not fit.
    """
    from otjdd.claims.calibrate import visited

    if not resume:
        return {}
    if not out:
        raise typer.BadParameter("name the file of the earlier search by -o", param_hint="--resume")
    path = visited.path_beside(out)
    if not path.exists():
        tell(f"There is no {path}: the search begins anew.")
        return {}
    return visited.read(path, task)


def watch(evaluate: Evaluator, out: Path | None, words: Callable[[str], None] | None) -> Callable[[Evaluation], None]:
    """Function to call after each evaluation: it shows the progress, and from time to time writes all evaluations.

    out : None for no file   words : shows a text, None for no terminal
    """
    from otjdd.claims.calibrate import visited

    begun = time.monotonic()
    due, known, best = begun + SAVED, len(evaluate.visited), math.inf

    def told(found: Evaluation) -> None:
        nonlocal due, best
        now, done, best = time.monotonic(), len(evaluate.visited) - known, min(best, found.score)
        if words:
            words(f"{len(evaluate.visited)} evaluations, {(now - begun) / done:.2g} s each, best score {best:.4g}")
        if out and now > due:
            with shielded():
                visited.write(visited.path_beside(out), evaluate.task, evaluate.visited)
            due = time.monotonic() + max(SAVED, (time.monotonic() - now) / SHARE)

    return told


def case_files(out: Path, task: Task) -> list[Path]:
    """Files of the found cases of a calibration that writes to `out`."""
    from otjdd.claims.calibrate import report

    return [report.path_of(out, part) for part in task.cases]


def keep(out: Path, evaluate: Evaluator, x: np.ndarray) -> None:
    """Write a set of parameters as a case file for each case, and the evaluations of the search beside it."""
    from otjdd.claims.calibrate import report, visited

    task = evaluate.task
    texts = [report.as_case(task, part, x, out) for part in task.cases]
    with shielded():
        visited.write(visited.path_beside(out), task, evaluate.visited)
        for path, text in zip(case_files(out, task), texts, strict=True):
            write_whole(path, text.encode())


def keep_best(out: Path | None, evaluate: Evaluator, best: Search | None) -> None:
    """Write the best set of an interrupted search, if there is one."""
    if out and best is not None and hasattr(best, "outcome"):
        keep(out, evaluate, best.x)
        tell(
            f"The best set until then, with a score of {best.outcome.score:.3g}, is in "
            f"{', '.join(map(str, case_files(out, evaluate.task)))}; the same command with --resume goes on from it."
        )

"""otjdd calibrate: find parameters of a case, or of several, with which its runs meet given numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.cli.app import progress_words
from otjdd.cli.arguments import check_folder, check_outputs
from otjdd.system.terminal import say, tell

if TYPE_CHECKING:
    import numpy as np

    from otjdd.claims.calibrate.evaluate import Evaluation, TargetEvaluator
    from otjdd.claims.calibrate.search import SearchResult
    from otjdd.claims.calibrate.task import CalibrationTask


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
    from otjdd.claims.calibrate import files
    from otjdd.claims.calibrate import search as calibration
    from otjdd.claims.calibrate.evaluate import evaluator
    from otjdd.claims.calibrate.report import asked, report
    from otjdd.claims.calibrate.task import load_task

    task = load_task(file)
    if out:
        check_folder(out.parent)
        check_outputs(*files.files_of(out, task))
        files.check_replaceable(out, task)
    evaluated = resumed(out, task) if resume else {}
    tell(asked(task))
    with (
        progress_words("calibrate", quiet=False) as words,
        evaluator(task, workers=workers, visited=evaluated) as evaluate,
    ):
        evaluate = evaluate._replace(report=watch(evaluate, out, words))
        try:
            best = calibration.search(
                evaluate, calibration.present(task), evaluations=evaluations, spread=spread, seed=seed
            )
            best = calibration.polish(evaluate, best, rounds=rounds)
        except KeyboardInterrupt as error:
            keep_best(out, evaluate, getattr(error, "partial", None))
            raise
        if out:
            files.write(out, task, evaluate.visited, best.x)
        slopes = calibration.sensitivities(evaluate, best) if sensitivity else None
        fine = evaluate.fine(best.x) if any(part.coarse != part.case for part in task.cases) else None
    say(report(task, best, slopes, fine))
    say_exclusions(evaluate, out)


def say_exclusions(evaluate: TargetEvaluator, out: Path | None) -> None:
    """Print which aims were not met together, how to draw that, and the files that were written."""
    from otjdd.claims.calibrate.files import files_of
    from otjdd.claims.calibrate.visited import exclusions, path_beside

    never, apart = exclusions(evaluate.task, evaluate.visited)
    if apart and out:
        apart += f"\nThe fronts between them: otjdd plot {path_beside(out)}"
    if never or apart:
        say("\n" + "\n".join(filter(None, [never, apart])))
    if out:
        say("\n" + ", ".join(map(str, files_of(out, evaluate.task))))


def resumed(out: Path | None, task: CalibrationTask) -> Mapping[bytes, np.ndarray]:
    """Evaluations of an earlier search that wrote to `out`: bytes of a point -> values (targets,).

    Raises BadParameter without `out`, and ResultError for a file that does not fit.
    """
    from otjdd.claims.calibrate import visited
    from otjdd.claims.calibrate.files import resumable

    if not out:
        raise typer.BadParameter("name the file of the earlier search by -o", param_hint="--resume")
    path = resumable(out)
    if path is None:
        tell(f"There is no {visited.path_beside(out)}: the search begins anew.")
        return {}
    return visited.read(path, task)


def watch(
    evaluate: TargetEvaluator, out: Path | None, words: Callable[[str], None] | None
) -> Callable[[Evaluation], None]:
    """Function to call after each evaluation: it shows the progress, and from time to time saves all evaluations.

    out : None for no file   words : shows a text, None for no terminal
    """
    from otjdd.claims.calibrate.files import saving

    began, before, best = time.monotonic(), len(evaluate.visited), math.inf
    save = saving(evaluate, out) if out else None

    def follow(latest: Evaluation) -> None:
        nonlocal best
        count, best = len(evaluate.visited), min(best, latest.score)
        if words:
            pace = (time.monotonic() - began) / (count - before)
            words(f"{count} evaluations, {pace:.2g} s each, best score {best:.4g}")
        if save:
            save(latest)

    return follow


def keep_best(out: Path | None, evaluate: TargetEvaluator, best: SearchResult | None) -> None:
    """Write the best set of an interrupted search, if there is one."""
    from otjdd.claims.calibrate import files

    if out and best is not None and hasattr(best, "outcome"):
        files.write(out, evaluate.task, evaluate.visited, best.x)
        tell(
            f"The best set until then, with a score of {best.outcome.score:.3g}, is in "
            f"{', '.join(map(str, files.case_files(out, evaluate.task)))}; the same command with --resume goes on from it."
        )

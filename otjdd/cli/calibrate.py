"""otjdd calibrate: find parameters of a case, or of several, with which its runs meet given numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.cli.app import progress_words
from otjdd.cli.arguments import OneWorker, check_folder, check_outputs
from otjdd.system.terminal import say, tell

if TYPE_CHECKING:
    import numpy as np

    from otjdd.fitting.targets.search import TargetTask


def calibrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A calibration: cases/calibration/li2019.toml is one.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out",
            help="Write what was found as a case file, of several cases one each, and its evaluations next to it (.nc).",
        ),
    ] = None,
    evaluations: Annotated[int, typer.Option(min=0, help="Most evaluations of the search; 0: polish only.")] = 1000,
    rounds: Annotated[int, typer.Option(min=0, help="Most rounds of polishing.")] = 20,
    spread: Annotated[float, typer.Option(min=1e-3, max=0.5, help="First step, in ranges of the bounds.")] = 0.1,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the search.")] = 1,
    workers: OneWorker = 1,
    sensitivity: Annotated[bool, typer.Option(help="Report sensitivities: one more evaluation per parameter.")] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an earlier search: what it has run is not run again.")
    ] = False,
) -> None:  # fmt: skip
    """Fit chosen parameters of a case to what its runs should show: CMA-ES from where it stands, then least squares.

    Several cases can share parameters: cases/calibration/both-devices.toml.

    Example: otjdd calibrate cases/calibration/li2019.toml -o found.toml
    """
    from otjdd.claims.targets import load_task
    from otjdd.fitting.evaluate import evaluator
    from otjdd.fitting.targets import result, search
    from otjdd.fitting.targets.result import asked, report

    task = load_task(file)
    if out:
        check_folder(out.parent)
        check_outputs(*result.files_of(out, task))
        result.check_replaceable(out, task)
    visited = resumed(out, task) if resume else {}
    tell(asked(task))
    with (
        progress_words("calibrate", quiet=False) as words,
        evaluator(task, workers, visited) as evaluate,
    ):
        evaluate = evaluate._replace(report=watch(task, visited, out, words))
        try:
            best = search.search(evaluate, task.start, evaluations=evaluations, spread=spread, seed=seed)
            best = search.polish(evaluate, best, rounds=rounds)
        except KeyboardInterrupt:
            keep_best(out, task, visited)
            raise
        count = evaluate.count[0] - 1  # besides the start
        if out:
            result.write(out, task, visited, best.x)
        slopes = search.sensitivities(evaluate, best) if sensitivity else None
        fine = search.fine_evaluation(evaluate, best.x) if any(p.coarse != p.case for p in task.cases) else None
    say(report(task, best, count, slopes, fine))
    say_exclusions(task, visited, out)


def say_exclusions(task: TargetTask, visited: Mapping[bytes, np.ndarray], out: Path | None) -> None:
    """Print which aims were not met together, how to draw that, and the files that were written."""
    from otjdd.fitting.targets.result import exclusions, files_of, path_beside

    never, apart = exclusions(task, visited)
    if apart and out:
        apart += f"\nThe Pareto fronts between them: otjdd plot {path_beside(out)}"
    if never or apart:
        say("\n" + "\n".join(filter(None, [never, apart])))
    if out:
        say("\n" + ", ".join(map(str, files_of(out, task))))


def resumed(out: Path | None, task: TargetTask) -> dict[bytes, np.ndarray]:
    """Evaluations of an earlier search that wrote to `out`: bytes of a point -> values (targets,).

    Raises BadParameter without `out`, and ResultError for a file that does not fit.
    """
    from otjdd.fitting.search import earlier
    from otjdd.fitting.targets import result

    if not out:
        raise typer.BadParameter("name the file of the earlier search by -o", param_hint="--resume")
    path = earlier(result.path_beside(out))
    if path is None:
        tell(f"There is no {result.path_beside(out)}: the search starts again.")
        return {}
    return result.read_visits(path, task)


def watch(
    task: TargetTask, visited: Mapping[bytes, np.ndarray], out: Path | None, words: Callable[[str], None] | None
) -> Callable[[np.ndarray], None]:
    """Function to call after each evaluation: it shows the progress, and from time to time saves all evaluations.

    out : None for no file   words : shows a text, None for no terminal
    """
    from otjdd.fitting.targets.result import saving

    began, before, best = time.monotonic(), len(visited), math.inf
    save = saving(out, task, visited) if out else None

    def follow(latest: np.ndarray) -> None:
        nonlocal best
        count, best = len(visited), min(best, task.evaluation(latest).score)
        if words:
            pace = (time.monotonic() - began) / (count - before)
            words(f"{count} evaluations, {pace:.2g} s each, best score {best:.4g}")
        if save:
            save(latest)

    return follow


def keep_best(out: Path | None, task: TargetTask, visited: Mapping[bytes, np.ndarray]) -> None:
    """Write the best set of an interrupted search, if there is one."""
    from otjdd.fitting.targets import result, search

    if out and visited:
        best = search.best_visited(task, visited)
        result.write(out, task, visited, best.x)
        tell(
            f"The best set until then, with a score of {best.outcome.score:.3g}, is in "
            f"{', '.join(map(str, result.case_files(out, task)))}; the same command with --resume continues from it."
        )

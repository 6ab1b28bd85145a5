"""otjdd calibrate: find parameters of a case with which its runs meet given numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from otjdd.cli.app import progress_bar
from otjdd.cli.arguments import check_folder
from otjdd.system.files import write_whole
from otjdd.system.limits import shielded
from otjdd.system.terminal import say, tell

if TYPE_CHECKING:
    import numpy as np

    from otjdd.case.case import Case
    from otjdd.claims.calibrate.evaluate import Evaluator
    from otjdd.claims.calibrate.search import Search
    from otjdd.claims.calibrate.task import Calibration

SAVED = 1.0  # s, at least, between two writes of a search that goes on


def calibrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A calibration: cases/calibration/li2019.toml is one.")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write what was found as a case file, and its evaluations beside it (.nc)."),
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
) -> None:
    """Fit chosen parameters of a case to what its runs should show: CMA-ES from where it stands, then least squares.

    Example: otjdd calibrate cases/calibration/li2019.toml -o found.toml
    """
    from otjdd.claims.calibrate import search as calibration
    from otjdd.claims.calibrate.evaluate import evaluator
    from otjdd.claims.calibrate.task import load_task
    from otjdd.claims.calibrate.visited import exclusions, path_beside

    if out:
        check_folder(out.parent)
    task, case = load_task(file)
    visited = resumed(out, resume, task, case)
    with evaluator(task, case, workers=workers, visited=visited) as evaluate:
        evaluate = evaluate._replace(told=periodic_save(out, evaluate, case))
        try:
            found = searched(evaluate, case, rounds, evaluations=evaluations, spread=spread, seed=seed)
        except KeyboardInterrupt as error:
            keep_best(out, evaluate, case, getattr(error, "partial", None))
            raise
        if out:
            keep(out, evaluate, case, found.x)
        slopes = calibration.sensitivities(evaluate, found) if sensitivity else None
        fine = evaluate.fine(case, found.x) if task.coarse else None
        apart = exclusions(task, evaluate.visited)
    say(calibration.report(task, found, slopes, fine))
    if apart:
        say("\n" + apart + (f"\nThe fronts between them: otjdd plot {path_beside(out)}" if out else ""))


def searched(evaluate: Evaluator, case: Case, rounds: int, **wanted: Any) -> Search:
    """Search, then polish the best set. A KeyboardInterrupt has the best Search so far as its attribute `partial`."""
    from otjdd.claims.calibrate import search as calibration

    start, evaluations = calibration.present(evaluate.calibration, case), wanted["evaluations"]
    with progress_bar("search", quiet=False) as bar:
        found = calibration.search(
            evaluate, start, progress=bar and (lambda done, score, best: bar(done / evaluations)), **wanted
        )
    with progress_bar("polishing", quiet=False) as bar:
        return calibration.polish(evaluate, found, rounds=rounds, progress=bar)


def resumed(out: Path | None, resume: bool, task: Calibration, case: Case) -> Mapping[bytes, np.ndarray]:
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
    return visited.read(path, task, case)


def periodic_save(out: Path | None, evaluate: Evaluator, case: Case) -> Callable[[], None] | None:
    """Function to call after each batch of a search: it writes the evaluations at most every SAVED seconds.

    None without a file.
    """
    if not out:
        return None
    from otjdd.claims.calibrate import visited

    written = time.monotonic()

    def save() -> None:
        nonlocal written
        if time.monotonic() - written > SAVED:
            with shielded():
                visited.write(visited.path_beside(out), evaluate.calibration, case, evaluate.visited)
            written = time.monotonic()

    return save


def keep(out: Path, evaluate: Evaluator, case: Case, x: np.ndarray) -> None:
    """Write a set of parameters as a case file, and the evaluations of the search beside it."""
    from otjdd.claims.calibrate import search as calibration
    from otjdd.claims.calibrate import visited

    with shielded():
        visited.write(visited.path_beside(out), evaluate.calibration, case, evaluate.visited)
        write_whole(out, calibration.as_case(evaluate.calibration, x).encode())


def keep_best(out: Path | None, evaluate: Evaluator, case: Case, best: Search | None) -> None:
    """Write the best set of an interrupted search, if there is one."""
    if out and best is not None and hasattr(best, "outcome"):
        keep(out, evaluate, case, best.x)
        tell(
            f"The best set until then, with a score of {best.outcome.score:.3g}, is in {out}; "
            "the same command with --resume goes on from it."
        )

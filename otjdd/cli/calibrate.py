"""otjdd calibrate: find parameters of a case with which its runs meet given numbers."""

from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.app import progress_bar
from otjdd.cli.arguments import check_folder
from otjdd.system.files import write_whole
from otjdd.system.limits import shielded
from otjdd.system.terminal import say, tell


def calibrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A calibration: cases/calibration/li2019.toml is one.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write what was found as a case file.")] = None,
    evaluations: Annotated[int, typer.Option(min=0, help="Evaluations by the search, at most; 0: polish only.")] = 1000,
    rounds: Annotated[int, typer.Option(min=0, help="Rounds of polishing, at most.")] = 20,
    spread: Annotated[float, typer.Option(min=1e-3, max=0.5, help="First step, in ranges of the bounds.")] = 0.1,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the search.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
    sensitivity: Annotated[bool, typer.Option(help="Report sensitivities: one more evaluation per parameter.")] = True,
) -> None:
    """Fit chosen parameters of a case to what its runs should show: CMA-ES from where it stands, then least squares.

    Example: otjdd calibrate cases/calibration/li2019.toml -o found.toml
    """
    from otjdd.claims.calibrate import search as calibration
    from otjdd.claims.calibrate.task import load_task

    if out:
        check_folder(out.parent)
    task, case = load_task(file)
    try:
        with progress_bar("search", quiet=False) as bar:
            found = calibration.search(
                task, case, evaluations=evaluations, spread=spread, seed=seed, workers=workers,
                progress=bar and (lambda done, score, best: bar(done / evaluations)),
            )  # fmt: skip
        with progress_bar("polishing", quiet=False) as bar:
            found = calibration.polish(task, case, found, rounds=rounds, workers=workers, progress=bar)
    except KeyboardInterrupt as error:
        best = getattr(error, "partial", None)
        if out and isinstance(best, calibration.Search):
            with shielded():
                write_whole(out, calibration.as_case(task, best.x).encode())
            tell(f"The best set until then, with a score of {best.outcome.score:.3g}, is in {out}.")
        raise
    if out:
        write_whole(out, calibration.as_case(task, found.x).encode())
    slopes = calibration.sensitivities(task, case, found, workers) if sensitivity else None
    say(calibration.report(task, found, slopes))

"""otjdd run, otjdd rerun: simulate a case, and simulate a stored result again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.cli.app import progress_bar
from otjdd.cli.arguments import (
    CasePath,
    Outside,
    PlotOption,
    SettingOption,
    check_outputs,
    check_picture,
    check_result,
    load_checked,
    memory_for,
)
from otjdd.cli.plot import save_figure
from otjdd.errors import ExitCode, SolverError
from otjdd.system import interpreter
from otjdd.system.imports import without_unused
from otjdd.system.limits import limits, shielded
from otjdd.system.terminal import say, tell

if TYPE_CHECKING:
    import xarray as xr

    from otjdd.case.case import Case


def run(
    path: CasePath,
    *,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Result, NetCDF4. Default: the case's name.")] = None,
    settings: SettingOption = [],
    plot: PlotOption = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no summary.")] = False,
    allow_outside: Outside = False,
    timeout: Annotated[
        float | None, typer.Option(min=0.0, metavar="SECONDS", help="End the run after this time.")
    ] = None,
    max_memory: Annotated[
        float | None, typer.Option(min=0.01, metavar="GIB", help="Memory to use. Default: 80 % of the machine's.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint, if there is one.")] = False,
    every: Annotated[
        float, typer.Option("--checkpoint", min=0.0, metavar="SECONDS", help="Time between two checkpoints.")
    ] = 60.0,
) -> None:
    """Simulate a case.

    Example: otjdd run rv-loop --set device.film.thickness="3.2 nm" -o thick.nc --plot thick.png
    """
    interpreter.pause_collector()
    out = out or Path(path.name).with_suffix(".nc")
    check_result(out)
    if plot:
        check_picture(plot)
    with without_unused():
        case = load_checked(path, settings, allow_outside)
        check_outputs(out, plot)
        ds, failure = simulated_and_written(case, out, quiet, timeout, memory_for(case, max_memory), every, resume)
    if failure is None and plot:
        save_figure(ds, plot)
    if failure is not None:
        raise failure
    if not quiet:
        from otjdd.results import summary

        say(f"{out}: {summary.of_result(ds)}" + (f"\n{plot}" if plot else ""))
        if crowded := summary.crowded_walls(ds, case):
            tell(f"note: {crowded}")


def simulated_and_written(
    case: Case, out: Path, quiet: bool, timeout: float | None, memory: float, every: float, resume: bool
) -> tuple[xr.Dataset, BaseException | None]:
    """Simulate a case and write its result. Returns the Dataset, and the exception that ended the run early or None.

    timeout : [s]   memory : [bytes]   every : time between checkpoints [s]
    """
    from otjdd.compiler import kernel_cache
    from otjdd.results import store, summary
    from otjdd.runs import run
    from otjdd.solver import checkpoint, self_check

    kernel_cache.do_without_blas()
    ds, failure, place = None, None, checkpoint.CheckpointPlace(checkpoint.checkpoint_path(out), every, resume)
    if resume and not place.path.exists():
        tell(f"There is no checkpoint {place.path}: the run starts again.")
    try:
        with limits(timeout, memory), progress_bar(case.title, quiet) as progress:
            self_check.verify_kernels()
            interpreter.resume_collector()
            ds = run.run(case, progress=progress, checkpoints=place)
    except (SolverError, KeyboardInterrupt) as error:
        if ds is None:  # otherwise the interrupt came after the run was complete
            ds, failure = getattr(error, "partial", None), error
        if ds is None:
            raise
    with shielded():
        store.write_or_save_elsewhere(ds, out)
        if not isinstance(failure, KeyboardInterrupt):  # a run that failed would fail again from its checkpoint
            place.path.unlink(missing_ok=True)
    if failure is not None:
        more = " The same command with --resume continues from the last checkpoint." if place.path.exists() else ""
        tell(f"What was computed until then is in {out}.{summary.reached(ds)}{more}")
    return ds, failure


def rerun(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A result of `otjdd run`.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the new result.")] = None,
) -> None:
    """Simulate a stored result again, from its own attributes, and report whether the numbers are the same.

    Example: otjdd rerun rv-loop.nc
    """
    if out:
        check_result(out)
        check_outputs(out, inputs=[file])
    from otjdd.results import store
    from otjdd.runs import rerun as again

    with progress_bar(file.name, quiet=False) as progress:
        stored, new = again.rerun(file, progress)
    if out:
        store.write_or_save_elsewhere(new, out)
    differences = again.differences(stored, new)
    say(
        "\n".join([f"{file}: other numbers", *differences]) if differences else f"{file}: the same numbers, bit for bit"
    )
    if differences:
        sys.stdout.flush()
        raise typer.Exit(ExitCode.MISSED)

"""otjdd cases, check, show, schema, run, rerun, selftest: cases that come with otjdd, one that is checked, and its run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import otjdd.case
from otjdd import measurements, results, runs, solver, studies
from otjdd.cli.arguments import (
    CasePath,
    ColumnOption,
    FromName,
    JsonOption,
    Outside,
    PlotOption,
    RangeOption,
    SettingOption,
    SheetOption,
    Skipped,
    changes_of,
    check_outputs,
    check_picture,
    check_result,
    complete_case,
    is_data,
    load_checked,
    memory_for,
    reading,
    usage_of,
)
from otjdd.cli.progress import progress_bar
from otjdd.cli.results import save_figure
from otjdd.errors import ExitCode, SolverError
from otjdd.system import interpreter, late, text_files
from otjdd.system.interpreter import without_unused
from otjdd.system.late import xr
from otjdd.system.limits import limits, shielded
from otjdd.system.terminal import say, tell


def cases(as_json: JsonOption = False) -> None:
    """List the shipped cases: the name for `otjdd run` or `otjdd study`, and the question of each.

    Example: otjdd cases
    """
    all_cases = otjdd.cases()
    if as_json:
        print(json.dumps([case._asdict() for case in all_cases], indent=2, ensure_ascii=False))
        return
    width = max(len(case.name) for case in all_cases)
    for study, heading in ((False, "otjdd run NAME"), (True, "otjdd study NAME -o DIR")):
        print(f"{heading}:")
        for case in all_cases:
            if case.study == study:
                print(f"  {case.name:{width}}  {case.title}: {case.question}")


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="CASE", help="A case, or files of measured data.", autocompletion=complete_case),
    ],
    *,
    settings: SettingOption = [],
    allow_outside: Outside = False,
    plot: PlotOption = None,
    columns: ColumnOption = [],
    sheet: SheetOption = "",
    skipped: Skipped = [],
    ranges: RangeOption = [],
    from_name: FromName = "",
) -> None:
    """Check a case without simulating it and report every error with its line, or describe measured files.

    Example: otjdd check my-junction.toml
    """
    path = paths[0]
    if all(map(is_data, paths)):
        if settings or allow_outside:
            raise typer.BadParameter(f"{path} is a file of data and has no keys", param_hint="--set")
        check_data(paths, reading(columns, sheet, skipped, ranges, from_name), plot)
        return
    if len(paths) > 1:
        raise typer.BadParameter("give one case, or files of data alone", param_hint="CASE")
    if plot or columns or sheet or skipped or ranges or from_name:
        raise typer.BadParameter(f"{path} is a case; these options are of data", param_hint="--plot")
    case = load_checked(path, settings, allow_outside)
    studies.points.check_expected(case, str(path))
    points, expected = "", f", expects {case.expect.words}" if case.expect else ""
    if case.varied:
        points = f", a study of {len(studies.points.plan(case, str(path)).digests)} points"
    say(f"{path}: ok, {results.summary.of_drive(case.drive)}{points}{expected}")
    lines = otjdd.case.notes.notes(case, path, changes_of(settings))
    if case.device.film.polarisation is not None:
        lines.append(solver.initial.depolarised_note(case))
    if len(otjdd.case.electrodes.exchanging_sides(case.device)) > 1:
        lines.append(solver.initial.disagreement(case))
    for line in filter(None, lines):
        say(line if line.startswith(" ") else f"note: {line}")


def check_data(paths: list[Path], words: dict[str, Any], picture: Path | None) -> None:
    """Print how files of data were read, and draw them. Raises DataError, OSError, ResultError.

    words : arguments of `read_data`   picture : file to draw into, or None
    """
    check_picture(picture)
    ds = measurements.read.read_data(paths[0] if len(paths) == 1 else paths, **words)
    check_outputs(picture)
    if picture:
        late.plot.style.save(late.plot.figure.measured_figure(ds), picture)
    options = [word for name, text in words["names"].items() for word in ("--column", f"{name}={text}")]
    options += ["--sheet", words["sheet"]] * bool(words["sheet"])
    options += [word for first, last in words["without"] for word in ("--skip", f"{first}-{last}")]
    options += [word for name, (low, high) in words["keep"].items() for word in ("--range", f"{name}={low:g}:{high:g}")]
    options += ["--from-name", words["from_name"]] * bool(words["from_name"])
    words_of_data = measurements.read.described_data(ds, [*map(str, paths), *options])
    say(words_of_data + (f"\n{picture}" if picture else ""))


def show(path: CasePath, settings: SettingOption = [], allow_outside: Outside = False) -> None:
    """Print a case with its bases and all defaults filled in, as a case file.

    Example: otjdd show rv-loop --set temperature="350 K" > rv-loop-350K.toml
    """
    say(load_checked(path, settings, allow_outside).resolved(), end="")


def schema(
    update: Annotated[
        Path | None,
        typer.Option(
            "--update",
            metavar="FILE",
            help="Put the table of all keys, or of combinations.md, between the marks of a file.",
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of case files, for editors that complete and check TOML.

    Example: otjdd schema > otjdd.schema.json
    """
    if update:
        of_combinations = update.stem == "combinations"
        name, table = ("combinations", otjdd.case.rules) if of_combinations else ("keys", otjdd.case.keys)
        with usage_of("--update"):
            text_files.replace_generated_part(update, name, table.markdown())
        return
    text = json.dumps(otjdd.case.keys.with_bounds(otjdd.case.case.json_schema()), indent=2)
    print(text)  # quantities with their bounds, for editors


def run(
    path: CasePath,
    *,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Result file (NetCDF4). Default: the case's name.")
    ] = None,
    settings: SettingOption = [],
    plot: PlotOption = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no summary.")] = False,
    allow_outside: Outside = False,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="SECONDS", help="Stop the run after this time; the result so far is kept."),
    ] = None,
    max_memory: Annotated[
        float | None, typer.Option(min=0.01, metavar="GIB", help="Memory limit. Default: 80 % of the machine's memory.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the last checkpoint, if there is one.")
    ] = False,
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
    check_picture(plot)
    with without_unused():
        case = load_checked(path, settings, allow_outside)
        check_outputs(out, plot)
        ds, failure = simulated_and_written(case, out, quiet, timeout, memory_for(case, max_memory), every, resume)
    if failure is not None:
        raise failure
    if plot:
        save_figure(ds, plot)
    if not quiet:
        say(f"{out}: {results.summary.of_result(ds)}" + (f"\n{plot}" if plot else ""))
        for name in ("crowded_walls", "unchecked_grid"):
            if note := ds.attrs.get(name):
                tell(f"note: {note}")


def simulated_and_written(
    case: otjdd.Case, out: Path, quiet: bool, timeout: float | None, memory: float, every: float, resume: bool
) -> tuple[xr.Dataset, BaseException | None]:
    """Simulate a case and write its result. Returns the Dataset, and the exception that ended the run early or None.

    timeout : [s]   memory : [bytes]   every : time between checkpoints [s]
    """
    late.compiler.kernel_cache.do_without_blas()
    ds, failure = None, None
    place = solver.checkpoint.CheckpointPlace(solver.checkpoint.checkpoint_path(out), every, resume)
    if resume and not place.path.exists():
        tell(f"There is no checkpoint {place.path}: the run starts again.")
    try:
        with limits(timeout, memory), progress_bar(case.title, quiet) as progress:
            solver.self_check.verify_kernels()
            interpreter.resume_collector()
            ds = runs.run.run(case, progress=progress, checkpoints=place)
    except (SolverError, KeyboardInterrupt) as error:
        if ds is None:  # otherwise the interrupt came after the run was complete
            ds, failure = getattr(error, "partial", None), error
        if ds is None:
            raise
    with shielded():
        results.store.write_or_save_elsewhere(ds, out)
        if not isinstance(failure, KeyboardInterrupt):  # a run that failed would fail again from its checkpoint
            place.path.unlink(missing_ok=True)
    if failure is not None:
        more = " The same command with --resume continues from the last checkpoint." if place.path.exists() else ""
        tell(f"What was computed until then is in {out}.{results.summary.reached(ds)}{more}")
    return ds, failure


def rerun(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A result of `otjdd run`.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the new result.")] = None,
) -> None:
    """Repeat a stored result from its attributes, and report whether the numbers are identical.

    Example: otjdd rerun rv-loop.nc
    """
    if out:
        check_result(out)
        check_outputs(out, inputs=[file])

    with progress_bar(file.name, quiet=False) as progress:
        stored, new = runs.run.rerun(file, progress)
    if out:
        results.store.write_or_save_elsewhere(new, out)
    differences = runs.run.differences(stored, new)
    if not differences:
        say(f"{file}: the same numbers, bit for bit")
        return
    say("\n".join([f"{file}: other numbers", *differences]))
    sys.stdout.flush()
    raise typer.Exit(ExitCode.MISSED)


def selftest(as_json: JsonOption = False) -> None:
    """Check that kernels, files, cache, processes and figures work on this machine. Uses no network.

    Example: otjdd selftest
    """
    outcomes = []
    for outcome in late.selftest.run():
        outcomes.append(outcome)
        if not as_json:
            mark = "ok" if outcome.passed else "FAILED"
            print(f"{outcome.name:16} {mark:6} {outcome.seconds:6.1f} s  {outcome.observation}", flush=True)
    if as_json:
        print(json.dumps([outcome._asdict() for outcome in outcomes], indent=2))
    if not all(outcome.passed for outcome in outcomes):
        raise typer.Exit(ExitCode.MISSED)

"""The command line: words in, files and exit codes out. Nothing is computed here.

Results go to stdout, what is said about them to stderr. Whatever needs numba, xarray or matplotlib is imported inside
the commands, so that `otjdd --help` is there at once.
"""

import functools
import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

OK, BUG, USAGE, CASE, SOLVER, FILE, LIMIT, FAILED, MISSED = range(9)
INTERRUPTED = 130
EVERY = 30.0  # s between two lines of progress

EXIT_CODES = (
    "Exit codes: 0 done, 1 a bug in otjdd, 2 wrong usage, 3 the case is invalid, 4 the solver failed (what it had is "
    "kept), 5 a file or the disk, 6 over a limit or out of memory, 7 points of a study failed, 8 a claim or a self-test is "
    "missed or numbers differ, "
    "130 interrupted (what was computed is kept)."
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)

CasePath = Annotated[
    Path, typer.Argument(metavar="CASE", help="A case file, or the name of one that comes with otjdd.")
]
Settings = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help='Change a value: --set device.film.thickness="3.2 nm".')
]
Outside = Annotated[bool, typer.Option("--allow-outside", help="Let the case name files that are not in its folder.")]


def main():
    """Entry point of the command `otjdd`."""
    app()


def command(function):
    """Register a command; whatever goes wrong in it becomes a message on stderr and an exit code."""

    @functools.wraps(function)
    def guarded(*args, **kwargs):
        try:
            function(*args, **kwargs)
            sys.stdout.flush()
        except (typer.Exit, typer.BadParameter):
            raise
        except BrokenPipeError:  # whoever reads, `head` say, has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (Exception, KeyboardInterrupt) as error:
            if os.environ.get("OTJDD_DEBUG"):
                traceback.print_exc()
            code, message = verdict(error)
            tell(message)
            raise typer.Exit(code) from None

    return app.command()(guarded)


def verdict(error: BaseException) -> tuple[int, str]:
    """Exit code and message of an exception."""
    from otjdd.files import ResultError
    from otjdd.problems import CaseError, LimitError

    if isinstance(error, CaseError):
        return CASE, str(error)
    if isinstance(error, LimitError):
        return LIMIT, str(error)
    if isinstance(error, ResultError):
        return FILE, str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return FILE, f"{where}{error.strerror or error}"
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted"
    if isinstance(error, MemoryError):
        return LIMIT, "out of memory: record less, or use fewer cells or columns"
    from otjdd.integrate import SolverError

    if isinstance(error, SolverError):
        return SOLVER, str(error)
    from otjdd.known import KernelError

    if isinstance(error, KernelError):
        return BUG, f"{error}\nNothing was simulated. Please report this with what `otjdd selftest` prints."
    line = " ".join(str(error).split())[:200]
    return BUG, (
        f"unexpected {type(error).__name__}: {line}\n"
        "This is a bug in otjdd. Please report it with the case file and what `otjdd --debug ...` says."
    )


def tell(message: str):
    """Say something on stderr."""
    print(message, file=sys.stderr)


def show_version(wanted: bool):
    if wanted:
        from otjdd import __version__

        print(f"otjdd {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="OTJDD_DEBUG", help="Show where an error came from.")
    ] = False,
):
    """Oxide tunnel junctions: moving vacancies, Poisson's equation, tunnelling and thermionic current."""
    os.environ["OTJDD_DEBUG"] = "1" if debug else ""


@command
def run(
    path: CasePath,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Result, NetCDF4. Default: the case's name.")] = None,
    settings: Settings = [],  # noqa: B006
    plot: Annotated[
        Path | None, typer.Option("-p", "--plot", help="Draw the result into this PNG, PDF or SVG.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no summary.")] = False,
    allow_outside: Outside = False,
):
    """Simulate a case.

    Example: otjdd run rv-loop --set device.film.thickness="3.2 nm" -o thick.nc --plot thick.png
    """
    case = load(path, settings, allow_outside)
    out = out or Path(path.name).with_suffix(".nc")
    check_target(out)
    if plot:
        check_picture(plot)
    from otjdd import results, simulate, words

    failure = None
    try:
        with progress_bar(case.title, quiet) as progress:
            ds = simulate.run(case, progress=progress)
    except (simulate.SolverError, KeyboardInterrupt) as error:
        ds, failure = getattr(error, "partial", None), error
        if ds is None:
            raise
    results.write(ds, out)
    if failure is None and plot:
        save_figure(ds, plot)
    if failure is not None:
        tell(f"What was computed until then is in {out}.")
        raise failure
    if not quiet:
        print(f"{out}: {words.of_result(ds)}" + (f"\n{plot}" if plot else ""))


@command
def rerun(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A result of `otjdd run`.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the new result.")] = None,
):
    """Simulate a stored result again, from what it says of itself, and tell whether the numbers are the same.

    Example: otjdd rerun rv-loop.nc
    """
    if out:
        check_target(out)
    from otjdd import rerun as again
    from otjdd import results

    with progress_bar(file.name, quiet=False) as progress:
        stored, new = again.rerun(file, progress)
    if out:
        results.write(new, out)
    told = again.differences(stored, new)
    print("\n".join([f"{file}: other numbers", *told]) if told else f"{file}: the same numbers, bit for bit")
    if told:
        sys.stdout.flush()
        raise typer.Exit(MISSED)


@command
def check(path: CasePath, settings: Settings = [], allow_outside: Outside = False):  # noqa: B006
    """Check a case without simulating it: all that is wrong at once, each with its line.

    Example: otjdd check my-junction.toml
    """
    from otjdd import words

    print(f"{path}: ok, {words.of_drive(load(path, settings, allow_outside).drive)}")


@command
def show(path: CasePath, settings: Settings = [], allow_outside: Outside = False):  # noqa: B006
    """Print a case with its bases and all defaults filled in, as a case file.

    Example: otjdd show rv-loop --set temperature="350 K" > rv-loop-350K.toml
    """
    print(load(path, settings, allow_outside).resolved(), end="")


@command
def schema():
    """Print the JSON Schema of case files, for editors that complete and check TOML.

    Example: otjdd schema > otjdd.schema.json
    """
    import json

    from otjdd.case import json_schema

    print(json.dumps(json_schema(), indent=2))


@command
def study(
    path: Annotated[
        Path, typer.Argument(metavar="CASE", help="A case with a [study], or the name of one that comes with otjdd.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder of the study.")],
    workers: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes. Default: one for each processor.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Compute only what DIR does not hold yet.")] = False,
    settings: Settings = [],  # noqa: B006
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


@command
def plot(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A result of `otjdd run`.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="PNG, PDF or SVG. Default: the result's name.")
    ] = None,
    kind: Annotated[
        list[str], typer.Option("--kind", help="Panel to draw, may be repeated; `--kind help` lists them.")
    ] = [],  # noqa: B006
):
    """Draw a result: the panels that fit it, or those that are asked for.

    Example: otjdd plot rv-loop.nc -o loop.pdf --kind loop --kind bands
    """
    from otjdd import results
    from otjdd.plot import PANELS

    for name in kind:
        if name not in PANELS:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(PANELS)}", param_hint="--kind")
    out = out or Path(file.name).with_suffix(".png")
    check_picture(out)
    save_figure(results.read(file), out, kind)
    print(out)


@command
def selftest(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False):
    """Try on this machine what otjdd is made of: kernels, files, cache, processes, pictures. No network.

    Example: otjdd selftest
    """
    from otjdd import selftest as tests

    outcomes = []
    for outcome in tests.run():
        outcomes.append(outcome)
        if not as_json:
            mark = "ok" if outcome.passed else "FAILED"
            print(f"{outcome.name:16} {mark:6} {outcome.seconds:6.1f} s  {outcome.seen}", flush=True)
    if as_json:
        import json

        print(json.dumps([outcome._asdict() for outcome in outcomes], indent=2))
    if not all(outcome.passed for outcome in outcomes):
        raise typer.Exit(MISSED)


@command
def validate(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Claims to check. Default: all.")] = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    update: Annotated[
        Path | None, typer.Option("--update", metavar="FILE", help="Put that table between the markers of a file.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="DIR", help="Draw each claim into this folder.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write a page for the browser, DIR/index.html.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer runs and shorter trains.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes. Default: one for each processor.")
    ] = None,
):
    """Check the claims of the paper: what it reports, what comes out here, met or missed.

    Example: otjdd validate rv-hrs retention
    """
    from otjdd import tables
    from otjdd import validate as validation
    from otjdd.processes import cores

    try:
        validation.discover(names=names)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    text = update.read_text(encoding="utf-8") if update else None
    with progress_bar("claims", quiet=False) as progress:
        verdicts = validation.validate(names, quick=quick, workers=workers or cores(), progress=progress)
    if pictures:
        from otjdd.pictures import save_all

        save_all(verdicts, pictures)
    if report:
        from otjdd import page

        tell(f"The report is {page.save(verdicts, report, quick)}")
    if update:
        update.write_text(tables.updated(text, tables.to_markdown(verdicts)), encoding="utf-8")
    tables.report(verdicts, "json" if as_json else "markdown" if markdown else "table")
    if any(verdict.status == "missed" for verdict in verdicts):
        sys.stdout.flush()
        raise typer.Exit(MISSED)


@command
def calibrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A calibration: cases/calibration/li2019.toml is one.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write what was found as a case file.")] = None,
    evaluations: Annotated[int, typer.Option(min=1, help="Evaluations of all runs, at most.")] = 1000,
    spread: Annotated[float, typer.Option(min=1e-3, max=0.5, help="First step, in ranges of the bounds.")] = 0.1,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the search.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
    sensitivity: Annotated[bool, typer.Option(help="Report sensitivities: one more evaluation per parameter.")] = True,
):
    """Fit chosen parameters of a case to what its runs should show; CMA-ES from where the case stands.

    Example: otjdd calibrate cases/calibration/li2019.toml -o found.toml
    """
    from otjdd import calibrate as calibration

    try:
        task, case = calibration.load(file)
    except ValueError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(CASE) from None
    options = {"evaluations": evaluations, "spread": spread, "seed": seed, "workers": workers}
    with progress_bar("calibration", quiet=False) as progress:
        found = calibration.search(
            task, case, progress=lambda done, score, best: progress(done / evaluations), **options
        )
    found = calibration.polish(task, case, found)
    if out:
        out.write_text(calibration.as_case(task, found.x), encoding="utf-8")
    slopes = calibration.sensitivities(task, case, found.x) if sensitivity else None
    print(calibration.report(task, found, slopes))


def load(path: Path, settings: list[str], allow_outside: bool):
    """Case of a path or of the name of a shipped case, with what can go wrong before a run already tried.

    Raises CaseError, OSError; typer.BadParameter when a setting is not KEY=VALUE.
    """
    from otjdd.case import load_case

    changes = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"expected KEY=VALUE, got {text!r}", param_hint="--set")
        changes[key.strip()] = value.strip()
    case = load_case(find_case(path), changes, allow_outside=allow_outside)
    check_files(case, path)
    return case


def find_case(path: Path) -> Path:
    """The path itself, or a shipped case of that name (rv-loop, rv-loop.toml, cases/rv-loop.toml)."""
    from otjdd.case import shipped_cases

    if path.exists() or path.parent.name not in ("", "cases") or path.is_absolute():
        return path
    shipped = shipped_cases() / path.name
    return next((p for p in (shipped, shipped.with_name(path.name + ".toml")) if p.is_file()), path)


def check_files(case, path: Path):
    """Try what only the whole case can tell: its columns, its drive, its files. Raises CaseError, ResultError."""
    from otjdd import model
    from otjdd.problems import CaseError, Problem

    try:
        columns = model.members(case)
        if case.drive.kind != "iv":
            case.record.instants(case.drive.waveform().duration)
        if hasattr(case.ions.initial, "result"):
            from otjdd import integrate

            integrate.from_result(case.ions.initial.result, model.uniform(columns, case.device.film.cells))
    except (ValueError, OSError) as error:
        said = str(error).replace(f"{case.folder}{os.sep}", "")
    except KeyError:
        said = "ions.initial.result: that result holds no state to start from"
    else:
        return
    raise CaseError([Problem(os.fspath(path), 0, 0, "", said)])


def check_target(path: Path):
    """Refuse a place that cannot be written before hours are spent on what is to be written there. Raises OSError."""
    import errno

    if not path.parent.is_dir():
        raise OSError(errno.ENOENT, "there is no such folder", os.fspath(path.parent))
    if path.is_dir():
        raise OSError(errno.EISDIR, "is a folder, not a file", os.fspath(path))
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OSError(errno.EACCES, "cannot be written", os.fspath(path))
    if path.suffix == ".toml":
        raise OSError(errno.EEXIST, "is the name of a case file; choose another", os.fspath(path))


@contextmanager
def progress_bar(title: str, quiet: bool):
    """Callback that moves a bar on stderr, or None where nobody looks at it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


@contextmanager
def study_progress(title: str, quiet: bool):
    """Callback of a study: a bar where somebody looks at it, else a line now and then; None for quiet."""
    if quiet or sys.stderr.isatty():
        with progress_bar(title, quiet) as bar:
            yield bar and (lambda done, failed, total: bar(done / total))
        return
    import time

    began, told = time.monotonic(), -EVERY

    def line(done, failed, total):
        nonlocal told
        passed = time.monotonic() - began
        if passed - told >= EVERY or done == total:
            told = passed
            tell(f"{done} of {total} points" + f", {failed} failed" * bool(failed) + f", {passed:.0f} s")

    yield line


def check_picture(path: Path):
    """Refuse a picture of a format that is not drawn. Raises typer.BadParameter, OSError."""
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise typer.BadParameter(f"{path}: figures are written as .png, .pdf or .svg", param_hint="the picture")
    check_target(path)


def save_figure(ds, path: Path, kinds=()):
    """Draw a Dataset into a file. Raises ResultError, OSError; typer.BadParameter when it has nothing to draw."""
    from otjdd.plot import figure, save

    try:
        drawn = figure(ds, kinds)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None
    save(drawn, path)

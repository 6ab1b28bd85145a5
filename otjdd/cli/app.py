"""What all commands share: the Typer app, exit codes, messages of errors, and progress on the terminal."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from typing import Annotated, Any

import typer

import otjdd
from otjdd import fitting
from otjdd.errors import ExitCode, KernelError, OtjddError, Stopped
from otjdd.system.files import noting_reads
from otjdd.system.late import rich
from otjdd.system.limits import check_address_space, heeding_signals, interruption
from otjdd.system.terminal import plain, tell

EXIT_CODES = (
    "Exit codes: 0 done, 1 a bug in otjdd, 2 wrong usage, 3 the case is invalid, 4 the solver failed (what it had is "
    "kept), 5 a file or the disk, 6 over a limit or out of memory, 7 points of a study failed, 8 a claim or a "
    "self-test is missed or numbers differ, 130 and 143 interrupted and terminated (what was computed is kept)."
)

LINES = 30.0  # s between two lines of progress in a file

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Register a function as a command. Any exception in it becomes a message on stderr and an exit code."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            check_address_space()
            with heeding_signals(), noting_reads():
                function(*args, **kwargs)
            sys.stdout.flush()
        except typer.BadParameter as error:
            error.message = plain(error.message)
            raise
        except typer.Exit:
            raise
        except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
            drop_output()
        except (Exception, KeyboardInterrupt) as error:
            if os.environ.get("OTJDD_DEBUG"):
                traceback.print_exc()
            code, message = verdict(error)
            tell(message)
            if isinstance(error, OSError) and error.filename is None:  # of stdout, which would fail again at the end
                drop_output()
            raise typer.Exit(code) from None

    return app.command(help=literal(inspect.cleandoc(function.__doc__ or "")))(guarded)


def drop_output() -> None:
    """Send what stdout still holds nowhere: it cannot be written, and the interpreter would try once more at its end."""
    with suppress(UnsupportedOperation):  # a stdout of Python alone has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def literal(text: str) -> str:
    """Escape brackets for rich: `[study]` is a table of a case and not markup."""
    return text.replace("[", r"\[")


def verdict(error: BaseException) -> tuple[int, str]:
    """Exit code and message of an exception."""
    error = interruption(error) or error
    if isinstance(error, KernelError):
        return ExitCode.BUG, f"{error}\nNothing was simulated. Please report this with what `otjdd selftest` prints."
    if isinstance(error, OtjddError | Stopped):
        return error.exit_code, str(error)
    if isinstance(error, MemoryError) or "Cannot allocate memory" in str(error):  # from loading a shared library
        return ExitCode.LIMIT, "out of memory: record less, or use fewer cells or columns"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return ExitCode.FILE, f"{where}{error.strerror or error}"
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED, "interrupted"
    line = " ".join(str(error).split())[:200]
    return ExitCode.BUG, (
        f"unexpected {type(error).__name__}: {line}\n"
        "This is a bug in otjdd. Please report it with the case file and what `otjdd --debug ...` says."
    )


def show_version(asked: bool) -> None:
    if asked:
        print(f"otjdd {otjdd.__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="OTJDD_DEBUG", help="Show where an error came from.")
    ] = False,
) -> None:
    """Oxide tunnel junctions: moving vacancies, Poisson's equation, tunnelling and thermionic current."""
    os.environ["OTJDD_DEBUG"] = "1" if debug else ""


@contextmanager
def progress_bar(title: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """Yield a callback that sets a progress bar on stderr to a fraction; None if quiet or if stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    parts, console = rich.progress, rich.console.Console(stderr=True)
    columns = (
        parts.TextColumn("{task.description}", markup=False), parts.BarColumn(), parts.TaskProgressColumn(),
        parts.TimeRemainingColumn(),
    )  # fmt: skip
    with parts.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(plain(title), total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


@contextmanager
def progress_lines(title: str) -> Iterator[Callable[[float], None] | None]:
    """As `progress_bar`; where stderr is a file the callback writes a line every LINES seconds."""
    if sys.stderr.isatty():
        with progress_bar(title, quiet=False) as bar:
            yield bar
        return
    began = last = time.monotonic()

    def line(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINES:
            last = now
            tell(f"{title}: {fraction:.0%} after {now - began:.0f} s")

    yield line


@contextmanager
def progress_words(title: str, quiet: bool) -> Iterator[Callable[[str], None] | None]:
    """Yield a callback that shows a text on stderr, for work of unknown length; None if quiet or without a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with rich.console.Console(stderr=True).status(plain(title)) as status:
        yield lambda text: status.update(plain(f"{title}: {text}"))


# Evaluations of a search: a Jacobian at its start and one at its end, and the places between. A fit of two parameters to a
# loop took 10.
PER_PARAMETER, PER_SEARCH = 2, 8


@contextmanager
def search_progress(
    title: str, task: fitting.search.Aimed, evaluations: int, quiet: bool, cost_hint: str = ""
) -> Iterator[Callable[[fitting.least_squares.SearchProgress], None]]:
    """Yield a callback that shows the progress of a search on stderr: a text, or a line where that is no terminal.

    evaluations : of its global search   cost_hint : what is said of the cost after the first evaluation
    """
    began, shown = time.monotonic(), 0
    expected = evaluations + PER_PARAMETER * len(task.parameters) + PER_SEARCH
    with progress_words(title, quiet) as words:

        def show(at: fitting.least_squares.SearchProgress) -> None:
            nonlocal shown
            seconds = time.monotonic() - began
            if cost_hint and not shown and not quiet:
                count = f"{at.evaluations} evaluation{'s' * (at.evaluations > 1)} of {len(at.values)} points"
                tell(f"{title}: {count} took {seconds:.2g} s; a search like this takes about {expected}. {cost_hint}")
            if at.evaluations != shown:
                line = f"{progress_text(at, task)}; {rest_text(seconds, at.evaluations, expected)}"
                if words:
                    words(line)
                elif not quiet:
                    tell(f"{title}: {line}")
            shown = at.evaluations

        yield show


def rest_text(seconds: float, count: int, expected: int) -> str:
    """Time that a search still takes, in words. seconds, count : of its evaluations so far   expected : in all"""
    if count >= expected:
        return "longer than most"
    return f"about {seconds / max(1, count) * (expected - count):.2g} s left"


def progress_text(progress: fitting.least_squares.SearchProgress, task: fitting.search.Aimed) -> str:
    """Progress of a search in words: counts, the residual of the best set so far, and its values."""
    count = f"{progress.evaluations} evaluation{'s' * (progress.evaluations != 1)}"
    misfit = f"{progress.jacobians} Jacobians, residual {progress.misfit:.4g} per point"
    best = (
        f"{parameter.name} = {parameter.text(parameter.value(coordinate), 4)}"
        for parameter, coordinate in zip(task.parameters, progress.x, strict=True)
    )
    return f"{count}, {misfit}; {', '.join(best)}"

"""The command line: arguments in, files and exit codes out. Nothing is computed here.

Results go to stdout, messages to stderr. numba, xarray and matplotlib are imported as a command first uses them, so that
`otjdd --help` answers at once.
"""

from __future__ import annotations

import functools
import gc
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import UnsupportedOperation
from typing import Annotated, Any

import typer

import otjdd
from otjdd.cli import cases, compact, fit, results, studies
from otjdd.cli.arguments import literal
from otjdd.errors import ExitCode, KernelError, OtjddError, Stopped
from otjdd.system import interpreter
from otjdd.system.files import noting_reads
from otjdd.system.limits import check_address_space, heeding_signals, interruption
from otjdd.system.terminal import open_closed_streams, plain, tell

EXIT_CODES = (
    "Exit codes: 0 done, 1 a bug in otjdd, 2 wrong usage, 3 the case is invalid, 4 the solver failed (what it had is "
    "kept), 5 a file or the disk, 6 over a limit or out of memory, 7 points of a study failed, 8 a claim or a "
    "self-test is missed or numbers differ, 130 and 143 interrupted and terminated (what was computed is kept)."
)

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
            code, message = code_and_message(error)
            tell(message)
            if isinstance(error, OSError) and error.filename is None:  # of stdout, which would fail again at the end
                drop_output()
            raise typer.Exit(code) from None

    return app.command(help=literal(inspect.cleandoc(function.__doc__ or "")))(guarded)


def drop_output() -> None:
    """Send what stdout still holds nowhere: it cannot be written, and the interpreter would try once more at its end."""
    with suppress(UnsupportedOperation):  # a stdout of Python alone has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def code_and_message(error: BaseException) -> tuple[int, str]:
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


COMMANDS = (
    cases.run, cases.cases, cases.check, cases.show, cases.schema, results.plot, results.export, results.explore,
    cases.rerun, studies.study, studies.validate, fit.fit, fit.predict, fit.design, studies.calibrate, compact.compact,
    cases.selftest,
)  # fmt: skip
for function in COMMANDS:
    command(function)


def main(own: bool = True) -> None:
    """Entry point of the command `otjdd`.

    own : the process runs nothing but this command, so that settings of the whole interpreter may be changed
    """
    open_closed_streams()
    if own:
        interpreter.make_own()
    try:
        app()
    finally:
        if own:
            gc.freeze()  # the process ends here: collecting garbage would take a sixth of the time of a short run

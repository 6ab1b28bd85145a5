"""otjdd explore: a page in the browser that answers every move of a slider with a simulation."""

import os
from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.arguments import Outside, Settings, complete_case, load, memory_for
from otjdd.cli.data import is_data
from otjdd.system.terminal import tell

REFERENCE = Path("li2019")  # whose device is shown beside measured data, and when nothing is named


def explore(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="[CASE | RESULT.nc | DATA.csv]",
            help="A case, a result, or measured data that are shown beside what is simulated.",
            autocompletion=complete_case,
        ),
    ] = REFERENCE,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page. Default: any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address only.")] = False,
    settings: Settings = [],
    allow_outside: Outside = False,
):
    """Open a page that shows the junction move: sliders, experiments, single pulses, and a run in slow motion.

    It is served to this machine alone, at an address that nobody can guess, until Ctrl-C.

    Example: otjdd explore rv-loop
    """
    try:
        from otjdd.explore import server
    except ImportError as error:
        raise OSError(f"explore needs {error.name}: pip install 'otjdd[explore]'") from error
    opened = opening(path, settings, allow_outside)
    memory_for(opened.case, None)
    server.serve(opened, port, not no_browser, lambda url: tell(f"The page is at {url} (Ctrl-C ends it)."))


def opening(path: Path, settings: list[str], allow_outside: bool):
    """Contents of the page at first. Raises CaseError, DataError, ResultError, OSError."""
    from otjdd.explore.session import Opened

    if path.suffix == ".nc":
        if settings:
            raise typer.BadParameter("a result is shown as it is; move it in the page", param_hint="--set")
        return Opened(*of_result(path, allow_outside))
    if not is_data(path):
        return Opened(load(path, settings, allow_outside), os.fspath(path))
    from otjdd.measurements.read import read_data

    return Opened(load(REFERENCE, settings, allow_outside), REFERENCE.name, measured=read_data(path))


def of_result(path: Path, allow_outside: bool):
    """Case of a result, no name of a case, and the result itself. Raises CaseError, ResultError."""
    from otjdd.case.case import parse_case
    from otjdd.errors import ResultError
    from otjdd.results import store

    ds = store.read(path)
    if "case_resolved" not in ds.attrs or "solver_status" not in ds.attrs:
        raise ResultError(path, "is not the result of one run", "explore the case that it was made from")
    text = str(ds.attrs["case_resolved"])
    return parse_case(text, path.resolve().parent, file=os.fspath(path), allow_outside=allow_outside), "", ds

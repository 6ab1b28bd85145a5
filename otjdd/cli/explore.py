"""otjdd explore: a page in the browser that answers every move of a slider with a simulation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.cli.arguments import Outside, SettingOption, complete_case, load_checked, memory_for
from otjdd.cli.data import is_data
from otjdd.errors import ResultError
from otjdd.system.terminal import tell

if TYPE_CHECKING:
    import xarray as xr

    from otjdd.case.case import Case
    from otjdd.explore.session import Opened

REFERENCE = Path("li2019")  # the case that is shown when none is named


def explore(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[CASE | RESULT.nc] [DATA.csv]",
            help="A case or a result, and measured data that are drawn with the simulation.",
            autocompletion=complete_case,
        ),
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page. Default: any that is free.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address only.")] = False,
    settings: SettingOption = [],
    allow_outside: Outside = False,
) -> None:
    """Open a page in the browser: sliders, experiments, single pulses, and a run in slow motion.

    It is served to this machine alone, at an address that nobody can guess, until Ctrl-C.

    Example: otjdd explore device.toml data.csv
    """
    try:
        from otjdd.explore import server
    except ImportError as error:
        raise OSError(f"explore needs {error.name}: pip install 'otjdd[explore]'") from error
    opened = opening(paths or [], settings, allow_outside)
    memory_for(opened.case, None)
    server.serve(opened, port, not no_browser, lambda url: tell(f"The page is at {url} (Ctrl-C ends it)."))


def opening(paths: list[Path], settings: list[str], allow_outside: bool) -> Opened:
    """What the page shows first. Raises CaseError, DataError, ResultError, OSError."""
    from otjdd.explore.session import Opened

    data, others = [path for path in paths if is_data(path)], [path for path in paths if not is_data(path)]
    if len(data) > 1 or len(others) > 1:
        raise typer.BadParameter("give one case or result, and one file of data", param_hint="CASE DATA")
    path = (others or [REFERENCE])[0]
    measured = None
    if data:
        from otjdd.measurements.read import read_data

        measured = read_data(data[0])
    if path.suffix != ".nc":
        return Opened(load_checked(path, settings, allow_outside), os.fspath(path), measured=measured)
    if settings:
        raise typer.BadParameter("a result is shown as it is; move it in the page", param_hint="--set")
    case, name, ds = of_result(path, allow_outside)
    return Opened(case, name, ds, measured)


def of_result(path: Path, allow_outside: bool) -> tuple[Case, str, xr.Dataset]:
    """Case of a result, "" as it has no file, and the Dataset of the result. Raises CaseError, ResultError."""
    from otjdd.case.case import parse_case
    from otjdd.results import store

    ds = store.read(path)
    if "case_resolved" not in ds.attrs or "solver_status" not in ds.attrs:
        raise ResultError(path, "is not the result of one run", "explore the case that it was made from")
    text = str(ds.attrs["case_resolved"])
    return parse_case(text, path.resolve().parent, file=os.fspath(path), allow_outside=allow_outside), "", ds

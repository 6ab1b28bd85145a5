"""otjdd fit: parameters of a case from files of measured data."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from otjdd.cli.app import progress_words
from otjdd.cli.arguments import Outside, Settings, check_target, complete_case, load_checked
from otjdd.cli.data import Columns, Range, Sheet, Skipped, is_data, reading
from otjdd.errors import ResultError
from otjdd.system.files import write_whole
from otjdd.system.limits import limits, shielded
from otjdd.system.terminal import say, tell

if TYPE_CHECKING:
    import xarray as xr

    from otjdd.case.case import Case
    from otjdd.fitting.least_squares import SearchProgress
    from otjdd.fitting.task import Task

ALL = "all"  # parameters
HEAVIEST = 1e6  # weight, as in a [fit]
SAVED = 1.0  # s, at least, between two writes of a fit that goes on


def complete_number(incomplete: str) -> list[str]:
    """Keys of numbers that a word may become: those of the reference case, with values that may move."""
    from otjdd.case.case import load_case
    from otjdd.fitting.parameters import movable

    return [key for key in movable(load_case("li2019")) if key.startswith(incomplete)]


def complete_loss(incomplete: str) -> list[str]:
    """Losses that a word may become."""
    from otjdd.case.fit_task import LOSSES

    return [loss for loss in LOSSES if loss.startswith(incomplete)]


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="[DATA...] CASE", help="Files of measured data, then the case; none for those of its [fit].",
        autocompletion=complete_case,
    ),
]  # fmt: skip
Varied = Annotated[
    list[str],
    typer.Option(
        "--vary", metavar="KEY[=LOW:HIGH]", help="A parameter that may move; its key's bounds without others.",
        autocompletion=complete_number,
    ),
]  # fmt: skip
Noise = Annotated[
    str | None,
    typer.Option(
        "--noise", metavar="QUANTITY",
        help='Noise of the instrument, "1 pA": it adds to the relative error. Default: that which the data tell.',
    ),
]  # fmt: skip
Loss = Annotated[
    str,
    typer.Option(
        "--loss", metavar="LOSS", autocompletion=complete_loss,
        help="linear, or one that bears outliers: soft-l1, huber, cauchy, arctan. Default: that of the [fit].",
    ),
]  # fmt: skip
Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out",
        help="Fit, NetCDF4; beside it the fitted case (.toml) and a picture (.png). Default: the case's name and -fit.nc.",
    ),
]  # fmt: skip
Everywhere = Annotated[
    int,
    typer.Option("--global", min=0, metavar="COUNT", help="Search within the bounds first, with so many evaluations."),
]
Weights = Annotated[
    list[str],
    typer.Option("--weight", metavar="FILE=WEIGHT", help="Weight of the squares of a file of data. Default: 1."),
]
Profiles = Annotated[
    list[str], typer.Option("--profile", metavar="KEY", help="Profile likelihood of a parameter; `all` for each.")
]
Posterior = Annotated[
    int,
    typer.Option("--posterior", min=0, metavar="STEPS", help="Sample the posterior by emcee, so many steps a walker."),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with an earlier fit in the same file: from its global search, or its best set."
    ),
]
Timeout = Annotated[
    float | None, typer.Option(min=0.0, metavar="SECONDS", help="End after this time; the best set is kept.")
]


def fit(
    files: Files,
    *,
    vary: Varied = [],
    weights: Weights = [],
    settings: Settings = [],
    noise: Noise = None,
    loss: Loss = "",
    out: Out = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
    evaluations: Everywhere = 0,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the global search and of the posterior.")] = 1,
    profile: Profiles = [],
    posterior: Posterior = 0,
    columns: Columns = [],
    sheet: Sheet = "",
    skipped: Skipped = [],
    kept: Range = [],
    resume: Resume = False,
    timeout: Timeout = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no table.")] = False,
    allow_outside: Outside = False,
) -> None:
    """Fit parameters of a case to measured data: values, errors, correlations, and what the data cannot tell.

    Example: otjdd fit loop.csv rv-loop --vary device.left.barrier --vary ions.density="1e26 1/m^3:1e27 1/m^3" -o found.nc
    """
    *data, path = files
    if is_data(path):
        raise typer.BadParameter(f"the last word is the case, {path} is a file of data", param_hint="CASE")
    out = out or Path(f"{path.stem}-fit.nc")
    check_places(out, path)
    case = load_checked(path, settings, allow_outside)
    reads = reading(columns, sheet, skipped, kept)
    made = asked(case, data, vary, weights=weighted(weights, data), reading=reads, noise=noise, loss=loss)
    wanted, before = names_of(profile, made), earlier(out, resume, made, evaluations, seed)
    if not quiet:
        tell("\n".join(made.notes))
    try:
        with limits(timeout, math.inf), progress_words("fit", quiet) as words:
            ds = fitted(made, words, out, workers=workers, evaluations=evaluations, seed=seed, **before)
            ds = more(ds, made, words, profile=wanted, posterior=posterior, workers=workers, seed=seed)
    except KeyboardInterrupt as error:
        keep_best(getattr(error, "partial", None), out)
        raise
    write_fit(ds, out, path)
    show(ds, out, as_json, quiet)


def asked(
    case: Case,
    data: list[Path],
    vary: list[str],
    *,
    weights: dict[str, float],
    reading: dict[str, Any],
    noise: str | None,
    loss: str,
) -> Task:
    """Task of the files and parameters that were named, else of the [fit] of the case. Raises BadParameter, DataError."""
    from otjdd.fitting.task import Data, data_of, task, vary_of

    sets = [Data(file, weight=weights.get(str(file), 1.0), reading=reading) for file in data] or data_of(case)
    if not sets:
        raise typer.BadParameter("name a file of data, or a case with a [fit] that has some", param_hint="DATA")
    return task(case, sets, dict(map(bounded, vary)) or vary_of(case), loss, noise)


def fitted(made: Task, words: Callable[[str], None] | None, out: Path, **search: Any) -> xr.Dataset:
    """Dataset of a fit. The best set so far is written to its file during the search.

    Raises SolverError, DataError, ResultError; KeyboardInterrupt with the best set as its `partial`.
    """
    from otjdd.fitting import fit
    from otjdd.results import store

    written = time.monotonic()

    def watch(progress: SearchProgress) -> None:
        nonlocal written
        if words:
            words(progress_text(progress))
        if time.monotonic() - written > SAVED:
            with shielded():
                clear_beside(out)
                store.write(fit.so_far(made, progress, search["evaluations"], search["seed"]), out)
            written = time.monotonic()

    return fit.solved(made, progress=watch, **search)


def more(ds: xr.Dataset, made: Task, words: Callable[[str], None] | None, **wanted: Any) -> xr.Dataset:
    """A fit with profiles and posterior. A KeyboardInterrupt has the fit without them as its `partial`."""
    from otjdd.fitting import extras

    try:
        return extras.added(ds, made, words=words, **wanted)
    except KeyboardInterrupt as error:
        error.partial = ds  # type: ignore[attr-defined]  # an exception takes any attribute
        raise


def show(ds: xr.Dataset, out: Path, as_json: bool, quiet: bool) -> None:
    """Print a fit as JSON, or as a table with the files that hold it."""
    from otjdd.fitting import report

    if as_json:
        print(json.dumps(report.as_json(ds), indent=2))
    elif not quiet:
        say(f"{report.parameter_table(ds)}\n{out}, {out.with_suffix('.toml')}, {out.with_suffix('.png')}")


def check_places(out: Path, case: Path) -> None:
    """Refuse places that cannot be written, and a fitted case in the place of the case. Raises OSError, BadParameter."""
    check_target(out)
    if out.with_suffix(".toml").resolve() == case.resolve():
        raise typer.BadParameter(
            f"{out.with_suffix('.toml')} is the case itself; choose another name", param_hint="--out"
        )


def weighted(weights: list[str], data: list[Path]) -> dict[str, float]:
    """Weights of files by their names. Raises typer.BadParameter."""
    found = {}
    for text in weights:
        name, _, weight = text.rpartition("=")
        if name not in map(str, data):
            got = f"{text!r}; the files are {', '.join(map(str, data)) or 'those of the [fit], which has weights'}"
            raise typer.BadParameter(f"expected FILE=WEIGHT of a file of data, got {got}", param_hint="--weight")
        try:
            found[name] = float(weight)
        except ValueError:
            found[name] = math.nan
        if not 0 < found[name] <= HEAVIEST:
            expected = f"a weight above 0, at most {HEAVIEST:g}"
            raise typer.BadParameter(f"expected {expected}, got {text!r}", param_hint="--weight")
    return found


def bounded(text: str) -> tuple[str, dict[str, Any]]:
    """Key and bounds of KEY or KEY=LOW:HIGH. Raises typer.BadParameter."""
    key, equals, ends = text.partition("=") if '"' not in text.partition("=")[0] else split_quoted(text)
    if not equals:
        return key.strip(), {}
    low, colon, high = ends.partition(":")
    if not colon:
        raise typer.BadParameter(f"expected KEY=LOW:HIGH, got {text!r}", param_hint="--vary")
    return key.strip(), {name: amount(end) for name, end in (("low", low), ("high", high)) if end.strip()}


def split_quoted(text: str) -> tuple[str, str, str]:
    """Parts of KEY=ENDS around the "=" after the last quotation mark of the key."""
    end = text.rfind('"', 0, text.find("=", text.find('"') + 1)) + 1
    key, equals, ends = text[end:].partition("=")
    return text[:end] + key, equals, ends


def amount(text: str) -> str | float:
    """A number, or a quantity as text."""
    try:
        return float(text)
    except ValueError:
        return text.strip()


def names_of(profile: list[str], made: Task) -> list[str]:
    """Parameters of which a profile is wanted. Raises typer.BadParameter."""
    known = [parameter.name for parameter in made.parameters]
    if ALL in profile:
        return known
    for name in profile:
        if name not in known:
            raise typer.BadParameter(f"{name!r} is not varied; there are {', '.join(known)}", param_hint="--profile")
    return profile


def earlier(out: Path, resume: bool, made: Task, evaluations: int, seed: int) -> dict[str, Any]:
    """Arguments of `fitted` that go on with a fit in a file: its best set, scores and places of its searches.

    Empty without one. Raises ResultError.
    """
    from otjdd.fitting.everywhere import fingerprint
    from otjdd.fitting.result import read_fit, visited_of

    if not resume:
        return {}
    if not out.exists():
        tell(f"There is no {out}: the fit begins anew.")
        return {}
    ds = read_fit(out)
    names = [parameter.name for parameter in made.parameters]
    if "fit" not in ds.attrs or sorted(map(str, ds["parameter"].values)) != sorted(names):
        raise ResultError(out, f"is no fit of {', '.join(names)}", "begin anew, without --resume")
    same = ds.attrs.get("search") == fingerprint(made, evaluations, seed)
    scores = ds["search_score"].values.tolist() if same and "search_score" in ds else ()
    best = {str(name): float(value) for name, value in zip(ds["parameter"].values, ds["value"].values, strict=True)}
    return {"start": best, "scores": scores, "visited": visited_of(ds) if same else {}}


def keep_best(ds: xr.Dataset | None, out: Path) -> None:
    """Write the best set of a fit that was ended before its time, when there is one."""
    from otjdd.results import store

    if ds is None or "fit" not in ds.attrs:
        return
    with shielded():
        clear_beside(out)
        store.write(ds, out)
    tell(f"The best set until then is in {out}; the same command with --resume goes on from it.")


def clear_beside(out: Path) -> None:
    """Remove the case and the picture of an earlier fit, which are not those of the fit that is written. Raises OSError."""
    for suffix in (".toml", ".png"):
        out.with_suffix(suffix).unlink(missing_ok=True)


def progress_text(progress: SearchProgress) -> str:
    """Progress of a search in words."""
    return f"{progress.evaluations} evaluations, {progress.jacobians} Jacobians, misfit {progress.misfit:.4g} per point"


def write_fit(ds: xr.Dataset, out: Path, case: Path) -> None:
    """Write a fit, the fitted case and the picture. Raises ResultError."""
    from otjdd.case.case import load_case
    from otjdd.case.shipped import find_case
    from otjdd.fitting import report
    from otjdd.plot import fit as picture
    from otjdd.plot import style
    from otjdd.results import store

    drawn = picture.fit_figure(ds)
    text = report.case_text(ds, report.base_of(find_case(case), out), load_case(case, allow_outside=True))
    with shielded():
        clear_beside(out)
        store.write(ds, out)
        write_whole(out.with_suffix(".toml"), text.encode())
        style.save(drawn, out.with_suffix(".png"))
    sys.stdout.flush()

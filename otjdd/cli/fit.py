"""otjdd fit, predict, design: parameters of a case from measured data, what they let expect, what to measure next."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

import otjdd.case
from otjdd import fitting, measurements, results, system
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
    WorkersOption,
    changes_of,
    check_outputs,
    check_picture,
    check_result,
    complete_case,
    earlier_search,
    is_data,
    literal,
    load_checked,
    name_and_value,
    number_or_text,
    option_error,
    range_of,
    reading,
    usage_of,
)
from otjdd.cli.progress import progress_bar, progress_words, search_progress
from otjdd.cli.results import save_figure
from otjdd.system import late
from otjdd.system.late import xr
from otjdd.system.limits import limits
from otjdd.system.terminal import say, tell

ALL = "all"  # every parameter, of --profile
HEAVIEST = 1e6  # the largest weight, as in a [fit]
COST_HINT = "--timeout SECONDS ends it with the best set; fewer cells or points (--skip) cost less."


def complete_number(incomplete: str) -> list[str]:
    """Completions of --vary: keys of the reference case whose numbers may be fitted."""
    return [key for key in otjdd.case.keys.movable(otjdd.load_case("li2019")) if key.startswith(incomplete)]


def complete_loss(incomplete: str) -> list[str]:
    """Completions of --loss."""
    return [loss for loss in otjdd.case.fit.LOSSES if loss.startswith(incomplete)]


Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="[DATA...] CASE",
        help=literal("Files of measured data, then the case. Without files: the data of its [fit]."),
        autocompletion=complete_case,
    ),
]  # fmt: skip
Varied = Annotated[
    list[str],
    typer.Option(
        "--vary", metavar="KEY[=LOW:HIGH]", help="A parameter to fit, with its bounds. Default: the physical limits.",
        autocompletion=complete_number,
    ),
]  # fmt: skip
NoiseOption = Annotated[
    str | None,
    typer.Option(
        "--noise", metavar="QUANTITY",
        help='Noise of the instrument, such as "1 pA", added to the relative error. Default: estimated from the data.',
    ),
]  # fmt: skip
StateOption = Annotated[
    str,
    typer.Option("--state", metavar="NAME", help="State in which curves at frozen ions were measured, such as HRS."),
]
LossOption = Annotated[
    str,
    typer.Option(
        "--loss", metavar="LOSS", autocompletion=complete_loss,
        help=literal("linear, or robust against outliers: soft-l1, huber, cauchy, arctan. Default: as in the [fit]."),
    ),
]  # fmt: skip
Out = Annotated[
    Path | None,
    typer.Option(
        "-o", "--out",
        help="Fit, NetCDF4; next to it the fitted case (.toml) and a figure (.png). Default: the case's name and -fit.nc.",
    ),
]  # fmt: skip
Everywhere = Annotated[
    int,
    typer.Option("--global", min=0, metavar="COUNT", help="Search all of the bounds first, with COUNT evaluations."),
]
Weights = Annotated[
    list[str],
    typer.Option("--weight", metavar="FILE=WEIGHT", help="Weight of the squared residuals of a data file. Default: 1."),
]
Profiles = Annotated[
    list[str], typer.Option("--profile", metavar="KEY", help="Profile likelihood of a parameter; `all` for each.")
]
Posterior = Annotated[
    int,
    typer.Option(
        "--posterior", min=0, metavar="STEPS", help="Sample the posterior with emcee, STEPS steps per walker."
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Continue an earlier fit in the same file: its search, or from its best set."),
]
Timeout = Annotated[
    float | None, typer.Option(min=0.0, metavar="SECONDS", help="Stop after this time; the best set is kept.")
]


def fit(
    files: Files,
    *,
    vary: Varied = [],
    weights: Weights = [],
    settings: SettingOption = [],
    noise: NoiseOption = None,
    loss: LossOption = "",
    out: Out = None,
    workers: WorkersOption = None,
    evaluations: Everywhere = 0,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the global search and of the posterior.")] = 1,
    profile: Profiles = [],
    posterior: Posterior = 0,
    columns: ColumnOption = [],
    sheet: SheetOption = "",
    skipped: Skipped = [],
    ranges: RangeOption = [],
    from_name: FromName = "",
    state: StateOption = "",
    resume: Resume = False,
    timeout: Timeout = None,
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no table.")] = False,
    allow_outside: Outside = False,
) -> None:
    """Fit parameters of a case to measured data: values, errors, correlations, and what the data leave open.

    Example: otjdd fit loop.csv rv-loop --vary device.left.barrier --vary ions.density="1e26 1/m^3:1e27 1/m^3" -o found.nc
    """
    *data, path = files
    if is_data(path):
        raise typer.BadParameter(f"the last word is the case, {path} is a file of data", param_hint="CASE")
    out = out or Path(f"{path.stem}-fit.nc")
    check_result(out)
    case = load_checked(path, settings, allow_outside)
    data = [file for pattern in data for file in measurements.datasets.source_paths(pattern)]
    reads = reading(columns, sheet, skipped, ranges, from_name)
    by_file = weights_by_file(weights, data)
    task = task_of(case, data, vary, weights=by_file, reading=reads, noise=noise, loss=loss, state=state)
    profiled = profiled_names(profile, task)
    beside = fitting.fit.files_beside(out)
    check_outputs(out, *beside)
    results.store.check_replaceable(out, beside)
    earlier = earlier_search(out, "fit") if resume else None
    start = fitting.fit.resumed(earlier, task, evaluations, seed) if earlier else {}
    if not quiet:
        tell("\n".join(task.notes))
    try:
        with limits(timeout, math.inf):
            ds = fitted(
                task, out, profiled, posterior, quiet, workers=workers, evaluations=evaluations, seed=seed, **start
            )
    except KeyboardInterrupt as error:
        keep_best(getattr(error, "partial", None), out, as_json, quiet)
        raise
    write_fit_files(ds, out, path)
    print_fit(ds, as_json, quiet, f"{out}, {out.with_suffix('.toml')}, {out.with_suffix('.png')}")


def fitted(
    task: fitting.task.Task,
    out: Path,
    profiled: list[str],
    steps: int,
    quiet: bool,
    *,
    workers: int | None,
    seed: int,
    **options: Any,
) -> xr.Dataset:
    """Dataset of a fit, with the profiles of parameters and with a posterior of some steps, 0 for none.

    workers : processes, None for one for each processor   options : of `otjdd.fitting.fit.solved`
    Raises SolverError, DataError, ResultError; KeyboardInterrupt with the fit so far as its `partial`.
    """
    workers = workers or system.pool.cores()
    with search_progress("fit", task, options["evaluations"], quiet, COST_HINT) as progress:
        ds = fitting.fit.searched_fit(task, out, progress, workers=workers, seed=seed, **options)
    if profiled:
        with progress_words("fit", quiet) as words:
            ds = fitting.covariance.with_profiles(ds, task, profiled, workers, words)
    if steps:
        with progress_bar("posterior", quiet) as bar:
            ds = fitting.covariance.with_posterior(ds, task, steps, seed, workers, bar)
    return ds


def task_of(
    case: otjdd.Case,
    data: list[Path],
    vary: list[str],
    *,
    weights: dict[str, float],
    reading: dict[str, Any],
    noise: str | None,
    loss: str,
    state: str = "",
) -> fitting.task.Task:
    """Task of the data and parameters of the options; where there are none, of the [fit] of the case.

    weights : file -> weight   reading : arguments of `read_data`   noise : quantity, such as "1 pA"
    state : of curves at frozen ions, "" for the state of the case
    Raises typer.BadParameter, DataError.
    """
    sets = [fitting.task.Data(file, weight=weights.get(str(file), 1.0), state=state, reading=reading) for file in data]
    sets = sets or [data_set._replace(state=data_set.state or state) for data_set in fitting.task.data_of(case)]
    if not sets:
        raise typer.BadParameter("name a file of data, or a case with a [fit] that has some", param_hint="DATA")
    return fitting.task.task(case, sets, dict(map(key_and_bounds, vary)) or fitting.task.vary_of(case), loss, noise)


def print_fit(ds: xr.Dataset, as_json: bool, quiet: bool, *below: str) -> None:
    """Print a fit as JSON, or as a table with lines below it."""
    if as_json:
        print(json.dumps(fitting.fit.as_json(ds), indent=2))
    elif not quiet:
        say("\n".join([fitting.fit.parameter_table(ds), *below]))


def weights_by_file(weights: list[str], data: list[Path]) -> dict[str, float]:
    """File -> weight, from the texts FILE=WEIGHT of --weight. Raises typer.BadParameter."""
    by_file = {}
    for text in weights:
        name, _, weight = text.rpartition("=")
        if name not in map(str, data):
            got = f"{text!r}; the files are {', '.join(map(str, data)) or 'in the [fit], which states their weights'}"
            raise typer.BadParameter(f"expected FILE=WEIGHT of a file of data, got {got}", param_hint="--weight")
        number = number_or_text(weight)
        if isinstance(number, str) or not 0 < number <= HEAVIEST:
            raise option_error("--weight", f"a weight above 0, at most {HEAVIEST:g}", text)
        by_file[name] = number
    return by_file


def key_and_bounds(text: str) -> tuple[str, dict[str, str | float]]:
    """Key, and its bounds as "low" and "high", from KEY or KEY=LOW:HIGH. Raises typer.BadParameter."""
    if "=" not in text:
        return text.strip(), {}
    form = "KEY=LOW:HIGH"
    key, ends = name_and_value(text, "--vary", form)
    low, high = range_of(ends, "--vary", form)
    return key, {name: number_or_text(end) for name, end in (("low", low), ("high", high)) if end}


def profiled_names(profile: list[str], task: fitting.task.Task) -> list[str]:
    """Parameters that --profile names, all of them for `all`. Raises typer.BadParameter for an unknown one."""
    names = [parameter.name for parameter in task.parameters]
    if ALL in profile:
        return names
    for name in profile:
        if name not in names:
            raise typer.BadParameter(f"{name!r} is not varied; there are {', '.join(names)}", param_hint="--profile")
    return profile


def keep_best(ds: xr.Dataset | None, out: Path, as_json: bool, quiet: bool) -> None:
    """Write and print the best set of a fit that was interrupted, when there is one."""
    if ds is None or "fit" not in ds.attrs:
        tell("No evaluation had ended until then: there is no best set.")
        return
    fitting.search.write_ended(ds, out, {})
    print_fit(ds, as_json, quiet)
    tell(f"The best set until then is in {out}; the same command with --resume continues from it.")


def write_fit_files(ds: xr.Dataset, out: Path, case: Path) -> None:
    """Write a fit, the fitted case and a picture; the checkpoint of the search is removed. Raises ResultError."""
    fitted_file, picture = fitting.fit.files_beside(out)
    base = fitting.fit.base_of(otjdd.case.document.find_case(case), out)
    text = fitting.fit.case_text(ds, base, otjdd.load_case(case, allow_outside=True))
    drawn = late.plot.style.encoded_picture(late.plot.fit.fit_figure(ds), "png")
    fitting.search.write_ended(ds, out, {fitted_file: text.encode(), picture: drawn})


FEWEST, MOST = 10, 100_000  # limits of the number of draws


def predict(
    file: Annotated[Path, typer.Argument(metavar="FIT.nc", help="A fit of `otjdd fit`.")],
    path: CasePath,
    *,
    settings: SettingOption = [],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Prediction, NetCDF4. Default: the case's name and -band.nc.")
    ] = None,
    plot: PlotOption = None,
    count: Annotated[
        int, typer.Option("--draws", min=FEWEST, max=MOST, help="Number of samples of the parameters.")
    ] = 100,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the samples.")] = 1,
    workers: WorkersOption = None,
    allow_outside: Outside = False,
) -> None:
    """Predict the response of a fitted device to the drive of a case: the median and its error band.

    Example: otjdd predict found.nc retention -o band.nc --plot band.png
    """
    out = out or Path(f"{path.stem}-band.nc")
    check_result(out)
    check_picture(plot)
    case = load_checked(path, [], allow_outside)
    check_outputs(out, plot, inputs=[file])

    fit = fitting.fit.read_fit(file)
    changes = changes_of(settings)  # of the fitted device under the drive of the case
    with usage_of("FIT.nc"), progress_bar("predict", quiet=False) as progress:
        ds = fitting.prediction.predict(
            fit,
            case,
            changes=changes,
            count=count,
            seed=seed,
            workers=workers or system.pool.cores(),
            progress=progress,
        )
    results.store.write_or_save_elsewhere(ds, out)
    if plot:
        save_figure(ds, plot)
    failed = f", {ds.attrs['failed_draws']} without a run" if ds.attrs["failed_draws"] else ""
    checked = ds.attrs["simulated_draws"]
    how = f" along the derivatives of the best set, {checked} of them simulated" if checked < count else " simulated"
    drawn = f", {plot}" if plot else ""
    say(f"{fitting.prediction.prediction_words(ds)}; {count} draws{how}{failed}\n{out}{drawn}")


USUAL = ("rv-loop", "iv", "retention", "ltp-ltd")  # shipped cases whose drives are tried by default


def design(
    file: Annotated[Path, typer.Argument(metavar="FIT.nc", help="A fit of `otjdd fit`.")],
    cases: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CASE...]", help="Cases whose drives are candidates. Default: four shipped cases."),
    ] = None,
    *,
    temperature: Annotated[
        list[str],
        typer.Option(
            "--temperature", metavar="KELVIN", help='Consider each drive at this temperature as well: "350 K".'
        ),
    ] = [],
    uncertainty: Annotated[
        float | None,
        typer.Option(min=1e-6, help="Relative uncertainty of the new measurement. Default: as in the data."),
    ] = None,
    plot: PlotOption = None,
    workers: WorkersOption = None,
) -> None:
    """Rank candidate measurements by the errors that a fit would have after each.

    Example: otjdd design found.nc rv-loop iv --temperature "350 K" --plot next.png
    """
    check_picture(plot)
    fit = fitting.fit.read_fit(file)
    check_outputs(plot)
    drives = {name: {"drive": name} for name in cases or USUAL}
    hot = {f"{name} at {T}": {"drive": name, "temperature": T} for T in temperature for name in cases or USUAL}
    with usage_of("FIT.nc"), progress_bar("design", quiet=False) as progress:
        ds = fitting.prediction.design(
            fit, drives | hot, uncertainty=uncertainty, workers=workers or system.pool.cores(), progress=progress
        )
    if plot:
        late.plot.style.save(late.plot.fit.expected(ds), plot)
    say(errors_table(ds) + (f"\n{plot}" if plot else ""))


def errors_table(ds: xr.Dataset) -> str:
    """Table of expected over present errors by candidate; below it those that failed, and what the fit warns of."""
    names = [str(name) for name in ds["parameter"].values]
    width = max(map(len, map(str, ds["candidate"].values)))
    lines = [f"{'':{width}}  " + "  ".join(names)]
    for candidate, row in zip(ds["candidate"].values, ds["ratio"].values, strict=True):
        cells = (f"{ratio:{len(name)}.2f}" for ratio, name in zip(row, names, strict=True))
        lines.append("  ".join([f"{candidate!s:{width}}", *cells]))
    lines.append("expected error over the error now, after one more measurement")
    lines += [line for line in ds.attrs["failed"].splitlines() if line]
    return "\n".join(lines + [f"warning of the fit: {line}" for line in ds.attrs["warnings"].splitlines() if line])

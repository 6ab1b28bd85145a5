"""otjdd predict: what a fitted device would show under another drive, with the band of its errors."""

from pathlib import Path
from typing import Annotated

import typer

from otjdd.cli.app import progress_bar
from otjdd.cli.arguments import (
    CasePath,
    Outside,
    PlotOption,
    SettingOption,
    WorkersOption,
    changes_of,
    check_outputs,
    check_picture,
    check_result,
    load_checked,
)
from otjdd.cli.plot import save_figure
from otjdd.cli.types import usage_of
from otjdd.system.terminal import say

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
    count: Annotated[int, typer.Option("--draws", min=FEWEST, max=MOST, help="Draws of the parameters.")] = 100,
    seed: Annotated[int, typer.Option(min=1, help="Seed of the draws.")] = 1,
    workers: WorkersOption = None,
    allow_outside: Outside = False,
) -> None:
    """Predict what a fitted device shows under the drive of a case: the median, and the band that the errors leave.

    Example: otjdd predict found.nc retention -o band.nc --plot band.png
    """
    out = out or Path(f"{path.stem}-band.nc")
    check_result(out)
    if plot:
        check_picture(plot)
    case = load_checked(path, [], allow_outside)
    check_outputs(out, plot, inputs=[file])
    from otjdd.fitting import prediction, result
    from otjdd.results import store
    from otjdd.system.pool import cores

    fit = result.read_fit(file)
    changes = changes_of(settings)  # of the fitted device under the drive of the case
    with usage_of("FIT.nc"):
        with progress_bar("predict", quiet=False) as progress:
            ds = prediction.predict(
                fit, case, changes=changes, count=count, seed=seed, workers=workers or cores(), progress=progress
            )
    store.write_or_save_elsewhere(ds, out)
    if plot:
        save_figure(ds, plot)
    failed = f", {ds.attrs['failed_draws']} without a run" if ds.attrs["failed_draws"] else ""
    checked = ds.attrs["simulated_draws"]
    how = f" along the derivatives of the best set, {checked} of them simulated" if checked < count else " simulated"
    say(f"{prediction.prediction_words(ds)}; {count} draws{how}{failed}\n{out}" + (f", {plot}" if plot else ""))

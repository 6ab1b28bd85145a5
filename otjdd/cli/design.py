"""otjdd design: which further measurement would reduce the errors of a fit most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.cli.app import progress_bar
from otjdd.cli.arguments import PlotOption, WorkersOption, check_outputs, check_picture
from otjdd.cli.types import usage_of
from otjdd.system.terminal import say

if TYPE_CHECKING:
    import xarray as xr

USUAL = ("rv-loop", "iv", "retention", "ltp-ltd")  # shipped cases whose drives are tried by default


def design(
    file: Annotated[Path, typer.Argument(metavar="FIT.nc", help="A fit of `otjdd fit`.")],
    cases: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CASE...]", help="Cases whose drives might be measured. Default: four shipped cases."),
    ] = None,
    *,
    temperature: Annotated[
        list[str], typer.Option("--temperature", metavar="KELVIN", help='Try each drive at this one as well: "350 K".')
    ] = [],
    uncertainty: Annotated[
        float | None,
        typer.Option(min=1e-6, help="Standard deviation of ln of what would be measured. Default: that of the data."),
    ] = None,
    plot: PlotOption = None,
    workers: WorkersOption = None,
) -> None:
    """Say which measurement next: the expected errors of a fit after each of several drives and temperatures.

    Example: otjdd design found.nc rv-loop iv --temperature "350 K" --plot next.png
    """
    if plot:
        check_picture(plot)
    from otjdd.fitting import result
    from otjdd.fitting.design import design as expected
    from otjdd.system.pool import cores

    fit = result.read_fit(file)
    check_outputs(plot)
    drives = {name: {"drive": name} for name in cases or USUAL}
    hot = {f"{name} at {T}": {"drive": name, "temperature": T} for T in temperature for name in cases or USUAL}
    with usage_of("FIT.nc"):
        with progress_bar("design", quiet=False) as progress:
            ds = expected(fit, drives | hot, uncertainty=uncertainty, workers=workers or cores(), progress=progress)
    if plot:
        from otjdd.plot import fit as picture
        from otjdd.plot import style

        style.save(picture.expected(ds), plot)
    say(errors_table(ds) + (f"\n{plot}" if plot else ""))


def errors_table(ds: xr.Dataset) -> str:
    """Table of expected over present errors by candidate; below it those that failed, and what the fit warns of."""
    names = [str(name) for name in ds["parameter"].values]
    width = max(map(len, map(str, ds["candidate"].values)))
    lines = [f"{'':{width}}  " + "  ".join(names)]
    for candidate, row in zip(ds["candidate"].values, ds["ratio"].values, strict=True):
        lines.append(
            f"{candidate!s:{width}}  " + "  ".join(f"{r:{len(n)}.2f}" for r, n in zip(row, names, strict=True))
        )
    lines.append("expected error over the error now, after one more measurement")
    lines += [line for line in ds.attrs["failed"].splitlines() if line]
    return "\n".join(lines + [f"warning of the fit: {line}" for line in ds.attrs["warnings"].splitlines() if line])

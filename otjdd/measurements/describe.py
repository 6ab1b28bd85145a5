"""Description of measured data: columns, units, ranges, and findings from the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr


def described_data(ds: xr.Dataset) -> str:
    """Description of measured data, a line for each column and each finding."""
    lines = [f"{ds.attrs['file']}: {ds.sizes['point']} points"]
    for name, variable in ds.data_vars.items():
        about = variable.attrs
        written = f", written in {about['written_unit']}" if about.get("written_unit") else ""
        unit = "" if about["units"] == "1" else f" {about['units']}"
        size = f"{float(variable.min()):.4g} to {float(variable.max()):.4g}{unit}"
        what = "-" * about.get("sign_turned", 0) + (f"|{name}|" if about.get("magnitude") else str(name))
        lines.append(f"  {about.get('header', name)!r} is {what}{written}: {size}")
    return "\n".join(lines + [f"  {line}" for line in ds.attrs["understood"].splitlines()])

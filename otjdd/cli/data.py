"""Options of commands that read measured data: which columns, sheet, lines and ranges are taken."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from otjdd.cli.types import pair, refuse, usage_of
from otjdd.units import quantity

ColumnOption = Annotated[
    list[str],
    typer.Option(
        "--column", metavar="QUANTITY=HEADER", help='Say which column holds a quantity: --column current="Reading 2".'
    ),
]
SheetOption = Annotated[
    str, typer.Option("--sheet", help="Sheet of a workbook, or table of a file. Default: the first with a curve.")
]
FromName = Annotated[
    str,
    typer.Option(
        "--from-name", metavar="PATTERN", help='What the names of the files say: --from-name "{device}_{temperature}K".'
    ),
]
Skipped = Annotated[
    list[str], typer.Option("--skip", metavar="FIRST-LAST", help="Leave out these lines of a file of data.")
]
RangeOption = Annotated[
    list[str],
    typer.Option(
        "--range", metavar="QUANTITY=LOW:HIGH", help='Take only these points of the data: --range voltage="-1 V:2 V".'
    ),
]


MOST_TOML = 1_000_000  # bytes of a case
SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".xls", ".xlsx", ".nc", ".mat", ".lvm")  # of data that may be missing


def is_data(path: Path) -> bool:
    """True for a file of measured data: any file that is no case, whatever its name; a case ends with .toml, or is TOML."""
    suffix = path.suffix.lower()
    if suffix == ".toml" or suffix in SUFFIXES:
        return suffix != ".toml"
    return path.is_file() and not is_toml(path)


def is_toml(path: Path) -> bool:
    """True for a file that is read as TOML."""
    import tomllib

    if path.stat().st_size > MOST_TOML:
        return False
    try:
        return bool(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValueError, OSError):
        return False


def reading(
    columns: list[str], sheet: str, skipped: list[str], ranges: list[str], from_name: str = ""
) -> dict[str, Any]:
    """Arguments of `read_data` from --column, --sheet, --skip, --range and --from-name. Raises typer.BadParameter."""
    from otjdd.measurements.datasets import FIELD
    from otjdd.measurements.names import headers_by_quantity

    with usage_of("--column"):
        names = headers_by_quantity(dict(pair(text, "--column", "QUANTITY=HEADER") for text in columns))
    if from_name and not FIELD.search(from_name):
        raise refuse("--from-name", 'a field in braces, "{temperature}K"', from_name)
    without = []
    for text in skipped:
        match = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", text)
        if not match:
            raise refuse("--skip", "FIRST-LAST", text)
        without.append((int(match[1]), int(match[2] or match[1])))
    by_name = dict(pair(text, "--range", "QUANTITY=LOW:HIGH") for text in ranges)
    keep = {name: ends_of_range(name, text) for name, text in by_name.items()}
    return {"names": names, "sheet": sheet, "without": without, "keep": keep, "from_name": from_name}


def ends_of_range(name: str, text: str) -> tuple[float, float]:
    """Ends [SI] of a text LOW:HIGH of numbers or quantities. An empty end is infinite. Raises typer.BadParameter."""
    low, colon, high = text.partition(":")
    with usage_of(f"--range {name}", f"expected LOW:HIGH, got {text!r}"):
        if not colon:
            raise ValueError("it has no colon")
        return end(name, low, float("-inf")), end(name, high, float("inf"))


def end(name: str, text: str, default: float) -> float:
    """One end [SI] of a range of a measured quantity; `default` for "". Raises ValueError, also for a wrong unit."""
    from otjdd.measurements.names import QUANTITIES, quantity_of

    if not text.strip():
        return default
    if re.fullmatch(r"[-+0-9.eE]+", text.strip()):
        return float(text)
    value, dimension = quantity(text)
    about = QUANTITIES.get(quantity_of(name) or name)
    if about and about.unit not in ("1", "") and (dimension_of_quantity := quantity(f"1 {about.unit}")[1]) != dimension:
        raise ValueError(f"{name} is a {dimension_of_quantity}, not a {dimension}")
    return value

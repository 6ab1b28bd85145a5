"""Texts of options as values, the options that commands share, and what is checked of them before a run starts."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

import otjdd.case
from otjdd import claims, measurements, results, runs, solver
from otjdd.case.problem import Problem
from otjdd.errors import CaseError, LimitError
from otjdd.system import files, limits
from otjdd.system.late import plot, tomllib
from otjdd.system.terminal import tell
from otjdd.units import quantity


def literal(text: str) -> str:
    """Escape brackets for rich: `[study]` is a table of a case and not markup."""
    return text.replace("[", r"\[")


@contextmanager
def usage_of(option: str, says: str = "") -> Iterator[None]:
    """A ValueError within the block is a wrong value of an option, for typer. says : words before it"""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(f"{says} ({error})" if says else str(error), param_hint=option) from None


def option_error(option: str, expected: str, got: str) -> typer.BadParameter:
    """The error of an option with another form than expected."""
    return typer.BadParameter(f"expected {expected}, got {got!r}", param_hint=option)


def name_and_value(text: str, option: str, form: str) -> tuple[str, str]:
    """Both sides of NAME=VALUE. The "=" stands behind the last quotation mark of a name. Raises typer.BadParameter."""
    quoted = '"' in text.partition("=")[0]
    end = text.rfind('"', 0, text.find("=", text.find('"') + 1)) + 1 if quoted else 0
    name, equals, value = text[end:].partition("=")
    name = (text[:end] + name).strip()
    if not (name and equals):
        raise option_error(option, form, text)
    return name, value.strip()


def range_of(text: str, option: str, form: str) -> tuple[str, str]:
    """Both ends of LOW:HIGH as texts, "" for one that is left out. Raises typer.BadParameter."""
    low, colon, high = text.partition(":")
    if not colon:
        raise option_error(option, form, text)
    return low.strip(), high.strip()


def two_numbers(text: str, option: str) -> tuple[float, float]:
    """The two numbers of LOW:HIGH. Raises typer.BadParameter."""
    form = "two numbers with a colon between them"
    try:
        low, high = map(float, range_of(text, option, form))
    except ValueError:
        raise option_error(option, form, text) from None
    return low, high


def number_or_text(text: str) -> str | float:
    """The number that a text holds, else the text, which is then a quantity."""
    try:
        return float(text)
    except ValueError:
        return text


def share_of(text: str, option: str) -> tuple[int, int]:
    """The two numbers of I/N, with 1 <= I <= N. Raises typer.BadParameter."""
    part, _, whole = text.partition("/")
    if not (part.isdecimal() and whole.isdecimal() and 1 <= int(part) <= int(whole) <= 1_000_000):
        raise option_error(option, "I/N with I from 1 to N", text)
    return int(part), int(whole)


def complete_case(incomplete: str) -> list[str]:
    """Completions of a case: shipped cases, case files and folders."""
    folder = Path(incomplete).parent if os.sep in incomplete else Path()
    files = [str(path) + os.sep * path.is_dir() for path in folder.glob("*") if path.is_dir() or path.suffix == ".toml"]
    return [word for word in (*otjdd.case.document.names(), *sorted(files)) if word.startswith(incomplete)]


def complete_key(incomplete: str) -> list[str]:
    """Completions of --set: dotted keys, each with its "="."""
    return [f"{key}=" for key in otjdd.case.keys.dotted_keys() if key.startswith(incomplete)]


def complete_kind(incomplete: str) -> list[str]:
    """Completions of --kind: kinds of pictures."""
    return [kind for kind in (*plot.figure.KINDS, plot.figure.MOVIE, "help") if kind.startswith(incomplete)]


def complete_over(incomplete: str) -> list[str]:
    """Completions of --over: dimensions that a row of a table may stand for."""
    return [over for over in (*results.summary.OVER, results.summary.POINTS) if over.startswith(incomplete)]


def complete_claim(incomplete: str) -> list[str]:
    """Completions of the name of a claim."""
    papers = claims.papers
    return [name for name in papers.claim_folders(papers.shipped_claims()) if name.startswith(incomplete)]


WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, max=1024, help="Number of processes for independent runs. Default: one for each processor."),
]
OneWorker = Annotated[int, typer.Option(min=1, max=256, help="Processes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PlotOption = Annotated[Path | None, typer.Option("-p", "--plot", help="Also draw a figure: a PNG, PDF or SVG file.")]
CasePath = Annotated[
    Path,
    typer.Argument(metavar="CASE", help="A case file, or the name of a shipped case.", autocompletion=complete_case),
]
SettingOption = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help='Change a value: --set device.film.thickness="3.2 nm".',
        autocompletion=complete_key,
    ),
]
Outside = Annotated[bool, typer.Option("--allow-outside", help="Allow the case to name files outside of its folder.")]


def load_checked(path: Path, settings: list[str], allow_outside: bool) -> otjdd.Case:
    """Load a case file, or a shipped case by its name, and check all that can be checked before a run.

    settings : texts KEY=VALUE of --set   allow_outside : the case may name files outside of its folder
    Raises CaseError, OSError; typer.BadParameter when a setting is not KEY=VALUE.
    """
    if path.is_file() and is_data(path):
        wrong = "measured data; `otjdd check` describes it, `otjdd fit DATA CASE` fits a case to it"
        if path.suffix.lower() == ".nc":
            wrong = "a result; `otjdd rerun` simulates it again, `otjdd plot` draws it"
        raise CaseError([Problem(os.fspath(path), 0, 0, "", "a case file", wrong)])
    case = otjdd.load_case(path, changes_of(settings), allow_outside=allow_outside)
    runs.run.check_inputs(case, os.fspath(path))
    return case


def changes_of(settings: list[str]) -> dict[str, str]:
    """Dotted key -> value, from the texts of --set. Raises typer.BadParameter when one is not KEY=VALUE."""
    return dict(name_and_value(text, "--set", "KEY=VALUE") for text in settings)


def bytes_needed(case: otjdd.Case, columns: int) -> float:
    """Bytes of the outputs of a case except its time series, whose length is not known before."""
    curves_of, drive, record, cells = otjdd.case.drive_curves, case.drive, case.record, case.device.film.cells
    if isinstance(drive, curves_of.Prepared):
        frequencies = len(drive.frequency_values()) if isinstance(drive, curves_of.Following) else 0
        curves = len(drive.histories()) * max(1, len(drive.temperatures)) * len(drive.bias_voltages())
        return 8.0 * curves * (8 + 4 * frequencies)
    if isinstance(drive, otjdd.case.crossbar.Patterns):
        assert case.crossbar is not None  # as the case has been checked
        maps = 6 + 7 * any(part.kind == "program" for part in drive.parts)
        return 8.0 * maps * (len(drive.parts) + 1) * case.crossbar.word_lines * case.crossbar.bit_lines
    reads = drive.waveform().read_count
    profiles = record.profiles + len(record.profiles_at) + reads * record.profiles_at_reads
    return 8.0 * (profiles * (cells * (columns + 2) + 2000) + 20 * reads)


def memory_for(case: otjdd.Case, gibibytes: float | None) -> float:
    """Limit of the memory [bytes]: `gibibytes` when given, else the share of the machine that a run may use.

    Raises LimitError when the case needs more.
    """
    available = min(limits.SHARE * limits.machine_memory(), limits.address_space() - limits.NEEDED / 2)
    limit = available if gibibytes is None else gibibytes * 2**30
    needed = bytes_needed(case, len(solver.model.members(case)))
    if needed > limit / 2:
        raise LimitError(
            f"the profiles and reads of this case take {needed / 2**30:.3g} GiB, and as much again to write them; "
            f"the limit is {limit / 2**30:.3g} GiB. Try fewer record.profiles, or a larger --max-memory"
        )
    return limit


def check_outputs(*paths: Path | None, inputs: Sequence[Path] = ()) -> None:
    """Check the files that a command will write, once it has read its inputs and before anything runs.

    inputs : those that it has not read yet
    Raises OSError when one of them cannot be written; typer.BadParameter when one of them is also an input, or two of
    them are the same file, links followed.
    """
    outputs = [path for path in paths if path is not None]
    for i, path in enumerate(outputs):
        if not os.path.isdir(path.parent):
            raise OSError(errno.ENOENT, "there is no such folder", os.fspath(path.parent))
        if os.path.isdir(path):
            raise OSError(errno.EISDIR, "is a folder, not a file", os.fspath(path))
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, "is a folder that you may not write to", os.fspath(path.parent))
        if os.path.exists(path) and not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, "cannot be written", os.fspath(path))
        try:
            files.try_name(path)
        except OSError as error:
            advice = files.ADVICE.get(error.errno or 0, "write elsewhere")
            raise OSError(error.errno, f"cannot be written ({error.strerror}; {advice})", os.fspath(path)) from None
        if files.was_read(path) or any(are_one(path, file) for file in inputs):
            raise typer.BadParameter(f"{path} is an input of this command; choose another name", param_hint="--out")
        if any(are_one(path, other) for other in outputs[:i]):
            raise typer.BadParameter(f"{path} would be written twice; choose another name", param_hint="--out")


def are_one(path: Path, other: Path) -> bool:
    """True if two paths lead to the same file, or would if it existed."""
    return path.resolve() == other.resolve() or (path.exists() and other.exists() and path.samefile(other))


def earlier_search(out: Path, what: str) -> Path | None:
    """File to resume a search from: the checkpoint of a killed one, else the result; None where neither exists."""
    path = next((path for path in (solver.checkpoint.checkpoint_path(out), out) if path.exists()), None)
    if path is None:
        tell(f"There is no {out}: the {what} starts again.")
    return path


def check_result(path: Path) -> None:
    """Raise OSError for a result with the name of a case file."""
    if path.suffix == ".toml":
        raise OSError(errno.EEXIST, "is the name of a case file; choose another", os.fspath(path))


def check_picture(path: Path | None) -> None:
    """Raise typer.BadParameter for a file whose suffix is none of a picture."""
    if path and path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise typer.BadParameter(f"{path}: figures are written as .png, .pdf or .svg", param_hint="the picture")


@contextmanager
def folder_to_fill(path: Path) -> Iterator[None]:
    """Make a folder for the files that the block writes. If the block fails and the folder is empty, remove it.

    Raises OSError.
    """
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    check_folder(path)
    try:
        yield
    except BaseException:
        for folder in new:
            with suppress(OSError):  # it is not empty, or another process has removed it
                folder.rmdir()
        raise


def check_folder(path: Path) -> None:
    """Make a folder. Raises OSError when it cannot be made or written to."""
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, "cannot be written to", os.fspath(path))


ColumnOption = Annotated[
    list[str],
    typer.Option("--column", metavar="QUANTITY=HEADER", help='Column of a quantity: --column current="Reading 2".'),
]
SheetOption = Annotated[
    str, typer.Option("--sheet", help="Sheet of a workbook, or table of a file. Default: the first with a curve.")
]
FromName = Annotated[
    str,
    typer.Option(
        "--from-name", metavar="PATTERN", help='What the file names state: --from-name "{device}_{temperature}K".'
    ),
]
Skipped = Annotated[list[str], typer.Option("--skip", metavar="FIRST-LAST", help="Ignore these lines of a data file.")]
RangeOption = Annotated[
    list[str],
    typer.Option(
        "--range",
        metavar="QUANTITY=LOW:HIGH",
        help='Use only the points within this range: --range voltage="-1 V:2 V".',
    ),
]


MOST_TOML = 1_000_000  # bytes of a case
DATA_SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".xls", ".xlsx", ".nc", ".mat", ".lvm")  # of data that may be missing


def is_data(path: Path) -> bool:
    """True for a file of measured data: any file that is no case, whatever its name; a case ends with .toml, or is TOML."""
    suffix = path.suffix.lower()
    if suffix == ".toml" or suffix in DATA_SUFFIXES or not path.is_file():
        return suffix in DATA_SUFFIXES
    try:
        return path.stat().st_size > MOST_TOML or not tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return True


def reading(
    columns: list[str], sheet: str, skipped: list[str], ranges: list[str], from_name: str = ""
) -> dict[str, Any]:
    """Arguments of `read_data` from --column, --sheet, --skip, --range and --from-name. Raises typer.BadParameter."""
    with usage_of("--column"):
        names = measurements.names.headers_by_quantity(
            dict(name_and_value(text, "--column", "QUANTITY=HEADER") for text in columns)
        )
    if from_name and not measurements.datasets.FIELD.search(from_name):
        raise option_error("--from-name", 'a field in braces, "{temperature}K"', from_name)
    without = []
    for text in skipped:
        match = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", text)
        if not match:
            raise option_error("--skip", "FIRST-LAST", text)
        without.append((int(match[1]), int(match[2] or match[1])))
    by_name = dict(name_and_value(text, "--range", "QUANTITY=LOW:HIGH") for text in ranges)
    keep = {}
    for name, text in by_name.items():
        low, colon, high = text.partition(":")
        with usage_of(f"--range {name}", f"expected LOW:HIGH, got {text!r}"):
            if not colon:
                raise ValueError("it has no colon")
            keep[name] = end_of_range(name, low, float("-inf")), end_of_range(name, high, float("inf"))
    return {"names": names, "sheet": sheet, "without": without, "keep": keep, "from_name": from_name}


def end_of_range(name: str, text: str, default: float) -> float:
    """One end [SI] of a range of a measured quantity; `default` for "". Raises ValueError, also for a wrong unit."""
    if not text.strip():
        return default
    if re.fullmatch(r"[-+0-9.eE]+", text.strip()):
        return float(text)
    value, dimension = quantity(text)
    about = measurements.names.QUANTITIES.get(measurements.names.quantity_of_name(name) or name)
    if about and about.unit not in ("1", "") and (dimension_of_quantity := quantity(f"1 {about.unit}")[1]) != dimension:
        raise ValueError(f"{name} is a {dimension_of_quantity}, not a {dimension}")
    return value

"""Arguments of commands: cases, their changes, and output files; all are checked before anything runs."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.case.problem import Problem
from otjdd.errors import CaseError, LimitError
from otjdd.system import limits

if TYPE_CHECKING:
    from otjdd.case.case import Case


def complete_case(incomplete: str) -> list[str]:
    """Shipped cases and case files that a word may become."""
    from otjdd.case.shipped import names

    folder = Path(incomplete).parent if os.sep in incomplete else Path()
    files = [str(path) + os.sep * path.is_dir() for path in folder.glob("*") if path.is_dir() or path.suffix == ".toml"]
    return [word for word in (*names(), *sorted(files)) if word.startswith(incomplete)]


def complete_key(incomplete: str) -> list[str]:
    """Dotted keys that a word may become, with the "=" that follows them."""
    from otjdd.case.keys import dotted_keys

    return [f"{key}=" for key in dotted_keys() if key.startswith(incomplete)]


def complete_kind(incomplete: str) -> list[str]:
    """Kinds of pictures that a word may become."""
    from otjdd.plot.kinds import KINDS, MOVIE

    return [kind for kind in (*KINDS, MOVIE, "help") if kind.startswith(incomplete)]


def complete_over(incomplete: str) -> list[str]:
    """What a row of a table is, as a word that this one may become."""
    from otjdd.results.table import OVER, POINTS

    return [over for over in (*OVER, POINTS) if over.startswith(incomplete)]


def complete_claim(incomplete: str) -> list[str]:
    """Claims that a word may become."""
    from otjdd.claims.claim import folders, shipped_claims

    return [name for name in folders(shipped_claims()) if name.startswith(incomplete)]


CasePath = Annotated[
    Path,
    typer.Argument(
        metavar="CASE", help="A case file, or the name of one that comes with otjdd.", autocompletion=complete_case
    ),
]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help='Change a value: --set device.film.thickness="3.2 nm".',
        autocompletion=complete_key,
    ),
]
Outside = Annotated[bool, typer.Option("--allow-outside", help="Let the case name files that are not in its folder.")]


def load_checked(path: Path, settings: list[str], allow_outside: bool) -> Case:
    """Case of a path or of the name of a shipped case, with what can go wrong before a run already tried.

    Raises CaseError, OSError; typer.BadParameter when a setting is not KEY=VALUE.
    """
    from otjdd.case.case import load_case

    case = load_case(path, changes_of(settings), allow_outside=allow_outside)
    check_files(case, path)
    return case


def changes_of(settings: list[str]) -> dict[str, str]:
    """Dotted key -> value of the words of --set. Raises typer.BadParameter when one is not KEY=VALUE."""
    changes = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"expected KEY=VALUE, got {text!r}", param_hint="--set")
        changes[key.strip()] = value.strip()
    return changes


def check_files(case: Case, path: Path) -> None:
    """Try what only the whole case can tell: its columns, its drive, its files. Raises CaseError, ResultError."""
    from otjdd.solver import initial, model

    try:
        columns = model.members(case)
        if case.crossbar is not None and case.crossbar.model is not None:
            from otjdd.compact_models.crossbars import models

            models.model_named_by(case, os.fspath(path))
        if hasattr(case.drive, "waveform"):
            waveform = case.drive.waveform()
            case.record.instants(waveform.duration)
            case.record.check_reads(waveform.read_count)
        if hasattr(case.ions.initial, "result"):
            initial.from_result(case, columns)
    except (ValueError, OSError) as error:
        said = str(error).replace(f"{case.folder}{os.sep}", "")
    else:
        return
    raise CaseError([Problem(os.fspath(path), 0, 0, "", said)])


def memory_for(case: Case, gibibytes: float | None) -> float:
    """Limit of the memory [bytes], from what the user says or of the machine. Raises LimitError when it cannot do."""
    from otjdd.solver import memory, model

    available = min(limits.SHARE * limits.machine_memory(), limits.address_space() - limits.NEEDED / 2)
    limit = available if gibibytes is None else gibibytes * 2**30
    needed = memory.bytes_needed(case, len(model.members(case)))
    if needed > limit / 2:
        raise LimitError(
            f"the profiles and reads of this case take {needed / 2**30:.3g} GiB, and as much again to write them; "
            f"the limit is {limit / 2**30:.3g} GiB. Try fewer record.profiles, or a larger --max-memory"
        )
    return limit


def check_target(path: Path) -> None:
    """Refuse a place that cannot be written before hours are spent on what is to be written there. Raises OSError."""
    if not path.parent.is_dir():
        raise OSError(errno.ENOENT, "there is no such folder", os.fspath(path.parent))
    if path.is_dir():
        raise OSError(errno.EISDIR, "is a folder, not a file", os.fspath(path))
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OSError(errno.EACCES, "cannot be written", os.fspath(path))
    if path.suffix == ".toml":
        raise OSError(errno.EEXIST, "is the name of a case file; choose another", os.fspath(path))


def check_picture(path: Path) -> None:
    """Refuse a picture of a format that is not drawn. Raises typer.BadParameter, OSError."""
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise typer.BadParameter(f"{path}: figures are written as .png, .pdf or .svg", param_hint="the picture")
    check_target(path)


@contextmanager
def folder_to_fill(path: Path) -> Iterator[None]:
    """Make a folder for what this block writes; one that it leaves empty by an error goes away again. Raises OSError."""
    made = [each for each in (path, *path.parents) if not each.exists()]
    check_folder(path)
    try:
        yield
    except BaseException:
        for each in made:
            with suppress(OSError):  # it holds something, or another process was faster
                each.rmdir()
        raise


def check_folder(path: Path) -> None:
    """Make a folder, and refuse one that cannot be written to, before the work for it begins. Raises OSError."""
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, "cannot be written to", os.fspath(path))

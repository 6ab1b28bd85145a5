"""Arguments that commands share: cases, changes of their keys, and output files, each checked before a run starts."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otjdd.case.problem import Problem
from otjdd.cli.data import is_data
from otjdd.cli.types import pair
from otjdd.errors import CaseError, LimitError
from otjdd.system import files, limits

if TYPE_CHECKING:
    from otjdd.case.case import Case


def complete_case(incomplete: str) -> list[str]:
    """Completions of a case: shipped cases, case files and folders."""
    from otjdd.case.shipped import names

    folder = Path(incomplete).parent if os.sep in incomplete else Path()
    files = [str(path) + os.sep * path.is_dir() for path in folder.glob("*") if path.is_dir() or path.suffix == ".toml"]
    return [word for word in (*names(), *sorted(files)) if word.startswith(incomplete)]


def complete_key(incomplete: str) -> list[str]:
    """Completions of --set: dotted keys, each with its "="."""
    from otjdd.case.keys import dotted_keys

    return [f"{key}=" for key in dotted_keys() if key.startswith(incomplete)]


def complete_kind(incomplete: str) -> list[str]:
    """Completions of --kind: kinds of pictures."""
    from otjdd.plot.figure import KINDS, MOVIE

    return [kind for kind in (*KINDS, MOVIE, "help") if kind.startswith(incomplete)]


def complete_over(incomplete: str) -> list[str]:
    """Completions of --over: dimensions that a row of a table may stand for."""
    from otjdd.results.summary import OVER, POINTS

    return [over for over in (*OVER, POINTS) if over.startswith(incomplete)]


def complete_claim(incomplete: str) -> list[str]:
    """Completions of the name of a claim."""
    from otjdd.claims.papers import claim_folders, shipped_claims

    return [name for name in claim_folders(shipped_claims()) if name.startswith(incomplete)]


WorkersOption = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Processes. Default: one for each processor, for independent runs.")
]
OneWorker = Annotated[int, typer.Option(min=1, max=256, help="Processes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PlotOption = Annotated[Path | None, typer.Option("-p", "--plot", help="Draw it into this PNG, PDF or SVG.")]
CasePath = Annotated[
    Path,
    typer.Argument(
        metavar="CASE", help="A case file, or the name of one that comes with otjdd.", autocompletion=complete_case
    ),
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
Outside = Annotated[bool, typer.Option("--allow-outside", help="Let the case name files that are not in its folder.")]


def load_checked(path: Path, settings: list[str], allow_outside: bool) -> Case:
    """Load a case file, or a shipped case by its name, and check all that can be checked before a run.

    settings : texts KEY=VALUE of --set   allow_outside : the case may name files outside of its folder
    Raises CaseError, OSError; typer.BadParameter when a setting is not KEY=VALUE.
    """
    from otjdd.case.case import load_case
    from otjdd.runs import run

    check_is_case(path)
    case = load_case(path, changes_of(settings), allow_outside=allow_outside)
    run.check_inputs(case, os.fspath(path))
    return case


def check_is_case(path: Path) -> None:
    """Raise CaseError, with what to do instead, for a file that is a result, or measured data."""
    if not path.is_file() or not is_data(path):
        return
    if path.suffix.lower() == ".nc":
        wrong = "a result; `otjdd rerun` simulates it again, `otjdd plot` draws it"
    else:
        wrong = "measured data; `otjdd check` describes it, `otjdd fit DATA CASE` fits a case to it"
    raise CaseError([Problem(os.fspath(path), 0, 0, "", "a case file", wrong)])


def changes_of(settings: list[str]) -> dict[str, str]:
    """Dotted key -> value, from the texts of --set. Raises typer.BadParameter when one is not KEY=VALUE."""
    return dict(pair(text, "--set", "KEY=VALUE") for text in settings)


def memory_for(case: Case, gibibytes: float | None) -> float:
    """Limit of the memory [bytes]: `gibibytes` when given, else the share of the machine that a run may use.

    Raises LimitError when the case needs more.
    """
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


def check_outputs(*paths: Path | None, inputs: Sequence[Path] = ()) -> None:
    """Check the files that a command will write, once it has read its inputs and before anything runs.

    inputs : those that it has not read yet
    Raises OSError when one of them cannot be written; typer.BadParameter when one of them is also an input, or two of
    them are the same file, links followed.
    """
    outputs = [path for path in paths if path is not None]
    for i, path in enumerate(outputs):
        check_target(path)
        if files.was_read(path) or any(are_one(path, file) for file in inputs):
            raise typer.BadParameter(f"{path} is an input of this command; choose another name", param_hint="--out")
        if any(are_one(path, other) for other in outputs[:i]):
            raise typer.BadParameter(f"{path} would be written twice; choose another name", param_hint="--out")


def are_one(path: Path, other: Path) -> bool:
    """True if two paths lead to the same file, or would if it existed."""
    return path.resolve() == other.resolve() or (path.exists() and other.exists() and path.samefile(other))


def check_target(path: Path) -> None:
    """Raise OSError unless a file can be written at a path: a new file takes the place of an old one in its folder."""
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


def check_result(path: Path) -> None:
    """Raise OSError for a result with the name of a case file."""
    if path.suffix == ".toml":
        raise OSError(errno.EEXIST, "is the name of a case file; choose another", os.fspath(path))


def check_picture(path: Path) -> None:
    """Raise typer.BadParameter unless the suffix is that of a picture."""
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
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

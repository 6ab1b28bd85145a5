"""Cases that come with otjdd: their folder, their questions, and their files by name."""

from __future__ import annotations

import errno
import os
import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from otjdd.case.problem import nearest

QUESTION = re.compile(r"^# Question: (.*?\?)", re.MULTILINE | re.DOTALL)


class ShippedCase(NamedTuple):
    """A case that comes with otjdd: its name, its title, the question it answers, and whether it is a study."""

    name: str
    title: str
    question: str
    study: bool


def shipped_cases() -> Path:
    """Folder of the cases that come with otjdd, in an installed package or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return package / "cases" if (package / "cases").is_dir() else package.parent / "cases"


def names() -> list[str]:
    """Names of all shipped cases, in alphabetical order."""
    return sorted(path.stem for path in shipped_cases().glob("*.toml"))


def cases() -> list[ShippedCase]:
    """All cases that come with otjdd, those without a study first. Each name can be given to run, study and load_case."""
    shipped = [with_question(name) for name in names()]
    return sorted(shipped, key=lambda case: (case.study, case.name))


def with_question(name: str) -> ShippedCase:
    """Title and question of a shipped case, read from its file."""
    text = (shipped_cases() / f"{name}.toml").read_text(encoding="utf-8")
    data, question = tomllib.loads(text), QUESTION.search(text)
    asked = question[1].replace("\n# ", " ") if question else ""
    return ShippedCase(name, data.get("title", name), asked, "study" in data)


def find_case(case: str | os.PathLike[str]) -> Path:
    """The file of a case: a path, or the name of a shipped case (rv-loop, rv-loop.toml, cases/rv-loop.toml).

    A case of a tutorial has its folder before its name: tutorials/tin-hfo2-tin.

    A file that exists has priority over a shipped case of the same name. Raises FileNotFoundError.
    """
    path = Path(case)
    if path.exists() and not path.is_dir():  # the folder of a study may have the name of its case
        return path
    folder = path.parent.name
    shipped = shipped_cases() / (folder if folder == "tutorials" else "") / path.name
    if folder in ("", "cases", "tutorials") and not path.is_absolute():
        for file in (shipped, shipped.with_name(f"{path.name}.toml")):
            if file.is_file():
                return file
    if path.exists():
        return path
    hint = nearest(path.stem, names()) or "`otjdd cases` lists what comes with otjdd"
    raise FileNotFoundError(
        errno.ENOENT, f"there is no such file, and no shipped case of that name ({hint})", str(path)
    )

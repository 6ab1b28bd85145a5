"""Texts that users are told, as files beside the tests: RENEW_MESSAGES=1 in the environment writes them anew."""

import difflib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from otjdd.errors import OtjddError

FOLDER = Path(__file__).parent / "case" / "messages"


def compared(name: str, lines: Iterable[str]) -> None:
    """Assert that lines are those of a file in the folder of messages, or write it where that is asked for."""
    text, path = "".join(f"{line}\n" for line in lines), FOLDER / name
    if os.environ.get("RENEW_MESSAGES"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    changed = "\n".join(
        difflib.unified_diff(before.splitlines(), text.splitlines(), path.name, "now", lineterm="", n=1)
    )
    assert text == before, f"{path}: renew with RENEW_MESSAGES=1 and read the difference\n{changed}"


def told(function: Callable, *arguments: object) -> str:
    """Words of an error of otjdd that a call raises; nothing where it raises none."""
    try:
        function(*arguments)
    except OtjddError as error:
        return str(error)
    return ""


def refused(name: str, said: dict[str, str], folder: Path) -> None:
    """Assert that bad inputs are all refused, in the words of a file. folder : of the inputs, left out of the words"""
    assert [bad for bad, words in said.items() if not words] == []
    compared(name, [f"# {bad}\n{words}\n".replace(f"{folder}/", "") for bad, words in said.items()])

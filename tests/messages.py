"""Texts that users are told, as files beside the tests: RENEW_MESSAGES=1 in the environment writes them anew."""

import os
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "case" / "messages"


def compared(name: str, lines: Iterable[str]) -> None:
    """Assert that lines are those of a file in the folder of messages, or write it where that is asked for."""
    text, path = "".join(f"{line}\n" for line in lines), FOLDER / name
    if os.environ.get("RENEW_MESSAGES"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path}: renew with RENEW_MESSAGES=1 and read the difference"

"""Journeys: each test begins in an empty folder and does what a user does. Solved runs, a model and a fit are shared.

`walk` types a command. Nothing in these tests replaces a part of otjdd: devices are made small by keys of their cases.
"""

import re
import shutil
from pathlib import Path

import pytest

import otjdd as package

SMALLER = {
    r"^cells = \d+": "cells = 12",
    r"^count = [35]\b": "count = 1",
    r"^spread = .*$": "spread = {}",
    r"^grading = .*\n": "",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The empty folder that the test is in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_cases(folder) -> Path:
    """The folder with all shipped cases in it, as `cases/NAME.toml` and by their names, on small devices.

    A file goes before the shipped case of its name, so that commands of the guide run word for word.
    """
    shutil.copytree(package.shipped_cases(), folder / "cases")
    for file in (folder / "cases").glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        if "base = " not in text:
            for pattern, smaller in SMALLER.items():
                text = re.sub(pattern, smaller, text, flags=re.MULTILINE)
        names = [file, folder / file.name, *([] if "[study]" in text else [folder / file.stem])]
        for copy in names:  # a study has a folder of its name
            copy.write_text(text, encoding="utf-8")
    return folder

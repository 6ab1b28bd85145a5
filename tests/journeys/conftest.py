"""Journeys: each test begins in an empty folder and does what a user does, with the commands of `walk`.

No part of otjdd is replaced in these tests: devices are made small by keys of their cases.
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
    r"^series_resistance = .*\n": "",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The empty folder in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_cases(folder) -> Path:
    """The folder with small devices of all shipped cases in it, as `cases/NAME.toml`, `NAME.toml` and `NAME`.

    A file has precedence over the shipped case of the same name, so commands of the guide run unchanged on small devices.
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

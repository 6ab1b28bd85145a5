"""Run otjdd commands in a folder, within this process. Tests of processes start a new one with ALONE."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from otjdd.cli import app

ALONE = [sys.executable, "-c", "from otjdd.__main__ import main; main()"]  # otjdd in a new process


def otjdd(folder: Path, *words: object, **environment: str) -> subprocess.CompletedProcess:
    """Run `otjdd WORDS` in a folder, with changes of the environment. OTJDD_DEBUG is removed unless it is given."""
    given = {name: None for name in os.environ if name == "OTJDD_DEBUG"} | environment
    with contextlib.chdir(folder):
        done = CliRunner(env=given).invoke(app, [str(word) for word in words], prog_name="otjdd")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return subprocess.CompletedProcess(["otjdd", *map(str, words)], done.exit_code, done.stdout, done.stderr)


def draw_from_case(folder: Path, case: str, text: str, setting: str, kind: str) -> Path:
    """Check, run with a setting and draw a case of this text, as a user does. Returns its result file; asserts success."""
    file, result, picture = folder / f"{case}.toml", folder / f"{case}.nc", folder / f"{kind}.png"
    file.write_text(text)
    steps = [
        ("check", file.name),
        ("run", file.name, "--set", setting, "-o", result.name),
        ("plot", result.name, "--kind", kind, "-o", picture.name),
    ]
    for words in steps:
        done = otjdd(folder, *words)
        assert done.returncode == 0, done.stderr
    assert picture.stat().st_size > 10_000
    return result

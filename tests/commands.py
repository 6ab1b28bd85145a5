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


def typed(*words: object, code: int = 0) -> str:
    """What `otjdd WORDS` says in the present folder, on one line. Fails unless it ends with the exit code `code`."""
    done = CliRunner(env={"COLUMNS": "400"}).invoke(app, [str(word) for word in words], prog_name="otjdd")
    assert done.exit_code == code, done.output
    assert "unexpected" not in done.output
    return " ".join(done.output.replace("│", " ").split())

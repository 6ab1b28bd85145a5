"""Commands of otjdd, each in a process of its own: a copy of one that has loaded everything, which spares the start."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ALONE = [sys.executable, "-c", "from otjdd.cli import main; main()"]  # a process that starts from nothing
LOADED = """
import json, os, sys, traceback
from otjdd.system import interpreter
interpreter.make_own()
import numba
import otjdd.cli, otjdd.plot.figure, otjdd.results.store, otjdd.runs.run, otjdd.studies.study, otjdd.fitting.fit
from otjdd.solver import self_check
if not numba.config.DISABLE_JIT:
    self_check.trust()
print("ready", flush=True)
for line in sys.stdin:
    folder, words, environment, streams, first = json.loads(line)
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, name in enumerate(streams):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
    sys.stdin = open(0, closefd=False)
    sys.argv = ["otjdd", *words]
    code = 1
    try:
        exec(first)
        otjdd.cli.main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
"""


@cache
def loaded() -> tuple[subprocess.Popen, Path]:
    """The process that is copied, one for all tests of this process, and a folder for what copies say."""
    place = tempfile.TemporaryDirectory(prefix="otjdd-commands-")
    process = subprocess.Popen([sys.executable, "-c", LOADED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(place.cleanup)
    atexit.register(process.wait)
    atexit.register(process.stdin.close)
    assert process.stdout.readline() == "ready\n"
    return process, Path(place.name)


def otjdd(folder: Path, *words: object, first: str = "", **environment: str) -> subprocess.CompletedProcess:
    """`otjdd WORDS` in a folder, with changes of the environment; without OTJDD_DEBUG unless it is among them.

    first : Python code that the process runs before the command
    """
    process, place = loaded()
    streams = [os.devnull, str(place / "out"), str(place / "err")]
    given = {name: value for name, value in os.environ.items() if name != "OTJDD_DEBUG"} | environment
    task = [str(folder), [str(word) for word in words], given, streams, first]
    process.stdin.write(json.dumps(task) + "\n")
    process.stdin.flush()
    code = int(process.stdout.readline())
    out, err = (Path(name).read_text(encoding="utf-8", errors="replace") for name in streams[1:])
    return subprocess.CompletedProcess(["otjdd", *task[1]], code, out, err)

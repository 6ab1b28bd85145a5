"""A system without what Linux and macOS have: no locks, no limits, no owners of files, no /proc, no fork server.

One process hides them all before it loads otjdd, which then uses its fallbacks and gives the same numbers.
"""

import json
import subprocess
import sys

from devices import needs_speed

from otjdd.results import store
from otjdd.runs import run
from otjdd.solver.self_check import CASE

BARE = """
import asyncio, multiprocessing, os, pathlib, signal, sys
for name in ("fcntl", "resource"):
    sys.modules[name] = None
for name in ("getuid", "sched_getaffinity", "sysconf", "O_NOFOLLOW", "O_NONBLOCK", "getloadavg"):
    delattr(os, name)
for name in ("SIGHUP", "SIGXCPU", "SIGUSR1", "pthread_kill", "pthread_sigmask"):
    delattr(signal, name)
multiprocessing.get_all_start_methods = lambda: ["spawn"]
text_of = pathlib.Path.read_text
def read_text(path, *arguments, **options):
    if str(path).startswith(("/proc", "/sys")):
        raise FileNotFoundError(str(path))
    return text_of(path, *arguments, **options)
pathlib.Path.read_text = read_text
"""
FALLBACKS = """
if __name__ == "__main__":
    import json, math
    from otjdd.cli import main
    from otjdd.compiler import kernel_cache
    from otjdd.measurements import workbook_process
    from otjdd.system import files, limits, pool
    with limits.limits(60.0, 2.0**40):
        pass
    workbook_process.limit(2**30, 10)
    pathlib.Path("new").mkdir()
    files.write_whole("note.txt", b"whole")
    files.tidy(pathlib.Path("."), "*.txt")
    numbers = {
        "address_space": limits.address_space() == math.inf,
        "resident": limits.resident(),
        "free_memory": limits.free_memory() == math.inf,
        "start": pool.START.get_start_method(),
        "cores": pool.cores() >= 1,
        "closed": kernel_cache.is_closed(pathlib.Path("new")),
        "read": files.read_whole("note.txt").decode(),
        "signals": len(limits.ENDING),
    }
    print(json.dumps(numbers), flush=True)
    sys.argv = ["otjdd", "run", "case.toml", "-o", "bare.nc", "-q"]
    main()
"""


@needs_speed
def test_a_bare_system_has_fallbacks_and_the_same_numbers(tmp_path):
    (tmp_path / "case.toml").write_text(CASE, encoding="utf-8")
    (tmp_path / "bare.py").write_text(BARE + FALLBACKS, encoding="utf-8")
    done = subprocess.run([sys.executable, "bare.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0]) == {
        "address_space": True, "resident": 0.0, "free_memory": True, "start": "spawn", "cores": True, "closed": True,
        "read": "whole", "signals": 2,
    }  # fmt: skip
    bare, here = store.read(tmp_path / "bare.nc"), run.run(tmp_path / "case.toml")
    assert bare.read_resistance.values.tolist() == here.read_resistance.values.tolist()

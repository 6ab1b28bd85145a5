"""The template of a pool as a copy of this process: when it is one, what it shares, and that it ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from otjdd.system import interpreter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux")

# Tells of a pool's process whether its template was copied from here: with a module that only this process has made.
WORKING = """
import os, sys, threading, types
from otjdd.system import interpreter, pool
sys.modules["only_here"] = types.ModuleType("only_here")
{before}
print("once", end=" ")  # stays in the buffer while the copy is made
with pool.team(2, load=()) as spread:
    found = dict(spread(eval, [("'only_here' in __import__('sys').modules",), ("__import__('os').getppid()",)]))
print(found[0], found[1] != os.getpid())
{after}
"""
HELD = """
import time
from otjdd.system import interpreter, pool
interpreter.OWN = True
with pool.team(2, load=()) as spread:
    print(*{pid for _, pid in spread(eval, [("__import__('os').getppid()",), ("__import__('os').getpid()",)])}, flush=True)
    time.sleep(1000)
"""


def said_by(before: str = "", after: str = "") -> str:
    code = WORKING.format(before=before, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=500)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_process_of_otjdds_own_is_copied_and_writes_once():
    assert said_by("interpreter.OWN = True") == "once True True\n"


def test_another_process_is_not():
    assert said_by() == "once False True\n"


def test_a_process_with_another_thread_is_not():
    waiting = "interpreter.OWN = True; over = threading.Event(); threading.Thread(target=over.wait).start()"
    assert said_by(waiting, "over.set()") == "once False True\n"


def test_a_script_that_runs_with_signals_of_its_own_leaves_the_copy_none():
    handled = "import signal; signal.signal(signal.SIGTERM, lambda *_: None); interpreter.OWN = True"
    asked = (
        "with pool.team(1, apart=True, load=()) as spread:\n"
        "    ask = \"__import__('signal').getsignal(15) == __import__('signal').SIG_DFL\"\n"
        "    print(dict(spread(eval, [(ask,)])))"
    )
    assert said_by(handled, asked) == "once True True\n{0: True}\n"


def test_the_copy_ends_with_its_process_however_that_ends():
    with subprocess.Popen([sys.executable, "-c", HELD], stdout=subprocess.PIPE, text=True) as process:
        others = [int(word) for word in process.stdout.readline().split()]
        assert len(others) > 1
        assert all(map(alive, others))
        process.send_signal(signal.SIGKILL)
    while any(map(alive, others)):
        time.sleep(0.05)


def alive(number: int) -> bool:
    """True for a process that runs; one that has ended and that nobody has asked for its end does not."""
    try:
        with open(f"/proc/{number}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_open_and_not_named_is_closed():
    read, write = os.pipe()
    kept = os.dup(read)
    code = (
        "import os, sys; from otjdd.system.template import close_all_but\n"
        f"close_all_but([{kept}])\n"
        f"print(*(os.path.exists(f'/proc/self/fd/{{n}}') for n in (0, 1, 2, {read}, {write}, {kept})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, pass_fds=(read, write, kept), check=True
    )
    for number in (read, write, kept):
        os.close(number)
    assert done.stdout == "True True True False False True\n"


def test_this_process_is_not_its_own():
    assert not interpreter.OWN

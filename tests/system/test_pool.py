"""Work in several processes: all of it is done, by others, and nobody is left behind."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver

import psutil
import pytest

from otjdd.system.pool import team

LEFT_BEHIND = """
import time
from otjdd.system.pool import ended_with_parent
with ended_with_parent():
    print("on", flush=True)
    time.sleep(1000)
"""
LEAVING = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {LEFT_BEHIND!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print("gone")
"""
SLEEPING = """
import signal, sys
from otjdd.system.pool import team
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with team(2) as spread:
        list(spread(exec, [("import os, time; os.write(1, b'begun' + bytes([10])); time.sleep(1000)",)] * 2))
except KeyboardInterrupt:
    sys.exit(130)
"""
TELLING = """
import os
from otjdd.system.pool import team
with team(1, apart=True) as spread:
    for _, worker in spread(os.getpid, [()]):
        print(worker, flush=True)
    list(spread(eval, [("sum(1 for _ in iter(int, 1))",)]))
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_comes_back_with_its_number(workers):
    with team(workers) as spread:
        assert dict(spread(divmod, [(7, 2), (9, 4)])) == {0: (3, 1), 1: (2, 1)}
        assert dict(spread(abs, [(-1,)])) == {0: 1}
        assert dict(spread(abs, [])) == {}


def test_workers_keep_shared_objects_from_the_garbage_collector():
    asked = (
        "__import__('gc').get_freeze_count() > 100_000",
        "__import__('gc').isenabled()",
        "'xarray' in __import__('sys').modules",
    )
    unused = [f"{name!r} in __import__('sys').modules" for name in ("dask", "distributed", "scipy.linalg")]
    with team(2) as spread:
        found = dict(spread(eval, [(text,) for text in (*asked, *unused)]))
    code = "import sys, scipy.special; print('scipy.linalg' in sys.modules)"  # some versions load it themselves
    by_scipy = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
    )
    assert [found[i] for i in range(5)] == [True] * 3 + [False, False]
    assert by_scipy or not found[5]


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_a_process_that_gets_ready_ends_with_the_one_that_it_does_so_for():
    done = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True, timeout=500)
    assert (done.stdout, done.stderr) == ("gone\n", "")


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_ctrl_c_ends_all_at_once_and_without_a_word_from_the_workers():
    run = subprocess.Popen(
        [sys.executable, "-c", SLEEPING],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert [run.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate()
    assert (run.returncode, said) == (130, "")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of Unix")
@pytest.mark.parametrize("number", ["SIGKILL", pytest.param("SIGTERM", marks=pytest.mark.campaign)])
def test_processes_in_a_long_job_end_with_the_one_that_they_work_for(number):
    run = subprocess.Popen([sys.executable, "-c", TELLING], stdout=subprocess.PIPE, text=True)
    worker = psutil.Process(int(run.stdout.readline()))
    others = [worker, worker.parent()]
    time.sleep(1)  # until the job is on its way
    run.send_signal(getattr(signal, number))
    run.wait()
    run.stdout.close()
    assert not psutil.wait_procs(others, timeout=500)[1]


def ended(arguments, error) -> str:
    return f"{arguments[0]}: {type(error).__name__}: {error}"


def test_a_job_over_the_limit_is_ended_and_the_others_go_on():
    with team(1, apart=True) as spread:
        found = dict(spread(time.sleep, [(0,), (1000,), (0,)], limit=2, lost=ended))
    assert found == {0: None, 1: "1000: TimeoutError: took longer than 2 s", 2: None}
    with pytest.raises(TimeoutError, match=r"longer than 0\.5 s"), team(1, apart=True) as spread:
        list(spread(time.sleep, [(1000,)], limit=0.5))


def test_a_killed_process_is_replaced_and_its_job_told():
    with team(2) as spread:
        found = dict(spread(signal.raise_signal, [(signal.SIGKILL,), (0,)], lost=ended))
    assert found[0].endswith("MemoryError: the process was killed by signal 9; out of memory?")
    assert found[1] is None


def test_what_a_job_raises_says_where_even_when_it_cannot_be_pickled():
    with team(1, apart=True) as spread:
        with pytest.raises(ZeroDivisionError) as raised:
            list(spread(divmod, [(1, 0)]))
        assert "function(*arguments)" in raised.value.__notes__[0]
        with pytest.raises(RuntimeError, match="generator"):
            list(spread(eval, [("(_ for _ in ()).throw(ValueError((lambda: 0), 'a generator'))",)]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a fork server")
def test_a_fork_server_that_was_killed_is_replaced_even_if_its_end_is_noticed_late(monkeypatch):
    with team(1, apart=True) as spread:
        assert list(spread(abs, [(-1,)])) == [(0, 1)]
    server, killed_at = forkserver._forkserver._forkserver_pid, time.monotonic()
    os.kill(server, signal.SIGKILL)

    def waitpid(pid, options, real=os.waitpid):
        late = pid == server and time.monotonic() < killed_at + 0.5
        return (0, 0) if late else real(pid, options)

    monkeypatch.setattr(os, "waitpid", waitpid)
    with team(1, apart=True) as spread:
        assert list(spread(abs, [(-2,)])) == [(0, 2)]
    assert forkserver._forkserver._forkserver_pid != server


def test_jobs_are_taken_as_others_end():
    taken = []

    def jobs():
        for number in range(100):
            taken.append(number)
            yield (number,)

    with team(2) as spread:
        for count, _ in enumerate(spread(abs, jobs())):
            assert len(taken) <= count + 1 + 2


def test_the_first_job_ends_before_others_begin():
    taken = []
    with team(2) as spread:
        found = spread(abs, (taken.append(n) or (n,) for n in range(5)), alone=True)
        assert next(found) == (0, 0)
        assert taken == [0]
        assert dict(found) == {n: n for n in range(1, 5)}

"""Processes that otjdd starts import nothing from the working folder, nor do libraries read their settings there."""

import gc
import os
import subprocess
import sys

import hostile
import pytest
from commands import otjdd
from devices import needs_speed

from otjdd.compiler import kernel_cache
from otjdd.errors import ExitCode, SolverError
from otjdd.runs import run
from otjdd.solver import self_check
from otjdd.system import interpreter

TEAM = "from otjdd.system.pool import team\nwith team(2) as spread: print(sorted(spread(abs, [(-1,), (-2,)])))"


@pytest.fixture
def planted(tmp_path):
    """A folder full of modules that leave a mark when they are imported, and the file of the marks."""
    folder = tmp_path / "planted"
    folder.mkdir()
    return folder, hostile.plant(folder)


def test_an_interpreter_imports_nothing_from_the_working_folder(planted):
    folder, marks = planted
    subprocess.run([sys.executable, "-c", "import queue"], cwd=folder, capture_output=True)
    assert marks.read_text() == "queue "
    marks.write_text("")
    words = interpreter.interpreter_command("import queue, sys; print(sys.argv[1:])", "a", "b")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    assert (done.stdout, marks.read_text()) == ("['a', 'b']\n", "")
    before = dict(os.environ)
    with interpreter.inherited():
        assert interpreter.PARENT in os.environ
    assert dict(os.environ) == before


@pytest.mark.parametrize("chosen", [None, "2"])
def test_a_process_of_otjdds_own_has_no_threads_of_a_library_unless_the_user_asks_for_them(chosen):
    code = """
import gc, os
from otjdd.system import interpreter
interpreter.make_own()
import numpy
print(interpreter.OWN, os.environ["OPENBLAS_NUM_THREADS"], gc.get_threshold()[0] == interpreter.GARBAGE)
"""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {} if chosen is None else {"OPENBLAS_NUM_THREADS": chosen}
    done = subprocess.run(
        interpreter.interpreter_command(code), env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"True {chosen or 1} True\n"


@needs_speed
def test_workers_the_process_that_they_are_copied_from_and_their_tracker_do_not_either(planted):
    folder, marks = planted
    done = subprocess.run(
        interpreter.interpreter_command(TEAM), cwd=folder, capture_output=True, text=True, timeout=500
    )
    assert (done.returncode, done.stdout) == (0, "[(0, 1), (1, 2)]\n"), done.stderr
    assert marks.read_text() == ""


def test_settings_of_numba_in_the_working_folder_are_not_read(planted):
    folder, _ = planted
    (folder / "yaml.py").unlink()
    (folder / ".numba_config.yaml").write_text('opt: "0"\n')
    code = (
        "from otjdd.compiler import kernel_cache; import numba; print(kernel_cache.made_from(), int(numba.config.OPT))"
    )
    done = subprocess.run(interpreter.interpreter_command(code), cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [kernel_cache.made_from(), "3"]


def test_settings_of_matplotlib_that_a_program_has_made_do_not_reach_figures():
    import matplotlib as mpl

    from otjdd.plot import style

    def drawn():
        with style.style():
            fig, _ = style.panels(1)
        return style.encoded_picture(fig, "svg")

    before = drawn()
    with mpl.rc_context({"text.usetex": True, "font.size": 30}):
        assert drawn() == before
        assert mpl.rcParams["font.size"] == 30


def test_no_garbage_is_collected_while_a_run_of_a_process_of_its_own_loads_its_kernels(tmp_path, monkeypatch):
    collecting = {}

    def noted(name, error=None):
        def call(*_, **__):
            collecting[name] = gc.isenabled()
            if error:
                raise error

        return call

    monkeypatch.setattr(interpreter, "OWN", True)
    monkeypatch.setattr(self_check, "verify_kernels", noted("loading"))
    monkeypatch.setattr(run, "run", noted("run", SolverError("STEP_TOO_SMALL", 0.0, 0.0, 0.0, 0.0, 0.0)))
    try:
        assert otjdd(tmp_path, "run", "junction").returncode == ExitCode.SOLVER
    finally:
        gc.unfreeze()
        gc.enable()
    assert collecting == {"loading": False, "run": True}

"""The command line: its files, its words and its exit codes; real processes where the promise is about them."""

import os
import re
import shlex
import signal
import subprocess
import sys

import pytest
import typer
from commands import ALONE, otjdd

from otjdd.cli import app
from otjdd.results import outputs, store

SMALL = """
base = "li2019.toml"
title = "small"
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
columns = { count = 1, spread = {} }
[device.film]
cells = 12
"""
# What a run may say on stderr that all went well: limits of the model, and that kernels are compiled once.
TOLD = ("beyond the limits of the model", "compiling the kernels", "note: vacancies hold")
WITHOUT_DEBUG = {name: value for name, value in os.environ.items() if name != "OTJDD_DEBUG"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    return tmp_path


def test_a_run_writes_the_result_and_the_picture_and_says_what_came_out(folder):
    command = [*ALONE, "run", "small.toml", "--plot", "small.png"]
    done = subprocess.run(command, cwd=folder, env=WITHOUT_DEBUG, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(TOLD) for line in done.stderr.splitlines()), done.stderr
    assert re.fullmatch(r"small\.nc: 1 read, [0-9.e+]+ ohm\nsmall\.png\n", done.stdout)
    ds = store.read(folder / "small.nc")
    assert ds.attrs["title"] == "small"
    assert ds.read_voltage.values == [0.1]
    assert (folder / "small.png").read_bytes().startswith(b"\x89PNG")


def test_settings_change_the_case_and_quiet_is_quiet(folder):
    words = ["--set", "device.film.thickness=3.2 nm", "--set", "device.film.cells=10", "-o", "thick.nc", "--quiet"]
    done = otjdd(folder, "run", "small.toml", *words)
    assert (done.returncode, done.stdout) == (0, "")
    # Quiet or not, a number beyond the limits of the model is never given in silence.
    assert all(line.startswith(TOLD) for line in done.stderr.splitlines()), done.stderr
    ds = store.read(folder / "thick.nc")
    assert ds.sizes["x"] == 10
    assert float(ds.cell_width.sum()) == pytest.approx(3.2e-9)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_behind_stdout_exits_with_5(folder):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*ALONE, "show", "small.toml"],
            cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 5
    assert "space" in done.stderr


def test_a_reader_that_has_enough_is_no_error(folder):
    command = f"{sys.executable} -c 'from otjdd.cli import main; main()' schema | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_an_unexpected_exception_is_one_line_and_exit_1_and_a_traceback_only_when_asked_for(folder, monkeypatch):
    def crash(*words, **more):
        return otjdd(folder, *words, **more)

    monkeypatch.setattr("otjdd.load_case", lambda *_, **__: 1 / 0)
    plain = crash("show", "small.toml")
    assert plain.returncode == 1
    assert plain.stderr.startswith("unexpected ZeroDivisionError: division by zero\n")
    assert "report" in plain.stderr
    assert "Traceback" not in plain.stderr
    for asked in (crash("--debug", "show", "small.toml"), crash("show", "small.toml", OTJDD_DEBUG="1")):
        assert asked.returncode == 1
        assert "Traceback" in asked.stderr


def test_help_shows_brackets_as_they_stand(folder):
    for words in (["--help"], ["study", "--help"]):
        assert "[study]" in otjdd(folder, *words, COLUMNS="200").stdout


def test_a_result_is_exported_as_csv(folder):
    store.write(outputs.dataset({"read_time": [1.0], "read_resistance": [2e4]}), folder / "a.nc")
    done = otjdd(folder, "export", "a.nc")
    assert (done.returncode, done.stdout) == (0, "a.csv\n")
    assert (folder / "a.csv").read_text() == "read_time (s),read_resistance (ohm)\n1.0,20000.0\n"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["run", "rv"], {"rv-loop"}),
        (["study", "thi"], {"thickness"}),
        (["run", "sm"], {"small.toml"}),
        (["run", "small.toml", "--set", "device.film.t"], {"device.film.thickness=", "device.film.tunnelling_mass="}),
        (["plot", "a.nc", "--kind", "spec"], {"spectrum"}),
        (["plot", "a.nc", "--kind", "mov"], {"movie"}),
        (["export", "a.nc", "--over", "s"], {"snapshot", "step"}),
        (["validate", "rv-h"], {"rv-hrs"}),
    ],
)
def test_words_are_completed(folder, words, found):
    shell = {"_OTJDD_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": " ".join(["otjdd", *words])}
    done = otjdd(folder, **shell)
    assert set(re.findall(r'"([^"]+)"', done.stdout)) == found, done.stderr


def test_each_command_takes_the_example_of_its_help():
    for name, command in typer.main.get_command(app).commands.items():
        example = re.search(r"Example: otjdd (.+)$", command.help, re.MULTILINE)[1].replace("\\[", "[")
        words = shlex.split(example.partition(" > ")[0])
        assert words[0] == name
        command.make_context(name, words[1:])


LOADING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal
class Finder:
    def find_spec(name, *_):
        if name == "otjdd.cli.fit":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder)
from otjdd.__main__ import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_ctrl_c_while_the_command_loads_ends_it_without_a_traceback(tmp_path):
    done = subprocess.run([sys.executable, "-c", LOADING, "cases"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")

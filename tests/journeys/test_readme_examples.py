"""The front page and the guide from top to bottom, as they stand: commands, Python, case files; on small devices."""

import os
import re
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
from walk import drawn, examples, otjdd

import otjdd as package

BARE = {"otjdd run", "otjdd check", "otjdd plot", "otjdd calibrate", "otjdd compact"}  # named in a sentence
ELSEWHERE = (  # walked on something smaller by another journey
    "otjdd explore", "otjdd fit", "otjdd design", "otjdd compact", "otjdd calibrate", "otjdd validate", "otjdd selftest",
)  # fmt: skip


def written(text: str) -> str:
    """Name of the file that an example of a case file is kept in: its title."""
    title = tomllib.loads(text).get("title", "example").lower().removeprefix("a ")
    name = f"{title.replace(' ', '-')}.toml"
    Path(name).write_text(text, encoding="utf-8")
    return name


def typed(command: str) -> str:
    """Words of a command, of a study from its small file."""
    words = os.path.expandvars(command.removeprefix("otjdd "))
    return re.sub(r"^study ([\w-]+) ", r"study \1.toml ", words)


@pytest.fixture
def page(small_cases, model, monkeypatch):
    """A folder with small devices, the crossbar of a model that is there already, and the variables of a cluster."""
    shutil.copy(model / "model.nc", "model.nc")
    crossbar = Path("crossbar").read_text(encoding="utf-8")
    Path("crossbar").write_text(crossbar.replace("[crossbar]\n", '[crossbar]\nmodel = "model.nc"\n'), encoding="utf-8")
    cluster = {"SCRATCH": small_cases, "SLURM_ARRAY_TASK_ID": 3, "SLURM_CPUS_PER_TASK": 1}
    for name, value in cluster.items():
        monkeypatch.setenv(name, str(value))
    return small_cases


def test_the_front_page(page):
    for kind, text in examples("README.md"):
        if kind == "python":
            exec(compile(text, "README.md", "exec"), {"__name__": "README"})
        elif kind == "toml":
            written(text)
        elif text not in BARE and not text.startswith(ELSEWHERE):
            otjdd(typed(text))
    for picture in ("rv-loop.png", "slower-set.png", "warm.png", "iv.png", "cv.png"):
        assert drawn(picture), picture
    slower, fast = package.read("slower-set.nc"), package.read("rv-loop.nc")
    assert slower.sizes["read"] == 50
    assert fast.read_resistance.max() > 1e3 * fast.read_resistance.min()
    assert (package.read("thickness/study.nc").status == 0).all()


def test_the_guide(page):
    for kind, text in examples("cases/README.md"):
        if kind == "python" and "dask_jobqueue" not in text:  # which needs a cluster
            exec(compile(text, "cases/README.md", "exec"), {"__name__": "README"})
        elif kind == "toml" and "[fit]" not in text:
            name = written(text)
            otjdd(f"check {name}")
            if "[study]" in text:
                assert "4 of 1568 points" in otjdd(f"study {name} -o example --shard 7/392")
            elif "[crossbar]" not in text:
                otjdd(f"run {name} --plot example.png")
                assert drawn("example.png")
        elif kind == "otjdd" and text not in BARE and not text.startswith(ELSEWHERE):
            otjdd(typed(text))
    assert len(list(Path("sobol/points").glob("*"))) == 7


def test_the_second_command_of_the_front_page_in_a_process_of_its_own(small_cases):
    (line,) = (text for kind, text in examples("README.md") if text.endswith("cases/rv-loop.toml --plot rv-loop.png"))
    path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-euo", "pipefail", "-c", line], env=os.environ | {"PATH": path}, check=True, timeout=250)
    assert drawn("rv-loop.png")

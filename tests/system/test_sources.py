"""The digest of sources: every module that makes numbers is in it, and results of other sources are not taken for ours."""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from devices import needs_speed
from imported import imported
from small_studies import POINT

import otjdd
from otjdd.case.case import load_case, shipped_cases
from otjdd.solver import checkpoint
from otjdd.system import sources

PACKAGE = Path(otjdd.__file__).parent


def path_of(module: str, package: Path = PACKAGE) -> Path | None:
    """Source file of a module of otjdd, None for what is no module."""
    place = package.parent.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


@cache
def imports(module: str) -> set[str]:
    """Modules of otjdd that a module imports anywhere in its source or names of a room, or in a text as PRELOAD does.

    Rooms that system/late names are needed by the commands that use them, and by no run.
    """
    nodes = list(ast.walk(ast.parse(path_of(module).read_text(encoding="utf-8"))))
    found = imported(nodes)
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("otjdd."):
            if module != "otjdd.system.late":
                found.add(node.value.rstrip("."))
    return {name for name in found if name.startswith("otjdd.") and path_of(name)}


def reached(start: str) -> list[str]:
    """All modules of otjdd that a module needs, itself among them."""
    found, todo = set(), [start]
    while todo:
        module = todo.pop()
        if module not in found:
            found.add(module)
            todo += imports(module)
    return sorted(found)


def sources_of(package: Path) -> ModuleType:
    """The module `system.sources` of a copy of the package, which has read the files of that copy."""
    spec = importlib.util.spec_from_file_location("sources_of_a_copy", package / "system" / "sources.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path):
    """Copy of the package, with the shipped cases beside it."""
    made = tmp_path / "copy" / "otjdd"
    shutil.copytree(PACKAGE, made, ignore=shutil.ignore_patterns("__pycache__"))
    (made.parent / "cases").symlink_to(shipped_cases(), target_is_directory=True)
    return made


def test_an_edit_of_any_module_that_a_run_or_a_point_needs_changes_the_digest(copy):
    modules = reached("otjdd.runs.run")
    known = {"stepping.course", "solver.collect", "results.outputs", "case.drive", "compact_models.kernels"}
    assert {f"otjdd.{name}" for name in known} <= set(modules)
    assert len(modules) > 40
    copied = sources_of(copy)
    whole = copied.digest()
    assert whole == sources.digest()
    for module in {*modules, *reached("otjdd.studies.jobs")}:
        name = path_of(module, copy).relative_to(copy).as_posix()
        content = copied.LOADED[name]
        copied.LOADED[name] = content + b"\n# edited\n"
        copied.digest.cache_clear()
        assert copied.digest() != whole, f"{module} makes numbers and is not in the digest"
        copied.LOADED[name] = content


def with_edited(copy: Path, folder: Path, code: str) -> subprocess.CompletedProcess:
    """Python code in a folder, run by a copy of otjdd with an edit outside of the kernels."""
    file = copy / "waveform" / "shapes.py"
    file.write_bytes(file.read_bytes() + b"\n# edited\n")
    environment = os.environ | {"PYTHONPATH": str(copy.parent)}
    code = f"import otjdd; assert otjdd.__file__.startswith({str(copy)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


@needs_speed
@pytest.mark.campaign
def test_a_study_of_other_sources_is_computed_again_and_that_is_said(copy, tmp_path):
    (tmp_path / "small.toml").write_text(POINT + '[study.grid]\n"drive.width" = ["20 ns", "40 ns"]\n')
    otjdd.study(tmp_path / "small.toml", tmp_path / "out")
    command = "from otjdd.cli import main; import sys; sys.argv[1:] = {}; main()"
    resume = command.format(["study", "small.toml", "-o", "out", "--resume"])
    done = with_edited(copy, tmp_path, resume)
    assert done.returncode == 0, done.stderr
    assert "computed by another version of otjdd" in done.stdout + done.stderr
    assert "2 points, 2 to compute" in done.stdout + done.stderr
    status = with_edited(copy, tmp_path, command.format(["study", "--status", "out"]))  # whose sources differ once more
    assert status.stdout == "2 computed by another version of otjdd: --resume computes them again\n"


REPLACED = """
import os, pathlib, signal
from multiprocessing import forkserver

def replace(done, *_):
    if done == 1:
        file = pathlib.Path(otjdd.__file__).parent / "waveform" / "shapes.py"
        file.write_bytes(file.read_bytes() + b"# replaced\\n")
        if {killed}:
            os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)

print(int(otjdd.study("small.toml", "out", workers=2, progress=replace).status.sum()))
"""


@needs_speed
@pytest.mark.skipif(os.name == "nt", reason="a fork server")
@pytest.mark.campaign
@pytest.mark.parametrize("killed", [False, True])
def test_a_study_during_which_otjdd_is_replaced_says_which_sources_computed_its_points(copy, tmp_path, killed):
    widths = [f"{20 + k} ns" for k in range(24)]  # more than ten for each worker: the first point is computed alone
    (tmp_path / "small.toml").write_text(POINT + f'[study.grid]\n"drive.width" = {widths}\n')
    done = with_edited(copy, tmp_path, REPLACED.replace("{killed}", str(killed)))
    if killed:  # the workers that begin afterwards are of another version than the process that asks
        assert "was changed while otjdd ran" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
        heads = [json.loads(file.read_bytes().partition(b"\n")[0]) for file in (tmp_path / "out" / "points").iterdir()]
        (computed_by,) = {head["source_sha256"] for head in heads}
        assert computed_by == otjdd.read(tmp_path / "out" / "study.nc").source_sha256 != sources_of(copy).digest()


class Stop(KeyboardInterrupt):
    """Ends a run from within."""


@needs_speed
def test_a_run_of_other_sources_is_not_continued_and_that_is_said(copy, tmp_path):
    (tmp_path / "small.toml").write_text(POINT)
    case = load_case(tmp_path / "small.toml", {"drive.width": "1 ms"})

    def stop(fraction):
        if fraction > 0.2:
            raise Stop

    with pytest.raises(Stop):
        otjdd.run(case, progress=stop, checkpoints=checkpoint.CheckpointPlace(tmp_path / ".a.nc.checkpoint", 0.0))
    command = ["run", "small.toml", "-o", "a.nc", "--resume", "--set", "drive.width=1 ms"]
    done = with_edited(copy, tmp_path, f"from otjdd.cli import main; import sys; sys.argv[1:] = {command}; main()")
    assert done.returncode == 5, done.stderr
    assert "was written by other sources of otjdd" in done.stderr
    assert not (tmp_path / "a.nc").exists()

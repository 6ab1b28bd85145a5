"""Tutorials: each notebook (jupytext, py:percent) runs as a script, draws, and prints the numbers that its text names."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from devices import needs_speed

from otjdd.case.case import load_case, shipped_cases

FOLDER = shipped_cases() / "tutorials"
SAID = {  # what the text between the cells relies on
    "first_loop": [r"high state 4\.\d+e\+08 ohm, low state 5\.\d+e\+04 ohm", r"ratio +6\d\d\d\n"],
    "own_device": [r"equal barriers: 1\.0\d; barriers of 1\.7 and 2\.1 eV: 1\.\d+", r"\ncurrent_density: "],
    "study_to_figure": ["56 points done", r"\n2\d\d mV per decade"],
    "plasticity_metrics": [
        "20 up, 20 down", r"of the junction itself 0\.0\d%", r"pre first *: \+\d+% exp", r"post first *: -\d+% exp",
    ],
    "barriers_from_curves": [
        r"prefactor 2\.22; transfer matrix over WKB: 2\.[2-5]", r"0\.1 V: 0\.3\d+ eV .*\n?.*99\.8% tunnels",
    ],
}  # fmt: skip

pytestmark = needs_speed


def test_every_tutorial_is_run():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_a_tutorial_runs_and_shows_what_it_says(name, tmp_path):
    place = shutil.copytree(FOLDER, tmp_path / "tutorials")
    command = [sys.executable, "-W", "error", f"{name}.py"]
    done = subprocess.run(command, cwd=place, env=os.environ | {"MPLBACKEND": "Agg"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for pattern in SAID[name]:
        assert re.search(pattern, done.stdout), done.stdout
    pictures = list(place.glob("*.png"))
    assert pictures
    assert all(path.stat().st_size > 10_000 for path in pictures)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_each_case_of_a_tutorial_is_one_with_a_question(path):
    assert load_case(path).title
    assert re.search(r"^# Question: .*\?$", path.read_text(encoding="utf-8"), re.MULTILINE)

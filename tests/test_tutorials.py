"""Tutorials: each notebook (py:percent) runs in a Jupyter kernel, draws, and shows the numbers that its text names.

One of them at every commit, all in the campaign.
"""

import re
import shutil

import jupytext
import nbformat
import pytest
from devices import needs_speed
from nbclient import NotebookClient

from otjdd.case.case import load_case, shipped_cases

FOLDER = shipped_cases() / "tutorials"
SAID = {  # what the text between the cells relies on
    "first_loop": [r"high state 3\.\d+e\+08 ohm, low state 4\.\d+e\+04 ohm", r"ratio +7\d\d\d\n"],
    "own_device": [r"equal barriers: 1\.0\d; barriers of 1\.7 and 2\.1 eV: 1\.\d+", r"\ncurrent_density: "],
    "study_to_figure": ["56 points done", r"\n1\d\d mV per decade"],
    "fit_measured_data": [
        "a decimal comma", r"barrier: 0\.6[45]\d+ \+- 0\.00\d+ eV, [+-][012]\.\d standard errors",
        r"activation_energy: 0\.4\d+ \+- 0\.00\d+ eV, [+-][012]\.\d standard errors",
        "activation_energy and ions.prefactor: .*; fix one",
        r"the loop at 350 K +0\.\d+ +(\S+e-\d+|0\.0\d+)", r"after 20 pulses \d",
    ],
    "plasticity_metrics": [
        "20 up, 20 down", r"of the junction itself 0\.0\d%", r"pre first *: \+\d+% exp", r"post first *: -\d+% exp",
    ],
    "barriers_from_curves": [
        r"prefactor 2\.22; transfer matrix over WKB: 2\.[2-5]", r"0\.1 V: 0\.3\d+ eV .*\n?.*99\.4% tunnels",
    ],
    "digits_on_devices": [
        r"conductance from 2\.\d to 1[56]\.\d uS", r"mean step 2\d% of the range; first step up 5\d%, last 0\.\d%",
        r"ideal device, fine steps: 9\d\.\d% of 797", r"tunnel junction: [4-8]\d\.\d%",
    ],
}  # fmt: skip

pytestmark = needs_speed


def test_every_tutorial_is_run():
    assert {path.stem for path in FOLDER.glob("*.py")} == set(SAID)


def executed(path, ignored):
    """The notebook with the outputs of its cells; a warning stops it as an error does.

    ignored : pytest's options -W: old libraries use what newer ones below them call deprecated
    """
    filters = "import warnings; warnings.simplefilter('error')"
    if "ignore::DeprecationWarning" in ignored:
        filters += "; warnings.simplefilter('ignore', DeprecationWarning)"
    notebook = jupytext.read(path)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(filters))
    folder = {"metadata": {"path": str(path.parent)}}
    return NotebookClient(notebook, timeout=500, kernel_name="python3", resources=folder).execute()


def shown(notebook):
    """Text of all outputs, and the number of pictures among them."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    text = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return "".join(text), sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize(
    "name",
    [name if name == "barriers_from_curves" else pytest.param(name, marks=pytest.mark.campaign) for name in SAID],
)
def test_a_tutorial_runs_as_a_notebook_and_shows_what_it_says(name, tmp_path, pytestconfig):
    place = shutil.copytree(FOLDER, tmp_path / "tutorials")
    text, pictures = shown(executed(place / f"{name}.py", pytestconfig.getoption("pythonwarnings") or ()))
    for pattern in SAID[name]:
        assert re.search(pattern, text), text
    assert pictures
    saved = list(place.glob("*.png"))
    assert saved
    assert all(path.stat().st_size > 10_000 for path in saved)


def test_each_case_of_a_tutorial_is_one_with_a_title():
    assert all(load_case(path).title for path in FOLDER.glob("*.toml"))

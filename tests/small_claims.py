"""A claim on a small device that is judged within seconds, and the command that judges it."""

from pathlib import Path

import pytest
from commands import otjdd

from otjdd.claims import papers

DEVICE = 'device = "Pt | SrTiO3 | Nb:SrTiO3"\nreports = [["Nobody, J. Nothing 2020", "10.1234/nothing"]]\n'
CLAIM = """
[claim.NAME]
claim = "The low resistance is 2e4 ohm."
source = "nobody"
metric = "loop"
reason = "It is what it is."
cases = { case = "case.toml" }
figure = [
  { name = "low", label = "low", unit = "kohm", value = 20.0, within = "x2" },
]
"""
CASE = """
base = "li2019.toml"
title = "Two writes on a small grid"
device = { transmission = "wkb", film = { cells = 8 } }
columns = { count = 1, spread = {} }
drive.parts = [
  { kind = "pulse", voltage = "0.1 V", width = "1 us", read = { voltage = "0.1 V" } },
  { kind = "pulse", voltage = "2.2 V", width = "1 us", read = { voltage = "0.1 V" } },
  { kind = "pulse", voltage = "-4.3 V", width = "1 us", read = { voltage = "0.1 V" } },
]
"""
PICTURE = """
from otjdd.plot import reads
from otjdd.plot.runs import NamedResult

DRAW = {"loop": (1, lambda verdict, axes: reads.draw_loop(axes[0], [NamedResult(verdict.trials[0].ds)]))}
"""


def folder(tmp_path, text=CLAIM, case=CASE, name="small") -> Path:
    """The folder of a paper with one claim of the same name, and the case and the picture of it. Returns `tmp_path`."""
    (tmp_path / name).mkdir(parents=True)
    (tmp_path / name / "claims.toml").write_text(DEVICE + text.replace("NAME", name))
    (tmp_path / name / "case.toml").write_text(case)
    (tmp_path / name / "pictures.py").write_text(PICTURE)
    return tmp_path


def otjdd_validate(claims: Path, *arguments: str, **more):
    """Run `otjdd validate` on the papers of another folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(papers, "shipped_claims", lambda: claims)
        return otjdd(Path.cwd(), "validate", *arguments, **{"COLUMNS": "120"} | more)

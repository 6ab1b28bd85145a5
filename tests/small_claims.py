"""A claim on a small device that is judged within seconds, and the command that judges it."""

from pathlib import Path

import pytest
from commands import otjdd

from otjdd.claims import folders

CLAIM = """
claim = "The low resistance is 2e4 ohm."
source = "nobody"
device = "Pt | SrTiO3 | Nb:SrTiO3"
metric = "loop"
reason = "It is what it is."

[[figure]]
name = "low"
label = "low"
unit = "kohm"
value = 20.0
within = "x2"
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


def folder(tmp_path, text=CLAIM, case=CASE, name="small") -> Path:
    (tmp_path / name).mkdir(parents=True)
    (tmp_path / name / "claim.toml").write_text(text)
    (tmp_path / name / "case.toml").write_text(case)
    return tmp_path


def otjdd_validate(claims: Path, *arguments: str, **more):
    """Run `otjdd validate` on the claims of another folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "shipped_claims", lambda: claims)
        return otjdd(Path.cwd(), "validate", *arguments, **{"COLUMNS": "120"} | more)

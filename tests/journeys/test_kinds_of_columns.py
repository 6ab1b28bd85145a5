"""A switching minority beside a background: from the case file to the numbers of each kind, picture, table and study."""

import csv
import re

import numpy as np
import pytest
from commands import typed

import otjdd

CASE = """
base = "junction.toml"
title = "A minority that switches"
device.film.cells = 12
columns.count = 2
columns.spread = { "ions.activation_energy" = { law = "exponential", scale = "20 meV" } }

[[columns.kinds]]
name = "background"
share = 0.5
count = 1
set = { "device.left.barrier" = "0.7 eV" }

[[columns.kinds]]
name = "minority"
share = 0.001

[drive]
kind = "write-read-loop"
path = ["0 V", "1 V", "-1 V"]
step = "1 V"
width = "1 us"
read = { voltage = "0.1 V" }

[study]
grid = { "columns.kinds[1].share" = [0.001, 0.002] }
keep = ["kind_read_current", "read_current"]
"""

AIMS = """
case = "minority.toml"
set = { 'columns.kinds[0].set."device.left.barrier"' = "0.72 eV" }
[[parameter]]
key = 'columns.kinds[0].set."device.left.barrier"'
low = "0.6 eV"
high = "0.8 eV"
dimension = "energy"
[[parameter]]
key = "columns.kinds[1].share"
low = 1e-4
high = 1e-2
log = true
[[run]]
name = "loop"
set = { "record.every" = "none" }
[[run.target]]
name = "first read"
read = 0
value = RESISTANCE
within = 1.01
[[run.target]]
name = "the share stays"
number = "kind_read_current[0,1]"
at_most = 1.0
"""


def test_kinds_from_the_case_to_their_table_picture_and_study(tmp_path):
    (tmp_path / "minority.toml").write_text(CASE)
    typed("run", "minority.toml", "-o", "run.nc")
    ds = otjdd.read("run.nc")
    assert ds.kind_read_current.sum("kind").values == pytest.approx(ds.read_current.values, rel=1e-12)

    typed("plot", "run.nc", "--kind", "columns", "-o", "kinds.png")
    axes = otjdd.figure(ds, "columns").axes[0]
    assert [line.get_label() for line in axes.lines] == [
        "all",
        "background, 0.5 of the area",
        "minority, 0.001 of the area",
    ]

    typed("export", "run.nc", "-o", "run.csv")
    with open("run.csv") as file:
        rows = list(csv.DictReader(file))
    column = [float(row["kind_read_current minority (A)"]) for row in rows]
    assert column == pytest.approx(ds.kind_read_current.sel(kind="minority").values)

    typed("study", "minority.toml", "-o", "study", "--workers", "1")
    points = otjdd.read("study/study.nc")
    minority = points.kind_read_current.values[..., 1]
    assert minority[1] / minority[0] == pytest.approx(np.full(minority.shape[1], 2.0), rel=1e-3)

    barrier = 'columns.kinds[0].set."device.left.barrier"'
    measured = np.column_stack((ds.write_voltage, ds.read_current))
    np.savetxt("measured.csv", measured, delimiter=",", header="V_write (V),I (A)", comments="")
    start = "--vary", f"{barrier}=0.5 eV:0.9 eV", "--set", f"{barrier}=0.75 eV"
    typed("fit", "measured.csv", "minority.toml", *start, "-o", "fit.nc")
    found = otjdd.load_case("fit.toml").columns.kinds[0].set["device.left.barrier"]
    assert float(found.removesuffix(" eV")) == pytest.approx(0.7, abs=1e-3)

    assert f"# {barrier}: standard error" in (tmp_path / "fit.toml").read_text()

    (tmp_path / "aims.toml").write_text(AIMS.replace("RESISTANCE", repr(0.1 / float(ds.read_current[0]))))
    words = "calibrate", "aims.toml", "-o", "found.toml", "--evaluations", "0", "--no-sensitivity"
    typed(*words, "--rounds", "1")
    assert "residual" in typed(*words, "--rounds", "6", "--resume")
    found = otjdd.run("found.toml")
    assert float(found.read_current[0]) == pytest.approx(float(ds.read_current[0]), rel=0.01)
    typed("plot", "found.nc", "--kind", "first read", "--kind", "the share stays", "-o", "front.png")

    curves = '{ kind = "iv", start = "-0.2 V", stop = "0.2 V", step = "0.1 V" }'
    typed("run", "fit.toml", "--set", f"drive={curves}", "-o", "curves.nc", "--plot", "curves.png")
    ds = otjdd.read("curves.nc")
    assert ds.kind_bias_current.sum("kind").values == pytest.approx(ds.bias_current.values, rel=1e-12)
    assert [*otjdd.figure(ds).axes[0].get_legend_handles_labels()[1]][1].startswith("background, 0.5")

    wrong = (tmp_path / "minority.toml").read_text().replace("share = 0.5", "share = 1.5")
    (tmp_path / "wrong.toml").write_text(wrong)
    assert re.search(
        r"wrong\.toml:10:1 columns\.kinds\[0\]\.share: .* at most 1, got 1\.5", typed("check", "wrong.toml", code=3)
    )

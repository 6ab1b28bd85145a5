"""Claims judged with a report, and parameters found for wished numbers."""

import json
import re
from pathlib import Path

import pytest
from walk import otjdd

import otjdd as package

SMALL = {"columns.count": 1, "columns.spread": {}, "device.film.cells": 12, "circuit": {}}
CALIBRATION = """
case = "small.toml"
[[parameter]]
key = "device.left.barrier"
low = "0.55 eV"
high = "0.75 eV"
dimension = "energy"
[[run]]
name = "curve"
[run.set.drive]
kind = "pulse"
voltage = "0 V"
width = "1 us"
read = { voltage = "0.1 V" }
[[run.target]]
name = "resistance"
read = 0
value = RESISTANCE
within = 1.01
"""


def test_claims_are_judged_and_reported(folder):
    said = otjdd("validate threshold-20ns --quick --json --report report --pictures pictures --workers 1")
    (claim,) = json.loads(said.partition("\n}")[0] + "\n}")["claims"]
    assert (claim["id"], claim["status"]) == ("threshold-20ns", "met")
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert "threshold-20ns" in page
    for name in re.findall(r'(?:src|href)="([^"#:]+)"', page):
        assert (Path("report") / name).exists(), name
    assert list(Path("pictures").glob("*threshold-20ns*"))


def test_a_calibration_finds_the_parameter_behind_a_number(folder):
    case = package.load_case("li2019").replace(SMALL)
    hidden = case.replace("device.left.barrier", "0.66 eV").replace(
        "drive", {"kind": "pulse", "voltage": "0 V", "width": "1 us", "read": {"voltage": "0.1 V"}}
    )
    Path("small.toml").write_text(case.resolved(), encoding="utf-8")
    resistance = float(package.run(hidden).read_resistance[0])
    Path("wished.toml").write_text(CALIBRATION.replace("RESISTANCE", repr(resistance)), encoding="utf-8")
    said = otjdd("calibrate wished.toml --evaluations 20 --rounds 6 -o found.toml")
    assert "device.left.barrier" in said
    assert package.load_case("found.toml").device.left.barrier == pytest.approx(0.66, abs=0.002)


def test_a_calibration_says_which_aims_exclude_each_other_and_draws_the_front(folder):
    Path("small.toml").write_text(package.load_case("li2019").replace(SMALL).resolved(), encoding="utf-8")
    second = '[[run.target]]\nname = "a hundredth of it"\nread = 0\nvalue = 1e4\nwithin = 3\n'
    torn = CALIBRATION.replace("RESISTANCE", "1e6").replace("1.01", "3") + second
    Path("torn.toml").write_text(torn.replace("0.55 eV", "0.3 eV"), encoding="utf-8")
    said = otjdd("calibrate torn.toml --evaluations 32 --spread 0.5 --rounds 2 --no-sensitivity -o found.toml")
    assert "none meets both resistance and a hundredth of it: the best has both within 2" in said
    assert otjdd("plot found.nc").strip() == "found.png"
    assert otjdd("plot found.nc --kind resistance --kind 'a hundredth of it' -o two.pdf").strip() == "two.pdf"

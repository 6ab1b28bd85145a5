"""The fit of the guide to a loop and to the sheet of a workbook, and what to measure next."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from walk import drawn, examples, otjdd

import otjdd as package

HIDDEN = 0.645  # eV
TRUTH = f'--set device.left.barrier="{HIDDEN} eV"'


@pytest.mark.campaign
def test_the_fit_of_the_guide_and_the_measurement_that_is_best_next(small_cases):
    (text,) = (text for kind, text in examples("cases/fits.md") if kind == "toml" and "[fit]" in text)
    Path("asked.toml").write_text(text, encoding="utf-8")
    otjdd(f"run cases/rv-loop.toml -o loop.nc -q {TRUTH}")
    otjdd("export loop.nc")
    cold = '--set temperature="350 K" --set \'drive={kind="iv", start="-0.5 V", stop="0.5 V", step="50 mV"}\''
    otjdd(f"run cases/rv-loop.toml -o iv.nc -q {TRUTH} {cold} --set record={{}}")
    otjdd("export iv.nc")
    sheet = openpyxl.Workbook()
    sheet.active.append(["AnodeV", "AnodeI"])
    table = pd.read_csv("iv.csv")
    for row in zip(table["bias (V)"], table["bias_current (A)"], strict=True):
        sheet.active.append(list(map(float, row)))
    sheet.save("iv-350K.xlsx")
    otjdd("fit asked.toml -o found.nc")
    ds = package.read("found.nc")
    assert float(ds.value.sel(parameter="device.left.barrier")) == pytest.approx(HIDDEN, abs=0.002)
    said = otjdd('design found.nc iv --temperature "350 K" --plot next.png')
    assert "iv at 350 K" in said
    assert drawn("next.png")

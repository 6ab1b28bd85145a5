"""Each shipped study, with few points on a small device: run, collected, drawn, exported; killed and gone on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from walk import command, drawn, otjdd

import otjdd as package

FEWER = {  # study -> what makes it short, and its number of points
    "thickness": ("--set 'study.grid={\"device.film.thickness\"=[\"2.4 nm\", \"2.8 nm\", \"3.2 nm\"]}'", 3),
    "switching-map": (
        "--set 'study.grid={\"drive.parts[1].voltage\"=[\"1.6 V\", \"2.4 V\"], "
        "\"drive.parts[1].width\"=[\"20 ns\", \"1 us\"], \"device.film.thickness\"=[\"2.4 nm\", \"2.8 nm\"]}'", 8,
    ),
    "vcm-cell": (
        "--set 'study.grid={\"device.film.thickness\"=[\"2.8 nm\", \"10 nm\"]}' --set drive.step='0.3 V'", 2,
    ),
    "vcm-heat": ("--set 'study.grid={\"drive.voltage\"=[\"0.6 V\", \"0.9 V\"]}'", 4),
    "oxygen-exchange": ("--set 'study.grid={\"device.right.exchange.rate\"=[\"1e-16 m/s\", \"1e-12 m/s\"]}'", 2),
    "eightwise": (
        "--set 'study.grid={\"device.left.exchange.rate\"=[\"1e-9 m/s\", \"0.1 m/s\"], "
        "\"device.left.exchange.formation_energy\"=[\"1.2 eV\"]}' --set drive.step='0.5 V'", 2,
    ),
    "ftj-bto": ("--set 'study.grid={\"device.film.thickness\"=[\"1.6 nm\", \"3.2 nm\"]}'", 4),
    "ftj-ions": ("--set 'study.grid={\"drive.width\"=[\"100 ns\", \"1 ms\"]}'", 4),
    "device-spread": ("--set study.sample.count=4", 4),
    "variability": (
        "--set study.sample.count=2 --set drive.repeat=2 --set 'study.grid={\"device.radius\"=[\"1 um\", \"3 um\"]}'", 4,
    ),
    "array": ("--set study.sample.count=4", 4),
    "cv": ("--set drive.step='0.2 V'", 8),
    "sobol": ("--set study.sample.count=8", 80),
}  # fmt: skip
COLUMN = {  # of the table, where it is not a read
    "switching-map": "change.ratio (1)",
    "vcm-cell": "loop.ratio (1)",
    "vcm-heat": "drift.time (s)",
    "oxygen-exchange": "uptake.formed (1)",
    "eightwise": "loop.ratio (1)",
    "ftj-bto": "loop.ratio (1)",
    "ftj-ions": "loop.ratio (1)",
    "variability": "endurance.last (1)",
    "cv": "mott_schottky.doping_ratio (1)",
}


ALIKE = {
    "vcm-cell",
    "vcm-heat",
    "eightwise",
    "ftj-bto",
    "ftj-ions",
    "array",
    "sobol",
}  # another one has the same axes and metrics


def test_each_study_is_walked():
    assert set(FEWER) == {case.name for case in package.cases() if case.study}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.campaign) if name in ALIKE else name for name in FEWER]
)
def test_a_shipped_study_is_run_collected_drawn_and_exported(name):
    words, count = FEWER[name]
    assert f"{count} of {count} points" in otjdd(f"study {name} -o {name} {words} --workers 1", smaller=True)
    assert f"{count} done" in otjdd(f"study --status {name}")
    otjdd(f"plot {name}")
    assert drawn(f"{name}.png")
    otjdd(f"export {name} -o table.csv")
    table = pd.read_csv("table.csv")
    assert len(table) == count
    column = COLUMN.get(name) or next(head for head in table if head.startswith(("read_resistance", "change.ratio")))
    assert np.isfinite(table[column]).all()
    assert table[column].nunique() > 1
    ds = package.read(f"{name}/study.nc")
    assert package.figure(ds).get_axes()
    if name == "sobol":
        assert len(package.sobol_indices(ds, "change.ratio")["key"]) == 8
    if name == "variability":
        for kind in ("cdf", "box", "sigma", "sigma-median"):
            otjdd(f"plot {name} --kind {kind} -o {kind}.png")
            assert drawn(f"{kind}.png")
        scatter = package.variability(ds)
        assert (scatter.sigma_c2c.sel(state="high").values > 0).all()
        assert scatter.sizes == {"state": 2, "device.radius": 2}


GRID = """
base = "li2019.toml"
title = "Many widths"
columns = { count = 1, spread = {} }
device.film.cells = 12
drive = { kind = "train", voltage = "2 V", width = "50 ns", count = 40, period = "10 us", read_each = true }
[study.grid]
drive.width = { start = "10 ns", stop = "1 us", count = 24, spacing = "log" }
"""


def test_a_study_in_shares_killed_and_gone_on_is_the_same_file_as_one_in_one_go(folder):
    Path("many.toml").write_text(GRID, encoding="utf-8")
    assert "24 of 24" in otjdd("study many.toml -o whole --workers 2")
    otjdd("study many.toml -o parts --shard 1/4 --workers 1")
    assert "18 missing" in otjdd("study --status parts")
    words = command("study many.toml -o parts --resume --workers 2")
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, start_new_session=True) as study:
        while len(list(Path("parts/points").glob("[!.]*"))) < 9:
            assert study.poll() is None
            time.sleep(0.002)
        os.killpg(study.pid, signal.SIGKILL)
    assert "missing" in otjdd("study --status parts")
    otjdd("study many.toml -o parts", code=5)  # a folder with points, and no --resume
    assert "24 of 24" in otjdd("study many.toml -o parts --resume --workers 2")
    assert Path("parts/study.nc").read_bytes() == Path("whole/study.nc").read_bytes()


def test_a_study_in_python_has_slopes():
    case = package.load_case("thickness").replace({"columns.count": 1, "columns.spread": {}, "device.film.cells": 12})
    ds = package.study(case.replace("study.grid", {"device.film.thickness": ["2.4 nm", "2.8 nm", "3.2 nm"]}))
    slope = package.slope(ds, "read_resistance[1]", "device.film.thickness", log_y=True)
    assert np.isfinite(slope.slope.item())
    assert slope.slope.attrs["units"] == "m^-1"

"""Each shipped case on a small device, a study with few points: run, drawn, exported; a study killed and gone on.

`tests/studies/test_plan.py` runs them at full size for the number that each expects.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from compact_device import CHANGES
from walk import command, drawn, otjdd

import otjdd as package

LOOPS = "--set drive.step='0.2 V' --set drive.width='10 ms'"
SHORTER = {
    "rv-loop": LOOPS,
    "iv-cycles": LOOPS,
    "impedance": "--set drive.frequencies.per_decade=5",
    "iv": "--set drive.step='50 mV' --set drive.temperatures='[\"280 K\", \"320 K\"]'",
    "ltp-ltd": "--set drive.repeat=2",
    "crossbar": " ".join(
        ["--set crossbar.model=model.nc", *(f"--set '{change}'" for change in CHANGES)]
    ),  # of that model
    "nb-sto-pulses": "--set drive.parts[1].count=30 --set drive.parts[2].count=30",
    "nb-sto-trains": "--set drive.parts[1].count=5 --set drive.parts[2].count=5",
}
FEWER = {  # study -> what makes it short, and its number of points
    "thickness": ("--set 'study.grid={\"device.film.thickness\"=[\"2.4 nm\", \"2.8 nm\", \"3.2 nm\"]}'", 3),
    "switching-map": (
        "--set 'study.grid={\"drive.parts[1].voltage\"=[\"1.6 V\", \"2.4 V\"], "
        "\"drive.parts[1].width\"=[\"20 ns\", \"1 us\"], \"device.film.thickness\"=[\"2.4 nm\", \"2.8 nm\"]}'", 8,
    ),
    "vcm-cell": ("--set 'study.grid={\"device.film.thickness\"=[\"2.8 nm\", \"10 nm\"]}' --set drive.step='0.3 V'", 2),
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
ALIKE = {  # whose kind of device and of drive, or whose axes and metrics, another case or a page has
    "li2019", "iv-cycles", "endurance", "nb-sto-pulses", "nb-sto-trains", "short-term", "pixel", "stdp-symmetric",
    "junction", "bilayer-polarity", "slow-layer", "ftj-cv", "vcm-cell", "vcm-heat", "eightwise", "ftj-bto", "ftj-ions",
    "array", "sobol", "rv-loop", "ltp-ltd", "retention", "variability", "device-spread", "switching-map",
    "nb-sto-interface", "double-barrier",
}  # fmt: skip
WHOLE = {"crossbar", "nb-sto-interface", "nb-sto-pulses", "double-barrier", "bilayer-polarity", "slow-layer"}
CASES = [
    pytest.param(case, marks=[pytest.mark.campaign] * (case.name in ALIKE), id=case.name) for case in package.cases()
]


@pytest.mark.parametrize("case", CASES)
def test_a_shipped_case_is_run_drawn_and_exported(case, request):
    name, smaller = case.name, case.name not in WHOLE
    if name == "crossbar":
        shutil.copy(request.getfixturevalue("compact_folder") / "model.nc", "model.nc")
    if case.study:
        words, count = FEWER[name]
        assert f"{count} of {count} points" in otjdd(f"study {name} -o {name} {words} --workers 1", smaller=smaller)
        otjdd(f"plot {name}")
        otjdd(f"export {name} -o {name}.csv")
    else:
        assert f"{name}.png" in otjdd(f"run {name} --plot {name}.png {SHORTER.get(name, '')}", smaller=smaller)
        otjdd(f"export {name}.nc")
    assert drawn(f"{name}.png")
    table = pd.read_csv(f"{name}.csv")
    assert not case.study or len(table) == count
    changing = {head for head in table.select_dtypes("number") if table[head].nunique() > 1}
    shown = ("read_", "bias_", "capacitance", "sensed_", "polarisation", "vacancy_")
    assert any(head.startswith(shown) or "." in head for head in changing), changing


GRID = """
base = "li2019.toml"
title = "Many widths"
columns = { count = 1, spread = {} }
device.film.cells = 12
circuit.series_resistance = "0 ohm"
drive = { kind = "train", voltage = "2 V", width = "50 ns", count = 15, period = "10 us", read_each = true }
[study.grid]
drive.width = { start = "10 ns", stop = "1 us", count = 12, spacing = "log" }
"""


def test_a_study_in_shares_killed_and_gone_on_is_the_same_file_as_one_in_one_go(folder):
    Path("many.toml").write_text(GRID, encoding="utf-8")
    assert "12 of 12" in otjdd("study many.toml -o whole --workers 2")
    otjdd("study many.toml -o parts --shard 1/4 --workers 1")
    assert "9 missing" in otjdd("study --status parts")
    words = command("study many.toml -o parts --resume --workers 2")
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, start_new_session=True) as study:
        while len(list(Path("parts/points").glob("[!.]*"))) < 5:
            assert study.poll() is None
            time.sleep(0.002)
        os.killpg(study.pid, signal.SIGKILL)
    assert "missing" in otjdd("study --status parts")
    otjdd("study many.toml -o parts", code=5)  # a folder with points, and no --resume
    assert "12 of 12" in otjdd("study many.toml -o parts --resume --workers 2")
    assert Path("parts/study.nc").read_bytes() == Path("whole/study.nc").read_bytes()

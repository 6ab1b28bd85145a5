"""A law, a transmission, a drive and an electrode are added in one file each: done in a copy of the package, which runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import trapezoid

pytestmark = pytest.mark.campaign

PACKAGE = Path(__file__).parents[2] / "otjdd"

# file -> (text there, text instead): what somebody writes who adds one thing
ADDED = {
    "laws/hopping.py": (
        "LAWS = {\n",
        "def twice(ions, hopping, E, w, slope):\n    return 2.0, 0.0\n\n\n"
        'LAWS = {\n    "twice": Law(twice, "Somebody, Journal 1, 1 (2026)"),\n',
    ),
    "laws/transmission.py": (
        "MODELS = {\n",
        "def all_pass(profile, E):\n    return np.ones(E.size)\n\n\n"
        "def no_slopes(profile, E, weight):\n    return np.zeros((3, profile.length.size))\n\n\n"
        'MODELS = {\n    "all-pass": Model(all_pass, no_slopes),\n',
    ),
    "case/drive.py": (
        "Drive = Annotated[\n    Hold",
        'class Tap(Record):\n    """One short pulse."""\n\n    kind: Literal["tap"]\n    voltage: Volts\n\n'
        "    def waveform(self):\n        return shapes.pulse(self.voltage, 1e-9)\n\n\n"
        "Drive = Annotated[\n    Tap | Hold",
    ),
    "case/electrodes.py": (
        "Electrode = Annotated[Metal",
        'class IdealMetal(Record):\n    """A metal without a screening layer."""\n\n    kind: Literal["ideal-metal"]\n'
        "    barrier: Barrier\n\n"
        "    def form(self, temperature):\n        return Straight(self.barrier, -5.0, 1.0, 0.0)\n\n"
        "    def states(self, temperature):\n        return band_states(1.0, temperature)\n\n\n"
        "Electrode = Annotated[IdealMetal | Metal",
    ),
}

# Interpreted kernels need no check of their machine code.
RUN = """
import json
import otjdd
from otjdd.case.case import parse_case
from otjdd.solver import model, self_check, simulate
self_check.trust = lambda: None
same = {"device.film.cells": 8, "circuit.series_resistance": "0 ohm", "device.transmission": "wkb"}
plain = {"kind": "pulse", "voltage": "0.3 V", "width": "1 ns"}
def result(**changes):
    case = parse_case(self_check.CASE).replace(**same | changes)
    return simulate.simulate_junction(case), case
fast, _ = result(**{"drive": plain, "ions.law": "linear", "ions.prefactor": "10e-7 m^2/s"})
twice, _ = result(**{"drive": {"kind": "tap", "voltage": "0.3 V"}, "ions.law": "twice"})
clear, case = result(**{"drive": {"kind": "tap", "voltage": "0.3 V"}, "device.transmission": "all-pass"})
metal = {"kind": "metal", "barrier": "0.7 eV", "screening_length": "0 m", "mass": 1, "band_depth": "5 eV"}
screened, ideal = (
    result(**{"drive": plain, "device.left": left})[0] for left in (metal, {"kind": "ideal-metal", "barrier": "0.7 eV"})
)
junction = model.junction(case)
low = max(junction.left[0].bottom - 0.3, junction.right[0].bottom)
print(json.dumps({
    "otjdd": otjdd.__file__, "fast": fast.vacancy_concentration.values.tolist(), "sources": twice.attrs["references"],
    "twice": twice.vacancy_concentration.values.tolist(), "current": float(clear.conduction_current[-1]),
    "screened": screened.conduction_current.values.tolist(), "ideal": ideal.conduction_current.values.tolist(),
    "supply": junction.columns.supply[0], "low": low, "kT": junction.kT[0],
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Numbers of runs with a law, a transmission, a drive and an electrode that only the copy has."""
    copy = tmp_path_factory.mktemp("copy") / "otjdd"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (before, after) in ADDED.items():
        text = (copy / name).read_text(encoding="utf-8")
        assert text.count(before) == 1
        (copy / name).write_text(text.replace(before, after), encoding="utf-8")
    place, environment = copy.parent, os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", RUN], cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert Path(numbers["otjdd"]).parent == copy
    return numbers


def test_a_law_that_doubles_every_hop_is_as_fast_as_twice_the_diffusivity(found):
    assert found["twice"] == found["fast"]
    assert np.ptp(found["twice"][-1]) > 1e-6 * np.max(found["twice"][-1])
    assert "Somebody, Journal 1, 1 (2026)" in found["sources"]


def test_a_barrier_that_lets_all_electrons_pass_carries_the_whole_supply(found):
    E = found["low"] + np.linspace(0.0, 8.0, 400_001)
    occupied = np.logaddexp(0.0, -E / found["kT"]) - np.logaddexp(0.0, (-0.3 - E) / found["kT"])
    expected = found["supply"] * trapezoid(occupied, E)
    assert found["current"] == pytest.approx(expected, rel=1e-5)


def test_a_metal_without_a_screening_layer_is_a_metal_whose_layer_has_no_thickness(found):
    assert found["ideal"] == found["screened"]
    assert np.ptp(found["ideal"]) > 0

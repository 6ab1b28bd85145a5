"""The compiled model of every device starts and ends every analysis, in ngspice and in VACASK, alone and in arrays."""

import re

import arrays
import made_model
import numpy as np
import pytest
import simulators

from otjdd.case.crossbar import Patterns
from otjdd.compact_models import build
from otjdd.compact_models.exports import testbench, verilog_a

COARSE = {"device.film.cells": 48}
ONE = COARSE | {"columns.count": 1}
DEVICES = {
    "one column": ("li2019", ONE, {}),
    "five columns": ("li2019", COARSE, {}),
    "270 K to 340 K": ("li2019", ONE, {"temperatures": (270.0, 340.0)}),
    "noise": ("li2019", ONE, {"noise": True}),
    "interface": (
        "nb-sto-trains",
        COARSE,
        {"temperatures": (300.0, 340.0), "voltage": (-4.0, 1.0), "time": (1e-2, 1e3)},
    ),
    "thicker film": ("li2019", ONE | {"device.film.thickness": "3.2 nm", "device.left.barrier": "0.7 eV"}, {}),
}
RUNS = {  # name -> durations [s] of down, 0 V, up and 0.1 V; edge, longest step, words behind the analysis of ngspice
    "long pulses": ((0.1, 0.1, 0.1, 0.01), 1e-5, 6e-3, ""),
    "long pulses, uic": ((0.1, 0.1, 0.1, 0.01), 1e-5, 6e-3, "uic"),
    "long pulses, steps of 1 ms": ((0.1, 0.1, 0.1, 0.01), 1e-5, 1e-3, ""),
    "long pulses, steps of 100 ms": ((0.1, 0.1, 0.1, 0.01), 1e-5, 0.1, ""),
    "short pulses": ((1e-6, 1e-6, 1e-6, 7e-6), 1e-8, 2e-7, ""),
    "short pulses, steps of 1 us": ((1e-6, 1e-6, 1e-6, 7e-6), 1e-8, 1e-6, ""),
}
STILL = ["op", "dc Vs {low:g} {high:g} 0.05", "ac dec 5 1k 1g"]  # analyses without a course in time
OPTIONS = {"ngspice": testbench.OPTIONS, "vacask": testbench.TOLERANCES}


@pytest.fixture(scope="module", params=DEVICES)
def device_name(request):
    return request.param


@pytest.fixture(scope="module")
def device(device_name, tmp_path_factory):
    """A model, and a folder with it compiled."""
    case, changes, options = DEVICES[device_name]
    model = build.compact(case, changes, measure=False, **options)
    return model, simulators.compiled(verilog_a.verilog_a(model), tmp_path_factory.mktemp("starts")).parent


def warns_of_heat_alone(model, text: str) -> bool:
    """True if each warning of a simulator is of a temperature [K] above those of a model that its current warms."""
    beyond = re.findall(r"outside of the range of this model: (\S+) V at the junction, \S+ s(?:, (\S+) K)?", text)
    return all(
        model.limits.low <= float(voltage) <= model.limits.high and kelvin and float(kelvin) > model.temperatures[-1]
        for voltage, kelvin in beyond
    )


@pytest.mark.campaign
@simulators.needed
@simulators.BOTH
@pytest.mark.parametrize(
    "options", [OPTIONS, dict.fromkeys(OPTIONS, "")], ids=["own tolerances", "those of the simulator"]
)
@pytest.mark.parametrize("run", RUNS)
def test_transients_start_and_end(device, simulator, run, options):
    (model, folder), (durations, edge, step, more) = device, RUNS[run]
    voltages = max(-4.3, 0.9 * model.limits.low), 0.0, min(2.2, 0.9 * model.limits.high), 0.1
    wave = simulators.stairs(*zip(voltages, durations, strict=True), edge=edge)
    (current,), text = simulators.transient(
        simulator, folder, wave, wave.read_times, "", options[simulator], step=step, more=more
    )
    assert current > 0.0
    assert warns_of_heat_alone(model, text)


@pytest.mark.campaign
@simulators.needed
@pytest.mark.parametrize("options", [testbench.OPTIONS, ""], ids=["own tolerances", "those of ngspice"])
@pytest.mark.parametrize("analysis", STILL)
def test_ngspice_finds_operating_points(device, analysis, options):
    model, folder = device
    text = simulators.printed(
        folder,
        f"{simulators.LOADED}\nN1 p 0 otjm\nVs p 0 DC 0.1 AC 1\n.options {options}\n"
        f".{analysis.format(**model.limits._asdict())}\n.control\nrun\n.endc",
    )
    assert int(text.split("No. of Data Rows :")[1].split()[0]) >= 1
    assert warns_of_heat_alone(model, text)


@pytest.mark.campaign
@simulators.needed
@pytest.mark.parametrize(
    ("count", "line", "driver"), [(4, 2.0, 0.0), (8, 2.0, 0.0), (8, 50.0, 200.0), (16, 2.0, 200.0)]
)
def test_arrays_start_and_sense_what_the_run_senses(device, device_name, count, line, driver, tmp_path):
    model, _ = device
    pattern = np.random.default_rng(1).random((count, count)) < 0.5
    drive = Patterns.model_validate({"kind": "patterns", "parts": [
        {"kind": "write", "pattern": ["".join(".#"[int(cell)] for cell in row) for row in pattern],
         "voltage": min(2.2, 0.9 * model.limits.high), "width": 1e-5},
        {"kind": "read"}, {"kind": "rest", "duration": 500.0}, {"kind": "read"},
    ]}, context={"strict_units": False})  # fmt: skip
    bar = made_model.bar(model, count, count, line, driver)
    # a resonance gives half-selected cells of the thicker film two operating points: the way there decides
    arrays.check_both(tmp_path, bar, drive, 0.02, with_run=device_name != "thicker film")

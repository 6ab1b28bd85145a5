"""The compiled model of every device starts and ends every analysis, in ngspice and in VACASK, alone and in arrays."""

import re

import arrays
import numpy as np
import pytest
import simulators

from otjdd.case.drive_patterns import Patterns
from otjdd.compact_models import build
from otjdd.compact_models.crossbars.cells import cells_of
from otjdd.compact_models.crossbars.network import Crossbar
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
PULSE = "0 0 10u {down} 100m {down} 100.01m 0 200m 0 200.01m {up} 300m {up} 300.01m 0.1 310m 0.1"
SHORT = "0 0 10n {down} 1u {down} 1.01u 0 2u 0 2.01u {up} 3u {up} 3.01u 0.1 10u 0.1"
RUNS = {  # name -> source, analysis of ngspice, analysis of VACASK
    "operating point": ("0.1", "op", None),
    "long pulses": (PULSE, "tran 100u 310m", "tran step=100u stop=310m"),
    "long pulses, uic": (PULSE, "tran 100u 310m uic", None),
    "long pulses, steps of 1 ms": (PULSE, "tran 100u 310m 0 1m", "tran step=100u stop=310m maxstep=1m"),
    "long pulses, steps of 100 ms": (PULSE, "tran 100u 310m 0 100m", "tran step=100u stop=310m maxstep=100m"),
    "short pulses": (SHORT, "tran 1n 10u", "tran step=1n stop=10u"),
    "short pulses, steps of 1 us": (SHORT, "tran 100n 10u 0 1u", "tran step=100n stop=10u maxstep=1u"),
    "a rest": ("0 0 1 0", "tran 1m 1", "tran step=1m stop=1"),
    "sweep": ("0.1", "dc Vs {low} {high} 0.05", None),
    "small signals": ("0.1", "ac dec 5 1k 1g", None),
}


@pytest.fixture(scope="module", params=DEVICES)
def device_name(request):
    return request.param


@pytest.fixture(scope="module")
def device(device_name, tmp_path_factory):
    """A model, and a folder with it compiled."""
    case, changes, options = DEVICES[device_name]
    model = build.compact(case, changes, measure=False, **options)
    return model, simulators.compiled(verilog_a.verilog_a(model), tmp_path_factory.mktemp("starts")).parent


def values(model) -> dict[str, str]:
    """Voltages of the runs within the range of a model, as text."""
    low, high = model.limits.low, model.limits.high
    return {
        "low": f"{low:g}", "high": f"{high:g}", "down": f"{max(-4.3, 0.9 * low):g}", "up": f"{min(2.2, 0.9 * high):g}",
    }  # fmt: skip


def warns_of_heat_alone(model, text: str) -> bool:
    """True if each warning of a simulator is of a temperature [K] above those of a model that its current warms."""
    beyond = re.findall(r"outside of the range of this model: (\S+) V at the junction, \S+ s(?:, (\S+) K)?", text)
    return all(
        model.limits.low <= float(voltage) <= model.limits.high and kelvin and float(kelvin) > model.temperatures[-1]
        for voltage, kelvin in beyond
    )


@pytest.mark.campaign
@simulators.needed
@pytest.mark.parametrize("options", [testbench.OPTIONS, ""], ids=["own tolerances", "those of ngspice"])
@pytest.mark.parametrize("run", RUNS)
def test_ngspice_starts_and_ends(device, run, options):
    model, folder = device
    source, analysis, _ = RUNS[run]
    source = source.format(**values(model))
    wave = f"PWL({source})" if " " in source else f"DC {source} AC 1"
    text = simulators.printed(
        folder,
        f"{simulators.LOADED}\nN1 p 0 otjm\nVs p 0 {wave}\n.options {options}\n"
        f".{analysis.format(**values(model))}\n.control\nrun\n.endc",
    )
    assert int(text.split("No. of Data Rows :")[1].split()[0]) >= 1
    assert warns_of_heat_alone(model, text)


@pytest.mark.campaign
@simulators.needed
@pytest.mark.parametrize("options", [testbench.TOLERANCES, ""], ids=["own tolerances", "those of VACASK"])
@pytest.mark.parametrize("run", [name for name, (*_, analysis) in RUNS.items() if analysis])
def test_vacask_starts_and_ends(device, run, options):
    model, folder = device
    source, _, analysis = RUNS[run]
    points = source.format(**values(model)).split()
    source = f'type="pwl" wave=[{", ".join(points)}]'
    text = simulators.behind_a_source(source, f"analysis tran1 {analysis}", "", options)
    assert warns_of_heat_alone(model, simulators.vacask_printed(folder, text))
    end = simulators.raw(folder / "tran1.raw")["time"][-1]
    unit = {"m": 1e-3, "u": 1e-6}.get(points[-2][-1], 1.0)
    assert end == pytest.approx(float(points[-2].rstrip("mu")) * unit)
    assert np.isfinite(end)


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
    bar = Crossbar(model, count, count, line, driver, cells_of((model,), np.zeros(count * count, np.int64)))
    # a resonance gives half-selected cells of the thicker film two operating points: the way there decides
    arrays.check_both(tmp_path, bar, drive, 0.02, with_run=device_name != "thicker film")

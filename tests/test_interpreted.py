"""Every module of kernels as Python: what the compiler makes of it computes the same numbers. Some seconds of Python.

With NUMBA_DISABLE_JIT=1 kernels are not compiled, so that a wrong one shows lines of source in its traceback.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from devices import JUNCTION, begin, needs_speed

from otjdd.case.case import parse_case
from otjdd.physics.columns import conduct
from otjdd.physics.quasistatic import conductance_slope
from otjdd.solver import self_check, simulate
from validation.reliability import devices as random_devices

PACKAGE, ROOMS = Path(__file__).parents[1] / "otjdd", ("physics", "mechanisms", "stepping")
SMALL = {"device.film.cells": 8, "drive": {"kind": "pulse", "voltage": "1 V", "width": "20 ns", "read": {}}}
CASES = {  # together they go through all modules
    "transfer matrix, with electrons": {"device.film.electrons": "balance", "circuit.series_resistance": "10 ohm"},
    "a polarised film": {
        "device.film.polarisation": {
            "law": "merz-kai",
            "saturation": 0.01,
            "time": 1e-9,
            "activation_field": 1e8,
            "initial": -1.0,
        },
    },
    "two layers with electrons": {
        "device.film.electrons": "balance",
        "device.film.layers": [
            {"thickness": "1.4 nm", "cells": 4, "permittivity": {"law": "linear", "eps_r": eps}, "tunnelling_mass": 0.5}
            for eps in (20.0, 40.0)
        ],
    },
    "ions that hop at random": {"ions.noise": "shot", "ions.seed": 1},
    "a heated junction": {"device.heat": {"resistance": "1000 K/W", "time_constant": "1 ns"}},
    "traps whose filling takes time": {
        "device.traps": [
            {
                "name": "traps",
                "kind": "none",
                "density": 1e25,
                "depth": 0.6,
                "relaxation_energy": 0.2,
                "occupation": "kinetic",
            }
        ],
    },
    "wkb, electrons that vacancies hold, image force": {
        "device.film.electrons": "balance",
        "ions.ionisation_energy": "0.1 eV",
        "device.film.image_permittivity": 5.0,
        "device.transmission": "wkb",
        "ions.initial": "equilibrium",
    },
}
CHARGED = {
    "device.film.cells": 8,
    "device.traps": [{"name": "donors", "kind": "donor", "density": 1e26, "depth": 0.4, "hop_frequency": 1e12}],
    "drive": {"kind": "iv", "voltages": ["0.3 V"]},
}


def reads() -> dict[str, list[float]]:
    """Resistances [ohm] and the last concentrations [1/m3] of each case; the slope of ln G of another [1/V], and the charge
    of traps [C/m2] of one more."""
    self_check.verify_kernels = lambda: None  # as Python, kernels need no check of their machine code
    numbers = {}
    for name, changes in CASES.items():
        ds = simulate.simulate_junction(parse_case(JUNCTION).replace(SMALL).replace(changes))
        numbers[name] = [*ds.read_resistance.values.tolist(), *ds.vacancy_concentration.values[-1].ravel().tolist()]
    text = random_devices.text(random_devices.drawn(256, 1)[5], 5).replace("series_resistance", "#")
    run = begin(parse_case(text), voltage=-0.78)
    assert conduct(run.junction, run.state, run.tangent, True)
    numbers["slope of a current through narrow levels"] = [conductance_slope(run.junction, run.state, run.tangent)]
    charged = begin(parse_case(JUNCTION).replace(CHARGED), voltage=0.3)
    numbers["charge of traps"] = charged.state.trapped[0].tolist()
    return numbers


def walked() -> tuple[dict, list[str]]:
    """The same, and names of the files that were gone through."""
    files: set[str] = set()
    sys.setprofile(lambda frame, event, argument: files.add(frame.f_code.co_filename))
    numbers = reads()
    sys.setprofile(None)
    return numbers, sorted(files)


@needs_speed
@pytest.mark.campaign
def test_every_module_of_kernels_computes_as_python_what_it_computes_compiled():
    code = "import json, test_interpreted; print(json.dumps(test_interpreted.walked()))"
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as interpreted:
        compiled = reads()
        output, problems = interpreted.communicate()
    assert interpreted.returncode == 0, problems
    numbers, files = json.loads(output)
    for name, expected in compiled.items():
        # 1e-15 of the voltage moves the slope through narrow levels by 1.5e-5 to 5e-5: round-off over their width
        np.testing.assert_allclose(numbers[name], expected, rtol=1e-4 if "narrow" in name else 1e-5, err_msg=name)
    modules = {path for room in ROOMS for path in (PACKAGE / room).rglob("[!_]*.py")}
    modules = {path for path in modules if "\ndef " in path.read_text(encoding="utf-8")}  # others have no kernel
    assert len(modules) > 20
    assert {path.name for path in modules} - {Path(name).name for name in files} == set()

"""Random devices of the whole range of cases, and SUNDIALS IDA with equations of its own."""

import importlib
import os
import re
import runpy
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from devices import needs_speed

from otjdd.results import outputs
from validation.reliability import currents, devices

ROOT = Path(__file__).parents[1]

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the words of other systems differ")


DANGEROUS = {
    r"\beval\(": set(),
    r"\bexec\(": {"kernel.py", "decorators.py"},  # functions with the names of the parameters of kernels
    # its own files, in a folder of this user alone, under a seal; what processes of a pool send through their pipes
    r"\bpickle\b": {"jobs.py", "kernel_cache.py", "pool.py"},
    r"allow_pickle": {"workbook_process.py"},  # False
    r"\bmarshal\b|\bshelve\b|\bdill\b|\bcloudpickle\b|\bjoblib\b": set(),
    r"os\.system|shell=True|\bpopen\(": set(),
    r"yaml": {"__init__.py"},  # of physics, which keeps numba from reading its settings from the working folder
    r"__import__": set(),
}


def test_nothing_in_a_file_is_ever_run():
    sources = [(path.name, path.read_text(encoding="utf-8")) for path in (ROOT / "otjdd").rglob("*.py")]
    assert len(sources) > 30
    used = {pattern: {name for name, text in sources if re.search(pattern, text)} for pattern in DANGEROUS}
    assert used == DANGEROUS


@needs_linux
@needs_speed
def test_random_devices_are_solved_or_stop_in_words():
    found = [devices.fate(k, devices.text(u, k)) for k, u in enumerate(devices.drawn(16, seed=11)[:6])]
    assert [fate for fate in found if fate.kind not in ("solved", "stopped")] == []
    assert sum(fate.kind == "solved" for fate in found) >= 5


@needs_speed
def test_random_devices_with_electrons_are_solved_or_stop_in_words():
    rows = devices.drawn(16, seed=1)
    found = [devices.fate(k, devices.with_electrons(rows[k], k)) for k in range(2)]
    assert [(fate.kind, fate.what) for fate in found] == [("solved", "")] * 2


@pytest.mark.campaign
@needs_linux
@needs_speed
@pytest.mark.parametrize("number", [207, 637, 942])
def test_junction_voltages_are_found_where_currents_jump_or_fall_with_the_voltage(number):
    """Of 2000 devices those, and three slow ones, are not solved where no tangent is held or a jump of V_j is not known."""
    row = devices.drawn(2000, seed=1)[number]
    assert devices.fate(number, devices.text(row, number)).kind == "solved"


@pytest.mark.campaign
def test_holes_in_a_result_are_seen():
    ds = outputs.dataset(
        {
            "current": [0.0, np.nan],
            "band_edge": [[0.0, 1.0, np.nan]],
            "read_current": [0.0],
            "read_resistance": [np.nan],
        },
        {"time": [0.0, 1.0]},
    )
    assert devices.holes(ds) == "current"
    ds["band_edge"][0, 0] = np.nan
    assert set(devices.holes(ds).split()) == {"current", "band_edge"}
    ds["read_current"][0] = 1.0
    assert set(devices.holes(ds).split()) == {"current", "band_edge", "read_resistance"}


@pytest.mark.campaign
@needs_speed
def test_a_device_that_hangs_is_ended():
    (fate,) = devices.fates(1, seed=1, limit=1.0, simulated=hang)
    assert (fate.kind, fate.what) == ("hang", "over 1 s")


@pytest.mark.campaign
def test_devices_come_in_order_whichever_ends_first():
    found = list(devices.fates(3, seed=1, limit=60.0, workers=2, simulated=late_first))
    assert found == [0, 1, 2]
    assert [fate.kind for fate in devices.fates(3, seed=1, limit=60.0, simulated=end_second)] == [
        "fine",
        "crash",
        "fine",
    ]


def late_first(number, text):
    time.sleep(1.0 if number == 0 else 0.0)
    return number


def end_second(number, text):
    if number == 1:
        os._exit(3)
    return devices.Fate(number, "fine", "", 0.0)


def hang(number, text):
    time.sleep(60)


@needs_speed
def test_integrals_of_the_hardest_devices_are_right():
    """Narrow levels, pairs of them, slow waves in a lead, kinks of WKB: none is off by more than its tolerance."""
    v = currents.hard_ones()
    assert (v.beyond, v.stopped) == (0, 0)
    assert v.currents > 150


class Agreement(NamedTuple):
    """Equations of their own: the module of `validation.reliability` that has them, and how well they agree."""

    module: str
    function: str = "compare"
    options: tuple[bool | str, ...] = ()
    moved: float = 0.1  # least change of a concentration or a polarisation
    error: float = 1e-6


AGREEMENTS = {  # what has its own equations -> device at every commit, those of the campaign
    Agreement("agreement"): (1, (5,)),
    Agreement("agreement_electrons"): (3, (4,)),
    Agreement("agreement_layers", error=1e-7): (1, (0, 3, 4, 5, 6)),
    Agreement("agreement_layers", "compare_with_electrons", moved=1e-3): (1, (0, 2, 3, 4, 5, 6, 7)),
    Agreement("agreement_layers", "compare_with_electrons", moved=1e-3, options=("50 meV",)): (1, (2, 4)),
    Agreement("agreement_layers", "compare_with_exchange", moved=1e-3, error=1e-7): (1, (0, 2, 3, 4, 5, 6, 7)),
    Agreement("agreement_polarised", options=(False,)): (1, (3,)),
    Agreement("agreement_polarised", options=(True,)): (1, (3,)),
}
ROWS = [
    pytest.param(
        row, number, marks=[pytest.mark.campaign] * (number != first), id=f"{row.module}-{row.function}-{number}"
    )
    for row, (first, others) in AGREEMENTS.items()
    for number in (first, *others)
]


@needs_speed
@pytest.mark.parametrize(("row", "number"), ROWS)
def test_another_integrator_with_its_own_equations_agrees(row, number):
    pytest.importorskip("sksundae")
    module = importlib.import_module(f"validation.reliability.{row.module}")
    compared = getattr(module, row.function)(devices.drawn(8, seed=3)[number], number, *row.options)
    assert compared.moved > row.moved
    assert compared.error < row.error


def test_lowest_versions_are_those_of_the_project():
    requirements = runpy.run_path(str(ROOT / ".ci/lowest.py"))["requirements"]()
    assert "numba==0.60" in requirements
    assert len(requirements) > 20

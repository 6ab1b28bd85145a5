"""The cost of a run, counted: time steps, evaluations of the current and memory that is not given back.

Times depend on the machine, counts do not.
"""

import gc

import numba
import pytest
from devices import needs_speed
from numba.core.runtime import _nrt_python, rtsys

from otjdd.case.case import load_case
from otjdd.runs.run import simulate
from validation.benchmarks.peers.reference import CASES

MORE = 1.1  # of a count: what fails
# one column of the reference device, at a relative tolerance: steps, accepted and rejected, and currents
COUNTS = {
    ("rv-loop", 1e-2): (2594, 459),
    ("ltp-ltd", 1e-2): (2959, 1397),
    ("rv-loop", 1e-3): (5864, 3658),
    ("ltp-ltd", 1e-3): (3904, 2357),
}


@needs_speed
@pytest.mark.parametrize(("name", "rtol"), COUNTS)
def test_a_run_takes_no_more_steps_and_currents_than_it_did(name, rtol):
    once = {"drive.repeat": 1} if name == "ltp-ltd" else {}
    ds = simulate(load_case(CASES / f"{name}.toml", {"columns.count": 1, "numerics.rtol": rtol} | once))
    steps, currents = ds.attrs["solver_accepted"] + ds.attrs["solver_rejected"], ds.attrs["solver_currents"]
    assert steps <= MORE * COUNTS[name, rtol][0]
    assert currents <= MORE * COUNTS[name, rtol][1]


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="numba allocates nothing")
def test_runs_in_one_process_give_their_memory_back():
    was_on = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    try:
        allocated = [allocated_after_a_run() for _ in range(4)]
    finally:
        if not was_on:
            _nrt_python.memsys_disable_stats()
    assert len(set(allocated[1:])) == 1


def allocated_after_a_run() -> tuple[int, int]:
    """Blocks of memory, and arrays, that numba has allocated and not freed."""
    pulse = {"kind": "pulse", "voltage": "1 V", "width": "1 us", "read": {"voltage": "0.1 V", "duration": "1 us"}}
    simulate(load_case("junction").replace({"drive": pulse, "device.film.cells": 20}))
    gc.collect()
    counts = rtsys.get_allocation_stats()
    return counts.alloc - counts.free, counts.mi_alloc - counts.mi_free

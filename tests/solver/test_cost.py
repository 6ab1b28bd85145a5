"""The cost of a run, counted: time steps and evaluations of the current. Times depend on the machine, counts do not."""

import pytest
from devices import needs_speed

from otjdd.case.case import load_case
from otjdd.runs.run import simulate
from validation.peers.reference import CASES

MORE = 1.1  # of a count: what fails
# one column of the reference device, at a relative tolerance: steps, accepted and rejected, and currents
COUNTS = {
    ("rv-loop", 1e-2): (2500, 385),
    ("ltp-ltd", 1e-2): (971, 178),
    ("rv-loop", 1e-3): (3453, 523),
    ("ltp-ltd", 1e-3): (1437, 455),
}


@needs_speed
@pytest.mark.parametrize(("name", "rtol"), COUNTS)
def test_a_run_takes_no_more_steps_and_currents_than_it_did(name, rtol):
    once = {"drive.repeat": 1} if name == "ltp-ltd" else {}
    ds = simulate(load_case(CASES / f"{name}.toml", {"columns.count": 1, "numerics.rtol": rtol} | once))
    steps, currents = ds.attrs["solver_accepted"] + ds.attrs["solver_rejected"], ds.attrs["solver_currents"]
    assert steps <= MORE * COUNTS[name, rtol][0]
    assert currents <= MORE * COUNTS[name, rtol][1]

"""Each recorded current is that of its own state: checked against one evaluated afresh from what was kept of the state."""

import numpy as np
import pytest
from devices import BARE, SMALL, begin, case, conducted

from otjdd.solver import integrate
from otjdd.stepping import run_log

RAMP = """drive = { kind = "triangle", path = ["0 V", "0.9 V", "-0.4 V", "0 V"], rate = "1e6 V/s", step = "90 mV" }
"""
CURRENT_ERROR = 4e-4  # of a row: the tolerance of the spectrum, its tangent, and V_j


def recorded_and_fresh(case, count=12):
    """Currents [A] of rows and reads where the state of a run was kept, and those of these states, evaluated afresh.

    count : of random times at which the state is kept, beside the reads
    """
    run, other, waveform, found = begin(case), begin(case), case.waveform(), []
    stops = np.random.default_rng(3).uniform(0.0, waveform.duration, count)
    integrate.follow_waveform(run, waveform, every="all", stops=stops, keep_reads=True)
    rows, reads = np.concatenate(run.rows), np.concatenate(run.reads)
    for kept in run.kept_states:
        integrate.restore_state(other, kept)
        integrate.jump(other, kept.voltage)
        V = float(other.state.V[0])
        assert kept.junction_voltage == pytest.approx(V, rel=2e-5, abs=1e-7)
        current = V * conducted(other).sum()
        near = abs(rows[:, run_log.JUNCTION] - V) <= 1e-4 * abs(V)
        of_rows = rows[near & (rows[:, run_log.TIME] == kept.time), run_log.CURRENT]
        of_reads = reads[reads[:, run_log.READ_TIME] == kept.time, run_log.READ_CURRENT]
        found += [(recorded, current) for recorded in (*of_rows, *of_reads)]
    assert len(found) > count
    return np.array(found).T


@pytest.mark.parametrize("circuit", [{}, {"circuit__series_resistance": 200.0}])
def test_a_leak_that_carries_a_small_voltage_does_not_hide_the_band_at_a_larger_one(circuit):
    """At 20 mV the leak carries nearly all. The logarithm of the sum has hardly a slope there, that of the band has."""
    leak = {"kind": "ohmic", "conductance": 1e3}
    leaky = case(RAMP + BARE, **SMALL, temperature=77.0, device__leaks=[leak], **circuit)
    recorded, fresh = recorded_and_fresh(leaky)
    np.testing.assert_allclose(recorded, fresh, rtol=CURRENT_ERROR)

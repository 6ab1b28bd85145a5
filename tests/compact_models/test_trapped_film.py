"""Compact models of films with steady traps: their current is in the tables."""

import pytest

from otjdd.compact_models import build
from otjdd.runs.run import run
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate


@pytest.mark.campaign
def test_a_leaky_capacitor_has_the_current_of_its_traps():
    """No vacancies move: the tables of one state, against curves of the solver between their voltages."""
    V = [-2.3, -0.7, 0.4, 1.7, 2.9]
    exact = run("hfo2-leakage", {"drive.voltages": [f"{v} V" for v in V], "drive.temperatures": ["300.15 K"]})
    model = build.compact("hfo2-leakage", {"temperature": "300.15 K"}, voltage=(-3.0, 3.0), measure=False)
    reads = model.run(concatenate(shapes.read(v, 1e-3) for v in V))
    assert reads.read_current.values == pytest.approx(exact.bias_current.values[0, 0], rel=0.02)

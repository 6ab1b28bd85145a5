"""Ramps of any length, and trains of blocks, move a compact model as its equations say: against scipy's integration."""

import dataclasses

import made_model
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from otjdd.case.case import load_case
from otjdd.waveform import shapes, waveform
from otjdd.waveform.waveform import concatenate

SPEED, WEIGHT = np.array([1.0, 30.0]), np.array([0.7, 0.3])
WAY, EMPTYING, LIMIT = (0.05, 0.03), 1e-6, 1e7  # share of rising and of falling states, s, 1/s
LOW, HIGH = made_model.LOW, made_model.HIGH


@pytest.fixture(scope="module")
def model():
    """Two columns of different speed, whose way fills, and whose rates have a limit."""
    made = made_model.made_model()
    (tables,) = made.kinds
    tables = tables._replace(
        way=np.array(WAY), emptying=EMPTYING, log_limit=np.full(tables.log_rate.shape, np.log10(LIMIT))
    )
    return dataclasses.replace(
        made, kinds=(tables,), kind=np.zeros(2, np.int64), speed=SPEED, weight=WEIGHT, start=np.full(2, LOW),
        unsettled=np.zeros(2),
    )  # fmt: skip


def conductance(V: float, q: np.ndarray) -> float:
    """Chord conductance [S] of the made model at V_j and positions (2,), by its formula."""
    return float(WEIGHT @ 10.0 ** (-8.0 + 4.0 * (q - LOW) / (HIGH - LOW) + 0.6 * V * np.tanh(V)))


def junction_voltage(V: float, q: np.ndarray, resistance: float) -> float:
    """V_j [V] behind a series resistance [ohm]."""
    if V == 0.0:
        return 0.0
    return brentq(lambda V_j: V_j * (1.0 + resistance * conductance(V_j, q)) - V, min(0.0, V), max(0.0, V), xtol=1e-12)


def flows(V: float, y: np.ndarray, resistance: float) -> np.ndarray:
    """d/dt (4,) of positions and fillings (4,) at a source voltage [V], as `kernels` states the equations."""
    q, f = y[:2], y[2:]
    V_j = junction_voltage(V, q, resistance)
    hops = SPEED * 10.0 ** (-6.0 + 14.0 * V_j**2 / (V_j**2 + 1.0))
    rest = LOW + (HIGH - LOW) / (1.0 + np.exp(-V_j / 0.25))
    F = (hops**-2.0 + LIMIT**-2.0) ** -0.5 * (rest - q)
    filling = np.abs(F) / np.where(F > 0.0, *WAY)
    filled = filling / (filling + SPEED / EMPTYING)
    return np.concatenate((F * (f + 1.0 - filled), (filled - f) * (filling + SPEED / EMPTYING)))


def integrated(waveform, start: np.ndarray, resistance: float) -> tuple[np.ndarray, np.ndarray]:
    """Currents [A] at the reads of a waveform, and the last states (4,), by scipy."""
    y, currents = start, []
    for t0, t1, v0, v1 in np.column_stack(waveform.segments()):

        def ramp(t, y, v0=v0, slope=(v1 - v0) / (t1 - t0)):
            return flows(v0 + slope * t, y, resistance)

        y = solve_ivp(ramp, (0.0, t1 - t0), y, method="LSODA", rtol=1e-6, atol=1e-9, first_step=1e-4 * (t1 - t0)).y[
            :, -1
        ]
        if np.isclose(waveform.read_times, t1, rtol=1e-12, atol=0.0).any():
            V_j = junction_voltage(v1, y[:2], resistance)
            currents.append(V_j * conductance(V_j, y[:2]))
    return np.array(currents), y


def ramped_train(seed: int):
    """Pulses of random height, width from 20 ns, edges from 1 ns to 1 ms, each with a read and a rest."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(6):
        height = float(rng.uniform(0.3, 1.0) * rng.choice([-3.0, 3.0]))
        width, rise, fall = (float(10.0 ** rng.uniform(low, -3.0)) for low in (-7.7, -9.0, -9.0))
        parts.append(shapes.pulse(height, width, rise=rise, fall=fall, wait=1e-7).then(shapes.read(0.1, 1e-6)))
    return concatenate(parts)


@pytest.mark.parametrize("seed", range(6))
def test_reads_after_random_ramps_are_those_of_an_integration(model, seed):
    waveform = ramped_train(seed)
    currents, _ = integrated(waveform, model.states(1)[0], model.resistance)
    assert currents.size == 6
    off = np.log10(model.run(waveform).read_current.values / currents)
    assert np.abs(off).max() < 0.01  # of the four decades between both states


@pytest.mark.parametrize(
    ("ends", "lasts", "state"),
    [
        ([0.0, 1.2], 1e-3, LOW),  # all of the move is at the end of the ramp, where the first half tells nothing of it
        ([1.2, 0.0], 1e-3, LOW),
        ([-1.8, 1.8], 1e-4, 0.5),
        (
            [0.9, 0.0],
            25.0,
            LOW + (HIGH - LOW) / (1.0 + np.exp(-3.6)),
        ),  # at rest first, frozen last: it moves in between
    ],
)
def test_one_ramp_ends_where_an_integration_ends(model, ends, lasts, state):
    start = np.array([state, state, 0.0, 0.0])
    waveform = shapes.table([0.0, lasts], ends)
    end = integrated(waveform, start, model.resistance)[1]
    assert np.abs(end[:2] - start[:2]).max() > 0.01
    found = model.run(waveform, start).rest_position.values[-1] / model.thickness
    assert found == pytest.approx(end[:2], abs=1.5e-3)


TRAIN = {"kind": "train", "voltage": "1.2 V", "width": "50 ns", "count": 300, "period": "20 us", "read_each": True}


def test_currents_that_charge_the_junction_are_those_of_one_block(monkeypatch):
    model = made_model.made_model()
    whole = model.predicted(load_case("li2019", {"drive": TRAIN}).drive)
    monkeypatch.setattr(waveform, "MOST_IN_MEMORY", 100)
    monkeypatch.setattr(waveform, "BLOCK", 60)
    parted = model.predicted(load_case("li2019", {"drive": TRAIN}).drive)
    scale = float(np.abs(whole.displacement_current).max())
    assert scale > 0.0
    assert parted.displacement_current.values == pytest.approx(whole.displacement_current.values, abs=1e-6 * scale)
    assert np.diff(parted.time.values).min() == 0.0

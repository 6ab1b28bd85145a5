"""Time series made of recorded rows: each once, in order, with the rate of the charge."""

from itertools import pairwise

import numpy as np
import pytest
from devices import BARE, SMALL, case
from scipy.integrate import trapezoid

from otjdd import variables
from otjdd.case.case import parse_case
from otjdd.runs.run import run, simulate
from otjdd.solver.collect import PROBE, bounded, recorded_once
from otjdd.solver.time_series import mean_rate, rates, simultaneous

PULSE = 'drive = { kind = "pulse", voltage = "0.6 V", width = "1 us" }\n'


def test_times_within_round_off_are_one():
    t = np.array([0.0, 0.1, np.nextafter(0.1, 0.0), np.nextafter(0.1, 1.0), 0.2])
    assert simultaneous(t).tolist() == [0.0, 0.1, 0.1, 0.1, 0.2]
    assert simultaneous(np.zeros(0)).size == 0


def test_a_row_is_there_once_unless_the_voltage_has_jumped():
    rows = np.zeros((4, variables.RECORD))
    rows[:, variables.TIME], rows[:, variables.SOURCE] = [0.0, 0.0, 0.0, 1.0], [0.0, 1e-10, 1.0, 1.0]
    assert recorded_once(rows).tolist() == [True, False, True, True]
    assert recorded_once(rows[:0]).size == 0


def test_charge_of_a_jump_flows_in_the_interval_that_follows():
    t, charge = np.array([0.0, 0.0, 1.0, 3.0, 3.0, 4.0]), np.array([0.0, 5.0, 6.0, 8.0, 2.0, 3.0])
    assert mean_rate(t, charge).tolist() == [0.0, 0.0, 6.0, 1.0, 0.0, -5.0]
    steps = np.diff(t, prepend=0.0)
    assert mean_rate(t, charge) @ steps == charge[-1] - charge[0]


def test_rates_are_those_of_each_side_of_a_corner_and_of_a_jump():
    """A charge of second order in time on uneven steps: a ramp, a corner at 2 s, a jump at 5 s."""
    t = np.array([0.0, 0.1, 0.7, 2.0, 2.5, 4.0, 5.0, 5.0, 5.2, 6.0])
    voltage = np.where(np.arange(10) > 6, 3.0, np.where(t < 2.0, t, 4.0 - t))
    charge = np.where(np.arange(10) > 6, 7.0 + 2.0 * t, np.where(t <= 2.0, t**2, 4.0 - (t - 2.0) ** 2 - (t - 2.0)))
    before, after = rates(t, charge, voltage)
    np.testing.assert_allclose(before, [0.0, 0.2, 1.4, 4.0, -2.0, -5.0, -7.0, 2.0, 2.0, 2.0], atol=1e-12)
    np.testing.assert_allclose(after, [0.0, 0.2, 1.4, -1.0, -2.0, -5.0, -7.0, 2.0, 2.0, 2.0], atol=1e-12)
    assert [rates(t[:n], charge[:n], voltage[:n]).before.tolist() for n in (0, 1)] == [[], [0.0]]


def test_rates_between_corners_are_the_gradients_of_numpy():
    rng = np.random.default_rng(3)
    ends = np.array([0, 2, 9, 10, 25])  # rows of the corners: pieces of two, one, and more intervals
    t, charge = np.cumsum(rng.uniform(1e-9, 1e-3, 26)), rng.normal(size=26)
    before, after = rates(t, charge, np.interp(t, t[ends], [0.0, 2.0, -1.0, 0.0, 0.0]))
    for first, last in pairwise(ends):
        rows = slice(first, last + 1)
        gradient = np.gradient(charge[rows], t[rows], edge_order=min(2, last - first))
        np.testing.assert_allclose(after[first:last], gradient[:-1], rtol=1e-9, atol=1e-9 * np.abs(gradient).max())
        np.testing.assert_allclose(
            before[first + 1 : last + 1], gradient[1:], rtol=1e-9, atol=1e-9 * np.abs(gradient).max()
        )


def test_series_of_a_pulse_has_both_sides_of_its_edges():
    ds = run(parse_case(PULSE + BARE))
    t, V = ds.time.values, ds.voltage.values
    jumps = np.flatnonzero(np.diff(t) == 0.0)
    assert list(zip(V[jumps], V[jumps + 1], strict=True)) == [(0.0, 0.6)]
    moved = ds.mean_displacement_current.values @ np.diff(t, prepend=0.0)
    area = case().device.junction_area
    assert moved == pytest.approx(area * float(ds.electrode_charge[-1] - ds.electrode_charge[0]), rel=1e-12)


# snapshots: the voltage at which their current spectrum is taken


def spectrum(voltage: str):
    """Current density by energy of the first snapshot of a source that is held at a voltage."""
    drive = f'drive = {{ kind = "hold", voltage = "{voltage}", duration = "1 ps" }}\n'
    ds = simulate(case(drive + BARE, **SMALL))
    return ds.spectrum_energy.values[-1], ds.spectrum_density.values[-1]


@pytest.mark.parametrize("voltage", ["0 V", "1e-16 V", "-1e-16 V", "20 mV"])
def test_a_source_that_is_off_is_probed_whatever_the_rounding_of_its_voltage(voltage):
    for off, probed in zip(spectrum(voltage), spectrum(f"{PROBE} V"), strict=True):
        np.testing.assert_allclose(off, probed, rtol=1e-2)


def test_a_source_that_is_on_is_taken_at_its_own_voltage():
    assert trapezoid(*spectrum("-0.1 V")[::-1]) < 0 < trapezoid(*spectrum("0.1 V")[::-1])


def test_concentrations_are_shown_within_their_bounds_and_no_ion_is_lost():
    width = np.array([[0.1, 0.2, 0.3, 0.4]])
    c = np.array([[-1e-6, 0.5, 2.0 + 2e-6, 0.2], [0.1, 0.2, 0.3, 0.4]])
    shown = bounded(c, width, 2.0)
    assert ((shown >= 0.0) & (shown <= 2.0)).all()
    np.testing.assert_allclose((shown * width).sum(axis=1), (c * width).sum(axis=1), rtol=1e-15)
    np.testing.assert_allclose(shown[0], c[0], atol=3e-6)
    np.testing.assert_array_equal(shown[1], c[1])


def test_a_film_that_has_emptied_to_below_zero_is_shown_empty():
    width, sites = np.array([[1e-10, 2e-10], [1e-10, 1e-10]]), np.full((2, 2), 1e28)
    c = np.array([[-1e15, -3e14], [2e15, -5e15]])
    assert (bounded(c, width, sites) == 0.0).all()

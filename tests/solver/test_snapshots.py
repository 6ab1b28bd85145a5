"""Snapshots: the voltage at which their current spectrum is taken."""

import numpy as np
import pytest
from devices import BARE, SMALL, case
from scipy.integrate import trapezoid

from otjdd.runs.run import simulate
from otjdd.solver.snapshots import PROBE, bounded


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

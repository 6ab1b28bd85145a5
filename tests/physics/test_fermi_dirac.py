"""The Fermi-Dirac integrals against their definition in extended precision, and against each other."""

import math

import mpmath
import pytest

from otjdd.physics.fermi_dirac import (
    ORDERS,
    fermi_dirac_half,
    fermi_dirac_minus_half,
    fermi_dirac_three_half,
    inverse_fermi_dirac_half,
)

FUNCTIONS = dict(zip(ORDERS, (fermi_dirac_minus_half, fermi_dirac_half, fermi_dirac_three_half), strict=True))
SEAMS = (-2.0, 0.0, 2.0, 20.0, 38.0, 40.0)


def non_degenerate(j, eta):
    """F_j = -Li_{j+1}(-exp(eta)), eta < 0."""
    with mpmath.workdps(30):
        return -mpmath.re(mpmath.polylog(mpmath.mpf(j) + 1, -mpmath.exp(mpmath.mpf(eta))))


def degenerate(j, eta):
    """F_j by quadrature over s = sqrt(t), eta >= 0, broken where the occupation falls (width 1/s there)."""
    with mpmath.workdps(30):
        order, eta = mpmath.mpf(j), mpmath.mpf(eta)
        edge = mpmath.sqrt(eta)
        width = 1 / (edge + 1)
        breaks = {max(mpmath.mpf(0), edge + k * width) for k in (-80, -40, -20, -10, -5, -2, 0, 2, 5, 10, 20, 40, 80)}
        integral = mpmath.quad(
            lambda s: s ** (2 * order + 1) / (1 + mpmath.exp(s * s - eta)), sorted(breaks | {mpmath.mpf(0)})
        )
        return 2 * integral / mpmath.gamma(order + 1)


@pytest.mark.parametrize("j", ORDERS)
def test_non_degenerate_range_agrees_with_the_polylogarithm(j):
    for eta in (-700.0, -300.0, -40.0, -9.7, -4.2, -2.0001, -2.0, -1.3, -0.6, -0.1, -0.03, -1e-3):
        assert FUNCTIONS[j](eta) == pytest.approx(float(non_degenerate(j, eta)), rel=1e-14)


@pytest.mark.parametrize("j", ORDERS)
def test_degenerate_range_agrees_with_quadrature(j):
    for eta in (0.0, 0.02, 0.13, 0.9, 1.8, 3.7, 11.3, 25.0, 39.999, 40.0, 57.0, 1e3, 1e4):
        assert FUNCTIONS[j](eta) == pytest.approx(float(degenerate(j, eta)), rel=1e-14)


@pytest.mark.parametrize("j", ORDERS)
@pytest.mark.parametrize("seam", SEAMS)
def test_ranges_join_without_a_seam(j, seam):
    below, above = FUNCTIONS[j](math.nextafter(seam, -math.inf)), FUNCTIONS[j](seam)
    assert below == pytest.approx(above, rel=4e-15)


@pytest.mark.parametrize("j", ORDERS)
def test_limits_are_boltzmann_and_a_filled_sphere(j):
    assert FUNCTIONS[j](-60.0) == pytest.approx(math.exp(-60.0), rel=1e-15)
    assert FUNCTIONS[j](1e8) == pytest.approx(1e8 ** (j + 1) / math.gamma(j + 2), rel=1e-14)
    assert FUNCTIONS[j](-1e4) == 0.0
    assert math.isnan(FUNCTIONS[j](math.nan))


@pytest.mark.parametrize("eta", [-690.0, -40.0, -3.0, -1e-6, 0.7, 1.9, 2.2, 6.0, 39.0, 41.0, 1e4])
def test_inverse_returns_the_argument(eta):
    assert inverse_fermi_dirac_half(fermi_dirac_half(eta)) == pytest.approx(eta, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_inverse_refuses_what_is_no_integral(value):
    with pytest.raises(ValueError, match="positive, finite"):
        inverse_fermi_dirac_half(value)

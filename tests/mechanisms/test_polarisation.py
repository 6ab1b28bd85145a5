"""Laws of the polarisation: their derivatives, detailed balance, and what switches in a constant field."""

import math

import numpy as np
import pytest

from otjdd.mechanisms.polarisation import (
    MERZ_KAI,
    TWO_LEVEL,
    Polarisation,
    merz_rate,
    polarisation_at,
    rate_of,
    two_level_rates,
)

KT = 0.02585
HZO = {"saturation": 0.27, "thickness": 1e-8, "offset": 2e7, "barrier": 1.05, "dipole": 7.5e-9}
BTO = {"saturation": 0.2, "thickness": 3e-9, "offset": -1e7, "time": 1e-10, "activation": 8e8, "power": 1.3,
       "dimension": 2.0}  # fmt: skip


def law(which, **values):
    numbers = (np.array([values.get(name, 0.0)]) for name in Polarisation._fields[1:])
    return Polarisation(which, *numbers)


def slope(function, x, h):
    return (function(x + h) - function(x - h)) / (2.0 * h)


@pytest.mark.parametrize("E", [-3e8, -6e7, 1e6, 2.05e7, 6.7e7, 1.6e8, 5e8])
@pytest.mark.parametrize(("polar", "q", "towards"), [(law(TWO_LEVEL, **HZO), 0.1, 0.0), (law(MERZ_KAI, **BTO), 0.7, 1.0),
                                                     (law(MERZ_KAI, **BTO), 0.7, -1.0)])  # fmt: skip
def test_rates_have_their_derivatives(polar, q, towards, E):
    found = rate_of(polar, 0, KT, q, towards, E)
    by_field = slope(lambda x: rate_of(polar, 0, KT, q, towards, x).value, E, 1.0)
    by_q = slope(lambda x: rate_of(polar, 0, KT, x, towards, E).value, q, 1e-4)
    assert found.by_field == pytest.approx(by_field, rel=1e-6, abs=1e-70)
    assert found.by_q == pytest.approx(by_q, rel=1e-6, abs=1e-9 * abs(found.value))
    if towards:
        assert (found.value > 0.0) == ((E + 1e7) * towards > 0.0)
        by_q = slope(lambda x: polarisation_at(polar, 0, x, -0.1 * towards, towards)[0], q, 1e-5)
        assert polarisation_at(polar, 0, q, -0.1 * towards, towards)[1] == pytest.approx(by_q, rel=1e-7)


@pytest.mark.parametrize("x", [0.0, 1e-3, 0.3, 0.9, 1.04, 1.06, 2.0, 300.0])
def test_two_levels_keep_detailed_balance_and_no_rate_is_above_kT_over_h(x):
    up, down = two_level_rates(x, 1.05, KT)[:2]
    assert two_level_rates(-x, 1.05, KT)[:2] == (down, up)
    assert up <= KT / 4.135667696e-15
    if x < 2.0:
        assert down / up == pytest.approx(math.exp(-2.0 * x / KT), rel=1e-12)
    if x < 0.9:
        assert up == pytest.approx(KT / 4.135667696e-15 * math.exp(-(1.05 - x) / KT), rel=5e-3)


def test_a_weak_field_or_one_backwards_moves_nothing_by_the_law_of_merz():
    assert merz_rate(0.0, 1e-9, 1e9, 1.0) == merz_rate(-1e8, 1e-9, 1e9, 1.0) == (0.0, 0.0)
    assert merz_rate(1e3, 1e-9, 1e9, 2.0) == (0.0, 0.0)
    assert merz_rate(5e8, 1e-9, 1e9, 2.0)[0] == pytest.approx(1e9 * math.exp(-4.0), rel=1e-14)


def test_nucleation_and_growth_begin_where_the_field_turned():
    polar = law(MERZ_KAI, **BTO)
    assert polarisation_at(polar, 0, 0.0, 0.05, -1.0) == pytest.approx((0.05, 0.0), abs=1e-16)
    assert polarisation_at(polar, 0, 1.0, -0.2, 1.0)[0] == pytest.approx(0.2 - 0.4 * math.exp(-1.0), rel=1e-14)
    assert polarisation_at(polar, 0, 1e30, -0.2, 1.0) == (0.2, 0.0)

"""The permittivity of SrTiO3 against temperature: published numbers, and a case that holds at 300 K."""

import math

import numpy as np
import pytest

from otjdd.case.case import load_case
from otjdd.laws import saturation, suzuki, without_field
from otjdd.solver.model import junction


def test_numbers_of_the_publication():
    assert [without_field(T) for T in (250, 300, 350)] == pytest.approx([341, 276, 232], abs=0.5)
    b, a = suzuki(saturation(300.0), (saturation(300.0) / without_field(300.0)) ** 2, 77.0)
    assert b == pytest.approx(saturation(77.0))
    assert b / math.sqrt(a) == pytest.approx(without_field(77.0))


def test_a_case_with_the_law_is_the_same_at_300_k_and_more_polarisable_in_the_cold():
    plain = load_case("li2019").replace("device.film.permittivity.temperature_law", "none")
    plain = plain.replace("device.right.permittivity.temperature_law", "none")
    scaled = plain.replace("device.film.permittivity.temperature_law", "suzuki")
    assert junction(scaled, 300.0).film[0] == junction(plain, 300.0).film[0]
    assert junction(plain, 200.0).film[0] == junction(plain, 300.0).film[0]
    cold, warm = junction(scaled, 250.0).film[0], junction(scaled, 350.0).film[0]
    film = plain.device.film.permittivity
    for T, law in ((250.0, cold), (350.0, warm)):
        assert law.b / law.sqrt_a == pytest.approx(film.b / math.sqrt(film.a) * without_field(T) / without_field(300.0))


def test_the_electrode_follows_its_own_law():
    case = load_case("li2019").replace("device.right.permittivity.temperature_law", "suzuki")
    plain = load_case("li2019").replace("device.right.permittivity.temperature_law", "none")
    assert not np.array_equal(junction(case, 250.0).right[0].bending, junction(plain, 250.0).right[0].bending)
    np.testing.assert_array_equal(junction(case, 300.0).right[0].bending, junction(plain, 300.0).right[0].bending)

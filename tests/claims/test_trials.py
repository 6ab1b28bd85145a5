"""Runs of the shipped claims."""

import pytest

from otjdd.case.case import load_case
from otjdd.claims.claim import folder_of
from otjdd.claims.trials import trials


@pytest.mark.parametrize("name", ["loop", "set"])
def test_films_of_the_same_number_of_vacancies_per_area(name):
    reference = load_case("li2019")
    sheet = reference.ions.density * reference.device.film.thickness
    found = trials(folder_of("thickness-scaling-area") / f"{name}.toml", {})
    assert [t.case.device.film.thickness for t in found] == pytest.approx([2e-9 + 0.4e-9 * i for i in range(11)])
    assert [t.case.ions.density * t.case.device.film.thickness for t in found] == pytest.approx([sheet] * 11, rel=3e-4)

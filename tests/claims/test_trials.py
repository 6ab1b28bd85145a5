"""Runs of the shipped claims."""

import pytest

from otjdd.case.case import load_case
from otjdd.claims import papers


def runs(claim, name, device=papers.AS_SHIPPED):
    return [trial for trial in papers.planned(papers.load_claim(claim), device=device) if trial.name == name]


@pytest.mark.parametrize("name", ["loop", "set"])
def test_films_of_the_same_number_of_vacancies_per_area(name):
    reference = load_case("li2019")
    sheet = reference.ions.density * reference.device.film.thickness
    found = runs("thickness-scaling-area", name)
    assert [t.case.device.film.thickness for t in found] == pytest.approx([2e-9 + 0.4e-9 * i for i in range(11)])
    assert [t.case.ions.density * t.case.device.film.thickness for t in found] == pytest.approx([sheet] * 11, rel=3e-4)


def test_a_study_of_a_number_that_another_set_changes_keeps_its_ratios():
    device = {"ions.density": "8.826e26 1/m^3"}  # twice that of li2019
    shipped, changed = (runs("thickness-scaling-area", "loop", other) for other in ({}, device))
    ratios = [b.case.ions.density / a.case.ions.density for a, b in zip(shipped, changed, strict=True)]
    assert ratios == pytest.approx([2.0] * 11, rel=1e-3)
    assert [a.case.device.film.thickness for a in shipped] == [b.case.device.film.thickness for b in changed]
    shipped, changed = (runs("uniformity", "case", other) for other in ({}, device))
    assert [b.case.ions.density / a.case.ions.density for a, b in zip(shipped, changed, strict=True)] == pytest.approx(
        [2.0] * 20, rel=1e-3
    )
    assert [a.case.device.left.barrier for a in shipped] == [b.case.device.left.barrier for b in changed]

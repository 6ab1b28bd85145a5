"""Runs of the shipped claims."""

import pytest

from otjdd.case.case import load_case
from otjdd.claims import papers
from otjdd.claims.claim import ClaimTrial
from otjdd.results import outputs


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


def test_numbers_and_quantities_of_a_study_are_scaled():
    assert papers.times_ratio(0.5, 2.0) == 1.0
    assert papers.si(papers.times_ratio("0.5 nm", 2.0)) == pytest.approx(1e-9)


def test_a_metric_of_one_run_takes_the_first_one_and_the_settings_of_the_claim():
    claim = papers.load_claim("rv-hrs").model_copy(update={"metric": "retention", "settings": {}})
    states = [
        outputs.dataset({"read_time": [1.0, 10.0] * 2, "read_resistance": [9.0, 9.0, 1.0, low]}) for low in (1.0, 3.0)
    ]
    trials = [ClaimTrial("case", 0.0, None, ds) for ds in states]
    assert papers.figure_numbers(claim, trials)["low_kept"] == pytest.approx(1.0)
    wrong = claim.model_copy(update={"settings": {"settling": 3}})
    with pytest.raises(TypeError, match="settling"):
        papers.figure_numbers(wrong, trials)

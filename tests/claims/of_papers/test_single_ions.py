"""Scatter of pulses, spread over contacts and relaxation, on made runs with known numbers; and their pictures."""

from types import SimpleNamespace

import numpy as np
import pytest

from otjdd.claims import papers, report
from otjdd.claims.claim import Claim, Figure, Verdict
from otjdd.results import outputs

variability = papers.module(papers.shipped_claims() / "variability" / "single_ions.py")


def made(name, current, time=None, **case):
    parts = {"device": {"disc_radius": 1e-6}, "ions": {"noise": "shot"}, "columns": {"count": 8}} | case
    ds = {"read_current": current} | ({} if time is None else {"read_time": time})
    case = SimpleNamespace(**{key: SimpleNamespace(**value) for key, value in parts.items()})
    return SimpleNamespace(name=name, case=case, ds=outputs.dataset(ds))


def trains(sigma):
    """A smooth run and two with independent scatter of ln I, in a junction whose radius is 1e-8 m over sigma."""
    smooth, random = 1e-6 * np.exp(-np.linspace(0, 3, 401)), np.random.default_rng(1)
    of = {"device": {"disc_radius": 1e-8 / sigma}}
    yield made("contact", smooth, **of, ions={"noise": "none"})
    for _ in range(2):
        yield made("contact", smooth * np.exp(sigma * random.standard_normal(401)), **of)


def picture(metric, trials, found, **settings):
    figures = [Figure(name=next(iter(found)), label="it", value=0.1, within="x2")]
    claim = Claim(
        claim="it is", source="nobody", cases={"a": "li2019"}, metric=metric, figure=figures, settings=settings
    )
    claim._folder = papers.shipped_claims() / "variability"
    return report.picture(Verdict("made", claim, found, (), trials=tuple(trials))).axes


def test_pulses_scatter_about_the_run_without_noise_and_by_the_area():
    runs = [*trains(0.01), *trains(0.04)]
    found = variability.pulse_scatter(runs, measured=0.02)
    assert found["scatter_1"] == pytest.approx(0.04, rel=0.1)
    assert found["scatter_2"] == pytest.approx(0.01, rel=0.1)
    assert found["radius"] == pytest.approx(0.5e-6, rel=0.1)
    assert len(picture("pulse_scatter", runs, found)) == 2
    with pytest.raises(ValueError, match="one run without noise"):
        variability.pulse_scatter(runs[1:3], measured=0.02)


def test_the_spread_of_drawn_columns_goes_with_the_root_of_their_number():
    rows = {"drawn": (1.0, 2.0), "shot": (1.0, 1.1), "switching": (1.0, 1.0)}
    runs = [made(name, [1e-6, factor * 1e-7]) for name, pair in rows.items() for factor in pair]
    found = variability.contact_spread(runs, columns=32)
    assert found["drawn_1"] == pytest.approx(0.0, abs=1e-12)
    assert found["drawn_2"] == pytest.approx(0.5 * np.log(2) / np.sqrt(2))
    assert found["shot_2"] == pytest.approx(np.log(1.1) / np.sqrt(2))
    assert len(picture("contact_spread", runs, found, columns=32)) == 1


def test_a_level_relaxes():
    time = [0.0, 1.0, 2.0, 1e5, 2e5]
    runs = [made("seeds", np.exp([-3.0, x, x + a, x + 2 * a, x + 2 * a]), time) for x, a in ((0.3, -0.1), (-0.2, 0.1))]
    found = variability.relaxation(runs)
    assert found["soon"] == pytest.approx(0.1 * np.sqrt(2))
    assert (found["growth"], found["end"], found["fall"]) == pytest.approx((2.0, 1.0, 0.0), abs=1e-12)
    assert len(picture("relaxation", runs, found)) == 2
    with pytest.raises(ValueError, match="4 reads"):
        variability.relaxation([made("seeds", [1.0, 2.0, 3.0, 4.0])])

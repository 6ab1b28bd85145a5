"""Pictures of claims: what the simulation gave, and the numbers of the paper within the axes."""

import numpy as np
import pytest
from made_results import WRITES, curves, labels, reads

from otjdd.claims import papers, report
from otjdd.claims.claim import Claim, ClaimTrial, Figure, Verdict
from otjdd.claims.report import PAPER


def picture(metric: str, ds, figures: list[Figure], found: dict, **settings):
    """Axes of the picture of a claim with one result."""
    claim = Claim(
        claim="it is", source="nobody", cases={"a": "li2019"}, metric=metric, figure=figures, settings=settings
    )
    claim._folder = papers.shipped_claims() / "li-2019"
    return report.picture(Verdict("made", claim, found, (), trials=(ClaimTrial("case", np.nan, None, ds),))).axes


def paper_lines(axes) -> list[float]:
    """Heights of the lines of the paper."""
    return [float(np.mean(line.get_ydata())) for line in axes.lines if line.get_color() == PAPER]


def test_the_paper_is_drawn_into_the_loop_and_its_legend():
    ds = reads(WRITES, np.array([5.0, 4.0, 3.0, 2.0, 1.0, 9.0]) * 1e6)
    figures = [Figure(name="ratio", label="OFF/ON", value=4.0, within="x2")]
    axes = picture("loop", ds, figures, {"low": 1e6})[0]
    assert paper_lines(axes) == [4e6]
    assert labels(axes) == ["paper, 4 × low"]
    assert axes.get_title(loc="left") == ""  # what it said stands in the legend


def test_microsiemens_of_the_paper_lie_among_the_conductances():
    G = np.tile(np.concatenate([np.linspace(1e-6, 5e-6, 20), np.linspace(5e-6, 1e-6, 20)]), 2)
    ds = reads(np.tile(np.repeat([2.2, -2.5], 20), 2), 1 / G)
    figures = [Figure(name="highest", label="highest", unit="uS", value=10.5, within="x2")]
    axes = picture("potentiation", ds, figures, {"highest": 5.0})[0]
    assert paper_lines(axes) == pytest.approx([10.5e-6])
    low, high = axes.get_ylim()
    assert low == 0
    assert 10.5e-6 < high < 30e-6
    assert axes.get_ylabel() == "conductance (µS)"


def test_the_line_of_the_paper_has_the_slope_of_its_energy_on_the_axis_of_the_picture():
    figures = [Figure(name="activation_energy", label="E", unit="eV", value=0.55, within=0.05)]
    axes = picture("thermal", curves(0.3), figures, {"activation_energy": 0.3}, state="HRS")[1]
    assert axes.get_ylabel() == "|I| / T² at 0.1 V (A/K²)"
    assert labels(axes) == ["HRS: 0.300 eV", "paper: 0.55 eV"]
    line = next(line for line in axes.lines if line.get_color() == PAPER)
    slope = np.polyfit(line.get_xdata(), np.log(line.get_ydata()), 1)[0]
    assert -slope * 1000 * 8.617333262e-5 == pytest.approx(0.55)


def test_retention_names_the_paper_once():
    since = np.array([1.0, 10.0, 100.0, 999.0])
    ends = np.repeat([1e-3, 2000.0], 4)
    ds = reads(
        np.full(8, np.nan), np.repeat([1e8, 1e5], 4), ends + np.tile(since, 2),
        write_end=ends, write_end_voltage=np.repeat([-4.3, 2.2], 4),
    )  # fmt: skip
    figures = [Figure(name=f"{state}_kept", label=state, value=1.0, within="20 %") for state in ("high", "low")]
    axes = picture("retention", ds, figures, {"high_kept": 1.0, "low_kept": 1.0})[0]
    assert labels(axes).count("paper") == 1
    assert paper_lines(axes) == pytest.approx([1e8, 1e5])

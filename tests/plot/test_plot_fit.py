"""Figures of calibrations: pairs of aims, the front between them, and what is refused."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from otjdd.plot.figure import figure
from otjdd.results.store import CALIBRATION

AIMS = ("barrier", "barrier", "resistance", "threshold")


def record() -> xr.Dataset:
    """Sets of which a small barrier excludes a small resistance; the threshold is always met."""
    x = np.linspace(0.0, 4.0, 21)
    distances = np.stack([x, x / 2, 4.0 - x, 0 * x], axis=1)
    distances[3, 2] = np.nan
    coords = {"target": ["height", "slope", "R", "V"], "aim": ("target", list(AIMS))}
    return xr.Dataset({"visited_distance": (("visit", "target"), distances)}, coords, {CALIBRATION: "made"})


def test_the_pairs_that_exclude_each_other_are_drawn_with_their_front():
    (axes,) = figure(record()).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("barrier: distance in tolerances", "resistance")
    sets, front, both = axes.lines
    assert len(sets.get_xdata()) == len(front.get_xdata()) == 20
    assert both.get_label() == "both within 2"
    assert any("0 of 21 sets; 1 could not be computed" in text.get_text() for text in axes.texts)


def test_named_aims_are_drawn_pair_by_pair_also_targets_and_what_goes_together():
    fig = figure(record(), ["threshold", "slope", "R"])
    assert [axes.get_ylabel() for axes in fig.axes] == ["slope", "R", "R"]
    assert [line.get_label() for line in fig.axes[0].lines] == ["evaluated sets", "Pareto front"]


def test_what_cannot_be_drawn_says_why():
    with pytest.raises(ValueError, match="no two targets exclude each other; name two of height, slope"):
        figure(record().isel(visit=slice(0, 3)).assign(visited_distance=lambda ds: 0 * ds.visited_distance))
    with pytest.raises(ValueError, match="older version"):
        figure(record().drop_vars("visited_distance"))
    with pytest.raises(ValueError, match="a calibration is drawn alone"):
        figure([record(), record()])


def test_axes_of_a_user_get_no_letters():
    own = Figure().subplots(1, 3)
    figure(record(), ["threshold", "slope", "R"], ax=own)
    assert [axes.get_ylabel() for axes in own] == ["slope", "R", "R"]
    assert not any(text.get_fontweight() == "bold" for axes in own for text in axes.texts)

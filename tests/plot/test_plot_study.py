"""Figures of studies: which panel is drawn for what was varied, and what is told on it."""

import numpy as np
import pytest
import xarray as xr

from otjdd.plot import study, style
from otjdd.studies.dataset import SAMPLE_COUNT, SAMPLE_METHOD


def made(sizes: dict, inner: int = 0, attrs=None, coords=None):
    """A Dataset as a study makes it: a smooth result over axes of some lengths."""
    shape = tuple(sizes.values())
    values = 10.0 ** sum(np.indices(shape))
    known = {
        "thickness": ("m", np.linspace(2e-9, 3e-9, 20)),
        "width": ("s", np.logspace(-9, -3, 20)),
        "law": ("1", None),
    }
    places = {}
    for dim, n in sizes.items():
        unit, x = known.get(dim, ("1", np.arange(20.0)))
        if dim != "sample":
            places[dim] = (dim, np.array([f"law {i}" for i in range(n)]) if x is None else x[:n], {"units": unit})
    ds = xr.Dataset({"R": (tuple(sizes), values, {"units": "ohm"})}, places | (coords or {}), attrs or {})
    if inner:
        ds = ds.expand_dims(read=inner, axis=-1)
    return ds.assign(status=(tuple(sizes), np.zeros(shape, dtype="i1")), reason=(tuple(sizes), np.full(shape, "")))


def labels(fig) -> list[str]:
    return [axes.get_xlabel() for axes in fig.axes if axes.get_xlabel()]


def test_one_axis_is_a_curve_with_its_unit():
    fig = study.figure(made({"thickness": 5}))
    assert labels(fig) == ["thickness (nm)"]
    assert fig.axes[0].get_ylabel() == "R (Ω)"
    assert fig.axes[0].get_yscale() == "log"
    assert fig.axes[0].lines[0].get_xydata()[2] == pytest.approx([2e-9 + 2e-9 / 19, 100])


def test_a_short_second_axis_is_a_colour_and_a_long_one_a_map(tmp_path):
    short = study.figure(made({"thickness": 8, "law": 3}))
    assert [line.get_label() for line in short.axes[0].lines] == ["law 0", "law 1", "law 2"]
    large = study.figure(made({"thickness": 8, "width": 7}))
    assert large.axes[0].get_yscale() == "log"
    assert len(large.axes) == 2  # the map and its colours
    style.save(large, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_three_axes_are_a_map_for_each_place_of_the_shortest():
    fig = study.figure(made({"thickness": 8, "width": 7, "law": 3}))
    assert [t for a in fig.axes if (t := a.get_title(loc="left"))] == ["law law 0", "law law 1", "law law 2"]


def test_of_rows_the_last_number_is_drawn():
    fig = study.figure(made({"thickness": 5}, inner=4))
    assert fig.axes[0].lines[0].get_ydata()[0] == 1


def test_draws_are_lines_over_their_keys_and_along_an_axis_their_median():
    x = np.linspace(1, 2, 9)
    coords = {"a.barrier": ("sample", x), "b.law": ("sample", np.array(["x", "y", "x"] * 3, dtype=object))}
    fig = study.figure(made({"sample": 9}, coords=coords))
    assert len(fig.axes[0].lines) == 9
    assert [t.get_text() for t in fig.axes[0].get_xticklabels()] == ["barrier", "law"]
    fig = study.figure(made({"sample": 9, "thickness": 5}, coords=coords))
    assert labels(fig) == ["thickness (nm)"]
    assert fig.axes[0].lines[-1].get_label() == "median of 9"


def test_the_design_for_indices_is_drawn_as_indices():
    coords = {key: ("sample", np.arange(64.0)) for key in ("one", "two")}
    for inner in (0, 3):
        attrs = {SAMPLE_METHOD: "saltelli", SAMPLE_COUNT: 16}
        fig = study.figure(made({"sample": 64}, inner, attrs, coords))
        assert labels(fig) == ["share of the variance"]
        assert fig.axes[0].get_title(loc="left") == "log R"


def test_what_cannot_be_drawn_is_refused_in_words():
    with pytest.raises(ValueError, match="'G' is none of what was kept: R"):
        study.figure(made({"thickness": 5}), ["G"])
    ds = made({"thickness": 5})
    with pytest.raises(ValueError, match="no point"):
        study.figure(ds.assign(R=ds.R * np.nan))

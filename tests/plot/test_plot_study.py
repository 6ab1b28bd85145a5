"""Figures of studies: which panel is drawn for what was varied, and what is told on it."""

import numpy as np
import pytest
import xarray as xr
from made_results import case_attrs

from otjdd.plot import study, style
from otjdd.plot.runs import key_in_words, with_words
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
    ds = xr.Dataset(
        {"R": (tuple(sizes), values, {"units": "ohm", "long_name": "resistance"})}, places | (coords or {}), attrs or {}
    )
    if inner:
        ds = ds.expand_dims(read=inner, axis=-1)
    text = {name: (tuple(sizes), np.full(shape, "", dtype=object)) for name in ("reason", "model_limits")}
    return ds.assign(status=(tuple(sizes), np.zeros(shape, dtype="i1")), **text)


def labels(fig) -> list[str]:
    return [axes.get_xlabel() for axes in fig.axes if axes.get_xlabel()]


def test_one_axis_is_a_curve_with_its_unit():
    fig = study.study_figure(made({"thickness": 5}))
    assert labels(fig) == ["thickness (nm)"]
    assert fig.axes[0].get_ylabel() == "resistance (Ω)"
    assert fig.axes[0].get_yscale() == "log"
    long = made({"thickness": 5}).rename(R="drift.time")
    long["drift.time"].attrs["long_name"] = "a meaning " * 9
    assert study.study_figure(long).axes[0].get_ylabel().startswith("drift time (")
    assert fig.axes[0].lines[0].get_xydata()[2] == pytest.approx([2e-9 + 2e-9 / 19, 100])


def test_a_result_that_was_not_kept_is_refused_with_those_that_were():
    with pytest.raises(ValueError, match=r"'r' is none of what was kept.*: R"):
        study.study_figure(made({"thickness": 5}), "r")


def test_a_short_second_axis_is_a_colour_and_a_long_one_a_map(tmp_path):
    short = study.study_figure(made({"thickness": 8, "law": 3}))
    assert [line.get_label() for line in short.axes[0].lines] == ["law 0", "law 1", "law 2"]
    large = study.study_figure(made({"thickness": 8, "width": 7}))
    assert large.axes[0].get_yscale() == "log"
    assert len(large.axes) == 2  # the map and its colours
    style.save(large, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_three_axes_are_a_map_for_each_place_of_the_shortest():
    fig = study.study_figure(made({"thickness": 8, "width": 7, "law": 3}))
    assert [t for a in fig.axes if (t := a.get_title(loc="left"))] == ["law law 0", "law law 1", "law law 2"]


def test_draws_are_lines_over_their_keys_and_along_an_axis_their_median():
    x = np.linspace(1, 2, 9)
    coords = {"a.barrier": ("sample", x), "b.law": ("sample", np.array(["x", "y", "x"] * 3, dtype=object))}
    fig = study.study_figure(made({"sample": 9}, coords=coords))
    shares, lines = fig.axes[:2]
    np.testing.assert_allclose(shares.lines[0].get_xydata()[:2], [[1, 100 / 18], [10, 300 / 18]])
    assert len(lines.lines) == 9
    assert [t.get_text() for t in lines.get_xticklabels()] == ["a barrier", "b law"]
    assert len(study.study_figure(made({"sample": 9}, coords=coords), "box").axes) == 1
    fig = study.study_figure(made({"sample": 9, "thickness": 5}, coords=coords))
    assert labels(fig) == ["thickness (nm)"]
    assert fig.axes[0].lines[-1].get_label() == "median of 9"


def test_the_design_for_indices_is_drawn_as_indices():
    coords = {key: ("sample", np.arange(64.0)) for key in ("one", "two")}
    for inner in (0, 3):
        attrs = {SAMPLE_METHOD: "saltelli", SAMPLE_COUNT: 16}
        fig = study.study_figure(made({"sample": 64}, inner, attrs, coords))
        assert labels(fig) == ["fraction of the variance"]
        assert fig.axes[0].get_legend().get_title().get_text() == "of log₁₀ resistance"


def notes(fig) -> str:
    return " ".join(text.get_text().replace("\n", " ") for axes in fig.axes for text in axes.texts)


def test_what_a_picture_leaves_out_is_told_on_it():
    assert notes(study.study_figure(made({"thickness": 5}))) == ""
    assert notes(study.study_figure(made({"thickness": 5}, inner=4))) == "drawn at read 4 (the last of 4)"
    fig = study.study_figure(made({"thickness": 9, "width": 8, "law": 7}))
    assert "6 of 7 values of law are drawn" in notes(fig)
    ds = made({"thickness": 5})
    ds["R"][2] = np.nan
    assert notes(study.study_figure(ds)) == "1 of 5 points failed or are missing"


def test_keys_are_told_by_the_parts_they_belong_to_and_places_by_what_differs_in_them():
    drive = """{ kind = "sequence", parts = [
      { kind = "pulse", voltage = "0 V", width = "1 us" }, { kind = "pulse", voltage = "2 V", width = "1 us" } ] }"""
    ds = made({"thickness": 8, "law": 2}, attrs=case_attrs(drive)).drop_vars("law").rename(law="point")
    laws = ['{ law = "linear", eps_r = 4 }', '{ law = "nonlinear", b = "1e10 V/m" }']
    ds = ds.assign_coords({"device.film.permittivity": ("point", np.array(laws, dtype=object))})
    ds = ds.rename(thickness="drive.parts[1].width")
    fig = study.study_figure(ds)
    assert labels(fig) == ["pulse width (nm)"]
    assert [t.get_text() for t in fig.axes[0].get_legend().get_texts()] == [
        "linear permittivity",
        "nonlinear permittivity",
    ]


def test_the_keys_of_a_layer_are_named_by_its_material():
    """Two layers of one material, or without a material, are counted."""
    layer = """[[device.film.layers]]
        material = "{}"
        """
    for materials, words in ((("HfO2", "TiO2"), "TiO2 thickness"), (("TiO2", "TiO2"), "layer 2 thickness")):
        attrs = {"case_resolved": "".join(layer.format(name) for name in materials)}
        ds = xr.Dataset(coords={"device.film.layers[1].thickness": [1e-9, 2e-9]}, attrs=attrs)
        assert key_in_words(with_words(ds), "device.film.layers[1].thickness") == words

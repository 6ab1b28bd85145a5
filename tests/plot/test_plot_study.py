"""Figures of studies and calibrations: what is refused, axes of a user, and keys in words."""

import pytest
import xarray as xr
from made_studies import front, study_of
from matplotlib.figure import Figure

from otjdd.plot.figure import figure
from otjdd.plot.runs import key_in_words, with_words
from otjdd.plot.study import study_figure


def test_a_result_that_was_not_kept_is_refused_with_those_that_were():
    with pytest.raises(ValueError, match=r"'r' is none of what was kept.*: R"):
        study_figure(study_of({"thickness": 5}), "r")


def test_the_keys_of_a_layer_are_named_by_its_material():
    """Two layers of one material, or without a material, are counted."""
    layer = """[[device.film.layers]]
        material = "{}"
        """
    for materials, words in ((("HfO2", "TiO2"), "TiO2 thickness"), (("TiO2", "TiO2"), "layer 2 thickness")):
        attrs = {"case_resolved": "".join(layer.format(name) for name in materials)}
        ds = xr.Dataset(coords={"device.film.layers[1].thickness": [1e-9, 2e-9]}, attrs=attrs)
        assert key_in_words(with_words(ds), "device.film.layers[1].thickness") == words


def test_what_cannot_be_drawn_says_why():
    with pytest.raises(ValueError, match="no two targets exclude each other; name two of height, slope"):
        figure(front().isel(visit=slice(0, 3)).assign(visited_distance=lambda ds: 0 * ds.visited_distance))
    with pytest.raises(ValueError, match="older version"):
        figure(front().drop_vars("visited_distance"))
    with pytest.raises(ValueError, match="a calibration is drawn alone"):
        figure([front(), front()])


def test_axes_of_a_user_get_no_letters():
    own = Figure().subplots(1, 3)
    figure(front(), ["threshold", "slope", "R"], ax=own)
    assert [axes.get_ylabel() for axes in own] == ["slope", "R", "R"]
    assert not any(text.get_fontweight() == "bold" for axes in own for text in axes.texts)

"""Figures of studies: which panel is drawn for what was varied, and what is told on it."""

import numpy as np
import pytest
import xarray as xr
from made_cycles import RADII, cycled
from made_results import case_attrs

from otjdd.plot import study, style
from otjdd.plot.runs import with_words, words_of
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
    assert fig.axes[0].lines[0].get_xydata()[2] == pytest.approx([2e-9 + 2e-9 / 19, 100])


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


def test_of_rows_the_last_number_is_drawn():
    fig = study.study_figure(made({"thickness": 5}, inner=4))
    assert fig.axes[0].lines[0].get_ydata()[0] == 1


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


def test_what_cannot_be_drawn_is_refused_in_words():
    with pytest.raises(ValueError, match="'G' is none of what was kept: R"):
        study.study_figure(made({"thickness": 5}), "G")
    ds = made({"thickness": 5})
    with pytest.raises(ValueError, match="no point"):
        study.study_figure(ds.assign(R=ds.R * np.nan))


def notes(fig) -> str:
    return " ".join(text.get_text().replace("\n", " ") for axes in fig.axes for text in axes.texts)


def test_maps_of_one_result_share_one_scale_of_colours():
    fig = study.study_figure(made({"thickness": 8, "width": 7, "law": 3}))
    maps = [axes.collections[0] for axes in fig.axes[:3]]
    assert len({(m.norm.vmin, m.norm.vmax) for m in maps}) == 1
    assert (maps[0].norm.vmin, maps[0].norm.vmax) == (1, 10 ** (7 + 6 + 2))
    assert len(fig.axes) == 4  # one bar of colours for all three
    assert fig.axes[3].get_ylabel() == "resistance (Ω)"


def test_what_a_picture_leaves_out_is_told_on_it():
    assert notes(study.study_figure(made({"thickness": 5}))) == ""
    assert notes(study.study_figure(made({"thickness": 5}, inner=4))) == "drawn at read 4 (the last of 4)"
    fig = study.study_figure(made({"thickness": 9, "width": 8, "law": 7}))
    assert "6 of 7 values of law are drawn" in notes(fig)
    ds = made({"thickness": 5})
    ds["R"][2] = np.nan
    assert notes(study.study_figure(ds)) == "1 of 5 points failed or are missing"


def test_a_fourth_axis_is_drawn_at_its_first_place_and_said_so():
    fig = study.study_figure(made({"thickness": 9, "width": 8, "law": 3, "step": 2}))
    assert "step 0 only (the first of 2)" in notes(fig)


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


def test_bias_points_that_are_not_drawn_are_told_with_their_voltage():
    ds = (
        made({"thickness": 5}, inner=4)
        .rename(read="bias")
        .assign_coords(bias=("bias", [-0.5, 0.0, 0.1, 0.5], {"units": "V"}))
    )
    assert notes(study.study_figure(ds)) == "drawn at bias 500 mV (the last of 4)"


def test_results_beyond_the_first_few_are_named():
    ds = made({"thickness": 5})
    ds = ds.assign({f"R{i}": ds.R for i in range(7)})
    fig = study.study_figure(ds)
    assert fig.get_supxlabel() == "not drawn: R5, R6"
    assert study.study_figure(ds, ["R6"]).get_supxlabel() == ""


def test_a_study_is_drawn_by_the_same_name_as_a_result():
    import otjdd
    from otjdd.studies.dataset import ENGINE

    fig = otjdd.figure(made({"thickness": 5}, attrs={ENGINE: "x"}), "R")
    assert labels(fig) == ["thickness (nm)"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("device.film.thickness", "film thickness"),
        ("ions.activation_energy", "ion activation energy"),
        ("drive.parts[1].voltage", "voltage of part 2"),
        ("temperature", "temperature"),
    ],
)
def test_keys_are_axes_in_words(key, words):
    from otjdd.plot.runs import readable

    assert readable(key) == words


def test_cycled_devices_are_distributions_boxes_and_scatter_against_area_and_resistance():
    from scipy.special import ndtri

    ds = cycled(40, 10, radii=RADII, power=-0.5)
    fig = study.study_figure(ds)
    cdf, box, sigma, against = fig.axes
    assert cdf.get_ylabel() == "cumulative fraction of reads (%)"
    low = cdf.lines[0].get_xydata()
    np.testing.assert_allclose(low[:, 1], 100 * (np.arange(400) + 0.5) / 400)
    to_axes = cdf.transScale.transform(low)
    np.testing.assert_allclose(to_axes[:, 1], ndtri(low[:, 1] / 100), atol=1e-9)
    assert np.corrcoef(to_axes.T)[0, 1] > 0.99  # log-normal is straight
    assert len(box.get_xticks()) == 6
    assert sigma.get_xlabel() == "area of the junction (µm²)"
    assert against.get_xlabel() == "median resistance (kΩ)"
    assert labels_of(sigma)[0].startswith("low, cycle to cycle ∝ area$^{-0.2")
    assert len(study.study_figure(ds, "sigma").axes) == 1


def test_cycled_devices_of_one_size_have_no_axis_and_zeros_are_told():
    ds = cycled(5, 4, c2c=(0.0, 0.0))
    assert study.kinds_of(ds) == ("cdf", "box", "sigma-median", "parallel")
    ds = ds.assign(
        read_resistance=ds.read_resistance.isel(read=[0, 1])
        .expand_dims(again=4)
        .stack(r=("again", "read"))
        .drop_vars(["r", "again", "read"], errors="ignore")
        .rename(r="read")
    )
    (axes,) = study.study_figure(ds, "sigma-median").axes
    assert axes.get_legend().get_title().get_text() == "2 of 4 are zero and not drawn"
    with pytest.raises(ValueError, match="'sigma' is none of what was kept"):
        study.study_figure(ds, "sigma")


def labels_of(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_panels_of_a_study_have_letters_and_a_single_one_has_none():
    ds = made({"thickness": 5})
    two = study.study_figure(ds.assign(S=ds.R))
    assert [[text.get_text() for text in axes.texts] for axes in two.axes] == [["a"], ["b"]]
    assert not study.study_figure(ds).axes[0].texts


def test_axes_and_notes_of_a_study_have_words_and_no_keys():
    ds = made({"width": 5}).rename(width="drive.time").expand_dims({"drive.read_times": [1.0, 2.0]}, axis=-1)
    ds = ds.assign({name: ds[name].isel({"drive.read_times": 0}) for name in ("status", "reason", "model_limits")})
    (axes,) = study.study_figure(ds).axes
    assert axes.get_xlabel() == "time"
    assert [text.get_text() for text in axes.texts] == ["drawn at read times 2 (the last of 2)"]


def test_a_sign_is_drawn_as_steps_and_a_number_is_not():
    ds = made({"thickness": 5})
    sign = ds.R.copy(data=[-1.0, -1.0, np.nan, 1.0, 1.0]).assign_attrs(units="1")
    (axes,) = study.study_figure(ds.assign(R=sign)).axes
    assert axes.lines[0].get_drawstyle() == "steps-mid"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["−", "0", "+"]
    assert study.study_figure(ds).axes[0].lines[0].get_drawstyle() == "default"


def test_the_keys_of_a_layer_are_named_by_its_material():
    """Two layers of one material, or without a material, are counted."""
    layer = """[[device.film.layers]]
        material = "{}"
        """
    for materials, words in ((("HfO2", "TiO2"), "TiO2 thickness"), (("TiO2", "TiO2"), "layer 2 thickness")):
        attrs = {"case_resolved": "".join(layer.format(name) for name in materials)}
        ds = xr.Dataset(coords={"device.film.layers[1].thickness": [1e-9, 2e-9]}, attrs=attrs)
        assert words_of(with_words(ds), "device.film.layers[1].thickness") == words

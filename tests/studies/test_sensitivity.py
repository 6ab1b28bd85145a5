"""Sensitivities of a study to its keys, where the answer is known."""

import numpy as np
import pytest
import xarray as xr

from otjdd.studies import dataset
from otjdd.studies.dataset import SAMPLE_COUNT, SAMPLE_METHOD


def ishigami(x):
    """Ishigami and Homma, 1990, with a = 7, b = 0.1; x (..., 3) between -pi and pi."""
    return np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])


def sampled(count, f=ishigami):
    """The Dataset of a saltelli study of f."""
    from scipy.stats import qmc

    both = (2 * qmc.Sobol(6, rng=np.random.default_rng(5)).random(count) - 1) * np.pi
    A, B = both[:, :3], both[:, 3:]
    x = np.concatenate([A, B, *(np.where(np.arange(3) == i, B, A) for i in range(3))])
    coords = {key: ("sample", x[:, i]) for i, key in enumerate(("one", "two", "three"))}
    attrs = {SAMPLE_METHOD: "saltelli", SAMPLE_COUNT: count}
    return xr.Dataset({"f": ("sample", f(x))}, coords, attrs)


def test_sobol_indices_of_a_function_whose_indices_are_known():
    found = dataset.sobol_indices(sampled(4096), "f")
    assert found.first.values == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)
    assert found.total.values == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.01)
    for kind, exact in (("first", [0.3139, 0.4424, 0.0]), ("total", [0.5576, 0.4424, 0.2437])):
        assert (found[f"{kind}_low"].values - 0.01 < exact).all()
        assert (found[f"{kind}_high"].values + 0.01 > exact).all()


def test_sobol_indices_are_those_of_scipy():
    from scipy.stats import sobol_indices

    ds = sampled(256)
    blocks = ds.f.values.reshape(5, 256)
    known = sobol_indices(func={"f_A": blocks[:1], "f_B": blocks[1:2], "f_AB": blocks[2:, None]}, n=256)
    found = dataset.sobol_indices(ds, "f")
    assert found.first.values == pytest.approx(known.first_order.ravel(), abs=1e-9)
    assert found.total.values == pytest.approx(known.total_order.ravel(), abs=1e-9)


def test_rows_with_a_failed_point_are_left_out():
    ds = sampled(1024)
    whole = dataset.sobol_indices(ds, "f")
    ds["f"][[5, 2000, 4000]] = np.nan
    found = dataset.sobol_indices(ds, "f")
    assert int(whole.rows) - int(found.rows) == 3
    assert found.total.values == pytest.approx(whole.total.values, abs=0.02)


def test_sobol_indices_of_another_sample_are_refused():
    ds = sampled(16)
    with pytest.raises(ValueError, match="saltelli"):
        dataset.sobol_indices(ds.assign_attrs({SAMPLE_METHOD: "sobol"}), "f")
    with pytest.raises(ValueError, match=r"0 of .* rows"):
        dataset.sobol_indices(ds.assign(f=ds.f * np.nan), "f")


def test_a_decay_is_found_again_at_every_place_of_the_other_axis():
    d, T = np.linspace(2e-9, 4e-9, 6), np.array([280.0, 300.0])
    R = 10.0 ** (d[:, None] * 1e9 * np.array([2.0, 3.0]))
    R[0, 1] = np.nan
    ds = xr.Dataset({"R": (("d", "T"), R)}, {"d": d, "T": T})
    found = dataset.slope(ds, "R", "d", log_y=True)
    assert found.slope.values == pytest.approx([2e9, 3e9])
    assert found.correlation.values == pytest.approx([1, 1])
    ds["R"][2:, 0] = np.nan
    assert np.isnan(dataset.slope(ds, "R", "d").slope.values[0])
    with pytest.raises(ValueError, match="no numeric axis"):
        dataset.slope(ds, "R", "x")


def test_a_slope_per_decade():
    ds = xr.Dataset({"V": ("t", [3.0, 2.5, 2.0])}, {"t": [1e-9, 1e-8, 1e-7]})
    assert dataset.slope(ds, "V", "t", log_x=True).slope == pytest.approx(-0.5)

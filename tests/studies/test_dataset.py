"""What follows from the points of a study: sensitivities, and how much states scatter."""

import numpy as np
import pytest
import xarray as xr
from made_cycles import RADII, cycled

import otjdd
from otjdd.analysis.current_noise import scatter
from otjdd.analysis.synapse import two_in_turn
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


def test_the_scatter_of_four_numbers_is_the_one_by_hand():
    found = scatter([[1.0, 3.0], [5.0, 9.0]])
    assert found.c2c**2 == pytest.approx((2 + 8) / 2)  # squares about the means 2 and 7, two degrees of freedom
    assert found.d2d**2 == pytest.approx(12.5 - 5 / 2)  # variance of the means less c2c^2 / n
    assert found.drift == pytest.approx(3.0)
    assert (found.devices, found.cycles) == (2, 2)


def test_devices_of_unlike_lengths_are_those_of_scipy_and_equal_devices_have_no_scatter():
    from scipy.stats import f_oneway

    x = np.full((3, 4), np.nan)
    for row, values in zip(x, ([1.0, 2.0], [2.0, 4.0, 3.0, 5.0], [0.0, 1.0, 5.0]), strict=True):
        row[: len(values)] = values
    found = scatter(x)
    F = f_oneway(*(row[np.isfinite(row)] for row in x)).statistic
    each = (9 - (4 + 16 + 9) / 9) / 2
    assert found.d2d**2 == pytest.approx(max(0.0, (F - 1) * found.c2c**2 / each))
    same = scatter(np.tile([1.0, 2.0, 4.0], (5, 1)))
    assert same.d2d == 0 < same.d2d_error


def test_too_few_numbers_are_nan_and_one_cycle_holds_both():
    one_device = scatter([[1.0, 2.0, 4.0]])
    assert np.isnan([one_device.d2d, one_device.d2d_error, one_device.drift_error]).all()
    assert one_device.c2c == pytest.approx(np.std([1, 2, 4], ddof=1))
    one_cycle = scatter([[1.0], [2.0], [4.0]])
    assert np.isnan([one_cycle.c2c, one_cycle.c2c_error, one_cycle.drift]).all()
    assert one_cycle.d2d == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert scatter([[np.nan, np.nan]]).devices == 0


@pytest.mark.parametrize(("c2c", "d2d", "cycles"), [(0.2, 0.4, 20), (0.5, 0.1, 4), (0.1, 0.3, 2)])
def test_standard_errors_are_the_scatter_of_repeated_studies(c2c, d2d, cycles):
    rng = np.random.default_rng(3)
    draws = [scatter(d2d * rng.standard_normal((50, 1)) + c2c * rng.standard_normal((50, cycles))) for _ in range(400)]
    for name, true in (("c2c", c2c), ("d2d", d2d)):
        values, errors = (np.array([getattr(one, f"{name}{end}") for one in draws]) for end in ("", "_error"))
        assert np.mean(values**2) == pytest.approx(true**2, rel=0.04 if name == "c2c" or d2d > c2c else 0.3)
        if name == "c2c" or d2d > c2c:
            assert np.std(values) == pytest.approx(np.median(errors), rel=0.12)


def test_both_states_have_their_scatter_their_median_and_errors_with_units():
    found = otjdd.variability(cycled(400, 50))
    for state, c2c, d2d, median in (("low", 0.05, 0.1, 1e4), ("high", 0.2, 0.4, 1e6)):
        one = found.sel(state=state)
        for name, true in (("sigma_c2c", c2c), ("sigma_d2d", d2d), ("median_resistance", median), ("drift", 0.0)):
            assert abs(one[name] - true) < 3 * one[f"{name}_error"], name
        assert 0.9 * d2d / 800**0.5 < one.sigma_d2d_error < 1.1 * d2d / 780**0.5
    assert found.median_resistance.attrs["units"] == "ohm"
    assert all({"units", "long_name"} <= set(one.attrs) for one in found.variables.values())
    assert (int(found.devices[0]), int(found.cycles[0])) == (400, 50)


def test_the_scatter_of_sizes_goes_with_their_area():
    found = otjdd.variability(cycled(100, 20, radii=RADII, power=-1.0))
    np.testing.assert_allclose(found.junction_area, np.pi * np.square(RADII))
    line = otjdd.slope(found, "sigma_c2c", "device.radius", log_x=True, log_y=True)
    np.testing.assert_allclose(line.slope, -1, atol=0.02)


def test_failed_points_are_left_out_and_first_cycles_on_request():
    ds = cycled(30, 10, radii=RADII)
    ds.read_resistance[0] = np.nan
    ds.write_voltage[0] = np.nan
    ds.read_resistance[1, 3] = np.nan
    ds.write_voltage[1, 3] = np.nan
    found = otjdd.variability(ds)
    assert np.isnan(found.sigma_c2c[:, 0]).all()
    assert found.devices.sel(state="low").values.tolist() == [0, 29, 30]
    ds.read_resistance[2, :, :2] *= 1e3
    assert otjdd.variability(ds).sigma_c2c[1, 2] > 1
    assert otjdd.variability(ds, settling=1).sigma_c2c[1, 2] < 0.3
    with pytest.raises(ValueError, match="settling = 10 leaves no cycle"):
        otjdd.variability(ds, settling=10)


def test_studies_without_cycled_devices_are_refused_in_words():
    ds = cycled()
    with pytest.raises(ValueError, match=r'no write_voltage: study.keep = \["read_resistance", "write_voltage"\]'):
        otjdd.variability(ds.drop_vars("write_voltage"))
    with pytest.raises(ValueError, match=r"no devices: \[study.sample\]"):
        otjdd.variability(ds.rename(sample="row"))
    seeds = ds.rename(sample="ions.seed").assign_coords({"ions.seed": np.arange(50.0)})
    assert otjdd.variability(seeds).equals(otjdd.variability(ds))
    with pytest.raises(ValueError, match="two voltages of alternating sign"):
        otjdd.variability(ds.assign(write_voltage=abs(ds.write_voltage)))
    with pytest.raises(ValueError, match="not positive"):
        otjdd.variability(ds.assign(read_resistance=-ds.read_resistance))


@pytest.mark.parametrize(
    ("V", "said"),
    [
        ([1, -1, 1, -1], True),
        ([[1, -2, 1, np.nan], [np.nan] * 4, [-3, 1, -3, 1]], True),
        ([1, -1, 2, -1], False),
        ([1, 1, -1, -1], False),
        ([1, -1, np.nan, -1], False),
        ([np.nan, 1, -1, 1], False),
        ([0, 1, 0, 1], False),
        ([1], False),
        ([np.nan, np.nan], False),
    ],
)
def test_which_writes_alternate(V, said):
    assert two_in_turn(V) is said

"""Fits of cases: parameters come back from three kinds of data, and what is made of a fit."""

import json

import numpy as np
import pytest
from fitted_devices import KEYS, SIGMA, clean, noisy, small

import otjdd
from otjdd.case.case import load_case
from otjdd.case.keys import value_in_case
from otjdd.errors import DataError, ResultError
from otjdd.fitting import covariance
from otjdd.fitting.covariance import standard_errors, with_posterior, with_profiles
from otjdd.fitting.fit import as_json, case_text, parameter_table, read_fit, resumed, so_far, solved
from otjdd.fitting.least_squares import minimise
from otjdd.fitting.search import evaluator, visits_of
from otjdd.fitting.task import task
from otjdd.plot import fit as picture
from otjdd.results import store

WRONG = {
    "device.left.barrier": "0.63 eV", "ions.activation_energy": "0.455 eV", "ions.density": "3.4e26 1/m^3",
    "device.film.tunnelling_mass": 0.43, "device.conducting_fraction": 5e-5, "ions.hop_distance": "0.68 nm",
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return clean(small())


@pytest.fixture(scope="module")
def pair(data):
    """A fit of two parameters to a loop."""
    one = noisy(data[0], np.random.default_rng(6))
    return otjdd.fit(one, small(), ["device.left.barrier", "ions.density"], changes={"device.left.barrier": "0.635 eV"})


@pytest.mark.campaign
def test_six_parameters_come_back_from_three_kinds_of_data(data):
    rng = np.random.default_rng(1)
    ds = otjdd.fit([noisy(one, rng) for one in data], small(), KEYS, changes=WRONG)
    truth = np.array([value_in_case(small(), key)[0] for key in KEYS])
    assert (np.abs(ds.value.values - truth) < 3 * ds.error.values).all(), parameter_table(ds)
    assert (ds.error.values < 0.02 * truth).all()
    assert 0.6 < ds.attrs["reduced_chi_square"] < 1.4
    assert ds.attrs["jacobians"] <= 12
    assert [curve["quantity"] for curve in json.loads(ds.attrs["curves"])] == ["resistance"] + ["current"] * 3


def test_a_fit_is_stored_drawn_and_becomes_a_case(pair, tmp_path):
    store.write(pair, tmp_path / "fit.nc")
    ds = store.read(tmp_path / "fit.nc")
    assert parameter_table(ds) == parameter_table(pair)
    assert "device.left.barrier" in parameter_table(ds)
    numbers = as_json(ds)
    assert set(numbers["parameters"]["ions.density"]) == {"value", "unit", "error", "at_bound"}
    assert numbers["parameters"]["ions.density"]["unit"] == "m^-3"
    assert len(picture.fit_figure(ds).axes) == 4  # data, residuals, correlations and their colours
    for name, base in (("whole", None), ("based", "rv-loop.toml")):
        text = case_text(ds, base, load_case("rv-loop"))
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        case = load_case(tmp_path / f"{name}.toml")
        assert case.device.left.barrier == pytest.approx(float(ds.value[0]), rel=1e-8)
        assert case.device.film.cells == 24
        assert "standard error" in text


def test_the_search_of_a_finished_fit_is_not_repeated_and_that_of_another_is(pair, data, tmp_path, monkeypatch):
    store.write(pair, tmp_path / "fit.nc")
    case = small().replace("device.left.barrier", "0.635 eV")
    made = task(case, [noisy(data[0], np.random.default_rng(6))], ["device.left.barrier", "ions.density"])
    for evaluations, searched in ((0, True), (40, False)):
        found = resumed(tmp_path / "fit.nc", made, evaluations, 1)
        assert (found["searched"], found["visited"]) == (searched, {})
    with monkeypatch.context() as patch:  # numbers of another version are not those of this one
        patch.setattr("otjdd.system.sources.digest", lambda: "another")
        assert not resumed(tmp_path / "fit.nc", made, 0, 1)["searched"]
    unfinished = pair.drop_vars(["covariance", "correlation", "jacobian"])
    store.write(unfinished, tmp_path / "fit.nc")
    assert not resumed(tmp_path / "fit.nc", made, 0, 1)["searched"]


def test_percentiles_of_a_prediction_hold_the_fitted_curve(pair):
    ds = otjdd.predict(pair, {"kind": "pulse", "voltage": "1 V", "width": "10 ms", "read": {}}, count=12)
    assert ds.read_resistance.dims == ("percentile", "read")
    low, middle, high = (float(ds.read_resistance.sel(percentile=p)[0]) for p in (2.5, 50, 97.5))
    assert low < middle < high < 1.2 * low
    assert ds.attrs["failed_draws"] == 0
    assert ds.read_resistance.attrs["units"] == "ohm"


def test_a_second_measurement_makes_errors_smaller(pair):
    ds = otjdd.design(pair, {"again": {}, "hot": {"temperature": "350 K"}})
    ratio = ds.ratio.sel(candidate="again").values
    np.testing.assert_allclose(ratio, np.sqrt(0.5), rtol=0.05)  # as many points once more
    assert (ds.ratio.values < 1).all()
    assert ds.attrs["uncertainty"] == pytest.approx(SIGMA, rel=0.1)
    broken = otjdd.design(pair, {"none": {"drive": {"kind": "hold", "voltage": "0 V", "duration": "-1 s"}}})
    assert np.isnan(broken.ratio).all()
    assert "none:" in broken.attrs["failed"]


def test_the_run_of_a_candidate_is_simulated_once(pair, monkeypatch):
    from otjdd.fitting import curves, prediction

    cases, simulate = [], prediction.simulate

    def counted(case, **options):
        cases.append(case)
        return simulate(case, **options)

    for module in (curves, prediction):
        monkeypatch.setattr(module, "simulate", counted)
    otjdd.design(pair, {"again": {}})
    assert len(cases) == 1 + pair.sizes["parameter"]  # and one for each derivative


def test_a_profile_is_the_parabola_where_the_model_is_linear(data, monkeypatch):
    monkeypatch.setattr(covariance, "COUNT", 5)
    made = task(small(), [noisy(data[0], np.random.default_rng(6))], ["device.left.barrier", "ions.density"])
    ds = with_profiles(solved(made), made, ["device.left.barrier"])
    offsets = (ds.profile_value.values[0] - float(ds.value[0])) / float(ds.error[0])
    rise = ds.profile_chi_square.values[0] - ds.attrs["chi_square"]
    np.testing.assert_allclose(rise, offsets**2, atol=0.3)


@pytest.mark.campaign
def test_a_line_through_the_truth_gives_the_refits_of_draws(data):
    """Draws of the noise by one linear step are those of full fits: the many draws of errors can be linear."""
    keys = ["device.left.barrier", "ions.density"]
    exact = task(small(), data[:1], keys)
    with evaluator(exact, 1) as evaluate:
        solution = minimise(evaluate, np.zeros(2))
    J = solution.gradient.slopes / exact.sigma[:, None]
    error = standard_errors(exact, solution).error
    for seed in range(3):
        made = task(small(), [noisy(data[0], np.random.default_rng(seed))], keys)
        linear = np.linalg.lstsq(J, (made.aims - exact.aims) / exact.sigma, rcond=None)[0]
        with evaluator(made, 1) as evaluate:
            full = minimise(evaluate, np.zeros(2), final=False, noise=solution.noise).x
        assert (np.abs(full - linear) < 0.05 * error).all()


@pytest.mark.campaign
def test_a_global_search_and_a_posterior(data):
    pytest.importorskip("emcee")
    keys = {"device.left.barrier": ("0.4 eV", "0.9 eV")}
    made = task(small().replace("device.left.barrier", "0.88 eV"), [noisy(data[0], np.random.default_rng(6))], keys)
    ds = solved(made, evaluations=24)
    assert abs(float(ds.value[0]) - 0.6394) < 4 * float(ds.error[0])
    ds = with_posterior(ds, made, 8)
    assert ds.sample.dims == ("draw", "parameter")
    assert 0.3 < float(ds.sample.std() / ds.coordinate_error[0]) < 3
    assert "the posterior is short" in ds.attrs["warnings"]


def test_currents_of_the_other_sign_are_told(data):
    source = data[2].source | {"I": -data[2].source["I"]}
    with pytest.raises(DataError, match="a current of the sign of the run"):
        otjdd.fit(data[2]._replace(source=source), small(), ["device.left.barrier"])


@pytest.mark.campaign
def test_a_global_search_that_was_ended_takes_the_same_way(data):
    keys = {"device.left.barrier": ("0.4 eV", "0.9 eV"), "ions.density": ("1e26 1/m^3", "1e27 1/m^3")}
    made = task(small(), [noisy(data[0], np.random.default_rng(6))], keys)
    seen = []
    whole = solved(made, evaluations=40, progress=lambda at: seen.append(at._replace(visited=dict(at.visited))))
    assert len(whole.search_score) == 1 + 20 + 2 * 16  # the start, places that fill the bounds, whole generations
    kept = so_far(made, next(at for at in seen if len(at.visited) > 30), 40, 1)
    assert kept.attrs["search"] == whole.attrs["search"]
    best = dict(zip(kept.parameter.values, kept.value.values, strict=True))  # not the start of the search
    again = solved(made, evaluations=40, visited=visits_of(kept), start=best)
    for name in ("value", "error", "search_score"):
        assert np.array_equal(again[name], whole[name]), name
    assert again.attrs["evaluations"] == whole.attrs["evaluations"]


def test_a_local_search_that_was_ended_takes_the_same_way(data, tmp_path):
    made = task(small().replace("device.left.barrier", "0.63 eV"), [noisy(data[0], np.random.default_rng(6))],
                ["device.left.barrier", "ions.density"])  # fmt: skip
    whole = solved(made)

    def killed_at(most):
        def watch(at):
            store.write(so_far(made, at, 0, 1), tmp_path / "fit.nc")
            if at.evaluations >= most:
                raise KeyboardInterrupt

        return watch

    with pytest.raises(KeyboardInterrupt) as caught:
        solved(made, progress=killed_at(4))
    assert visits_of(caught.value.partial).keys() == visits_of(store.read(tmp_path / "fit.nc")).keys()
    with pytest.raises(KeyboardInterrupt):
        solved(made, progress=killed_at(5), visited=visits_of(store.read(tmp_path / "fit.nc")))
    best = {"device.left.barrier": float(caught.value.partial.value[0])}  # not the start of the search
    again = solved(made, visited=visits_of(store.read(tmp_path / "fit.nc")), start=best)
    for name in ("value", "error", "covariance", "residual"):
        assert np.array_equal(again[name], whole[name]), name
    assert again.attrs["evaluations"] == whole.attrs["evaluations"]


WRONG = {
    "no parameters": lambda ds: ds.assign_attrs(parameters="[]"),
    "deep parameters": lambda ds: ds.assign_attrs(parameters="[" * 10000),
    "a number for rows": lambda ds: ds.assign_attrs(parameters=3.0),
    "a row of other keys": lambda ds: ds.assign_attrs(parameters='[{"x": 1}]'),
    "a scale of nothing": lambda ds: ds.assign_attrs(curves='[{"scale": 7}]'),
    "no curves": lambda ds: ds.assign_attrs(curves="[]"),
    "a spread in words": lambda ds: ds.assign_attrs(errors_spread="wide"),
    "no values": lambda ds: ds.drop_vars("value"),
    "values of points": lambda ds: ds.assign(value=("point", np.zeros(ds.sizes["point"]))),
    "values in words": lambda ds: ds.assign(value=("parameter", ["x", "y"])),
    "a Jacobian the other way": lambda ds: ds.assign(jacobian=ds.jacobian.T),
    "no title": lambda ds: ds.drop_attrs(deep=False).assign_attrs(fit="otjdd fit"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_fit_is_refused_in_words(pair, tmp_path, name):
    store.write(WRONG[name](pair), tmp_path / "found.nc")
    with pytest.raises(ResultError, match="is no whole fit"):
        read_fit(tmp_path / "found.nc")

"""Runs of a device whose film holds electrons: outputs, charges of the terminals, start from a profile, resumption."""

import numpy as np
import pytest
from devices import BETWEEN_METALS, JUNCTION, begin, case, hold, lumpy, mirrored, needs_speed

from otjdd.case.case import parse_case
from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.errors import CaseError
from otjdd.physics.film_electrons import LEFT, RIGHT
from otjdd.physics.stack_newton import static_stack
from otjdd.results import store
from otjdd.runs import rerun
from otjdd.runs.run import run
from otjdd.solver import checkpoint, model
from validation.reliability import devices as random_devices

STEPS = {
    "kind": "table",
    "points": [["0 s", "1.3 V"], ["1 us", "1.3 V"], ["1 us", "-0.6 V"], ["1.1 us", "-0.6 V"]],
}
FILM = {"device__film__electrons": "balance", "device__film__cells": 12, "device__transmission": "wkb", "drive": STEPS}
SPREAD = {"columns__count": 2, "columns__spread": {"device.left.barrier": "30 meV"}}


@pytest.fixture(scope="module")
def ds():
    return run(case(**FILM, **SPREAD, circuit__series_resistance="10 ohm"))


def test_outputs_of_the_electrons(ds):
    assert ds.film_electrons.dims == ("snapshot", "x")
    last = (ds.film_electrons[-1] * ds.cell_width).sum()
    assert float(ds.film_electron_sheet[-1]) == pytest.approx(float(last), rel=1e-9)
    assert ds.film_electron_sheet.max() > 1e17
    ratio, density = ds.film_electron_ratio.values, ds.film_electrons.max("x").values  # mean of the columns
    assert np.all(ratio > 0.0)
    assert ratio.argmax() == density.argmax()
    assert float(ds.film_electron_ratio_max) > max(0.2, float(ratio.max()))
    assert "film_electron_ratio" not in ds.attrs["model_limits"]  # electrons are part of the model


def test_charges_of_electrodes_film_and_terminals_add_up(ds):
    film = 2 * 2e26 * 2.8e-9 - ds.film_electron_sheet
    left, right = ds.electrode_charge, ds.right_electrode_charge
    np.testing.assert_allclose(-(left + right), ELEMENTARY_CHARGE * film, rtol=1e-9)
    both = ds.terminal_charge_left + ds.terminal_charge_right
    np.testing.assert_allclose(both, -ELEMENTARY_CHARGE * 2 * 2e26 * 2.8e-9, rtol=1e-9)


def test_the_mean_displacement_current_is_the_rate_of_the_charge_of_a_terminal(ds):
    later = np.diff(ds.time) > 0.0
    came = np.cumsum(ds.mean_displacement_current.values[1:] * np.diff(ds.time))[later]
    Q = np.pi * 1e-10 * (ds.terminal_charge_left.values[1:] - ds.terminal_charge_left.values[0])[later]
    np.testing.assert_allclose(came, Q, rtol=1e-9, atol=1e-12 * np.abs(Q).max())


def test_a_short_hold_gives_the_static_stack_of_a_profile(tmp_path):
    (tmp_path / "profile.csv").write_text("x (nm), concentration (1/m^3)\n0, 1e26\n1.4, 5e26\n2.8, 2e26\n")
    density = next(line for line in JUNCTION.splitlines() if line.startswith("density = "))
    text = JUNCTION.replace(density, 'initial = { profile = "profile.csv" }')
    film = parse_case(text, tmp_path).replace(
        **{"device.film.electrons": "balance", "drive": {"kind": "hold", "voltage": "0.6 V", "duration": "1 fs"}}
    )
    junction = model.junction(film)
    stack, iterations = static_stack(junction, 0, model.along_profile(film, model.members(film))[0], 0.6)
    found = run(film)
    assert iterations > 0
    np.testing.assert_allclose(found.conduction_band[-1], stack.U[1:-1], atol=1e-8)
    n = stack.electrons[RIGHT] + stack.electrons[LEFT]
    np.testing.assert_allclose(found.film_electrons[-1], n, rtol=1e-6)
    assert float(found.electrode_charge[-1]) == pytest.approx(stack.D[0], rel=1e-8)


METALS = {"device__film__electrons": "balance", "device__film__density_of_states": "1e26 1/m^3",
          "device__film__cells": 24, "device__left__barrier": "0.3 eV", "device__right__barrier": "0.1 eV"}  # fmt: skip


def test_a_mirror_image_moves_as_one():
    film = case(BETWEEN_METALS, **METALS)
    junction = model.junction(film)
    c = lumpy(junction, np.random.default_rng(1), 0.5)
    runs = [begin(film, c), begin(film, c[:, ::-1].copy(), junction=mirrored(junction))]
    for direct, sign in zip(runs, (1, -1), strict=True):
        hold(direct, sign * 0.5, 1e-4)
        hold(direct, sign * -0.2, 1e-4)
    assert runs[0].counts == runs[1].counts
    np.testing.assert_allclose(runs[1].state.c[:, ::-1], runs[0].state.c, rtol=1e-6)
    np.testing.assert_allclose(-runs[1].state.D[:, ::-1], runs[0].state.D, rtol=1e-6, atol=1e-8)


def test_electrons_of_the_left_contact_belong_to_the_left_terminal():
    low = METALS | {"device__left__barrier": "0.05 eV", "device__right__barrier": "0.5 eV"}
    steps = {"kind": "table", "points": [["0 s", "-0.4 V"], ["1 us", "-0.4 V"], ["1 us", "0.4 V"], ["2 us", "0.4 V"]]}
    found = run(case(BETWEEN_METALS, **low, drive=steps))
    both = found.terminal_charge_left + found.terminal_charge_right
    np.testing.assert_allclose(both, 0.0, atol=1e-15)  # the film was made neutral
    of_left = (found.electrode_charge - found.terminal_charge_left) / ELEMENTARY_CHARGE
    of_right = (found.right_electrode_charge - found.terminal_charge_right) / ELEMENTARY_CHARGE
    np.testing.assert_allclose(of_left + of_right, found.film_electron_sheet, rtol=1e-9)
    assert of_left.max() > 1e15


def test_theorem_of_shockley_and_ramo():
    """A plain metal sees a charge q at x as -q (1 - x/L), be it a vacancy or an electron; so does its current."""
    film = case(BETWEEN_METALS, **METALS)
    junction, eps = model.junction(film), film.device.film.permittivity
    assert eps.law == "linear"
    direct = begin(film, lumpy(junction, np.random.default_rng(2), 0.5))
    L, h = film.device.film.thickness, junction.columns.width[0]
    x = np.cumsum(junction.columns.distance[0])[:-1]
    for V in (0.4, -0.4):
        hold(direct, V, 1e-5)
        state = direct.state
        n = state.electrons[0, RIGHT] + state.electrons[0, LEFT]
        q = ELEMENTARY_CHARGE * h * (film.ions.charge * state.c[0] + film.device.film.fixed_charge - n)
        plates = VACUUM_PERMITTIVITY * eps.eps_r * (film.device.right.barrier - film.device.left.barrier + V) / L
        assert state.D_left[0] == pytest.approx(plates - (q * (1.0 - x / L)).sum(), rel=1e-7)


def test_equilibrium_with_electrons_is_where_a_long_hold_ends():
    still = {"kind": "hold", "voltage": "0 V", "duration": "1 us"}
    film = case(**FILM | {"drive": still}, ions__initial="equilibrium")
    found = run(film)
    np.testing.assert_allclose(found.vacancy_concentration[-1], found.vacancy_concentration[0], rtol=1e-6)
    waited = run(film.replace(**{"ions.initial": "uniform", "drive.duration": "1e5 s"}))
    np.testing.assert_allclose(waited.vacancy_concentration[-1], found.vacancy_concentration[0], rtol=1e-4)


def test_electrons_in_a_film_on_a_metal_need_a_density_of_states():
    with pytest.raises(CaseError, match=r"film.density_of_states, such as .* beside electrons in a film on a metal"):
        parse_case(BETWEEN_METALS.replace("[device.film]", '[device.film]\nelectrons = "balance"'))
    with pytest.raises(CaseError, match=r"case.toml:\d+.*device.film.electrons") as caught:
        parse_case(BETWEEN_METALS.replace("[device.film]", '[device.film]\nelectrons = "balanced"'))
    assert 'did you mean "balance"' in str(caught.value)


STATES = {"device__film__density_of_states": "1e26 1/m^3"}
LOW = {"device__left__barrier": "0.1 eV", "device__right__barrier": "0.1 eV", **STATES}


@needs_speed
@pytest.mark.parametrize(
    ("text", "device", "voltages"),
    [
        (JUNCTION, {}, (1.2, -1.5)),
        (JUNCTION, {}, (0.4, -1.5)),
        (JUNCTION, {"device__film__thickness": "10 nm"}, (0.8, -1.0)),
        (BETWEEN_METALS, LOW, (0.15, -0.3)),
    ],
    ids=["set and reset", "below the barrier", "10 nm", "metals"],
)
def test_steps_are_as_many_as_without_electrons(text, device, voltages):
    """The derivative of the weights is in the Jacobian: with weights that are held a set pulse takes twice as many."""
    counts = {}
    for electrons in ("none", "balance"):
        changes = {"device__film__electrons": electrons, "device__film__cells": 100}
        direct = begin(case(text, **device, **changes), rtol=1e-4)
        for V in voltages:
            hold(direct, V, 1e2)
        counts[electrons] = direct.counts.accepted + direct.counts.rejected
    assert counts["none"] > 40
    assert counts["balance"] < 1.3 * counts["none"]


def test_nothing_flows_at_no_voltage():
    """Whatever the weights of the contacts are: no current to the last bit, and no flux but round-off."""
    still = {"kind": "hold", "voltage": "0 V", "duration": "1 s"}
    low = {"device__left__barrier": "0.05 eV", "ions__initial": "equilibrium"}
    found = run(case(**FILM | {"drive": still}, **SPREAD, **low))
    assert not found.conduction_current.any()
    assert found.film_electron_sheet.min() > 1e12
    np.testing.assert_allclose(found.vacancy_concentration[-1], found.vacancy_concentration[0], rtol=1e-9)
    np.testing.assert_allclose(np.ptp(found.terminal_charge_left.values), 0.0, atol=1e-12)


@needs_speed
def test_a_run_is_made_again_and_goes_on_to_the_same_bits(tmp_path):
    film = case(**FILM, **SPREAD, circuit__series_resistance="10 ohm")

    def stop(fraction):
        if fraction > 0.5:
            raise KeyboardInterrupt

    whole = run(film)
    store.write(whole, tmp_path / "whole.nc")
    assert rerun.differences(*rerun.rerun(tmp_path / "whole.nc")) == []
    place = checkpoint.CheckpointPlace(tmp_path / "checkpoint", 0.0)
    with pytest.raises(KeyboardInterrupt):
        run(film, progress=stop, checkpoints=place)
    ds = run(film, checkpoints=place._replace(resume=True))
    assert store.data_sha256(ds) == store.data_sha256(whole)


def test_curves_at_frozen_ions_are_those_of_a_run():
    still = {"kind": "hold", "voltage": "0.9 V", "duration": "1 fs"}
    film = case(**FILM | {"drive": still})
    held = run(film)
    curves = run(film.replace(**{"drive": {"kind": "iv", "voltages": ["-0.5 V", "0.9 V"]}}))
    at = curves.isel(state=0, temperature=0).sel(bias=0.9)
    for name in ("band_bending", "electrode_charge", "right_electrode_charge", "junction_voltage"):
        assert float(at[f"bias_{name}"]) == pytest.approx(float(held[name][-1]), rel=1e-6)
    assert float(at.bias_current) == pytest.approx(float(held.conduction_current[-1]), rel=1e-4)


@needs_speed
def test_a_run_crosses_a_fold_of_its_stack():
    """On the way to -1.8 V the stack turns over at 1.77 V: fields jump within a time in which no ion moves."""
    text = random_devices.with_electrons(random_devices.drawn(64, 1)[59], 59).replace("series_resistance", "#")
    there = '{kind = "pulse", voltage = "-1.8 V", width = "1 ns", rise = "2.194306 us"}'
    before, after = text.index('{kind = "pulse", voltage = "-9'), text.index("]}\n")
    assert run(parse_case(text[:before] + there + text[after:])).attrs["solver_status"] == "done"


@needs_speed
def test_order_in_space():
    """Charge of the electrode on the way of the ions, on three grids each three times as fine as the one before."""
    charges = []
    for cells in (13, 39, 117):
        direct = begin(case(**FILM | {"device__film__cells": cells}), rtol=1e-8, atol=1e-10)
        hold(direct, 1.2, 1e-8)
        charges.append(direct.state.D_left[0])
    rough, fine = np.diff(charges)
    assert rough / fine == pytest.approx(9.0, abs=1.0)

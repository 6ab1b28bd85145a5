"""Runs of a device whose film holds electrons: outputs, charges of the terminals, steps, a fold."""

import numpy as np
import pytest
from devices import BETWEEN_METALS, JUNCTION, begin, case, hold, needs_speed

from otjdd.analysis.synapse import loop
from otjdd.case.case import load_case, parse_case, shipped_cases
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.runs.run import run
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


def test_the_mean_displacement_current_is_the_rate_of_the_charge_of_a_terminal(ds):
    later = np.diff(ds.time) > 0.0
    came = np.cumsum(ds.mean_displacement_current.values[1:] * np.diff(ds.time))[later]
    Q = np.pi * 1e-10 * (ds.terminal_charge_left.values[1:] - ds.terminal_charge_left.values[0])[later]
    np.testing.assert_allclose(came, Q, rtol=1e-9, atol=1e-12 * np.abs(Q).max())


METALS = {"device__film__electrons": "balance", "device__film__density_of_states": "1e26 1/m^3",
          "device__film__cells": 24, "device__left__barrier": "0.3 eV", "device__right__barrier": "0.1 eV"}  # fmt: skip


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


@needs_speed
def test_a_run_crosses_a_fold_of_its_stack():
    """On the way to -1.8 V the stack turns over at 1.77 V: fields jump within a time in which no ion moves."""
    text = random_devices.with_electrons(random_devices.drawn(64, 1)[59], 59).replace("series_resistance", "#")
    there = '{kind = "pulse", voltage = "-1.8 V", width = "1 ns", rise = "2.194306 us"}'
    before, after = text.index('{kind = "pulse", voltage = "-9'), text.index("]}\n")
    assert run(parse_case(text[:before] + there + text[after:])).attrs["solver_status"] == "done"


# the two signs of switching of the case `vcm-cell`: what turns them, and what does not


def loop_of(thickness: str, **changes) -> dict[str, float]:
    case = load_case(shipped_cases() / "vcm-cell.toml").replace("device.film.thickness", thickness)
    for key, value in changes.items():
        case = case.replace(key.replace("__", "."), value)
    return loop(run(case))


def test_a_thin_film_is_set_by_a_positive_voltage_and_a_thick_one_by_a_negative():
    thin, thick = loop_of("2.8 nm"), loop_of("10 nm")
    assert (thin["polarity"], thick["polarity"]) == (1, -1)
    assert thin["ratio"] > 1e3
    assert thick["ratio"] > 50


@pytest.mark.parametrize(("per_area", "polarity"), [(1e18, 1), (3e18, -1)])
@pytest.mark.parametrize("thickness", [2.8, 10.0])
def test_the_number_of_vacancies_per_area_decides(per_area, polarity, thickness):
    density = f"{per_area / (thickness * 1e-9)} 1/m^3"
    assert loop_of(f"{thickness} nm", ions__density=density)["polarity"] == polarity


def test_electrons_open_the_window_of_a_thick_film():
    without = loop_of("10 nm", device__film__electrons="none")
    assert without["polarity"] == -1
    assert 10 * without["ratio"] < loop_of("10 nm")["ratio"]

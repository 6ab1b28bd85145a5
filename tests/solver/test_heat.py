"""A junction that its current warms: steady and transient temperatures, the balance of energy, what follows from them."""

import math

import numpy as np
import pytest
from devices import JUNCTION, needs_speed

import otjdd
from otjdd.analysis.metrics import drift
from otjdd.case.case import load_case, parse_case
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.errors import SolverError
from otjdd.mechanisms.heat import rises

RESISTANCE, TIME_CONSTANT = 15.72e6, 1e-9  # of the case
PULSE = {"drive.duration": "20 ns", "drive.voltage": "0.9 V"}
EMITTER = {  # a thick film that emits over its barrier: the hotter, the more
    "device.film.thickness": "3 nm", "device.film.fixed_charge": "0 1/m^3", "ions.density": "1e24 1/m^3",
    "device.left.barrier": "0.15 eV", "device.right.barrier": "0.15 eV", "device.conducting_fraction": 1.0,
    "device.film.tunnelling_mass": 4.0, "drive.voltage": "0.5 V", "drive.duration": "5 us",
    "device.heat.time_constant": "1 us", "device.heat.resistance": "8e6 K/W",
}  # fmt: skip


def power(ds):
    """Power [W] at the recorded times."""
    return (ds.conduction_current * ds.junction_voltage).values


def rise(ds):
    """Rise of the temperature [K] at the recorded times."""
    return ds.junction_temperature.values - 293.0


@pytest.fixture(scope="module")
def warmed():
    """A nearly constant power from the start, for twenty time constants."""
    return otjdd.run("vcm-heat", PULSE)


@pytest.mark.parametrize("z", [1e-12, 1e-6, 0.00099, 0.00101, 0.3, 5.0, 1e5])
def test_a_linear_power_is_answered_exactly(z):
    from mpmath import exp, mp, mpf

    with mp.workdps(40):
        x, start, low, high = mpf(z), mpf(7), mpf(20), mpf(95)
        slope = (high - low) / x
        end = start * exp(-x) + low * (1 - exp(-x)) + slope * (x - 1 + exp(-x))
        mean = (low + high) / 2 - (end - start) / x
    assert rises(7.0, 20.0, 95.0, z) == pytest.approx((float(end), float(mean)), rel=1e-10)


@needs_speed
def test_a_capacity_is_its_time_constant_and_a_share_of_the_power_warms_by_that_share(warmed):
    heat = {"resistance": f"{RESISTANCE} K/W", "capacity": f"{TIME_CONSTANT / RESISTANCE} J/K"}
    held = otjdd.run("vcm-heat", PULSE | {"device.heat": heat})
    np.testing.assert_allclose(rise(held), rise(warmed), rtol=1e-9)
    half = otjdd.run("vcm-heat", PULSE | {"device.heat.share": 0.5})
    assert rise(half)[-1] == pytest.approx(0.5 * RESISTANCE * power(half)[-1], rel=1e-6)


@needs_speed
def test_the_energy_is_balanced():
    """Power in, heat stored and heat that left, the last by quadrature of each interval with the slopes at its ends."""
    ds = otjdd.run("vcm-heat", {**EMITTER, "numerics.rtol": 1e-4})
    t, P, T = ds.time.values, power(ds), rise(ds)
    step = np.diff(t)
    slope = (8e6 * P - T) / 1e-6
    put = np.sum(step * (P[1:] + P[:-1]) / 2)
    left = np.sum(step * (T[1:] + T[:-1]) / 2 + step**2 * (slope[:-1] - slope[1:]) / 12) / 8e6
    assert left > 0.2 * put
    assert left + (T[-1] - T[0]) * 1e-6 / 8e6 == pytest.approx(put, rel=1e-6)


@needs_speed
def test_columns_have_temperatures_of_their_own():
    columns = {"columns.count": 2, "columns.spread": {"device.left.barrier": "0.1 eV"}}
    ds = otjdd.run("vcm-heat", PULSE | columns | {"device.heat.of": "columns"})
    one = otjdd.run("vcm-heat", PULSE | columns)
    T = ds.column_temperature.values[-1]
    assert T[0] > T[1] + 5.0
    assert ds.junction_temperature.values[-1] == T.max()
    assert ds.column_weight.values @ (T - 293.0) == pytest.approx(RESISTANCE * power(ds)[-1], rel=1e-6)
    assert "column_temperature" not in one
    assert rise(one)[-1] == pytest.approx(RESISTANCE * power(one)[-1], rel=1e-6)
    line, *others = otjdd.figure(ds, "temperature").axes[0].get_lines()
    np.testing.assert_array_equal(line.get_ydata(), ds.junction_temperature)
    assert len(others) == 2


@needs_speed
@pytest.mark.parametrize("voltage", [0.3, 0.6, 0.9])
def test_hops_follow_the_temperature_as_in_jart(voltage):
    """Time of a drift by a hundredth of the film, by the rate equation of JART VCM v1b in the field and heat of the run."""
    ds = otjdd.run("vcm-heat", {"drive.voltage": f"{voltage} V"})
    found = drift(ds)["time"]
    kT, E_a = BOLTZMANN_EV * float(ds.junction_temperature_max), 1.35
    field = voltage * (0.4 / 17) / (0.4 / 17 + 2 * 0.05 / 17) / 0.4e-9
    g = 2 * 0.25e-9 * field / (math.pi * E_a)
    low, high = (E_a * (math.sqrt(1 - g * g) + g * math.asin(g) - s * g * math.pi / 2) for s in (1, -1))
    speed = 0.25e-9 * 2e13 * (math.exp(-low / kT) - math.exp(-high / kT))
    assert found == pytest.approx(0.01 * 0.4e-9 / speed, rel=0.2)


@needs_speed
def test_a_runaway_ends_in_words_and_keeps_what_it_had():
    with pytest.raises(SolverError, match=r"beyond 3000 K: at t = .* T = 3\d\d\d K.* Try: .*compliance") as caught:
        otjdd.run("vcm-heat", EMITTER | {"device.heat.resistance": "3e7 K/W"})
    partial = caught.value.partial
    assert 3000.0 < partial.junction_temperature.values[-1] < 4000.0
    assert "junction_temperature" in partial.attrs["model_limits"]


def test_heat_spreads_below_a_disc():
    heat = load_case(
        "li2019", {"device.heat": {"resistance": "spreading", "conductivity": "11 W/(m K)", "time_constant": "1 us"}}
    )
    assert heat.device.heat.kelvin_per_watt(10e-6) == pytest.approx(1 / (4 * 11 * 10e-6))


def test_a_thermal_resistance_in_numbers_takes_the_place_of_a_spreading_one_of_the_base(tmp_path):
    spreading = (
        'base = "li2019.toml"\ntitle = "disc"\n[device.heat]\nresistance = "spreading"\nconductivity = "11 W/(m K)"\n'
    )
    (tmp_path / "disc.toml").write_text(f'{spreading}time_constant = "1 us"\n')
    (tmp_path / "known.toml").write_text('base = "disc.toml"\ntitle = "known"\n[device.heat]\nresistance = "1e6 K/W"\n')
    for case in (
        load_case(tmp_path / "known.toml"),
        load_case(tmp_path / "disc.toml", {"device.heat.resistance": "1e6 K/W"}),
    ):
        assert case.device.heat.kelvin_per_watt(10e-6) == 1e6
        assert case.device.heat.time_constant == 1e-6


@needs_speed
@pytest.mark.parametrize(
    "circuit", [{"series_resistance": "5 kohm"}, {"compliance": "10 uA"}], ids=["resistance", "compliance"]
)
def test_a_film_that_gives_its_voltage_to_the_circuit_as_it_warms_needs_no_step_of_its_time_constant(circuit):
    """A semiconductor at -0.8 V for 1e5 time constants, which are far longer than the charging; its ions stay."""
    changes = {
        "device.heat": {"resistance": "1e8 K/W", "time_constant": "100 us"}, "ions.activation_energy": "3 eV",
        "drive": {"kind": "hold", "voltage": "-0.8 V", "duration": "10 s"}, "circuit": circuit,
        "numerics.max_steps": 4000,
    }  # fmt: skip
    ds = otjdd.run(parse_case(JUNCTION).replace(changes))
    assert abs(float(ds.junction_voltage[-1])) < 0.3
    assert float(ds.junction_temperature[-1]) > 550.0
    assert float(ds.junction_temperature[-1]) - 300.0 == pytest.approx(1e8 * power(ds)[-1], rel=1e-4)


EXCHANGING = """
title = "a film that passes vacancies from one electrode to the other, and hardly an electron"
temperature = "300 K"
[device]
radius = "10 nm"
left = { kind = "metal", barrier = "1 eV", exchange = { rate = "100 m/s", equilibrium_density = "3e26 1/m^3" } }
right = { kind = "metal", barrier = "1 eV", exchange = { rate = "30 m/s", equilibrium_density = "3e26 1/m^3" } }
heat = { resistance = "1e7 K/W", time_constant = "1 ns", of = "OF" }
[device.film]
thickness = "5 nm"
cells = 20
grading = 3
permittivity = { law = "linear", eps_r = 100 }
tunnelling_mass = 1
fixed_charge = "-6e26 1/m^3"
[ions]
charge = 2
site_density = "1e28 1/m^3"
density = "3e26 1/m^3"
law = "linear"
activation_energy = "0.12 eV"
prefactor = "1e-7 m^2/s"
[drive]
kind = "hold"
voltage = "VOLTAGE V"
duration = "100 ns"
[columns]
count = 2
spread = {}
"""


@pytest.mark.parametrize("of", ["junction", "columns"])
@pytest.mark.parametrize("voltage", [0.5, -0.6])
def test_vacancies_that_pass_the_electrodes_warm_the_junction(of, voltage):
    """A steady flux J of charges z e: the rise is R V (I + z e J A), with electrons by far the smaller part."""
    ds = otjdd.run(parse_case(EXCHANGING.replace("VOLTAGE", str(voltage)).replace("OF", of)))
    last = ds.isel(time=-1)
    flux, back = last.exchange_flux_left.item(), -last.exchange_flux_right.item()
    assert flux == pytest.approx(back, rel=1e-4)
    of_ions = 2 * ELEMENTARY_CHARGE * flux * math.pi * 1e-16
    assert 100.0 * abs(last.conduction_current) < abs(of_ions)
    rise = last.junction_temperature.item() - 300.0
    assert rise > 1.0
    assert rise == pytest.approx(1e7 * voltage * (of_ions + last.conduction_current.item()), rel=1e-4)


@needs_speed
def test_a_junction_that_warms_behind_a_resistance_takes_few_steps_however_tight_the_tolerance():
    """V_j follows the temperature at the end of a step, its stages that of the mean: which is no error of the step."""
    heat = {"resistance": "1e4 K/W", "time_constant": "1 us"}
    pulse = {"kind": "pulse", "voltage": "1.2 V", "width": "5 us"}
    own = {
        "columns.count": 1,
        "columns.spread": {},
        "device.film.electrons": "none",
        "device.heat": heat,
        "drive": pulse,
    }
    loose, tight = (
        otjdd.run("li2019", own | {"numerics": {"rtol": rtol, "atol": rtol, "current_tolerance": 1e-6}})
        for rtol in (1e-3, 1e-5)
    )
    assert tight.attrs["solver_accepted"] < 500
    hot = [ds.isel(time=int(np.flatnonzero(ds.voltage.values == 1.2)[-1])) for ds in (loose, tight)]
    for name, rel in (("junction_temperature", 1e-5), ("conduction_current", 1e-3), ("junction_voltage", 1e-5)):
        assert float(hot[0][name]) == pytest.approx(float(hot[1][name]), rel=rel)
    R = load_case("li2019").circuit.series_resistance
    assert 1.2 - float(hot[1].junction_voltage) == pytest.approx(float(R * hot[1].current), rel=1e-6)

"""Channels in parallel: resistors, small signals, heat and files of junctions with leaks, and a toy channel."""

import math

import numpy as np
import pytest
from devices import BARE, COLUMNS, SMALL, case, closed, needs_speed
from layered import layer, stacked

from otjdd.case.notes import conduction_notes as notes
from otjdd.mechanisms.traps.steady import filled_traps
from otjdd.physics.channels import beside_coherent
from otjdd.physics.state import ALL_ENERGIES
from otjdd.runs.run import run

AREA = math.pi * (10e-6) ** 2  # m2, of the junction of `devices`
OHMIC = {"kind": "ohmic", "conductance": 3e5}
TRAPS = {"name": "traps", "kind": "poole-frenkel", "conductivity": 4.0, "barrier": 0.4, "permittivity": 5.5}
CURVE = (
    'drive = { kind = "iv", voltages = ["-0.3 V", "-1 mV", "0 V", "0.2 V", "0.5 V"], states = { new = [] } }\n' + BARE
)
FREQUENCIES = 'frequencies = ["1 Hz", "1 MHz"]'
ANSWER = f"""drive = {{ kind = "impedance", bias = ["-0.3 V", "0.4 V"], states = {{ new = [] }}, {FREQUENCIES} }}
"""
PULSE = 'drive = { kind = "pulse", voltage = "1.6 V", width = "1 us", read = {} }\n' + BARE
# a neutral film that no electron tunnels through
THICK = SMALL | {
    "device__film__thickness": 2e-8,
    "device__film__fixed_charge": -4e26,
    "device__left__barrier": 3.0,
    "device__right__band_offset": 2.5,
}


def by_voltage(ds, name):
    return ds[name].values[0, 0]


@needs_speed
@pytest.mark.parametrize("resistance", [0.0, 2e4])
def test_a_junction_with_an_ohmic_leak_alone_is_a_resistor(resistance):
    """Two columns, the circuit in series: current and resistance under a small signal."""
    film = case(CURVE, **THICK, **COLUMNS, device__leaks=[OHMIC], circuit__series_resistance=resistance)
    ds = run(film)
    expected = ds.bias.values / (resistance + 1.0 / (3e5 * AREA))
    assert by_voltage(ds, "bias_current") == pytest.approx(expected, rel=1e-8)
    assert by_voltage(ds, "bias_channel_share")[:, 1] == pytest.approx(np.ones(5), abs=1e-8)
    answer = run(case(ANSWER + BARE, **THICK, device__leaks=[OHMIC], circuit__series_resistance=resistance))
    assert answer.impedance_real.values[0, 0, :, 0] == pytest.approx(resistance + 1.0 / (3e5 * AREA), rel=1e-6)


def test_check_tells_of_a_leak_without_a_barrier():
    """b sqrt(E) = B at 3.5e8 V/m in the film of 2.8 nm, for b of the textbook in a permittivity of 5.5."""
    assert notes(case(PULSE, device__leaks=[OHMIC, TRAPS | {"barrier": 0.9}])) == []
    (note,) = notes(case(PULSE, device__leaks=[OHMIC, TRAPS | {"barrier": 0.6}]))
    assert note.startswith("device.leaks[1]: 1.6 V")
    assert f"{(0.6 / 7.588e-5) ** 2 * 5.5:.2g} V/m" in note


# the channel of traps in junctions: slopes by the state, films of several layers, traps at vacancies


ELASTIC = {"name": "elastic", "kind": "none", "density": 1e25, "depth": 0.1}
RELAXING = {"name": "relaxing", "kind": "none", "density": 2e25, "depth": 0.3, "relaxation_energy": 0.6}
VACANCIES = {"name": "vacancies", "kind": "none", "of": "ions", "depth": 0.5, "relaxation_energy": 0.4}
PULSE_OF_TRAPS = 'drive = { kind = "pulse", voltage = "1.6 V", width = "1 us", read = {} }\n' + BARE


def conductance(film, seed, V):
    """Conductance by the first traps of a film with random ions, and the run."""
    moving = closed(film, seed, V)
    return beside_coherent(moving.junction, moving.state, 0, 1, ALL_ENERGIES), moving


def test_vacancies_of_one_density_are_traps_of_that_density():
    film = case(device__film__cells=12)
    density = 3.0 * film.ions.density
    states = []
    for table in (VACANCIES | {"per_ion": 3.0}, VACANCIES | {"of": None, "density": density}):
        filled = film.replace({"device.traps": [{key: value for key, value in table.items() if value is not None}]})
        moving = closed(filled, 1, 0.4)
        moving.state.c[:] = film.ions.density
        states.append(beside_coherent(moving.junction, moving.state, 0, 1, ALL_ENERGIES))
    assert states[0].chord == pytest.approx(states[1].chord, rel=1e-12)


def test_traps_of_a_layer_are_those_of_its_place():
    """A sheet over the second layer, and a layer by its number."""
    sheet = {key: value for key, value in RELAXING.items()} | {"position": 2.0e-9, "width": 1.6e-9}
    two = [layer(1.2), layer(1.6, band_offset=-0.3)]
    by_number, by_place = (
        conductance(stacked(*two).replace({"device.traps": [table]}), 1, 0.4)[0].chord
        for table in (RELAXING | {"layer": 1}, sheet)
    )
    assert by_number == pytest.approx(by_place, rel=1e-9)


def test_traps_at_the_vacancies_of_a_layer_are_as_many_as_there_are_vacancies():
    """Of the right layer: the groups lie in its cells, whose vacancies alone count."""
    two = stacked(layer(1.2), layer(1.6)).replace({"device.traps": [VACANCIES | {"layer": 1}]})
    moving = closed(two, 1, 0.4)
    traps = filled_traps(moving.junction, moving.state, 0, 1)
    width, c = moving.junction.columns.width[0], moving.state.c[0]
    assert (traps.sites.x > 1.2e-9).all()
    c[:12] = 1e20
    alone = filled_traps(moving.junction, moving.state, 0, 1)
    assert alone.amount.sum() == pytest.approx((c * width)[12:].sum(), rel=1e-9)


def test_check_names_traps_that_are_too_dense():
    assert notes(case(PULSE_OF_TRAPS, device__traps=[RELAXING])) == []
    (note,) = notes(case(PULSE_OF_TRAPS, device__traps=[RELAXING, ELASTIC | {"density": 3e27}]))
    assert note.startswith("device.traps[1]: 3e+27 1/m^3")

"""The channel of traps in junctions: slopes by the state, films of several layers, traps at vacancies."""

import math

import numpy as np
import pytest
from commands import draw_from_case, otjdd
from devices import BARE, COMPILED, case, closed, needs_speed
from layered import layer, stacked

from otjdd.case.notes import conduction_notes as notes
from otjdd.physics.channels.table import beside_coherent
from otjdd.physics.channels.traps import filled_traps
from otjdd.physics.junction import closure_slope, faces
from otjdd.physics.state import ALL_ENERGIES

ELASTIC = {"name": "elastic", "kind": "none", "density": 1e25, "depth": 0.1}
RELAXING = {"name": "relaxing", "kind": "none", "density": 2e25, "depth": 0.3, "relaxation_energy": 0.6}
HOPPING = RELAXING | {"name": "hopping", "hop_frequency": 1e13, "frenkel_permittivity": 5.0}
VACANCIES = {"name": "vacancies", "kind": "none", "of": "ions", "depth": 0.5, "relaxation_energy": 0.4}
WANDERING = VACANCIES | {"name": "wandering", "hop_frequency": 1e13, "per_ion": 2.0}
ALL = {table["name"]: table for table in (ELASTIC, RELAXING, HOPPING, VACANCIES, WANDERING)}
PULSE = 'drive = { kind = "pulse", voltage = "1.6 V", width = "1 us", read = {} }\n' + BARE
FILMS = {
    "one material": lambda table: case(device__film__cells=12, device__traps=[table]),
    "two layers": lambda table: stacked(layer(1.2), layer(1.6, band_offset=-0.3), device__traps=[table]),
}


def conductance(film, seed, V):
    """Conductance by the first traps of a film with random ions, and the run."""
    moving = closed(film, seed, V)
    return beside_coherent(moving.junction, moving.state, 0, 1, ALL_ENERGIES), moving


@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize("name", ALL if COMPILED else ["elastic"])
@pytest.mark.parametrize("V", [-0.8, 0.5])
def test_slopes_by_the_state_are_differences_of_closed_stacks(film, name, V):
    """By V at closed stacks, D(L) following the closure, in random films between unlike electrodes."""
    film, step = FILMS[film](ALL[name]), 1e-6
    through, moving = conductance(film, 2, V)
    state = moving.state
    elastance = closure_slope(moving.junction, 0, state.D_left[0], state.D_right[0], state.eps[0])
    chords = [conductance(film, 2, V + sign * step)[0].chord for sign in (1, -1)]
    along = through.by_V + through.by_D / elastance
    assert along == pytest.approx(math.log(chords[0] / chords[1]) / (2 * step), rel=2e-3, abs=1e-4)


@pytest.mark.parametrize("name", ALL if COMPILED else ["vacancies"])
def test_slopes_by_ions_are_differences(name):
    """One cell loses ions to its neighbour: S of the face between them moves alone."""
    film = case(device__film__cells=12, device__traps=[ALL[name]])
    through, moving = conductance(film, 2, 0.4)
    width, D = moving.junction.columns.width[0], moving.state.D_right[0]
    for f in range(1, 12):
        moved, chords = 1e-5 * moving.state.c[0, f] * width[f], []
        for sign in (1, -1):
            changed = closed(film, 2, 0.4)
            changed.state.c[0, f] += sign * moved / width[f]
            changed.state.c[0, f - 1] -= sign * moved / width[f - 1]
            changed.state.D_left[0] = faces(changed.junction, changed.state, 0, D)
            changed.state.D_right[0] = D
            chords.append(beside_coherent(changed.junction, changed.state, 0, 1, ALL_ENERGIES).chord)
        slope = math.log(chords[0] / chords[1]) / (2 * moved)
        assert through.by_S[f] == pytest.approx(slope, rel=1e-3, abs=1e-6 * np.abs(through.by_S).max())


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


@needs_speed
def test_a_case_with_traps_from_its_file_to_its_pictures(tmp_path):
    """What a user types: check, run, vary a depth, table, pictures."""
    traps = (
        '[[device.traps]]\nname = "vacancies"\nkind = "none"\nof = "ions"\ndepth = "0.5 eV"\nrelaxation_energy = "0.4 eV"\n'
        '[[device.traps]]\nname = "sheet"\nkind = "none"\ndensity = "1e26 1/m^3"\ndepth = "0.4 eV"\nposition = "1 nm"\n'
        'width = "0.5 nm"\nhop_frequency = "1e12 Hz"\n'
    )
    draw_from_case(tmp_path, "trapped", PULSE + traps, "device.traps[0].depth=0.6 eV", "traps")
    wrong = otjdd(tmp_path, "check", "trapped.toml", "--set", "device.traps[1].occupation=kinetic")
    assert wrong.returncode != 0
    assert "hops between such traps are not modelled" in wrong.stderr + wrong.stdout


def test_check_names_traps_that_are_too_dense():
    assert notes(case(PULSE, device__traps=[RELAXING])) == []
    (note,) = notes(case(PULSE, device__traps=[RELAXING, ELASTIC | {"density": 3e27}]))
    assert note.startswith("device.traps[1]: 3e+27 1/m^3")

"""Where the current of traps runs: at each electrode its parts by place, and by energy, add up to that of the channel."""

import numpy as np
import pytest
from devices import BARE, SMALL, case, closed, needs_speed
from layered import layer, stacked
from scipy.integrate import trapezoid
from scipy.special import log_ndtr, logsumexp, ndtr

from otjdd.case.case import parse_case
from otjdd.case.traps import Trap
from otjdd.mechanisms.traps.sites import FARTHEST, level_shares
from otjdd.physics.channels import beside_coherent
from otjdd.physics.state import NO_SLOPES
from otjdd.results import store
from otjdd.runs.run import run, simulate
from otjdd.solver.traps import ELECTRODES, level_count, point_counts, trap_currents

HOLD = 'drive = { kind = "hold", voltage = "0.5 V", duration = "1 ps" }\n' + BARE
ELASTIC = {"name": "elastic", "kind": "none", "density": 1e25, "depth": 0.3}
RELAXING = ELASTIC | {"name": "relaxing", "relaxation_energy": 0.6, "depth_spread": 0.05}
HOPPING = ELASTIC | {"name": "hopping", "density": 1e26, "relaxation_energy": 0.5, "hop_frequency": 1e13}
THERMAL = RELAXING | {"name": "thermal", "frenkel_permittivity": 5.0}
SHEET = ELASTIC | {"name": "sheet", "position": 1.1e-9, "width": 0.3e-9}
VACANCIES = {"name": "vacancies", "kind": "none", "of": "ions", "depth": 0.4, "relaxation_energy": 0.5}


def currents_of(film, V):
    """Currents of the traps of a film with random ions by place and energy, those of its channels [A/m2], and widths."""
    moving = closed(film, 2, V)
    channels = range(1, len(moving.junction.channels.code))
    chords = [beside_coherent(moving.junction, moving.state, 0, channel, NO_SLOPES).chord for channel in channels]
    density = np.array(chords) * V / moving.junction.channels.area[0]
    return trap_currents(moving.junction, moving.state, 0), density, moving.junction.columns.width[0]


@needs_speed
@pytest.mark.parametrize(
    "traps", [[ELASTIC], [RELAXING], [HOPPING], [THERMAL], [VACANCIES], [SHEET, HOPPING]], ids=lambda t: t[-1]["name"]
)
@pytest.mark.parametrize("V", [-0.3, 1e-4, 0.5])
def test_parts_by_place_and_by_energy_add_up_at_both_electrodes(traps, V):
    parts, density, width = currents_of(case(**SMALL, device__traps=traps), V)
    for side in ELECTRODES:
        np.testing.assert_allclose(parts[f"trap_current_{side}"] @ width, density, rtol=1e-6, atol=1e-6)
        by_energy = trapezoid(parts[f"spectrum_traps_{side}"], parts["spectrum_trap_energy"])
        assert by_energy == pytest.approx(density.sum(), rel=1e-6, abs=1e-6)


@needs_speed
def test_single_electrons_keep_their_energy_and_place_unless_the_lattice_relaxes():
    """Elastic: both electrodes see the same electrons. With hops and relaxation they come in higher than they leave."""
    parts, density, _ = currents_of(case(**SMALL, device__traps=[ELASTIC | {"depth": 0.1}]), -0.3)
    assert density[0] < -1.0
    for name in ("trap_current", "spectrum_traps"):
        largest = np.abs(parts[f"{name}_right"]).max()
        np.testing.assert_allclose(parts[f"{name}_left"], parts[f"{name}_right"], rtol=1e-6, atol=1e-9 * largest)
    parts, density, _ = currents_of(case(**SMALL, device__traps=[HOPPING]), 0.5)
    E = parts["spectrum_trap_energy"]
    right, left = (trapezoid(E * parts[f"spectrum_traps_{side}"], E) / density[0] for side in ("right", "left"))
    assert 0.2 < right - left < 0.7  # most of the 0.5 eV between the Fermi levels
    assert abs(right) < 0.2


@needs_speed
def test_a_layer_without_traps_exchanges_no_electrons():
    parts, density, width = currents_of(
        stacked(layer(1.2), layer(1.6, band_offset=-0.3)).replace({"device.traps": [RELAXING | {"layer": 1}]}), 0.4
    )
    for current in (parts["trap_current_left"], parts["trap_current_right"]):
        assert not current[0, :12].any()
        assert (current[0, 12:] > 0.0).all()
        assert current[0] @ width == pytest.approx(density[0], rel=1e-6)


@needs_speed
def test_traps_whose_filling_takes_time_show_that_of_the_moment():
    """Within 1 ps after a jump as good as none has moved: what comes from one electrode is not what goes to the other."""
    kinetic = {"occupation": "kinetic", "depth": "1 eV"}
    film = case(HOLD, **SMALL, device__traps=[RELAXING | {"depth_spread": 0.0} | kinetic])
    ds = simulate(film).isel(snapshot=-1)
    left, right = (float((ds[f"trap_current_{side}"][0] * ds.cell_width).sum()) for side in ELECTRODES)
    assert abs(left - right) > 0.5 * max(abs(left), abs(right))


# groups of traps in whole runs: on graded grids, and at temperatures that ask for other levels of a spread


KT = 0.02585
SLOW = {"name": "slow", "kind": "none", "density": 1e25, "depth": 0.7, "depth_spread": 0.1, "occupation": "kinetic"}
SHORT_HOLD = {"kind": "hold", "voltage": 0.4, "duration": 1e-9}


def test_thick_pieces_heavy_electrons_and_cold_films_have_more_points():
    trap = Trap(name="traps", kind="none", density=1e25, depth=1.0)
    lengths, mass = np.array([0.05e-9, 0.1e-9, 0.2e-9, 4e-9]), np.full(4, 0.2)
    counts = point_counts(trap, lengths, mass, KT, 1e-5)
    assert (np.diff(counts) > 0).all()
    whole = counts.sum()
    assert point_counts(trap, lengths, 4.0 * mass, KT, 1e-5).sum() > whole
    assert point_counts(trap, lengths, mass, KT / 4.0, 1e-5).sum() > whole
    assert point_counts(trap, lengths, mass, KT, 1e-2).sum() < whole


@pytest.mark.parametrize(("spread", "kT"), [(0.05, KT), (0.1, KT), (0.2, KT), (0.1, 1.6 * KT), (0.05, KT / 4.0)])
def test_levels_of_a_spread_weigh_an_exponential_as_the_normal_distribution_does(spread, kT):
    """The sum over exp(depth/kT), as a current may grow, against its closed form between the ends of the spread."""
    shift, share = level_shares(spread, level_count(spread, kT))
    a = spread / kT
    exact = 0.5 * a * a + log_ndtr(FARTHEST - a) - np.log(2.0 * ndtr(FARTHEST) - 1.0)
    assert logsumexp(shift / kT, b=share) == pytest.approx(exact, abs=4e-4)


@needs_speed
@pytest.mark.parametrize("occupation", ["steady", "kinetic"])
def test_thin_cells_at_the_walls_have_a_filling(occupation):
    """Of a graded grid, whose cells are smaller than the pieces of the band."""
    table = SLOW | {"depth_spread": 0.0, "occupation": occupation}
    drive = {"kind": "hold", "voltage": 0.0, "duration": 1e-9}
    graded = {"device.film.cells": 64, "device.film.grading": 30.0, "device.transmission": "wkb"}
    ds = run(case().replace(graded | {"device.traps": [table], "drive": drive}))
    filling = ds.trap_filling.values[-1, 0]
    assert ds.cell_width.values[0] < 0.1 * ds.cell_width.values.max()
    assert np.isfinite(filling).all()


@needs_speed
def test_a_run_goes_on_at_another_temperature_with_the_filling_of_its_traps(tmp_path):
    """Levels of a spread are closer in the cold."""
    film = case(**SMALL, drive=SHORT_HOLD, device__traps=[SLOW | {"initial": "full"}])
    first = simulate(film)
    store.write(first, tmp_path / "first.nc")
    changes = {"ions.initial": {"result": "first.nc"}, "temperature": 150.0, "drive.duration": 1e-15}
    cold = simulate(parse_case(film.resolved(), tmp_path).replace(changes))
    assert cold.sizes["trap_group"] > 1.5 * first.sizes["trap_group"]
    ends = first.trapped_electrons.values[-1], cold.trapped_electrons.values[0]
    assert 0.05 < ends[0] / first.trapped_electrons.values[0] < 0.95
    assert ends[1] == pytest.approx(ends[0], rel=1e-2)

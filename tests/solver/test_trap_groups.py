"""Groups of traps in whole runs: on graded grids, and at temperatures that ask for other levels of a spread."""

import numpy as np
import pytest
from devices import SMALL, case, needs_speed

from otjdd.case.case import parse_case
from otjdd.case.traps import Trap
from otjdd.results import store
from otjdd.runs.run import run, simulate
from otjdd.solver.trap_groups import point_counts

KT = 0.02585
SLOW = {"name": "slow", "kind": "none", "density": 1e25, "depth": 0.7, "depth_spread": 0.1, "occupation": "kinetic"}
HOLD = {"kind": "hold", "voltage": 0.4, "duration": 1e-9}


def test_thick_pieces_heavy_electrons_and_cold_films_have_more_points():
    trap = Trap(name="traps", kind="none", density=1e25, depth=1.0)
    lengths, mass = np.array([0.05e-9, 0.1e-9, 0.2e-9, 4e-9]), np.full(4, 0.2)
    counts = point_counts(trap, lengths, mass, KT, 1e-5)
    assert (np.diff(counts) > 0).all()
    whole = counts.sum()
    assert point_counts(trap, lengths, 4.0 * mass, KT, 1e-5).sum() > whole
    assert point_counts(trap, lengths, mass, KT / 4.0, 1e-5).sum() > whole
    assert point_counts(trap, lengths, mass, KT, 1e-2).sum() < whole


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
    film = case(**SMALL, drive=HOLD, device__traps=[SLOW | {"initial": "full"}])
    first = simulate(film)
    store.write(first, tmp_path / "first.nc")
    changes = {"ions.initial": {"result": "first.nc"}, "temperature": 150.0, "drive.duration": 1e-15}
    cold = simulate(parse_case(film.resolved(), tmp_path).replace(changes))
    assert cold.sizes["trap_group"] > 1.5 * first.sizes["trap_group"]
    ends = first.trapped_electrons.values[-1], cold.trapped_electrons.values[0]
    assert 0.05 < ends[0] / first.trapped_electrons.values[0] < 0.95
    assert ends[1] == pytest.approx(ends[0], rel=1e-2)

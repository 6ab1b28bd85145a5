"""Switches that a step could leap over: a waveform in one piece a branch, and in many, leads to the same ions and currents.

A step never passes the end of a piece. So pieces show what only the ends of a step see: a compliance that is reached and
left, stacks of electrons that leap, the image force, heat, fields of a film that turn.
"""

from itertools import pairwise

import numpy as np
import pytest
from devices import needs_speed

import otjdd

PIECES = 30  # of a branch
CASES = [
    ("junction", {}, [0, 2, -2, 0], 1e3),
    ("junction", {"ions.activation_energy": "0.5 eV"}, [0, 2, 0, -2, 0], 1e-3),
    ("junction", {"circuit.compliance": "1e-6 A"}, [0, 2, -2, 0], 1e6),
    ("junction", {"device.film.image_permittivity": 4.0}, [0, 2, -2, 0], 1e3),
    ("li2019", {}, [0, 3, 0, -3, 0], 1e-2),
    ("li2019", {"circuit.compliance": "1e-5 A"}, [0, 3, -3, 0], 1e4),
    ("vcm-cell", {}, [0, 2, -2, 0], 1e1),
    ("vcm-cell", {}, [0, 1, 0, -1, 0], 1e-1),
    ("ftj-ions", {}, [0, 2, 0, -2, 0], 1.0),
    ("ftj-bto", {}, [0, 2, -6, 0], 1e2),
    ("vcm-heat", {}, [0, 1, -1, 0], 1e6),
    ("vcm-heat", {}, [0, 1.2, 0, -1.2, 0], 1.0),
]


def driven(name, changes, times, voltages):
    """A run of a shipped case along a table of times [s] and voltages [V]."""
    points = [[float(t), float(V)] for t, V in zip(times, voltages, strict=True)]
    return otjdd.run(otjdd.load_case(name).without_study().replace(
        {"drive": {"kind": "table", "points": points}, "record.every": "all", **changes}))  # fmt: skip


@needs_speed
@pytest.mark.campaign
@pytest.mark.parametrize(("name", "changes", "path", "rate"), CASES)
def test_a_branch_in_one_piece_is_the_branch_in_many(name, changes, path, rate):
    corners = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(path))) / rate))
    cut = np.unique(np.concatenate([np.linspace(start, end, PIECES + 1) for start, end in pairwise(corners)]))
    whole, parts = (driven(name, changes, times, np.interp(times, corners, path)) for times in (corners, cut))
    positions = [np.interp(corners, ds.time.values, ds.vacancy_mean_position.values) for ds in (whole, parts)]
    assert np.abs(positions[0] - positions[1]).max() < 2e-3 * max(np.ptp(parts.vacancy_mean_position.values), 1e-10)
    largest = [float(np.abs(ds.conduction_current).max()) for ds in (whole, parts)]
    assert largest[0] == pytest.approx(largest[1], rel=1e-3)
    if "polarisation" in whole:
        film = [np.interp(corners, ds.time.values, ds.polarisation.values) for ds in (whole, parts)]
        np.testing.assert_allclose(film[0], film[1], atol=1e-3 * np.abs(film[1]).max())

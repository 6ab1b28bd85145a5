"""Pictures of traps: where their current enters and leaves the film, by place and by energy."""

import numpy as np
from made_results import labels, profiles

from otjdd.plot.figure import figure


def trapped(names=("vacancies",)):
    """Two snapshots of a film whose traps take electrons at the right and give them at the left, 0.5 eV lower."""
    ds = profiles([0, 1])
    x, E = ds.x.values, np.linspace(-1.0, 0.5, ds.sizes["energy"])
    place = np.ones((2, len(names), 1)) * np.exp(-x / 1e-10)
    spectrum = np.exp(-(((E + 0.5) / 0.1) ** 2)) * np.ones((2, 1))
    by_place, by_energy = ("snapshot", "trap", "x"), ("snapshot", "energy")
    return ds.assign_coords(trap=list(names)).assign(
        trap_current_left=(by_place, place), trap_current_right=(by_place, place[..., ::-1]),
        spectrum_trap_energy=(by_energy, np.tile(E, (2, 1))), spectrum_traps_left=(by_energy, spectrum),
        spectrum_traps_right=(by_energy, spectrum[:, ::-1]),
    )  # fmt: skip


def test_the_current_of_traps_is_drawn_for_both_electrodes():
    axes = figure(trapped(), "trap-currents").axes[0]
    sides = "right electrode", "left electrode"
    assert labels(axes) == [f"{time}, {side}" for time in ("0 s", "1 s") for side in sides]
    right, left = axes.lines[:2]
    assert right.get_color() == left.get_color()
    assert np.nanargmax(left.get_ydata()) < np.nanargmax(right.get_ydata())
    assert axes.get_yscale() == "log"
    several = labels(figure(trapped(("vacancies", "sheet")), "trap-currents").axes[0])
    assert several[:4] == [f"0 s, {trap}, {side}" for trap in ("vacancies", "sheet") for side in sides]


def test_the_spectrum_has_what_passes_the_band_and_what_passes_traps():
    axes = figure(trapped(), "spectrum").axes[0]
    assert labels(axes)[:3] == ["0 s", "0 s, traps, right", "0 s, traps, left"]
    assert [line.get_linestyle() for line in axes.lines[:3]] == ["-", "--", ":"]
    assert axes.get_xlim()[0] < -0.8  # energies of traps set limits too
    assert labels(figure(profiles([0, 1]), "spectrum").axes[0]) == ["0 s", "1 s"]

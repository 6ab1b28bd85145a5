"""Panels over position: profiles and maps of vacancies, bands, traps, electrons, the current by energy."""

import numpy as np
import pytest
from made_panels import with_electrons, with_traps
from made_results import case_attrs, labels, profiles, reads

from otjdd.plot.figure import figure
from otjdd.plot.over_x import band_line, unseen


def test_a_map_of_a_pulse_has_a_row_in_every_decade():
    t = np.concatenate([[0.0], np.geomspace(1e-9, 0.1, 20)])
    pulse = '{ kind = "pulse", voltage = "2 V", width = "100 ms" }'
    axes = figure(profiles(t, case_attrs(pulse)), "vacancies").axes[0]
    rows = axes.collections[0].get_coordinates()[:, 0, 1]
    heights = np.diff(rows)[2:]
    assert heights.max() < 1.5 * heights.min()
    assert "1 µs" in [text.get_text() for text in axes.get_yticklabels()]


def test_change_that_no_snapshot_shows_is_told():
    ds = profiles(np.linspace(0, 0.1, 11))
    ds["vacancy_concentration"][1:] = ds.vacancy_concentration[-1]
    assert unseen(ds) == "100 % of the change lies between 0 s and 10 ms: record.profiles_at can show it"
    assert unseen(profiles(np.linspace(0, 0.1, 11))) == ""
    assert any("lies between" in text.get_text() for text in figure(ds, "vacancies").axes[0].texts)


@pytest.mark.parametrize("metal", [True, False])
def test_the_bottom_of_a_metal_sets_no_limit_of_the_bands(metal):
    axes = figure(profiles([0, 1], barrier=2.0, metal=metal), "bands").axes[0]
    low, high = axes.get_ylim()
    assert -0.5 < low < 0
    assert 2.0 < high < 2.5
    assert axes.get_xlim()[1] == pytest.approx(3.2 if metal else 12.5)


def test_what_is_left_of_the_bending_at_a_lead_is_no_step():
    x, edge = band_line(profiles([0, 1], metal=False, step=0.004), 0)
    assert np.abs(np.diff(edge[x > 3])).max() < 0.1
    assert (np.diff(x[(x > -1) & (x < 13)]) == 0).sum() == 2  # the two interfaces of the film
    x, _ = band_line(profiles([0, 1], metal=False, step=0.1), 0)
    assert (np.diff(x[(x > -1) & (x < 13)]) == 0).sum() == 3  # a step of the band stays


def test_bands_of_a_loop_are_those_of_the_low_and_the_high_state():
    loop = reads(np.array([0.5, 1, 2, -1, -2, 0.5]), np.array([9, 8, 1, 2, 9, 9]) * 1e5)
    ds = profiles(np.arange(6)).merge(loop.drop_vars(["x", "cell_width"]))
    assert labels(figure(ds, "bands").axes[0]) == ["LRS, after +2 V", "HRS, after +0.5 V"]
    alone = profiles(np.arange(6))
    assert labels(figure(alone, "bands").axes[0]) == ["0 s", "5 s"]
    written = profiles([0, 1], case_attrs(**{"ions.initial": "uniform"}))
    assert labels(figure(written, "bands").axes[0]) == ["0 s, not written", "1 s"]
    biased = profiles([0, 1]).assign(snapshot_junction_voltage=("snapshot", [0.0, 0.7]))
    assert labels(figure(biased, "bands").axes[0]) == ["0 s, at 0 V", "1 s, at +0.7 V"]


def test_the_current_of_traps_is_drawn_for_both_electrodes():
    axes = figure(with_traps(), "trap-currents").axes[0]
    sides = "right electrode", "left electrode"
    assert labels(axes) == [f"{time}, {side}" for time in ("0 s", "1 s") for side in sides]
    right, left = axes.lines[:2]
    assert right.get_color() == left.get_color()
    assert np.nanargmax(left.get_ydata()) < np.nanargmax(right.get_ydata())
    assert axes.get_yscale() == "log"
    several = labels(figure(with_traps(("vacancies", "sheet")), "trap-currents").axes[0])
    assert several[:4] == [f"0 s, {trap}, {side}" for trap in ("vacancies", "sheet") for side in sides]


def test_the_spectrum_has_what_passes_the_band_and_what_passes_traps():
    axes = figure(with_traps(), "spectrum").axes[0]
    assert labels(axes)[:3] == ["0 s", "0 s, traps, right", "0 s, traps, left"]
    assert [line.get_linestyle() for line in axes.lines[:3]] == ["-", "--", ":"]
    low, high = axes.get_xlim()
    assert low < -0.8  # energies of traps set limits too
    assert high < 0.7  # and none at which next to nothing passes
    assert labels(figure(profiles([0, 1]), "spectrum").axes[0]) == ["0 s", "1 s"]


def test_electrons_are_drawn_beside_vacancies_with_both_fermi_levels():
    ds = with_electrons()
    axes, energy = figure(ds, "electrons").axes
    n, c = axes.lines
    np.testing.assert_array_equal(n.get_ydata(), ds.film_electrons[1])
    np.testing.assert_array_equal(c.get_ydata(), ds.vacancy_concentration[1])
    assert labels(axes) == ["electrons at 1 s", "vacancies"]
    band, left, right = energy.lines
    np.testing.assert_array_equal(band.get_ydata(), ds.conduction_band[1])
    assert (left.get_ydata()[0], right.get_ydata()[0]) == (-0.7, 0.0)
    assert {text.get_text() for text in energy.texts} == {"$E_F$ left", "$E_F$ right"}


def test_a_logarithmic_axis_of_the_film_ends_where_its_curves_or_its_decades_do():
    ds = with_traps()
    low, high = figure(ds, "trap-currents").axes[0].get_ylim()
    most = 1e-9 * float(ds.trap_current_left.max())
    assert (low, high) == (pytest.approx(most * 1e-6 / 2), pytest.approx(3 * most))
    few = figure(
        ds.assign(trap_current_left=ds.trap_current_left**0.1, trap_current_right=ds.trap_current_right**0.1),
        "trap-currents",
    )
    assert few.axes[0].get_ylim()[0] == pytest.approx(1e-9 * float(ds.trap_current_left.min()) ** 0.1 / 2)

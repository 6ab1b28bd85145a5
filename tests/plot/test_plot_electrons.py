"""Picture of the electrons of a film."""

import numpy as np
import xarray as xr
from made_results import labels, profiles

from otjdd.plot.figure import figure
from otjdd.plot.kinds import KINDS, chosen
from otjdd.plot.runs import named_results


def made():
    """A result with electrons, most of them in the second of three snapshots."""
    ds = profiles([0, 1, 2])
    n = ds.vacancy_concentration * xr.DataArray([1e-3, 0.5, 1e-2], dims="snapshot")
    return ds.assign(
        film_electrons=n.drop_attrs(),
        conduction_band=(("snapshot", "x"), np.full(n.shape, 0.2)),
        snapshot_junction_voltage=("snapshot", [0.0, 0.7, -0.3]),
    )


def test_electrons_are_drawn_beside_vacancies_with_both_fermi_levels():
    ds = made()
    axes, energy = figure(ds, "electrons").axes
    n, c = axes.lines
    np.testing.assert_array_equal(n.get_ydata(), ds.film_electrons[1])
    np.testing.assert_array_equal(c.get_ydata(), ds.vacancy_concentration[1])
    assert labels(axes) == ["electrons at 1 s", "vacancies"]
    band, left, right = energy.lines
    np.testing.assert_array_equal(band.get_ydata(), ds.conduction_band[1])
    assert (left.get_ydata()[0], right.get_ydata()[0]) == (-0.7, 0.0)
    assert {text.get_text() for text in energy.texts} == {"$E_F$ left", "$E_F$ right"}


def test_a_film_without_electrons_has_no_such_picture():
    assert "electrons" in chosen(named_results(made()))
    assert "electrons" not in chosen(named_results(profiles([0, 1])))
    assert not KINDS["electrons"].fits(named_results(profiles([0, 1])))

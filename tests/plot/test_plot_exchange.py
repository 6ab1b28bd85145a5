"""Picture of the vacancies of a film whose electrodes exchange them."""

import numpy as np
import pytest
from made_results import labels

from otjdd.plot.figure import figure
from otjdd.plot.kinds import KINDS, chosen
from otjdd.plot.runs import named_results
from otjdd.results.outputs import dataset

T = np.linspace(0.0, 3.0, 4)


def recorded(**walls):
    return dataset({"time": T, "vacancies": 1e18 * (2 - T / 3), "cell_width": [1e-9, 1e-9], **walls})


def test_the_number_is_drawn_with_the_walls_on_an_axis_of_their_own():
    ds = recorded(wall_concentration_left=1e26 + T, wall_concentration_right=np.array([1e27, 0.0, -1e20, 1e25]))
    axes, walls = figure(ds, "exchange").axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), 2 - T / 3)
    assert axes.get_ylabel() == "vacancies (nm⁻²)"
    assert axes.get_ylim()[0] == 0.0
    assert labels(axes) == ["film", "left wall", "right wall"]
    left, right = walls.lines
    np.testing.assert_array_equal(left.get_ydata(), ds.wall_concentration_left)
    np.testing.assert_array_equal(right.get_ydata(), [1e27, np.nan, np.nan, 1e25])  # a logarithm has no place for 0
    assert walls.get_yscale() == "log"


def test_several_results_are_compared_by_their_numbers_alone():
    first, second = recorded(wall_concentration_left=1e26 + T), recorded(wall_concentration_left=2e26 + T)
    (axes,) = figure([first, second], "exchange").axes
    assert len(axes.lines) == 2


@pytest.mark.parametrize("missing", ["vacancies", "time"])
def test_a_film_that_blocks_vacancies_has_no_such_picture(missing):
    ds = recorded(wall_concentration_left=1e26 + T)
    assert "exchange" in chosen(named_results(ds))
    assert not KINDS["exchange"].fits(named_results(ds.drop_vars(missing)))

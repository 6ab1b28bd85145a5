"""Pictures of predictions: the notes of a panel and of the prediction."""

import numpy as np
import pytest
import xarray as xr
from made_results import reads

from otjdd.plot.figure import prediction_figure
from otjdd.plot.style import page


@pytest.mark.parametrize("width", [None, 0.085])
def test_the_note_of_a_prediction_stands_below_that_of_its_panel_and_within_the_figure(width):
    since = np.geomspace(1.0, 1e4, 9)
    written = {"write_end": np.full(9, 1e-3), "write_end_voltage": np.full(9, -4.0)}
    lots = [reads(np.full(9, np.nan), share * 1e6 * since**-0.02, since + 1e-3, **written) for share in (0.9, 1.0, 1.2)]
    ds = xr.concat(lots, "percentile").assign_coords(percentile=[5.0, 50.0, 95.0]).assign_attrs(draws=20)
    with page(width):
        fig = prediction_figure(ds, "retention")
    fig.draw_without_rendering()
    notes = [text for text in fig.axes[0].texts if text.get_text()]
    assert len(notes) == 1
    assert notes[0].get_text().startswith("median and bands of 90 % of 20 draws")
    extent = notes[0].get_window_extent()
    assert fig.bbox.x0 <= extent.x0 < extent.x1 <= fig.bbox.x1
    assert extent.y0 >= fig.bbox.y0


@pytest.mark.parametrize(("share", "scale"), [(2.0, "linear"), (40.0, "log")])
def test_bands_decide_the_limits_of_a_prediction(share, scale):
    """The axis holds both ends of the band, and is logarithmic where the band spans more than a decade."""
    R = 1e6 * np.linspace(1.0, 1.5, 6)
    lots = [reads(np.array([1, 1, 1, -1, -1, -1.0]), R * factor) for factor in (1 / share, 1.0, share)]
    ds = xr.concat(lots, "percentile").assign_coords(percentile=[5.0, 50.0, 95.0]).assign_attrs(draws=20)
    axes = prediction_figure(ds, "conductance").axes[0]
    low, high = axes.get_ylim()
    assert axes.get_yscale() == scale
    assert low < 1 / (R.max() * share)
    assert high > 1 / (R.min() / share)

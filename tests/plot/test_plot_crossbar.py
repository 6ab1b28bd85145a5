"""Maps of a crossbar: one for each step that has something to show, one scale of colours, steps in words."""

import numpy as np
import pytest
from made_panels import crossbar as made_crossbar
from matplotlib.colors import LogNorm, Normalize

from otjdd.plot import crossbar
from otjdd.plot.figure import figure


def drawn(axes):
    """Title and values of each map within axes."""
    return {inner.get_title(): inner.images[0] for inner in axes.child_axes if inner.images}


def test_maps_of_cells_and_of_reads_are_drawn_unasked():
    left, right, *_ = figure(made_crossbar()).axes
    assert list(drawn(left)) == ["begin", "write 2.2 V\n2 µs", "rest\n3 µs"]
    assert list(drawn(right)) == ["read 100 mV\n1 µs", "read 100 mV\n4 µs"]
    written = drawn(left)["write 2.2 V\n2 µs"]
    assert np.asarray(written.get_array()) == pytest.approx(made_crossbar().cell_conductance.values[2])
    assert {type(image.norm) for image in drawn(left).values()} == {LogNorm}
    assert len({(image.norm.vmin, image.norm.vmax) for image in drawn(right).values()}) == 1


def test_sneak_paths_and_stress_are_drawn_when_asked_for():
    left, right, *_ = figure(made_crossbar(), ["sneak", "stress"]).axes
    assert {type(image.norm) for image in drawn(left).values()} == {Normalize}
    assert list(drawn(right)) == ["write 2.2 V\n2 µs"]


def test_of_many_steps_some_are_drawn_and_the_panel_says_so():
    axes = figure(made_crossbar(kinds=["begin"] + ["write", "read"] * 20), "cells").axes[0]
    assert len(drawn(axes)) == crossbar.MOST
    assert f"{crossbar.MOST} of 21 steps" in [text.get_text() for text in axes.texts]

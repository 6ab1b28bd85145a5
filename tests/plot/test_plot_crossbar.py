"""Maps of a crossbar: one for each step that has something to show, one scale of colours, steps in words."""

import numpy as np
import pytest
from matplotlib.colors import LogNorm, Normalize

from otjdd.plot import crossbar
from otjdd.plot.figure import figure
from otjdd.results import outputs

KINDS = ["begin", "read", "write", "rest", "read"]


def result(shape=(2, 3), kinds=KINDS):
    """Made outputs of a crossbar whose cell 0, 1 is written."""
    n = len(kinds)
    chosen = np.zeros((n, *shape))
    G, sensed, sneak = np.full((n, *shape), 1e-9), np.full((n, *shape), np.nan), np.full((n, *shape), np.nan)
    for i, kind in enumerate(kinds):
        if kind == "write":
            chosen[i, 0, 1], G[i:, 0, 1] = 1.0, 1e-5
        if kind == "read":
            sensed[i], sneak[i] = 0.1 * G[i], 0.2
    voltage = [{"read": 0.1, "write": 2.2}.get(kind, np.nan) for kind in kinds]
    arrays = {
        "step_time": np.arange(n) * 1e-6, "step_voltage": voltage, "step_energy": np.ones(n),
        "write_disturb": np.full(n, 0.01), "cell_chosen": chosen, "cell_voltage": 2.2 * chosen, "cell_conductance": G,
        "cell_rest_position": G, "sensed_current": sensed, "sneak_share": sneak,
    }  # fmt: skip
    return outputs.dataset(arrays)


def drawn(axes):
    """Title and values of each map within axes."""
    return {inner.get_title(): inner.images[0] for inner in axes.child_axes if inner.images}


def test_maps_of_cells_and_of_reads_are_drawn_unasked():
    left, right, *_ = figure(result()).axes
    assert list(drawn(left)) == ["begin", "write 2.2 V\n2 µs", "rest\n3 µs"]
    assert list(drawn(right)) == ["read 100 mV\n1 µs", "read 100 mV\n4 µs"]
    written = drawn(left)["write 2.2 V\n2 µs"]
    assert np.asarray(written.get_array()) == pytest.approx(result().cell_conductance.values[2])
    assert {type(image.norm) for image in drawn(left).values()} == {LogNorm}
    assert len({(image.norm.vmin, image.norm.vmax) for image in drawn(right).values()}) == 1


def test_sneak_paths_and_stress_are_drawn_when_asked_for():
    left, right, *_ = figure(result(), ["sneak", "stress"]).axes
    assert {type(image.norm) for image in drawn(left).values()} == {Normalize}
    assert list(drawn(right)) == ["write 2.2 V\n2 µs"]


def test_of_many_steps_some_are_drawn_and_the_panel_says_so():
    axes = figure(result(kinds=["begin"] + ["write", "read"] * 20), "cells").axes[0]
    assert len(drawn(axes)) == crossbar.MOST
    assert f"{crossbar.MOST} of 21 steps" in [text.get_text() for text in axes.texts]


def test_two_crossbars_are_not_drawn_into_one():
    with pytest.raises(ValueError, match="one result of a drive of the kind patterns"):
        figure([result(), result()], "cells")

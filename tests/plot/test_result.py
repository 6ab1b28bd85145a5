"""Figures: which panels fit a result, what they draw, and that drawing leaves nothing behind."""

from itertools import pairwise

import numpy as np
import pytest

from otjdd.errors import ResultError
from otjdd.plot.result import PANELS, figure
from otjdd.plot.style import save
from otjdd.results import outputs

WRITES = np.array([1.0, 2.0, 1.5, -1.0, -2.0, -1.0])


def reads(write_voltage, resistance):
    n = len(write_voltage)
    names = ("read_voltage", "read_current", "tunnelling_share", "transport_energy")
    arrays = dict.fromkeys(names, np.full(n, 0.1))
    return outputs.dataset(
        arrays
        | {"read_time": np.arange(n), "write_voltage": write_voltage, "read_resistance": resistance}
        | {"cell_width": [1e-9, 1e-9]},
        {"x": [0.5e-9, 1.5e-9]},
    )


def curves():
    T, V = np.array([260.0, 300.0, 340.0]), np.linspace(-0.5, 0.5, 11)
    current = np.sinh(V)[None, None, :] * np.exp(-0.3 / (8.617333262e-5 * T))[None, :, None]
    shape = dict.fromkeys(("bias_junction_voltage", "bias_tunnelling_share", "bias_transport_energy"), 0 * current)
    return outputs.dataset(shape | {"bias_current": current}, {"state": ["HRS"], "temperature": T, "bias": V})


def profiles(count):
    x = np.linspace(0.1e-9, 1.9e-9, 10)
    c = 1e26 * (1 + np.outer(np.arange(count), x) * 1e9)
    return outputs.dataset(
        {"vacancy_concentration": c, "snapshot_time": np.arange(count), "cell_width": np.full(10, 2e-10)}, {"x": x}
    )


def test_panels_that_fit_are_chosen():
    def chosen(ds):
        return [kind for kind, (_, fits) in PANELS.items() if fits(ds)]

    assert chosen(curves()) == ["iv", "arrhenius"]
    assert chosen(reads(WRITES, 1e6 * np.arange(1, 7))) == ["loop"]
    assert chosen(reads(np.repeat([2.2, -2.5], 5), 1e6 * np.arange(1, 11))) == ["conductance"]
    assert chosen(profiles(3)) == ["vacancies"]


def test_the_loop_is_resistance_against_write_voltage_with_its_direction():
    R = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 9.0]) * 1e6
    axes = figure(reads(WRITES, R), ["loop"]).axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.column_stack((WRITES, R)))
    assert axes.get_yscale() == "log"
    arrows = [text for text in axes.texts if text.arrow_patch]
    points = list(zip(WRITES, R, strict=True))
    assert arrows
    assert {(tuple(arrow.xyann), tuple(arrow.xy)) for arrow in arrows} <= set(pairwise(points))


def test_conductance_is_in_microsiemens_and_parts_writes_by_sign():
    R = np.array([1e6, 5e5, 2.5e5, 1e6])
    axes = figure(reads(np.array([2.2, 2.2, -2.5, -2.5]), R), ["conductance"]).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [1, 2, 4, 1])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [1, 2])
    np.testing.assert_allclose(axes.lines[2].get_xdata(), [3, 4])
    assert "µS" in axes.get_ylabel()


def test_the_activation_energy_is_that_of_the_current():
    axes = figure(curves(), ["arrhenius"]).axes[0]
    assert axes.get_legend().get_texts()[0].get_text() == "HRS, 0.30 eV"


def test_few_snapshots_are_profiles_and_many_a_map():
    assert len(figure(profiles(3)).axes[0].lines) == 3
    mapped = figure(profiles(9))
    assert not mapped.axes[0].lines
    assert len(mapped.axes) == 2  # the map and its colours


def test_every_axis_has_a_name():
    for ds in (curves(), profiles(3), profiles(9)):
        for axes in figure(ds).axes:
            assert axes.get_ylabel()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="nothing to draw for 'iv'"):
        figure(profiles(3), ["iv"])
    with pytest.raises(ValueError, match="nothing to draw in this result"):
        figure(outputs.dataset({}))


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_pictures_are_written_by_suffix(tmp_path, suffix, start):
    save(figure(profiles(3)), tmp_path / f"a.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes().startswith(start)


def test_other_suffixes_and_missing_folders_are_refused(tmp_path):
    drawn = figure(profiles(3))
    with pytest.raises(ValueError, match="png, pdf or svg"):
        save(drawn, tmp_path / "a.bmp")
    with pytest.raises(ResultError):
        save(drawn, tmp_path / "no" / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_drawing_changes_no_setting_and_opens_no_window():
    import matplotlib
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    figure(curves())
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []

"""The measure of a stated error: what a constant current would have."""

import dataclasses

import made_model
import numpy as np
import pytest
import xarray as xr

from otjdd.cli import compact as command
from otjdd.compact_models import error
from otjdd.compact_models.exports.functions import export_header
from otjdd.errors import ExtractionError
from otjdd.plot import fit as picture

NAMES = ["loop", "retention", "pulses of 1 us"]


def measured(decades: dict[str, tuple[list[float], list[float]]]) -> xr.Dataset:
    """Dataset of an error, from decades of the solver and of the model by protocol; currents below 0 V count as others."""
    solved, predicted = (np.concatenate([pair[i] for pair in decades.values()]) for i in (0, 1))
    protocol = np.repeat(np.arange(len(decades)), [len(pair[0]) for pair in decades.values()])
    off = [np.subtract(*pair) for pair in decades.values()]
    return xr.Dataset(
        {
            "error_rms": ("protocol", [np.sqrt(np.mean(each**2)) for each in off]),
            "error_worst": ("protocol", [np.abs(each).max() for each in off]),
            "sample_protocol": ("sample", protocol.astype(float)),
            "sample_solved": ("sample", -(10.0**solved)),
            "sample_predicted": ("sample", -(10.0**predicted)),
        },
        coords={"protocol": np.array(list(decades), object)},
    )


@pytest.fixture
def model():
    """Right by 0.02 decades under each drive; of these only the loop switches."""
    reads = {
        "loop": ([-9.0, -7.0, -5.0], [-8.98, -7.02, -5.02]),
        "retention": ([-8.0, -8.0, -8.01], [-7.98, -8.02, -8.03]),
        "pulses of 1 us": ([-8.0, -8.0], [-8.02, -7.98]),
    }
    return dataclasses.replace(made_model.made_model(), measured=measured(reads))


def test_constant_has_the_standard_deviation_of_the_decades(model):
    loop, retention, pulses = error.error_lines(model)
    assert loop[1:5] == pytest.approx((0.02, 0.02, np.sqrt(8.0 / 3.0), 4.0))
    assert retention.constant == pytest.approx(np.sqrt(2e-4) / 3.0)
    assert (pulses.constant, pulses.span) == (0.0, 0.0)
    assert [row.worse_than_constant for row in (loop, retention, pulses)] == [False, True, True]


def test_header_and_picture_name_the_drives_where_a_constant_is_better(model):
    (line,) = [line for line in export_header(model) if "rms" in line]
    assert "loop: rms 0.020, worst 0.020, a constant 1.633, span 4.000;" in line
    assert "retention: rms 0.020, worst 0.020, a constant 0.005, span 0.010 (worse than a constant)" in line
    fig = picture.agreement(model.measured)
    labels = [label.get_text() for label in fig.axes[1].get_yticklabels()]
    assert labels == [NAMES[0], *(f"{name}, worse than a constant" for name in NAMES[1:])]
    fig.draw_without_rendering()
    assert fig.legends[0].get_window_extent().x1 <= fig.bbox.x1


def test_model_that_is_worse_under_most_drives_is_refused_unless_they_are_excluded(model, monkeypatch):
    monkeypatch.setattr(error, "measured_error", lambda *_: model.measured)
    with pytest.raises(
        ExtractionError, match=r"2 of 3 drives, most under pulses of 1 us.*--exclude \"retention\""
    ) as caught:
        error.with_measured_error(model, None, None, limit=0.3)
    assert caught.value.partial.measured is model.measured
    assert error.with_measured_error(model, None, None, limit=0.3, leave_out=("retention",)).measured is model.measured


def test_screen_warns_of_drives_where_a_constant_is_better(model, capsys):
    command.tell_error(model)
    printed = capsys.readouterr()
    assert "loop: rms 0.020, worst 0.020, a constant 1.633, span 4.000\n" in printed.out
    assert "worse than a constant under retention, pulses of 1 us" in " ".join(printed.err.split())
    command.tell_error(made_model.made_model())  # of an extraction that was interrupted
    assert capsys.readouterr().out == ""


def test_refusal_names_the_voltages_up_to_which_the_loop_is_right(model):
    writes, off = [0.4, 0.7, 0.95, 1.6, -1.2, -2.0], np.array([0.0, 0.2, -0.5, 1.0, 0.1, 0.2])
    loop = measured({"loop": (np.full(6, -8.0), -8.0 + off)}).assign(sample_write=("sample", writes))
    wrong = dataclasses.replace(model, measured=loop)
    low, words = wrong.limits.low, error.refusal_of_model(wrong, 0.3)
    assert "V at 300 K is off by 0.47 decades (rms) under loop; 0.3 are allowed" in words
    assert f"(--voltage={low:g}:0.9)" in words
    assert error.narrower_voltages(dataclasses.replace(model, measured=loop.isel(sample=[0, 1])), 0.3) is None

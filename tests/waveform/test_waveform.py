import math
from fractions import Fraction

import numpy as np
import pytest

from otjdd.waveform.shapes import hold, pulse, read
from otjdd.waveform.waveform import MAX_POINTS, Waveform, concatenate, voltage_between, with_reads

PULSE = pulse(2.2, 50e-9, rise=5e-9, fall=10e-9, wait=135e-9)


def at(waveform, t):
    """Slow and plain: the last segment that begins at or before t."""
    value = waveform.voltages[0]
    for t0, t1, v0, v1 in zip(
        waveform.times[:-1], waveform.times[1:], waveform.voltages[:-1], waveform.voltages[1:], strict=True
    ):
        if t0 <= t < t1:
            return v0 + (v1 - v0) * (t - t0) / (t1 - t0)
        if t >= t1:
            value = v1
    return value


def test_value_agrees_with_a_plain_search():
    joined = concatenate([PULSE, read(0.1, 1e-7, 3e-8), hold(-1.0, 1e-7), PULSE])
    t = np.concatenate([np.linspace(-1e-8, joined.duration * 1.1, 400), joined.times])
    np.testing.assert_allclose(joined(t), [at(joined, x) for x in t], atol=1e-12)


def test_joints_meet_exactly_and_marks_stay_on_their_plateau():
    both = PULSE.then(read(0.1, 1e-6, write_voltage=2.2))
    assert both.duration == PULSE.duration + 1e-6
    assert both.read_times.tolist() == [both.duration]
    assert both.read_voltages.tolist() == [0.1]
    assert both.write_voltages.tolist() == [2.2]
    assert both(both.duration) == 0.0
    lengths = [0.1, 1e-7, 0.3, 1e-9] * 500
    exact = float(sum(map(Fraction, lengths)))
    assert concatenate([hold(1.0, d) for d in lengths]).duration == pytest.approx(exact, rel=2.3e-16)


def test_many_pulses_are_cheap_and_too_many_are_refused_before_they_exist():
    assert PULSE.repeat(500_000).duration == 500_000 * PULSE.duration
    with pytest.raises(ValueError, match="limit is 5,000,000"):
        PULSE.repeat(10**15)
    with pytest.raises(ValueError, match="limit"):
        concatenate([Waveform(np.arange(MAX_POINTS // 2 + 1.0), np.zeros(MAX_POINTS // 2 + 1))] * 2)


@pytest.mark.parametrize(
    ("times", "voltages", "reads", "word"),
    [
        ([0, 1], [0], (), "as many"),
        ([], [], (), "as many"),
        ([[0, 1]], [[0, 1]], (), "as many"),
        ([1, 2], [0, 0], (), "starts at 0"),
        ([0, 2, 1], [0, 0, 0], (), "goes back from 2 s to 1 s"),
        ([0, math.nan], [0, 0], (), "finite"),
        ([0, 1], [0, math.inf], (), "finite"),
        ([0, 1], [0, 0], [(0.5, 0)], "breakpoint"),
        ([0, 1, 2], [0, 0, 0], [(2, 0), (1, 0)], "order"),
        ([0, 1], [0, 0], [(math.nan, 0)], "finite"),
    ],
)
def test_arrays_that_are_no_waveform_are_refused(times, voltages, reads, word):
    with pytest.raises(ValueError, match=word):
        Waveform(times, voltages, reads)


def test_nobody_changes_a_waveform_after_it_was_made():
    times = np.array([0.0, 1.0])
    waveform = Waveform(times, [0, 1])
    times[1] = 5.0
    assert waveform.duration == 1.0
    with pytest.raises(ValueError, match="read-only"):
        waveform.voltages[0] = 3.0


def test_a_mark_beside_a_breakpoint_makes_no_step_of_rounding():
    marked = with_reads(Waveform([0, 1000 * 1e-9, 2000 * 1e-9], [0, 1, 0]), [1e-6, 2e-6])
    assert marked.times.size == 3
    assert marked.read_times.tolist() == marked.times[1:].tolist()


@pytest.mark.parametrize("delay", [0.0, 3e-7, -3e-7, 1e-6, 5e-6, -5e-6, 1.2e-6])
def test_difference_is_pre_minus_post_at_every_time(delay):
    pre = pulse(1.0, 1e-6, rise=2e-7, wait=3e-7)
    post = concatenate([pulse(-0.4, 1e-7), pulse(0.9, 5e-7, fall=1e-7)])
    across = voltage_between(pre, post, delay)
    late_pre, late_post = max(-delay, 0), max(delay, 0)
    # Off the breakpoints, where neither side of a jump is in question.
    t = np.linspace(0, across.duration, 1237) + 1.7e-10
    np.testing.assert_allclose(across(t), pre(t - late_pre) - post(t - late_post), atol=1e-9)


def test_a_read_near_the_start_of_a_long_waveform_stays_where_it_is():
    shape = with_reads(Waveform([0.0, 1e-15, 2e-15, 3e-15, 1e9], [0.0, 3.0, 3.0, -1.0, -1.0]), [2e-15, 1e9])
    assert shape.read_times.tolist() == [2e-15, 1e9]
    assert shape.read_voltages.tolist() == [3.0, -1.0]


def test_a_difference_keeps_short_steps_before_a_long_rest():
    across = voltage_between(pulse(1.0, 1e-15, wait=1e9), pulse(0.0, 1.0), 0.0)
    assert across(np.array([0.5e-15, 2e-15])).tolist() == [1.0, 0.0]

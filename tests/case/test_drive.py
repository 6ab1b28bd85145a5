import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from otjdd.case.crossbar import Patterns
from otjdd.case.drive import MAX_DEPTH, Drive
from otjdd.case.drive_curves import Curves

ADAPTER = TypeAdapter(Drive)
READ = {"voltage": "0.1 V", "duration": "1 us"}
EXAMPLES = {
    "hold": {"voltage": "0 V", "duration": "1e4 s", "reads_per_decade": 2},
    "steps": {"voltages": ["-0.5 V", "-1 V"], "width": "1 us"},
    "pulse": {"voltage": "2.2 V", "width": "20 ns", "read": READ},
    "train": {"voltage": "1.5 V", "width": "50 ns", "count": 10, "frequency": "5 MHz"},
    "write-read-loop": {"path": ["0 V", "2.2 V", "-4.3 V", "0 V"], "step": "0.1 V", "width": "100 ms"},
    "triangle": {"path": ["0 V", "2 V", "-4 V", "0 V"], "rate": "1 V/s", "cycles": 2},
    "pund": {"voltage": "3 V", "width": "10 us", "rise": "1 us", "wait": "5 us"},
    "table": {"points": [["0 s", "0 V"], ["1 us", "2 V"]], "reads_at": ["1 us"]},
    "spikes": {"pieces": {"peak": {"kind": "hold", "voltage": "1 V", "duration": "1 us"}}, "pre": ["peak"],
               "post": ["peak"], "delay": "-2 us"},
    "sequence": {"parts": [{"kind": "pulse", "voltage": "2.2 V", "width": "50 ns"}], "repeat": 3},
    "iv": {"start": "-1 V", "stop": "1 V", "step": "0.5 V", "temperatures": ["300 K"]},
    "cv": {"start": "-1 V", "stop": "1 V", "step": "0.5 V", "frequencies": ["1 kHz", "1 MHz"]},
    "impedance": {"bias": ["0 V"], "frequencies": {"start": "1 Hz", "stop": "1 MHz", "per_decade": 2}},
    "patterns": {"scheme": "third", "parts": [{"kind": "write", "voltage": "2 V", "width": "1 us"}, {"kind": "read"}]},
}  # fmt: skip


def load(**table):
    """As from a case file: quantities are text."""
    return ADAPTER.validate_python(table, context={"strict_units": True})


def refused(**table):
    with pytest.raises(ValidationError) as caught:
        load(**table)
    return str(caught.value)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_drive_written_out_reads_back_equal(kind):
    drive = load(kind=kind, **EXAMPLES[kind])
    assert load(**drive.model_dump(mode="json", exclude_none=True)) == drive


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_drive_has_a_waveform_or_curves_or_patterns(kind):
    drive = load(kind=kind, **EXAMPLES[kind])
    assert isinstance(drive, Curves | Patterns) or drive.waveform().duration > 0


def test_a_train_reads_after_each_pulse_within_the_period():
    table = {"voltage": "2.2 V", "width": "50 ns", "count": 20, "period": "10 us", "read_each": True}
    waveform = load(kind="train", read={"delay": "2 us"}, **table).waveform()
    np.testing.assert_allclose(waveform.read_times, np.arange(20) * 10e-6 + 3.05e-6, rtol=1e-12)
    assert waveform.write_voltages.tolist() == [2.2] * 20
    assert waveform.duration == 20 * 10e-6


@pytest.mark.parametrize(("delay", "end"), [("0 s", 2.85e-6), ("5 us", 7.85e-6)])
def test_a_train_reads_once_after_the_last_pulse(delay, end):
    waveform = load(kind="train", read={"delay": delay}, **EXAMPLES["train"]).waveform()
    assert waveform.read_times == pytest.approx([end], rel=1e-12)
    assert (waveform.segments()[2] == 1.5).sum() == 10


def test_log_spaced_reads_reach_from_the_microsecond_to_the_end():
    waveform = load(kind="hold", **EXAMPLES["hold"]).waveform()
    marks = waveform.read_times
    assert marks[-1] == 1e4
    np.testing.assert_allclose(np.diff(np.log10(marks)), 0.5, rtol=1e-9)
    # The first that leaves the hold as much time as the read lasts, twice 1 us.
    assert marks[0] == pytest.approx(10**0.5 * 1e-6)


def test_a_triangle_with_a_step_is_the_staircase_of_an_instrument():
    table = {"kind": "triangle", "path": ["0 V", "0.2 V", "-0.1 V", "0 V"], "step": "0.1 V"}
    swept, waiting = load(rate="1 V/s", **table).waveform(), load(delay="100 ms", **table).waveform()
    np.testing.assert_allclose(swept.read_voltages, [0.1, 0.2, 0.1, 0, -0.1, 0])
    np.testing.assert_allclose(swept.read_times, 0.1 * np.arange(1, 7))
    np.testing.assert_array_equal(swept.times, waiting.times)
    early = load(rate="1 V/s", delay="20 ms", **table).waveform()
    np.testing.assert_allclose(early.read_times, 0.1 * np.arange(6) + 0.02)
    np.testing.assert_allclose(early.read_voltages, swept.read_voltages)
    assert early.duration == swept.duration


def test_sequences_nest_four_deep_and_no_deeper():
    drive = {"kind": "hold", "voltage": "0 V", "duration": "1 s"}
    for _ in range(MAX_DEPTH):
        drive = {"kind": "sequence", "parts": [drive], "repeat": 2}
    assert load(**drive).waveform().duration == 2**MAX_DEPTH
    assert "limit is 4" in refused(kind="sequence", parts=[drive])


def test_iv_states_are_prepared_by_their_histories():
    states = {"HRS": [], "LRS": [{"voltage": "2.2 V", "duration": "100 ms"}, {"voltage": "0 V", "duration": "1 s"}]}
    histories = load(kind="iv", voltages=["0.1 V"], states=states).histories()
    assert list(histories) == ["HRS", "LRS"]
    assert histories["HRS"].duration == 0
    assert histories["LRS"].duration == pytest.approx(1.1)
    assert histories["LRS"](0.05) == 2.2


def spikes(delay):
    """The junction's view of 1 us at -0.5 V and 1 us at 1 V on both ends."""
    piece = {"kind": "hold", "duration": "1 us"}
    pieces = {"ramp": piece | {"voltage": "-0.5 V"}, "peak": piece | {"voltage": "1 V"}}
    return load(kind="spikes", pieces=pieces, pre=["ramp", "peak"], post=["ramp", "peak"], delay=delay).waveform()


def test_the_junction_sees_the_difference_of_two_spikes():
    late = spikes("1 us")  # pre peaks while post is on its ramp
    assert late(np.array([0.5e-6, 1.5e-6, 2.5e-6, 3.5e-6])).tolist() == [-0.5, 1.5, -1.0, 0.0]
    apart = spikes("5 us")
    assert apart(np.array([0.5e-6, 1.5e-6, 3.5e-6, 5.5e-6, 6.5e-6])).tolist() == [-0.5, 1.0, 0.0, 0.5, -1.0]


def test_a_sweep_in_steps_is_read_at_the_end_of_each_plateau():
    path = ["0 V", "1 V", "-1 V", "0 V"]
    sweep = load(kind="steps", path=path, step="0.5 V", width="1 s", cycles=2, read_each=True).waveform()
    assert sweep.read_voltages.tolist() == [0.5, 1, 0.5, 0, -0.5, -1, -0.5, 0] * 2
    assert sweep.read_times.tolist() == list(range(1, 17))


def test_frequencies_are_listed_or_even_in_the_logarithm():
    assert load(kind="cv", voltages=["0 V"]).frequency_values().tolist() == [1e6]
    assert load(kind="impedance", frequencies=["1 kHz", "10 Hz"]).frequency_values().tolist() == [1e3, 10.0]
    table = {"start": "1 Hz", "stop": "1 kHz", "per_decade": 1}
    np.testing.assert_allclose(load(kind="impedance", frequencies=table).frequency_values(), [1, 10, 100, 1e3])
    values = load(kind="impedance", frequencies=table | {"stop": "2 kHz"}).frequency_values()
    assert (values[0], values.size) == (1, 5)
    assert values[-1] == pytest.approx(2e3)

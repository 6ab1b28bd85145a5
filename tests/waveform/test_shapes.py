import numpy as np
import pytest

from otjdd.system import text_files
from otjdd.waveform.shapes import hold, pulse, read, read_waveform, staircase, train, triangle, write_read_loop


def test_a_read_may_begin_with_the_hold_in_spite_of_rounding():
    assert hold(0.0, 1.0, [0.3], read(0.1, 0.1, delay=0.2)).read_times.tolist() == [0.3]


def test_pulses_may_fill_their_period_in_spite_of_rounding():
    # 0.1 + 0.2 is more than 0.3 in floats.
    assert train(pulse(1.0, 0.1, wait=0.2), 3, 0.3).duration == 3 * 0.3
    filled = train(pulse(1.0, 0.1).then(read(0.1, 0.2)), 3, 0.3)
    assert filled.read_times.tolist() == [0.3, 0.6, 3 * 0.3]


def test_the_last_step_of_a_leg_may_be_shorter():
    assert staircase([0, 1, -0.25], 0.4).tolist() == [0.4, 0.8, 1.0, 0.6, 0.2, -0.2, -0.25]


@pytest.mark.parametrize("path", [[1.0], [], [1.0, 1.0]])
def test_a_path_that_goes_nowhere_is_refused_and_an_open_one_is_not_cycled(path):
    with pytest.raises(ValueError, match="two different"):
        staircase(path, 0.1)
    with pytest.raises(ValueError, match="must end where it starts"):
        staircase([0, 1], 0.1, cycles=2)


def test_each_write_of_a_loop_is_followed_by_its_read():
    writes = [0.3, -1.0, 0.0, 2.0]
    loop = write_read_loop(writes, 1.0, read(0.1, 0.5, delay=0.25), wait=0.25)
    period = 2.0
    starts = np.arange(4) * period
    assert loop.write_voltages.tolist() == writes
    assert loop.read_times.tolist() == (starts + period).tolist()
    assert loop.read_voltages.tolist() == [0.1] * 4
    assert loop(starts + 0.5).tolist() == writes
    assert loop(starts + 1.25).tolist() == [0] * 4
    assert loop(starts + 1.75).tolist() == [0.1] * 4
    assert read(0.1, 0.5, delay=0.25, base=-1.0)([0.1, 0.2]).tolist() == [-1.0] * 2


def test_triangle_moves_at_its_rate():
    sweep = triangle([0, 2, -4, 0], rate=4.0, cycles=3)
    assert sweep.duration == 3 * 3.0
    t0, t1, v0, v1 = sweep.segments()
    np.testing.assert_allclose(np.abs(v1 - v0) / (t1 - t0), 4.0)
    assert sweep(np.array([0.5, 2.0, 3.5])).tolist() == [2, -4, 2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: staircase([0, 1], 1e-12),
        lambda: staircase([0, 1, 0], 0.1, cycles=10**9),
        lambda: write_read_loop(np.ones(10**6), 1e-6, read(0.1, 1e-6)),
        lambda: hold(0.0, 1.0, np.linspace(0.1, 1, 10**6), read(0.1, 1e-9)),
    ],
)
def test_more_breakpoints_than_the_limit_are_refused(make):
    with pytest.raises(ValueError, match="limit is 5,000,000"):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: pulse(1.0, 1e9, fall=1e-9),
        lambda: read(0.1, 1e-9, delay=1e9),
        lambda: hold(0.0, 1e9, [1e-6, 1e9], read(0.1, 1e-9)),
    ],
)
def test_a_step_that_numbers_cannot_tell_from_none_is_refused(make):
    with pytest.raises(ValueError, match=r"a step of 1e-09 s cannot be resolved at t = 1e\+09 s"):
        make()


def csv(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "w.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "0,0\n1e-6,2.5\n2e-6,0\n",
        "t [s], V [V]\n0, 0\n1e-6, 2.5\n2e-6, 0\n",
        "# recorded\r\nt [us]; V [mV]\r\n0; 0\r\n\r\n1; 2500 # top\r\n2; 0",
        "\ufefftime (us)\tvoltage (V)\n0\t0\n1\t2.5\n2\t0\n",
        "t [ns] V [V]\n  0 0\n1000   2.5\n2000 0\n",
        "time voltage\n0 0\n1e-6 2.5\n2e-6 0\n",
    ],
)
def test_files_of_the_usual_kinds_are_read(tmp_path, text):
    shape = read_waveform(csv(tmp_path, text), reads_at=[1e-6])
    np.testing.assert_allclose(shape.times, [0, 1e-6, 2e-6], rtol=1e-12)
    assert shape.voltages.tolist() == [0, 2.5, 0]
    assert shape.read_voltages == pytest.approx([2.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"w\.csv:1: no numbers"),
        ("t,V\n", r"w\.csv:1: no numbers"),
        ("t,V\n0,0\n1,x\n", r"w\.csv:3: expected two numbers.*'1 x'"),
        ("t,V\nt,V\n0,0\n", r"w\.csv:2: expected two numbers"),
        ("0,0\n1,nan\n", r"w\.csv:2: .*not finite"),
        ("0,0\n1e400,1\n", r"w\.csv:2: .*not finite"),
        ("0,0\n2,1\n1,1\n", r"w\.csv:3: time goes back from 2 to 1"),
        ("1,0\n2,1\n", r"w\.csv:1: the first time is 1"),
        ("0,0,0\n", r"w\.csv:1: expected two numbers"),
        ("0,0\n1\n", r"w\.csv:2: expected two numbers"),
        ("t,V,I\n0,0,0\n", r"w\.csv:1: expected two columns"),
        ("t [V], V [V]\n0,0\n", r"w\.csv:1: expected a time"),
        ("t [s], V [furlong]\n0,0\n", r"w\.csv:1: expected a voltage"),
        (b"t,V\n0,0\n\xff\xfe,1\n", r"w\.csv:1: not UTF-8"),
    ],
)
def test_files_with_a_fault_say_where(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_waveform(csv(tmp_path, text))


def test_files_that_are_too_large_are_refused(tmp_path, monkeypatch):
    path = csv(tmp_path, "0,0\n1,1\n2,0\n")
    monkeypatch.setattr("otjdd.waveform.shapes.MAX_POINTS", 2)
    with pytest.raises(ValueError, match="limit is 2"):
        read_waveform(path)
    with open(path, "r+b") as file:
        file.truncate(text_files.MAX_BYTES + 1)
    with pytest.raises(ValueError, match="larger than 64 MB"):
        read_waveform(path)

"""Waveforms in text files: the usual spellings are read, faults are reported with their line."""

import numpy as np
import pytest

from otjdd.system import text_table
from otjdd.waveform.text_file import read_waveform


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
        file.truncate(text_table.MAX_BYTES + 1)
    with pytest.raises(ValueError, match="larger than 64 MB"):
        read_waveform(path)

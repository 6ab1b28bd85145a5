"""One wrong word in each command: what is wrong, where, what was expected; nothing half written, nothing unexpected."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from walk import otjdd

BAD = """base = "li2019.toml"
[device.film]
thickness = "3 V"
cells = "many"
[drive]
kind = "pulse"
"""
CSV = "V (V),I (A)\n0.1,1e-9\n0.2,x\n0.3,3e-9\n"
GOOD = "V_write (V),R (ohm)\n" + "\n".join(f"{v},{1e5 + v}" for v in np.arange(0.1, 1.0, 0.1).round(1)) + "\n"
CALIBRATION = """case = "li2019.toml"
[[parameter]]
key = "device.left.barier"
low = "0.5 eV"
high = "0.7 eV"
dimension = "energy"
[[run]]
name = "one"
set = {}
[[run.target]]
name = "low"
read = 0
value = 1e5
"""
POLARISED = "V (V),P (uC/cm2)\n" + "\n".join(f"{v},{20 * v}" for v in range(-4, 5)) + "\n"
KEY = """base = "rv-loop.toml"
[fit]
vary = { "device.left.barrier" = {} }
[[fit.data]]
file = "good.csv"
temperature = "350 K"
"""
ARRAY = 'base = "crossbar.toml"\ncrossbar.cells.seed = -1\n'
TABLE = 'base = "li2019.toml"\ndrive = {kind = "table", file = "w.csv"}\n'
OUTSIDE = 'base = "../li2019.toml"\n'
QUOTES = "base = \u201cli2019.toml\u201d\n"
BLANK = 'base = "li2019.toml"\nseries resistance = "1 ohm"\n'
WRONG = [  # words, exit code, what is said
    ("runn li2019", 2, "No such command 'runn'"),
    ("run li2018", 5, "li2018"),
    ("run bad.toml", 3, "bad.toml:3:1 device.film.thickness"),
    ("run bad.toml", 3, 'bad.toml:4:1 device.film.cells: expected a whole number from 8 to 4096, got "many"'),
    ("run bad.toml", 3, "drive.voltage"),
    ("run li2019 --set device.film.thicknes='3 nm'", 3, "thickness"),
    ("run li2019 --set temperature='300 V'", 3, "temperature"),
    ("run li2019 --set temperature", 2, "expected KEY=VALUE"),
    ("run li2019 --set drive.kind=pulses", 3, "pulse"),
    ("run li2019 --plot out.jpg", 2, ".png, .pdf or .svg"),
    ("run li2019 -o nowhere/out.nc", 5, "nowhere"),
    ("run li2019 -o bad.toml", 5, "bad.toml"),
    (f"run li2019 -o {'x' * 300}.nc", 5, "File name too long; "),
    ("run li2019 -o locked/out.nc", 5, "locked"),
    ("run li2019 -o locked/comm", 5, "locked: is a folder that you may not write to"),  # a file there may be written to
    ("run good.csv", 3, "expected a case file, got measured data; `otjdd check` describes it"),
    ("run solved.nc", 3, "expected a case file, got a result; `otjdd rerun` simulates it again"),
    ("run li2019 --set temperature='27 C'", 3, 'C is the coulomb; write "27 degC"'),
    ("run li2019 --set temperature='\u201c300 K\u201d'", 3, "with typographic quotation marks"),
    ("fit good.csv rv-loop --vary ions.density --set ions.noise=shot", 3, "in a fit, whose runs must not scatter"),
    ("run junction --set device.right.doping='1e20 1/cm^3'", 3, 'got "doping" (a key of kind = "semiconductor")'),
    ("run li2019 --set device.film.permittivity.eps_r=3", 3, 'got "eps_r" (a key of law = "linear")'),
    ("run li2019 --set device.exchange=1", 3, 'did you mean "device.left.exchange" or "device.right.exchange"?'),
    ("run li2019 --set 'circuit.series resistance=1 ohm'", 3, "names have no blanks"),
    ("run blank.toml", 3, "blank.toml:2:8: not TOML: Expected '=' after a key in a key/value pair (names have no blanks)"),
    ("run quotes.toml", 3, 'not TOML: Invalid value (a typographic quotation mark; write ")'),
    ("run below/outside.toml", 3, 'base: expected a base in the folder of the case, or below, got "../li2019.toml" ('),
    ("run base.toml", 3, 'that comes with otjdd, got "rv-lop" (did you mean "rv-loop.toml"?)'),
    ("check array.h5", 3, "expected data over point, read, bias, time, got 3 values, 2 values"),
    ("plot --kind loop array.nc", 5, "its checksum is missing; take a file that `otjdd run` has written"),
    ("run li2019 --timeout never", 2, "--timeout"),
    ("rerun nothing.nc", 5, "nothing.nc"),
    ("rerun good.csv", 5, "good.csv"),
    ("cases all", 2, "all"),
    ("check bad.toml", 3, "bad.toml:3:1"),
    ("check words.csv", 3, "words.csv"),
    ("check good.csv --column current=Amps", 3, "Amps"),
    ("check good.csv --column curent='R (ohm)'", 2, "did you mean 'current'?"),
    ("check good.csv --skip a-b", 2, "--skip"),
    ("check good.csv --range write_voltage='0 A:1 A'", 2, "write_voltage is a voltage, not a current"),
    ("show li2019 --set ions.law=hopping", 3, "mott-gurney"),
    ("study li2019 -o out", 3, "[study]"),
    ("study thickness", 2, "-o DIR"),
    ("study thickness -o good.csv", 5, "good.csv"),
    ("study thickness -o out --shard 4/3", 2, "I from 1 to N"),
    ("study thickness -o out --set study.keep='[\"read_resistanc\"]'", 3, "read_resistance"),
    ("study thickness -o out --set study.grid='{\"device.film.thicknes\"=[\"3 nm\"]}'", 3, 'did you mean "thickness"'),
    ("study --status nowhere", 5, "nowhere"),
    ("plot nothing.nc", 5, "nothing.nc"),
    ("plot solved.nc --kind lop", 2, "loop"),
    ("plot solved.nc --label one --label two", 2, "--label"),
    ("plot solved.nc -o out.jpg", 2, "out.jpg"),
    ("plot", 2, "FILE"),
    ("export solved.nc --over bias", 2, "time"),
    ("export nothing.nc", 5, "nothing.nc"),
    ("export solved.nc -o nowhere/out.csv", 5, "nowhere"),
    ("validate threshold", 2, "threshold-20ns"),
    ("compact li2019 -o out --voltage 3", 2, "--voltage"),
    ("compact li2019 -o out --time 1:0", 3, "expected a longest time"),
    ("compact li2019 -o good.csv", 5, "good.csv"),
    ("explore li2018", 5, "li2018"),
    ("explore words.csv", 3, "words.csv"),
    ("explore li2019 --set temperature=hot", 3, "temperature"),
    ("fit good.csv li2019 --vary device.left.barier", 3, "device.left.barrier"),
    ("fit good.csv rv-loop --vary device.left.barrier='0.8eV:0.5eV'", 3, "device.left.barrier"),
    ("fit good.csv rv-loop --vary device.left.barrier='0.5V:0.8V'", 3, "device.left.barrier"),
    ("fit good.csv rv-loop --vary temperature --weight goood.csv=2", 2, "good.csv"),
    ("fit good.csv rv-loop --vary temperature --noise '1 nm'", 3, "the noise of resistance, got 1 nm"),
    ("fit good.csv rv-loop --vary temperature --noise 'a bit'", 3, "a quantity like 1 pA"),
    ("fit good.csv rv-loop --vary temperature --loss soft-l2", 3, 'did you mean "soft-l1"'),
    ("fit good.csv rv-loop --vary temperature=300K", 2, "expected KEY=LOW:HIGH"),
    ("fit good.csv rv-loop --vary temperature --profile a", 2, "is not varied"),
    ("fit power.csv rv-loop --vary temperature", 3, "a case with [device.film.polarisation]"),
    ("check key.toml", 3, 'a change of the case for these data: set = { "temperature" = ... }'),
    ("check good.csv --range write_voltage=1", 2, "it has no colon"),
    ("check good.csv --set a=b", 2, "has no keys"),
    ("check rv-loop --plot a.png", 2, "is a case"),
    ("check good.csv --from-name 300K", 2, "expected a field in braces"),
    ("check good.csv rv-loop", 2, "give one case, or files of data alone"),
    ("plot .", 5, "is a folder without study.nc"),
    ("plot solved.nc --kind movie -o a.png", 2, ".gif or .mp4"),
    ("plot solved.nc solved.nc --kind movie", 2, "a movie shows one result only"),
    ("plot solved.nc --kind iv", 2, "it needs a drive"),
    ("study thickness -o out --set study.grid='{\"drive.width\"={start=\"1 ns\",stop=\"2 ns\",count=900000}}'", 6, "limit"),
    ("check array.toml", 3, "array.toml:2:16 crossbar.cells.seed: expected a whole number at least 0, got -1"),
    ("run table.toml", 3, "w.csv:3"),
    ("fit words.csv rv-loop --vary device.left.barrier", 3, "words.csv"),
    ("fit rv-loop", 2, "[fit]"),
    ("fit good.csv rv-loop", 3, "vary"),
    ("fit rv-loop good.csv", 2, "the last word is the case"),
    ("fit good.csv rv-loop --vary device.left.barrier -o nowhere/found.nc", 5, "nowhere"),
    ("fit good.csv cv --vary device.left.barrier", 3, "good.csv"),
    ("predict nothing.nc rv-loop", 5, "nothing.nc"),
    ("predict solved.nc rv-loop", 2, "FIT.nc"),
    ("predict solved.nc", 2, "CASE"),
    ("design nothing.nc", 5, "nothing.nc"),
    ("design solved.nc", 2, "FIT.nc"),
    ("calibrate wished.toml", 3, 'wished.toml:3:1 parameter[0].key: expected the key of a number of the case'),
    ("calibrate wished.toml", 3, 'did you mean "device.left.barrier"?'),
    ("calibrate nothing.toml", 5, "nothing.toml"),
    ("schema --update good.csv", 2, "good.csv"),
    ("selftest --jsn", 2, "--json"),
]  # fmt: skip


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    path = tmp_path_factory.mktemp("solved") / "solved.nc"
    otjdd(f"run li2019 -o {path} -q", smaller=True)
    return path.read_bytes()


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=[f"{words[:60]} | {said}" for words, _, said in WRONG])
def test_a_wrong_word_is_told_before_anything_is_written(words, code, said, solved, folder):
    files = {"bad.toml": BAD, "words.csv": CSV, "good.csv": GOOD, "wished.toml": CALIBRATION}
    files |= {
        "power.csv": POLARISED,
        "key.toml": KEY,
        "array.toml": ARRAY,
        "table.toml": TABLE,
        "w.csv": "t [s],V [V]\n0,0\n1,zero\n",
    }
    files |= {"blank.toml": BLANK, "quotes.toml": QUOTES, "base.toml": 'base = "rv-lop"', "below/outside.toml": OUTSIDE}
    Path("below").mkdir()
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    Path("solved.nc").write_bytes(solved)
    with h5py.File("array.h5", "w") as file:
        file["V"], file["I"] = [0.1, 0.2], [1e-9, 2e-9, 3e-9]
    shutil.copy("array.h5", "array.nc")
    Path("locked").mkdir()
    if "locked" in words:
        Path("locked").rmdir()
        Path("locked").symlink_to("/proc/self")  # where nobody may write, not even root
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "locked" not in str(path)}
    told = " ".join(otjdd(words, code=code).replace("│", " ").split())
    assert said in told, told
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "locked" not in str(path)}
    assert after == before


def test_a_base_in_another_folder_is_read_where_it_is_allowed(folder):
    Path("below").mkdir()
    Path("above.toml").write_text('base = "li2019.toml"\ntitle = "above"\n')
    Path("below/case.toml").write_text('base = "../above.toml"\n')
    assert "case.toml: ok" in otjdd("check below/case.toml --allow-outside")
    assert 'title = "above"' in otjdd("show below/case.toml --allow-outside")

"""Files in the forms of instruments: read at once, or asked about with an option that then works."""

import re
import shlex

import instruments as make
import numpy as np
import pytest

import otjdd
from otjdd.cli.arguments import reading
from otjdd.errors import DataError
from otjdd.measurements.read import read_data

LOOP = make.loop()
T, V, CURRENT = LOOP["t"], LOOP["V"], LOOP["I"]
P = 0.1 * np.tanh(3 * (V - 0.2 * np.sign(np.diff(V, prepend=-1))))
FULL = {"time": T, "voltage": V, "current": CURRENT}
STEPS = (0.4, 0.8, 1.2)


def stepped():
    """Sweeps of a drain at three gates, side by side."""
    columns = {}
    for k, gate in enumerate(STEPS, start=1):
        columns |= {f"DrainI({k})": gate * CURRENT, f"DrainV({k})": V, f"GateV({k})": np.full(V.size, gate)}
    return list(columns), columns


def pulses():
    """Five pulses side by side whose times follow each other."""
    names = ["Time [s]", "V [V]", "I [A]", "P [uC/cm2]"] * 5
    columns = [column for k in range(5) for column in (T + 5 * k, V, CURRENT * (k + 1), 100 * P)]
    return "\t".join(names), {f"{i}": column for i, column in enumerate(columns)}


HYSTERESIS = {
    "Time [s]": T, "V+ [V]": V, "V- [V]": -V, "I1 [A]": CURRENT, "P1 [uC/cm2]": 100 * P, "I2 [A]": 1.1 * CURRENT,
    "P2 [uC/cm2]": 110 * P, "I3 [A]": -CURRENT, "P3 [uC/cm2]": -100 * P,
}  # fmt: skip
LEAKAGE = {
    "Voltage [V]": V, "Leakage Current Density [uA/cm2]": CURRENT, "Median Current Density [uA/cm2]": 2 * CURRENT,
}  # fmt: skip
LOOP_OF_P = {"time": T, "voltage": V, "current": CURRENT, "polarisation": P}
FILES = {  # name -> content, quantities
    "run.xls": (
        make.workbook({"Data": (["Time", "AI", "AV", "RES"], {"t": T, "I": CURRENT, "V": V, "R": [4715.0]})}, make.KITE),
        FULL,
    ),
    "list.csv": (
        b"V1,I1,absI\r\n" + make.rows({"V": V, "I": CURRENT, "a": abs(CURRENT)}).encode(),
        {"voltage": V, "current": CURRENT},
    ),
    "acs.csv": (
        b"Item,Smu1.Time[1][1],Smu1.V[1][1],Smu1.I[1][1],Smu1.R[1][1],\r\n"
        + make.rows({"n": np.arange(V.size), **LOOP, "R": V / CURRENT}, end=",\r\n").encode(), FULL,
    ),
    "b1500.csv": (make.easyexpert([{"V1": V, "I1": CURRENT}]), {"voltage": V, "current": CURRENT}),
    "hysteresis.dat": (make.aixacct([HYSTERESIS]), LOOP_OF_P),
    "leakage.dat": (
        make.aixacct([LEAKAGE], kind="Leakage"), {"voltage": V, "current_density": 1e-2 * CURRENT},
    ),
    "copied.tsv": (
        b"Time s\tVplus V\tVminus V\tI1 A\tP1 uC_per_cm2\tI2 A\tP2 uC_per_cm2\n"
        + make.rows(dict(list(HYSTERESIS.items())[:7]), "\t").encode() + b"\n", LOOP_OF_P,
    ),
    "text.txt": (b"Voltage Current Time\n" + make.rows({"V": V, "I": CURRENT, "t": T}, "\t").encode(), FULL),
    "vi.dat": (b"Time \tVoltage \tCurrent\r\n" + make.rows(LOOP, "\t", end="\r\n").encode(), FULL),
    "tsp.txt": (
        b"# Keithley 2450 TSP Pulse Test\n# Timestamp: 2031-03-14 01:59:26\n#   read_voltage: 0.15\n#\n"
        b"# Measurement_Number\tTimestamp(s)\tVoltage(V)\tCurrent(A)\tPhase\n"
        + make.rows({"n": np.arange(V.size), **LOOP}, "\t", end="\tread\n").encode(), FULL,
    ),
    "vision.txt": (make.radiant({"t": 1e3 * T, "V": V, "P": 100 * P}), {"time": T, "voltage": V, "polarisation": P}),
    "4156.csv": (make.agilent4156({"V": V, "I": CURRENT}), {"voltage": V, "current": CURRENT}),
    "labview.lvm": (make.lvm({"t": T, "Voltage": V, "Current": CURRENT}, ["Volts", "Amps"]), FULL),
    "untitled.lvm": (make.lvm({"t": T, "Dev1/ai0": V, "Dev1/ai1": CURRENT}, ["Volts", "Amps"], comma=False), FULL),
    "letters.csv": (make.german(LOOP, ("t / s", "U / V", "I / µA")), FULL),
    "words.csv": (make.german(LOOP), FULL),
    "save.mat": (make.mat(LOOP), FULL),
    "probe.csv": (make.infiniivision(LOOP, "second,Volt,Ampere"), FULL),
    "french.csv": ("Temps (s),Tension (V),Courant (µA)\n".encode() + make.rows(LOOP | {"I": 1e6 * CURRENT}).encode(), FULL),
    "chinese.csv": ("时间(s),电压(V),电流(A)\n".encode("gb18030") + make.rows(LOOP).encode(), FULL),
    "biologic.txt": (
        b"time/s\tControl/V\tU/V\tI/mA\n" + make.rows({"t": T, "x": V, "V": V, "I": 1e3 * CURRENT}, "\t").encode(), FULL,
    ),
}  # fmt: skip


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


def check_numbers(ds, expected, *, alone=True):
    """Each quantity has these numbers, to the digits of the file, and nothing measured is there beside them."""
    for name, values in expected.items():
        np.testing.assert_allclose(ds[name], values, rtol=2e-8, atol=1e-15, err_msg=name)
    if not alone:
        return
    measured = {"current", "current_density", "polarisation", "resistance", "capacitance"}
    assert {str(name) for name in ds} & measured == set(expected) & measured


@pytest.mark.parametrize("name", FILES)
def test_a_form_is_read_at_once_whatever_its_name(tmp_path, name):
    content, expected = FILES[name]
    for path in (name, "measurement.toml.bak"):
        ds = read_data(written(tmp_path, path, content))
        check_numbers(ds, expected)
        assert int(ds["record"].max()) == 0


@pytest.mark.parametrize(
    ("encoding", "end"),
    [("utf-8", "\r"), ("utf-8-sig", "\r\n"), ("utf-16", "\n\n"), ("utf-16-le", "\r\n"), ("latin-1", "\n")],
)
@pytest.mark.parametrize("name", ["acs.csv", "text.txt", "tsp.txt", "letters.csv"])
def test_encodings_and_ends_of_lines_change_nothing(tmp_path, name, encoding, end):
    content, expected = FILES[name]
    plain = content.decode("latin-1").replace("\r\n", "\n")
    check_numbers(read_data(written(tmp_path, name, plain.replace("\n", end).encode(encoding))), expected)


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 2, 0], [2, 1, 0]])
def test_the_order_and_the_units_of_columns_change_nothing(tmp_path, order):
    columns = [("Zeit (ms)", 1e3 * T), ("U (mV)", 1e3 * V), ("I (nA)", 1e9 * CURRENT)]
    mixed = dict(columns[i] for i in order)
    text = "Gerät: SMU 7\nMessbereich;1e-3\n\n" + ";".join(mixed) + "\n" + make.rows(mixed, ";")
    check_numbers(read_data(written(tmp_path, "a.dat", text.encode("latin-1"))), FULL)


def test_records_of_a_file_are_records(tmp_path):
    """Two records in one file, sweeps side by side, and a header that comes again."""
    two = make.easyexpert(
        [{"Vt": V, "It": CURRENT, "absIt": abs(CURRENT)}, {"Vt": V, "It": 2 * CURRENT, "absIt": CURRENT}]
    )
    ds = read_data(written(tmp_path, "two.csv", two))
    check_numbers(ds, {"voltage": np.tile(V, 2), "current": np.append(CURRENT, 2 * CURRENT)})
    np.testing.assert_array_equal(ds.record, np.repeat([0, 1], V.size))
    second = read_data(tmp_path / "two.csv", sheet="record 2")
    check_numbers(second, {"current": 2 * CURRENT})
    names, columns = stepped()
    book = make.workbook({"Run1": (names, columns), "Run2": (names, columns)}, make.KITE)
    ds = read_data(written(tmp_path, "steps.xls", book))
    check_numbers(ds, {"voltage": np.tile(V, 3), "current": np.concatenate([gate * CURRENT for gate in STEPS])})
    assert int(ds.record.max()) == 2
    table = otjdd.by_record(ds)
    assert table.current.dims == ("record", "point")
    np.testing.assert_allclose(table.current, np.outer(STEPS, CURRENT), rtol=1e-6)
    assert "GateV of the records: 0.4, 0.8, 1.2" in ds.attrs["understood"]
    assert "'Run2'; choose by --sheet" in ds.attrs["understood"]
    again = "V,I\n" + make.rows({"V": V, "I": CURRENT})
    ds = read_data(written(tmp_path, "again.csv", (again + again).encode()))
    np.testing.assert_array_equal(ds.record, np.repeat([0, 1], V.size))
    with_units = again.replace("V,I\n", "V,I\n(V),(uA)\n")
    ds = read_data(written(tmp_path, "units.csv", (with_units + with_units).encode()))
    check_numbers(ds, {"voltage": np.tile(V, 2), "current": 1e-6 * np.tile(CURRENT, 2)})
    ds = read_data(written(tmp_path, "apart.csv", (again + "\n\n" + again).encode()))
    np.testing.assert_array_equal(ds.record, np.repeat([0, 1], V.size))


def test_pulses_side_by_side_follow_each_other(tmp_path):
    header, columns = pulses()
    content = make.aixacct([columns], kind="Pulse").replace("\t".join(columns).encode(), header.encode())
    ds = read_data(written(tmp_path, "pund.dat", content))
    check_numbers(ds, {"voltage": np.tile(V, 5), "time": np.concatenate([T + 5 * k for k in range(5)])}, alone=False)
    assert np.all(np.diff(ds.time) > 0)
    np.testing.assert_array_equal(read_data(tmp_path / "pund.dat", names={"current": "I [A]"}).time, ds.time)


def test_tables_of_a_file_are_offered_by_name(tmp_path):
    tables = [{"Voltage [V]": V, "Leakage Current Density [A/cm2]": k * CURRENT} for k in (1, 2, 3)]
    path = written(tmp_path, "leakage.dat", make.aixacct(tables, kind="Leakage"))
    ds = read_data(path)
    check_numbers(ds, {"current_density": 1e4 * CURRENT})
    assert "'Table 2', 'Table 3'" in ds.attrs["understood"]
    check_numbers(read_data(path, sheet="Table 3"), {"current_density": 3e4 * CURRENT})
    with pytest.raises(DataError, match="a table or sheet 'Table 9', got Table 1, Table 2, Table 3, results"):
        read_data(path, sheet="Table 9")


TRANSISTOR = {"DrainI": CURRENT, "DrainV": np.full(V.size, -0.7), "GateI": 1e-5 * abs(V), "GateV": 8 * V}
TWICE = {f"{name}{k}": values for k in (1, 2) for name, values in TRANSISTOR.items()}
ASKED = {  # name -> content, words of the question, quantities by the option that it offers
    "transfer.xls": (
        make.workbook({"Data": (["Time", "Time", *TRANSISTOR], {"a": T, "b": T - 1e-4, **TRANSISTOR})}, make.KITE),
        ["DrainI", "GateI"], {"voltage": 8 * V, "current": CURRENT},
    ),
    "sampling.csv": (
        make.easyexpert([{"Time": T, "Vtg": V, "Vx": 1.7 * V + 0.1 * T, "Iss": CURRENT}]), ["Vtg", "Vx"],
        {"time": T, "current": CURRENT},
    ),
    "scope.csv": (make.infiniivision(LOOP), ["x-axis", "current"], {"time": T, "voltage": V, "current": 1e-3 * CURRENT}),
    "pulses.csv": (
        b"# pulse_v,pulse_width,meas_v,i_0,i_1\r\n"
        + make.rows({"V": V, "w": 1e-6 + 0 * V, "m": 0.15 + 0 * V, "a": CURRENT, "b": 1.2 * CURRENT}).encode(),
        ["i_0", "i_1"], {"write_voltage": V},
    ),
    "pmu.xlsx": (make.pmu(LOOP, ["01020051"] * V.size), ["PMU1_1_V", "PMU1_2_V", "PMU1_1_I"], {}),
    "cells.csv": (make.rows({"R": 3100.0 + abs(V)}, end="\r\n").encode(), ["no header"], {"resistance": 3100.0 + abs(V)}),
    "two.txt": (make.rows({"V": V, "I": CURRENT}, "\t").encode(), ["no header"], {"voltage": V, "current": CURRENT}),
    "own.csv": (b"probe (mV),lock-in (nA)\n" + make.rows({"V": 1e3 * V, "I": 1e9 * CURRENT}).encode(), ["lock-in"], FULL),
    "steps.xls": (
        make.workbook({"Run1": ([f"{n}({k})" for k in (1, 2) for n in TRANSISTOR], TWICE)}, make.KITE),
        ["DrainI(1)", "GateI(1)"], {"current": np.tile(CURRENT, 2)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_one_question_names_the_columns_and_an_option_that_then_works(tmp_path, name):
    content, words, expected = ASKED[name]
    path = written(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        read_data(path)
    question = str(caught.value)
    assert all(word in question for word in words), question
    options = shlex.split(re.search(r"((?:--column \S+?=(?:\"[^\"]*\"|'[^']*') ?)+)", question)[1])
    ds = read_data(path, **reading(options[1::2], "", [], []))
    check_numbers(ds, {key: values for key, values in expected.items() if key in ds} | {n: ds[n].values for n in ds})
    np.testing.assert_equal({key for key in expected if key not in ds} - {"time"}, set())


def test_the_current_of_the_other_terminal_is_left_out_where_it_is_the_opposite(tmp_path):
    rows = "".join(f"{v:g},{1e-6 * v:g},{-1.01e-6 * v:g}\n" for v in (0.1, 0.2, 0.3, 0.4))
    ds = read_data(written(tmp_path, "both.csv", f"V (V),DrainI (A),SourceI (A)\n{rows}".encode()))
    np.testing.assert_allclose(ds["current"], [1e-7, 2e-7, 3e-7, 4e-7])
    assert "the opposite of DrainI" in ds.attrs["understood"]
    other = rows.replace("-1.01e-07", "-1.2e-07").replace("-4.04e-07", "-4.4e-07")
    with pytest.raises(DataError, match="one column of current"):
        read_data(written(tmp_path, "others.csv", f"V (V),DrainI (A),SourceI (A)\n{other}".encode()))


def test_what_an_instrument_calls_no_number_is_masked_with_a_count(tmp_path):
    """Compliance in a status, in the settings, and an overflow."""
    ds = read_data(written(tmp_path, "buffer.csv", make.buffer(LOOP)))
    check_numbers(ds, {name: np.delete(values, [3, 4]) for name, values in FULL.items()})
    assert "2 rows masked by 'Source Limit'" in ds.attrs["understood"]
    status = ["01020051"] * V.size
    status[7], status[9] = "01021051", "01020851"
    names = {"voltage": "PMU1_1_V", "current": "PMU1_1_I"}
    ds = read_data(written(tmp_path, "pmu.xlsx", make.pmu(LOOP, status)), names=names)
    check_numbers(ds, {name: np.delete(values, [7, 9]) for name, values in FULL.items()})
    assert "2 rows masked by 'PMU1_1_S'" in ds.attrs["understood"]
    limit = float(np.sort(abs(CURRENT))[-3])
    at = np.minimum(abs(CURRENT), limit) * np.sign(CURRENT)
    settings = f"TestParameter, Measurement.Primary.Compliance, {limit!r}\n"
    ds = read_data(written(tmp_path, "b.csv", make.easyexpert([{"V1": V, "I1": at}], settings=settings)))
    held = abs(at) >= limit * 0.999
    check_numbers(ds, {"voltage": V[~held], "current": CURRENT[~held]})
    assert f"{held.sum()} rows masked: the current is at its compliance" in ds.attrs["understood"]
    over = np.where(np.arange(V.size) == 5, 9.9e37, CURRENT)
    ds = read_data(written(tmp_path, "o.csv", make.easyexpert([{"V1": V, "I1": over}])))
    assert ds.sizes["point"] == V.size - 1
    assert "1 numbers over the range of the instrument" in ds.attrs["understood"]
    ds = read_data(written(tmp_path, "w.csv", b"V,I\n1,2\n2,-1.#IND\n3,#DIV/0!\n4,5\n"))
    np.testing.assert_array_equal(ds.voltage, [1, 4])


@pytest.mark.parametrize(
    ("settings", "kelvin"),
    [
        ("Temperature [K]: 350\n", 350.0),
        ("Chuck Temperature: 25.0 C\n", 298.15),
        ("Temp (°C): 85\n", 358.15),
        ("T = 77 K\n", 77.0),
        ("Temperature: 300\n", None),  # no unit
        ("Over Temp: 85 C\n", None),
        ("T = 77 K\nT = 300 K\n", None),  # which?
    ],
)
def test_a_temperature_among_the_settings_is_a_condition(tmp_path, settings, kelvin):
    for name, content in {
        "a.dat": make.aixacct([HYSTERESIS], settings=settings),
        "b.csv": (
            "# " + settings.rstrip("\n").replace("\n", "\n# ") + "\nV,I\n" + make.rows({"V": V, "I": CURRENT})
        ).encode(),
    }.items():
        ds = read_data(written(tmp_path, name, content))
        assert ("temperature" in ds) == (kelvin is not None)
        if kelvin:
            np.testing.assert_allclose(ds.temperature, kelvin)
            assert f"temperature {kelvin:g} K, from" in ds.attrs["understood"]


def test_several_files_are_one_data_set(tmp_path):
    for T_K, factor in ((300, 1.0), (350, 2.0)):
        text = "V,I\n" + make.rows({"V": V, "I": factor * CURRENT})
        written(tmp_path, f"jv_D7_{T_K}K.csv", text.encode())
    ds = read_data(str(tmp_path / "jv_*.csv"), from_name="{device}_{temperature}K")
    np.testing.assert_array_equal(ds.temperature, np.repeat([300.0, 350.0], V.size))
    np.testing.assert_allclose(ds.current, np.append(CURRENT, 2 * CURRENT))
    np.testing.assert_array_equal(ds.record, np.repeat([0, 1], V.size))
    assert set(ds["device"].values) == {"D7"}
    with pytest.raises(DataError, match=re.escape("a name with '{temperature}C' in it")):
        read_data(tmp_path / "jv_D7_300K.csv", from_name="{temperature}C")
    with pytest.raises(FileNotFoundError, match="no file fits this pattern"):
        read_data(str(tmp_path / "x_*.csv"))
    written(tmp_path, "jv_D8_400K.csv", b"t,I\n1,2\n2,3\n")
    with pytest.raises(DataError, match="the quantities of the other files"):
        read_data(str(tmp_path / "jv_*.csv"))


def test_a_column_of_devices_divides_the_records(tmp_path):
    """The same sweep of two devices is no repeat: a fit compares each with a run of its own."""
    from fitted_devices import CURVES, small

    from otjdd.fitting.task import Data, task

    rows = "".join(f"D{k},{v},{k * i}\n" for k in (1, 2) for v, i in zip(V[1:9], CURRENT[1:9], strict=True))
    path = written(tmp_path, "dies.csv", f"Device,V,I\n{rows}".encode())
    ds = read_data(path)
    assert list(np.unique(ds.device)) == ["D1", "D2"]
    np.testing.assert_array_equal(ds.record, np.repeat([0, 1], 8))
    runs = task(small(), [Data(path, {"drive": CURVES})], ["device.left.barrier"]).runs
    assert [curve.label for run in runs for curve in run.curves] == ["dies.csv D1", "dies.csv D2"]
    ds = read_data(written(tmp_path, "counted.csv", b"Sample,V,I\n1,0.1,1\n2,0.2,2\n3,0.3,3\n4,0.4,4\n"))
    assert "device" not in ds.coords


GLUED = (
    "list.csv",
    "b1500.csv",
    "hysteresis.dat",
    "labview.lvm",
    "words.csv",
    "vision.txt",
    "4156.csv",
    "tsp.txt",
    "text.txt",
)


@pytest.mark.parametrize(("first", "second"), [(GLUED[i], GLUED[i - by]) for i in range(len(GLUED)) for by in (1, 4)])
def test_exports_of_two_instruments_in_one_file_give_words(tmp_path, first, second):
    path = written(tmp_path, "glued.txt", FILES[first][0].rstrip() + b"\n" + FILES[second][0])
    try:
        ds = read_data(path)
    except DataError:
        return
    raise AssertionError(f"{ds.sizes['point']} points: {ds.attrs['understood']}")


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_gives_words_or_the_numbers_before(tmp_path, name):
    content, expected = FILES[name]
    for share in (0.2, 0.5, 0.9, 0.97):
        path = written(tmp_path, name, content[: int(share * len(content))])
        try:
            ds = read_data(path)
        except DataError:
            continue
        count = ds.sizes["point"]
        for quantity, values in expected.items():
            if quantity in ds:  # the last number may have lost digits
                np.testing.assert_allclose(ds[quantity][: count - 1], values[: count - 1], rtol=2e-8, atol=1e-15)


def test_records_of_unequal_length_are_filled_with_nan(tmp_path):
    ds = otjdd.by_record(read_data(written(tmp_path, "a.csv", b"V,I\n1,1\n2,2\n3,3\nV,I\n1,4\n2,5\n")))
    np.testing.assert_array_equal(ds.current, [[1, 2, 3], [4, 5, np.nan]])
    np.testing.assert_array_equal(ds.line, [[2, 3, 4], [6, 7, -1]])

"""Files of instruments and of people: what is understood of them, and what is said of those that cannot be used."""

import numpy as np
import pytest
import xarray as xr

import otjdd
from otjdd.errors import DataError
from otjdd.measurements.read import read_data

LOOP = np.round(np.concatenate([np.arange(1, 11), np.arange(9, -11, -1), np.arange(-9, 1)]) * 0.1, 10)


def written(folder, text, name="data.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("V (mV),I (nA)\n100,1\n200,-2.5\n", "utf-8", {"voltage": [0.1, 0.2], "current": [1e-9, -2.5e-9]}),
        ("V [V]\tI [µA]\n0,1\t1,5E-3\n0,2\t2\n", "cp1252", {"voltage": [0.1, 0.2], "current": [1.5e-9, 2e-6]}),
        ("V;I (nA)\n0,100;0,5\n0,200;0,25\n", "utf-8", {"voltage": [0.1, 0.2], "current": [5e-10, 2.5e-10]}),
        ("U / V;I / mA\n0,1;1\n0,2;2\n", "utf-8", {"voltage": [0.1, 0.2], "current": [1e-3, 2e-3]}),
        ("# made by hand\n# t (us)  R (kΩ)\n1  2\n2  3\n", "utf-8", {"time": [1e-6, 2e-6], "resistance": [2e3, 3e3]}),
        ("V,R\nV,ohm\n1,10\n2,20\n", "utf-16", {"voltage": [1, 2], "resistance": [10, 20]}),
        ("V,I\n(V),(uA)\n1,10\n2,20\n", "utf-8", {"voltage": [1, 2], "current": [1e-5, 2e-5]}),
        ('"Write Voltage (V)","R (Ohm)"\r\n"1,5","2"\r\n"2","3"\r\n', "utf-8", {"write_voltage": [1.5, 2]}),
        ("V J (A/cm2)\n1 2\n2 3\n", "utf-8", {"current_density": [2e4, 3e4]}),
        ("T (°C),V,I\n20,1,2\n20,2,3\n", "utf-8", {"temperature": [293.15, 293.15]}),
        ("n;G (uS)\n1;2\n2;3\n", "utf-8-sig", {"number": [1, 2], "conductance": [2e-6, 3e-6]}),
        ("write_voltage (V),read_resistance (ohm)\n1,2\n2,3\n", "utf-8", {"resistance": [2, 3]}),
        ("V,R (ohm),R_err (kohm)\n1,20,1\n2,30,2\n", "utf-8", {"resistance_uncertainty": [1e3, 2e3]}),
    ],
)
def test_text_in_many_forms(tmp_path, text, encoding, expected):
    ds = read_data(written(tmp_path, text, encoding=encoding))
    for name, values in expected.items():
        np.testing.assert_allclose(ds[name], values, rtol=1e-14)
        assert ds[name].attrs["units"]


def test_a_record_of_an_analyser_with_lines_of_settings(tmp_path):
    text = (
        "SetupTitle, I/V Sweep\nPrimitiveTest, I/V Sweep\nTestParameter, Channel.IName, Id, Is\n"
        "DataName, Vd, Id\nDataValue, 0.1, 1E-9\nDataValue, 0.2, 9.91E+37\nDataValue, 0.3, 3E-9\n"
    )
    ds = read_data(written(tmp_path, text))
    np.testing.assert_array_equal(ds.voltage, [0.1, 0.3])
    assert "1 numbers over the range" in ds.attrs["understood"]
    assert "columns not used: DataName" in ds.attrs["understood"]
    assert list(ds.line.values) == [5, 7]


@pytest.fixture
def workbook(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    book = openpyxl.Workbook()
    book.active.title = "Settings"
    book.active.append(["Test Name", "vds-id"])
    sheet = book.create_sheet("Run1")
    sheet.append(["AnodeV", "AnodeI", "Note"])
    for volts in LOOP:
        sheet.append([float(volts), float(volts) ** 3 * 1e-6, "text"])
    book.save(tmp_path / "run.xlsx")
    return tmp_path / "run.xlsx"


def test_a_workbook_of_a_parameter_analyser(workbook):
    ds = read_data(workbook)
    np.testing.assert_allclose(ds.current, LOOP**3 * 1e-6)
    assert "sheet Run1" in ds.attrs["understood"]
    assert "columns not used: Note" in ds.attrs["understood"]
    assert ds.branch.max() == 2


def test_a_binary_workbook_of_an_older_analyser(tmp_path):
    """BIFF8, as a Keithley 4200 stores it: data first, with a comment in a cell, then settings of the test."""
    xlwt = pytest.importorskip("xlwt")
    pytest.importorskip("python_calamine")
    book = xlwt.Workbook()
    data, settings = book.add_sheet("Data", cell_overwrite_ok=True), book.add_sheet("Settings")
    for column, name in enumerate(("AnodeI", "AnodeV", "Time")):
        data.write(0, column, name)
        for row, volts in enumerate(map(float, LOOP), start=1):
            data.write(row, column, (volts**3 * 1e-6, volts, 0.01 * row)[column])
    data.write(3, 0, 9.91e37)
    settings.write(0, 0, "Test Name")
    settings.write(0, 1, "vds-id#1@1")
    book.save(str(tmp_path / "run.xls"))
    assert (tmp_path / "run.xls").read_bytes().startswith(b"\xd0\xcf\x11\xe0")  # an OLE container
    ds = read_data(tmp_path / "run.xls")
    kept = np.delete(LOOP, 2)
    np.testing.assert_allclose(ds.current, kept**3 * 1e-6)
    np.testing.assert_allclose(ds.voltage, kept)
    assert "sheet Data" in ds.attrs["understood"]
    assert "1 numbers over the range" in ds.attrs["understood"]
    assert list(ds.line.values[:3]) == [2, 3, 5]


def test_text_in_a_workbook_is_told_with_its_cell(workbook):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(workbook)
    book["Run1"]["B5"] = "oops"
    book.save(workbook)
    with pytest.raises(DataError, match=r"run.xlsx\[Run1\]:5:2: expected a number of current, got 'oops'"):
        read_data(workbook)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("1,2\n3,4\n", "1:1", "expected a header"),
        ("alpha,beta\n1,2\n3,4\n", "1:1", "expected a header"),
        ("V (furlong),I (A)\n1,2\n3,4\n", "1:1", "'furlong' is not a unit"),
        ("V (V),I (V)\n1,2\n3,4\n", "1:7", "'V' is not a unit of current"),
        ("V,I\n1,2\n2,x3\n3,4\n", "3:3", "expected a number of current, got 'x3'"),
        ("V,I\n1,x\n2,3\n", "2:3", "expected a number of current, got 'x'"),
        ("V,I\n1,nan\n2,nan\n", "2:1", "expected numbers in the column 'I', got none at all"),
        ("V,I\n1,2\n", "2:1", "2 rows or more"),
        ("V,I\n", "1:1", "expected numbers below the header"),
        ("t,V,I\n0,1,2\n1,2,3\n0.7,3,4\n", "4:1", "expected a time after 1 s"),
        ("V,I,Id\n1,2,3\n2,3,4\n", "1:5", "say which: current='Id'"),
        ("V,n\n1,2\n2,3\n", "1:1", "a measured quantity"),
        ("", "1:1", "a table of numbers"),
        ("# only a comment\n", "1:1", "a table of numbers"),
    ],
)
def test_bad_data_are_told_with_their_place(tmp_path, text, place, said):
    with pytest.raises(DataError) as caught:
        read_data(written(tmp_path, text))
    assert f"data.csv:{place}: " in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"\x7fELF\0\0\0\0" * 100)
    with pytest.raises(DataError, match="a binary file"):
        read_data(path)
    book = tmp_path / "data.xlsx"
    book.write_bytes(b"no workbook")
    pytest.importorskip("python_calamine")
    with pytest.raises(DataError, match="a workbook"):
        read_data(book)
    netcdf = tmp_path / "data.nc"
    netcdf.write_bytes(b"no netcdf")
    with pytest.raises(otjdd.ResultError, match="no NetCDF4"):
        read_data(netcdf)


def test_lines_and_ranges_are_left_out_and_columns_named(tmp_path):
    text = "V,I,Id\n" + "".join(f"{v},{v},{2 * v}\n" for v in range(10))
    path = written(tmp_path, text)
    ds = read_data(path, names={"current": "Id"}, without=[(2, 4), (8, 8)], keep={"V": (0.0, 8.0)})
    np.testing.assert_array_equal(ds.voltage, [3, 4, 5, 7, 8])
    np.testing.assert_array_equal(ds.current, 2 * ds.voltage)
    again = read_data(ds, keep={"V": (4.0, 8.0)})  # read before: lines and file are kept
    assert list(again.line.values) == [6, 7, 9, 10]
    assert again.attrs["file"] == str(path)
    with pytest.raises(DataError, match="a column 'Ix'"):
        read_data(path, names={"current": "Ix"})
    with pytest.raises(DataError, match="points or more in the range"):
        read_data(path, names={"current": "I"}, keep={"V": (20.0, 30.0)})


def test_repeated_sweeps_and_their_branches(tmp_path):
    rng = np.random.default_rng(1)
    read_back = np.tile(LOOP, 3) + 1e-5 * rng.standard_normal(3 * len(LOOP))
    rows = "".join(f"{v:.9g},{1e-6 * v**3:.9g}\n" for v in read_back)
    ds = read_data(written(tmp_path, "V,I\n" + rows))
    assert list(np.unique(ds.record)) == [0, 1, 2]
    assert list(np.unique(ds.branch)) == [0, 1, 2]
    assert "3 times, 3 branches each" in ds.attrs["understood"]


def test_records_begin_where_the_time_starts_again(tmp_path):
    rows = "".join(f"{t},{t},{2 * t}\n" for _ in range(3) for t in range(5))
    ds = read_data(written(tmp_path, "t,V,I\n" + rows))
    assert list(ds.record.values) == [0] * 5 + [1] * 5 + [2] * 5


def test_arrays_datasets_and_stored_results(tmp_path):
    V, R = LOOP, 1e6 * np.exp(-LOOP)
    ds = otjdd.measured(write_voltage=V, read_resistance=R)
    for source in ({"write_voltage": V, "R (kohm)": R / 1e3}, ds):
        found = read_data(source)
        np.testing.assert_allclose(found.resistance, R)
        np.testing.assert_allclose(found.write_voltage, V)
    ds.to_netcdf(tmp_path / "loop.nc", engine="h5netcdf")
    np.testing.assert_array_equal(read_data(tmp_path / "loop.nc").resistance, R)
    frame = ds.to_dataframe().reset_index()[["write_voltage", "read_resistance"]]
    np.testing.assert_array_equal(read_data(frame).resistance, R)
    with pytest.raises(DataError, match="one length"):
        read_data({"V": V, "I": R[1:]})
    with pytest.raises(TypeError, match="a mapping of arrays"):
        read_data(3)
    with pytest.raises(DataError, match="data over point"):
        read_data(xr.Dataset())

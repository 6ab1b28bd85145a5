"""Files of instruments and of people: what is understood of them, and what is said of those that cannot be used."""

import h5py
import numpy as np
import pytest
import xarray as xr
from messages import refused, told

import otjdd
from otjdd.analysis.sweeps import piece_numbers
from otjdd.cli.arguments import reading
from otjdd.errors import DataError
from otjdd.measurements.read import described_data, read_data

LOOP = np.round(np.concatenate([np.arange(1, 11), np.arange(9, -11, -1), np.arange(-9, 1)]) * 0.1, 10)


def written(folder, content, name="data.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
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
        ("T (degC),T_err (degC),V,R\n20,1,1,2\n30,2,2,3\n", "utf-8", {"temperature_uncertainty": [1, 2]}),
        ("V,-I (nA)\n1,20\n2,-30\n", "utf-8", {"current": [-20e-9, 30e-9]}),
        ("SMUA Voltage (mV),SMUB Current (nA)\n1,20\n2,30\n", "utf-8", {"voltage": [1e-3, 2e-3]}),
        (",V,I\n0,1,20\n1,2,30\n", "utf-8", {"voltage": [1, 2], "current": [20, 30]}),
        ('V,I,note\n1,2d-3,"a, b"\nV,I,note\n2,3,5" wafer\n', "utf-8", {"voltage": [1, 2], "current": [2e-3, 3]}),
    ],
)
def test_text_in_many_forms(tmp_path, text, encoding, expected):
    ds = read_data(written(tmp_path, text, encoding=encoding))
    for name, values in expected.items():
        np.testing.assert_allclose(ds[name], values, rtol=1e-14)
        assert ds[name].attrs["units"]


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


def test_text_in_a_workbook_is_told_with_its_cell(workbook):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(workbook)
    book["Run1"]["B5"] = "oops"
    book.save(workbook)
    with pytest.raises(DataError, match=r"run.xlsx\[Run1\]:5:2: expected a number of current, got 'oops'"):
        read_data(workbook)


BAD = [
    "1,2\n3,4\n",
    "alpha,beta\n1,2\n3,4\n",
    "V (furlong),I (A)\n1,2\n3,4\n",
    "V (V),I (V)\n1,2\n3,4\n",
    "V,I\n1,2\n2,x3\n3,4\n",
    "V,I\n1,x\n2,3\n",
    "V,I\n1,nan\n2,nan\n",
    "V,I\n1,2\n",
    "V,I\n",
    "V;I;x;y\n;;1,5;2\n;;2,5;3\n",
    "t,V,I\n0,1,2\n1,2,3\n0.7,3,4\n",
    "V,I,Id\n1,2,3\n2,3,4\n",
    "V,n\n1,2\n2,3\n",
    "V,I\n0,1,1,1e-9\n0,2,1,2e-9\n",
    "V I\n1 2\n3\n",
    "Voltage (V) Drain Current (A)\n1 2\n3 4\n",
    "V\tI\n0.1\t1,234\n0.2\t2,345\n",
    'V,R\n1,"1,500"\n2,"900"\n3,"2,100"\n',
    'V,R\n1,"1,500"\n2,"1,900"\n3,"2,100"\n',
    "V;R\n1;1,500\n2;900\n3;2,100\n",
    'V,R\n1,"1,900"\n2,"1,234,567"\n3,"3,100"\n',
    'V,I,note\n1,2,"a\n3,4,b"\n',
    "V,I\n1_0,2\n3,4\n",
    "V,Bar (nA)\n1,2\n3,4\n",
    "Foo (mV),Bar (nA)\n1,2\n3,4\n",
    "",
    "# only a comment\n",
    b"\x7fELF\0\0\0\0" * 100,
    b"\x89PNG\r\n\x1a\n" + bytes(200),
    b"\xff\xd8\xff\xe0" + bytes(200),
    b"%PDF-1.7\n",
    b"MATLAB 7.3 MAT-file, Platform: GLNXA64",
    b"<html><table><tr><td>V</td></tr></table></html>",
]


def test_bad_data_are_told_with_their_place(tmp_path):
    said = {repr(content)[:60]: told(read_data, written(tmp_path, content)) for content in BAD}
    said["a workbook"] = told(read_data, written(tmp_path, b"no workbook", "data.xlsx"))
    said["a Dataset"] = told(read_data, written(tmp_path, b"no netcdf", "data.nc"))
    refused("data.txt", said, tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a workbook, got one that cannot be read"),
        (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(200), "a file of arrays, got one that cannot be read"),
        ("V," + "a (a (a (" * 3000 + "\n1,2\n3,4\n", "1:1: expected a measured quantity"),
    ],
)
def test_what_a_library_or_a_pattern_cannot_read_is_told(tmp_path, content, said):
    assert said in told(read_data, written(tmp_path, content))


@pytest.mark.parametrize(
    "text",
    [
        'V,R\n"0,5","1,500"\n"1,5","900"\n"2","2,100"\n',  # another column tells
        "V;R\n1;1,500\n2;9,000\n3;2,100\n",  # three decimals each
        "V;R\n1;1,500\n2;0,900\n3;2,100\n",
        "Range 2,5\nV;R\n1;1,500\n2;9\n3;2,100\n",
    ],
)
def test_decimal_commas_that_something_tells_are_read(tmp_path, text):
    ds = read_data(written(tmp_path, text))
    assert [ds.resistance[0].item(), ds.resistance[-1].item()] == [1.5, 2.1]


@pytest.mark.parametrize("cell", ["XFD1048576", "ZZ200000"])
def test_a_workbook_that_asks_for_any_memory_is_refused(workbook, cell):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(workbook)
    book["Run1"][cell] = 1.0
    book.save(workbook)
    with pytest.raises(DataError, match="expected a workbook, got one that takes more than 2 GiB"):
        read_data(workbook)


def test_vectors_of_a_file_without_names_of_dimensions_are_a_curve(tmp_path):
    """As MATLAB writes them since 7.3: HDF5, each vector a matrix of one row."""
    V = np.linspace(0.1, 0.5, 5)
    with h5py.File(tmp_path / "curve.mat", "w") as file:
        file["V"], file["I"] = V[None], 1e-6 * V[None]
    np.testing.assert_array_equal(read_data(tmp_path / "curve.mat").current, 1e-6 * V)


def test_arrays_that_are_kept_in_other_files_are_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file.create_dataset("V", (2,), "f8", external=[(str(tmp_path / "secret"), 0, 16)])
        file["I"] = [1.0, 2.0]
    with h5py.File(tmp_path / "b.nc", "w") as file:
        layout = h5py.VirtualLayout((2,), "f8")
        layout[:] = h5py.VirtualSource(tmp_path / "a.nc", "I", (2,))
        file.create_virtual_dataset("V", layout)
    for name, said in (("a.nc", "'V' is kept in another file"), ("b.nc", "'V' is made of other arrays")):
        with pytest.raises(otjdd.ResultError, match=said):
            read_data(tmp_path / name)


def test_lines_and_ranges_are_left_out_and_columns_named(tmp_path):
    text = "V,I,Id\n" + "".join(f"{v},{v},{2 * v}\n" for v in range(10))
    path = written(tmp_path, text)
    ds = read_data(path, **reading(["current=Id"], "", ["2-4", "8"], ["voltage=0 V:8 V"]))
    np.testing.assert_array_equal(ds.voltage, [3, 4, 5, 7, 8])
    np.testing.assert_array_equal(ds.current, 2 * ds.voltage)
    over_resistor = read_data(path, names={"current": "Id / 2 kohm"})
    np.testing.assert_allclose(over_resistor.current, 1e-3 * over_resistor.voltage, rtol=1e-14)
    again = read_data(ds, keep={"V": (4.0, 8.0)})  # read before: lines and file are kept
    assert list(again.line.values) == [6, 7, 9, 10]
    assert again.attrs["file"] == str(path)
    path.write_text(text + "end of data\n")
    assert read_data(path, names={"current": "I"}, without=[(12, 99)]).sizes["point"] == 10
    path.write_text(text)
    with pytest.raises(DataError, match="a column 'Ix'"):
        read_data(path, names={"current": "Ix"})
    with pytest.raises(DataError, match="points or more in the range"):
        read_data(path, names={"current": "I"}, keep={"V": (20.0, 30.0)})


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


def test_a_constant_source_that_is_read_back_with_its_noise_is_no_sweep():
    """Such a record is a curve over time; a ramp of as many points is a sweep."""
    t, noise = np.linspace(0.0, 60.0, 400), np.random.default_rng(1).standard_normal(400)
    current = 1e-6 * np.exp(-t / 30.0)
    record = read_data({"time": t, "voltage": 0.1 + 1e-5 * noise, "current": current})
    ramp = read_data({"time": t, "voltage": 0.01 * t, "current": current})
    assert "against time, 0 to 60 s" in record.understood
    assert "against voltage at the source, 0 to 0.6 V" in ramp.understood


@pytest.mark.parametrize(
    ("factor", "proposed"),
    [(1.05, " iv --vary"), (20.0, """ li2019 --set 'drive={ kind = "triangle", path = ["0 V", "1 V", "0 V"], rate""")],
)
def test_branches_that_differ_are_to_be_fitted_by_a_loop_with_its_rate(factor, proposed):
    """One curve at frozen ions would run between both branches."""
    V = np.concatenate((np.linspace(0.0, 1.0, 21), np.linspace(1.0, 0.0, 21)[1:]))
    current = 1e-9 * np.sinh(5.0 * V) * np.where(np.arange(41) > 20, factor, 1.0)
    text = described_data(read_data({"V": V, "I (A)": current}), ["loop.csv"])
    assert proposed in text
    assert ("put the rate of the sweep" in text) == (factor > 2.0)


def test_changes_against_delays_are_no_current_against_a_time(tmp_path):
    (tmp_path / "stdp.csv").write_text("delay (ms),change (%)\n-10,-50\n10,60\n20,35\n")
    with pytest.raises(DataError, match="a target of `otjdd calibrate`") as error:
        read_data(tmp_path / "stdp.csv")
    assert "--column" not in str(error.value)


@pytest.mark.parametrize("points", [50, 2000, 20_000])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_sweep_of_many_points_turns_where_its_voltage_does(points, noise):
    """Steps below a thousandth of the range are a sweep and not noise, if they go on in one direction."""
    loop = np.concatenate([np.linspace(0.0, 1.0, points + 1), np.linspace(1.0, -1.0, 2 * points + 1)[1:]])
    read_back = loop + noise / points * np.random.default_rng(1).standard_normal(len(loop))
    number = piece_numbers(read_back)
    (end,) = np.flatnonzero(np.diff(number))
    assert abs(end - points) <= (noise > 0.0)

import hashlib
import os
import random

import hostile
import numpy as np
import pytest
import xarray as xr
from commands import otjdd

from otjdd.errors import ResultError
from otjdd.results.outputs import COORDINATES, OUTPUTS, TEXTS, dataset
from otjdd.results.store import data_sha256, provenance, read, write
from otjdd.system.files import HDF5, format_of, sealed

SIZES = {
    "time": 300, "x": 9, "snapshot": 2, "read": 4, "column": 3, "state": 2, "kind": 2, "channel": 3, "layer": 2, "trap": 2,
    "temperature": 1, "bias": 5, "step": 2, "word_line": 3, "bit_line": 4,
    "band": 6, "energy": 7, "frequency": 3, "trap_group": 5, "end": 2, "draw": 1, "junction": 1,
}  # fmt: skip
COORDS = {"time", "x", "bias", "temperature", "state", "frequency", "kind", "channel", "layer", "trap"}


def everything() -> dict:
    """One array for every line of the table."""
    rng = np.random.default_rng(3)
    arrays = {name: rng.normal(size=[SIZES[dim] for dim in output.dims]) for name, output in OUTPUTS.items()}
    return arrays | {
        "state": ["HRS", "LRS µ"],
        "kind": ["background", "µ"],
        "channel": ["coherent", "ohmic", "Ω"],
        "layer": ["Al2O3", "Nb₂O₅"],
        "trap": ["vacancies", "µ"],
        "time": np.geomspace(1e-12, 1e4, 300),
        "write_voltage": [1, np.nan, -1, 0],
    }


def full(**attrs) -> xr.Dataset:
    arrays = everything()
    coords = {name: arrays.pop(name) for name in COORDS}
    return dataset(
        arrays, coords, provenance('title = "x"\n', "resolved\n", statistics={"steps": 7}, wall_time=1.5) | attrs
    )


def small(**attrs) -> xr.Dataset:
    """A result with one variable over time, and a coordinate of texts."""
    coords = {"time": np.geomspace(1e-12, 1e4, 300), "state": ["HRS", "LRS µ"]}
    return dataset({"current": np.random.default_rng(4).normal(size=300)}, coords, attrs)


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("stored") / "full.nc"
    write(full(), path)
    return path.read_bytes()


def test_every_output_has_a_unit_and_a_long_name():
    ds = full()
    assert set(ds.variables) == set(OUTPUTS)
    assert all(v.attrs["units"] and v.attrs["long_name"] for v in ds.variables.values())
    assert set(ds.coords) == COORDINATES


def test_an_unknown_output_is_refused_with_did_you_mean():
    with pytest.raises(ValueError, match="did you mean 'voltage'"):
        dataset({"voltge": [0.0]})


def test_arrays_that_do_not_fit_the_table_or_each_other_are_refused():
    with pytest.raises(ValueError, match=r"current has the dimensions \('time',\), not the shape \(2, 2\)"):
        dataset({"current": np.zeros((2, 2))})
    with pytest.raises(ValueError, match="voltage is 3 long in time, current is 2"):
        dataset({"current": [0, 1], "voltage": [0, 1, 2]})
    with pytest.raises(ValueError, match="time is 3 long in time, current is 2"):
        dataset({"current": [0, 1]}, {"time": [0, 1, 2]})


def test_a_result_reads_back_as_it_was_written(tmp_path):
    ds = full(text="", long="x" * 1_000_000, number=3, list=[1.0, 2.0])
    write(ds, tmp_path / "a.nc")
    with pytest.raises(ResultError, match="File exists"):
        write(small(), tmp_path / "a.nc", overwrite=False)
    back = read(tmp_path / "a.nc")
    xr.testing.assert_equal(back, ds)
    for name, variable in ds.variables.items():
        assert back[name].attrs == variable.attrs
        assert back[name].dtype.kind == ("O" if name in TEXTS else "f")
    for name, value in ds.attrs.items():
        np.testing.assert_array_equal(back.attrs[name], value)


def test_other_readers_open_the_file_and_find_checksums_on_every_array(tmp_path, stored):
    import h5py

    path = tmp_path / "a.nc"
    path.write_bytes(stored)
    with xr.open_dataset(path, engine="h5netcdf", decode_timedelta=False) as ds:
        xr.testing.assert_equal(ds.load(), full())
    with h5py.File(path) as file:
        assert all(file[name].fletcher32 and file[name].compression for name in OUTPUTS if OUTPUTS[name].dims)


def test_equal_numbers_have_equal_checksums_and_others_not(tmp_path):
    ds = small()
    write(ds, tmp_path / "a.nc")
    back = read(tmp_path / "a.nc")
    assert back.attrs["data_sha256"] == data_sha256(back) == data_sha256(ds.assign_attrs(created="later"))
    changed = ds.copy(deep=True)
    changed["current"][5] = np.nextafter(changed["current"][5], 1)
    others = [changed, ds.rename(current="currant"), ds.drop_vars("current"), ds.assign_coords(state=["HRS", "LRS"])]
    assert len({data_sha256(other) for other in [ds, *others]}) == 5


def test_flipped_bits_and_files_cut_short_are_found(tmp_path, stored):
    path, rng = tmp_path / "a.nc", random.Random(11)
    for _ in range(20):
        damaged, k = bytearray(stored), rng.randrange(8 * len(stored))
        damaged[k // 8] ^= 1 << k % 8
        path.write_bytes(damaged)
        with pytest.raises(ResultError, match=r"a\.nc"):
            read(path)
    for length in [0, 1, 7, 8, 100, len(stored) - 1, *(rng.randrange(len(stored)) for _ in range(9))]:
        path.write_bytes(stored[:length])
        with pytest.raises(ResultError, match=r"a\.nc: is (empty|not a NetCDF4 file|cut short)"):
            read(path)


def test_files_that_are_no_result_are_refused_with_words(tmp_path):
    path = tmp_path / "a.nc"
    small().to_netcdf(path, engine="h5netcdf", encoding={"state": {"dtype": "S1"}})
    foreign = path.read_bytes()
    contents = {
        b"time,current\n": "not a NetCDF4 file",
        b"CDF\x01" + bytes(100): "not a NetCDF4 file",
        foreign: "not written by otjdd",
        sealed(foreign): "is no result of otjdd",
        sealed(HDF5 + bytes(500)): "not an otjdd result",
    }
    for content, words in contents.items():
        path.write_bytes(content)
        with pytest.raises(ResultError, match=words):
            read(path)
    with pytest.raises(ResultError, match="no such file"):
        read(tmp_path / "none.nc")


def test_numbers_that_do_not_fit_their_checksum_are_refused_even_under_a_seal(tmp_path):
    path = tmp_path / "a.nc"
    small(format=format_of("result"), data_sha256="0" * 64).to_netcdf(
        path, engine="h5netcdf", encoding={"state": {"dtype": "S1"}}
    )
    path.write_bytes(sealed(path.read_bytes()))
    with pytest.raises(ResultError, match="numbers do not fit"):
        read(path)


@pytest.mark.parametrize("words", [("check",), ("rerun",)])
def test_a_small_file_of_more_numbers_than_the_memory_holds_is_not_loaded(tmp_path, words):
    import h5py

    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("current", (10**13,), "f8", chunks=(10**6,), compression="gzip").make_scale()
    (tmp_path / "bomb.nc").write_bytes(sealed((tmp_path / "bomb.h5").read_bytes()))
    assert (tmp_path / "bomb.nc").stat().st_size < 10**5
    done = otjdd(tmp_path, *words, "bomb.nc")
    assert done.returncode == 5, done.stderr
    assert "GiB of memory when it is read" in done.stderr


def test_provenance_says_what_ran_and_not_where():
    import os
    import platform

    attrs = provenance(
        "case µ", "all", title="t", statistics={"steps": np.int64(3), "ok": True, "by": {"a": 1}}, wall_time=2
    )
    assert attrs["case_sha256"] == hashlib.sha256("case µ".encode()).hexdigest()
    assert (attrs["case"], attrs["case_resolved"], attrs["title"], attrs["wall_time"]) == ("case µ", "all", "t", 2.0)
    assert (attrs["solver_steps"], attrs["solver_ok"], attrs["solver_by"]) == (3, 1, '{"a": 1}')
    assert {type(value) for value in attrs.values()} <= {str, int, float}
    assert {f"{p}_version" for p in ("otjdd", "python", "numpy", "numba", "scipy", "xarray")} <= set(attrs)
    said = " ".join(map(str, attrs.values()))
    assert os.getcwd() not in said
    assert platform.node() not in said


@pytest.mark.skipif(os.name == "nt", reason="needs pipes")
@pytest.mark.parametrize("name", ["external storage", "virtual storage", "a link out of the file"])
def test_a_result_that_leads_to_other_files_is_refused_before_they_are_opened(stored, tmp_path, name):
    path = tmp_path / "a.nc"
    path.write_bytes(stored)
    os.mkfifo(tmp_path / "pipe")  # who opens it waits for ever
    crafted = hostile.resealed(path, lambda file: hostile.CRAFTED[name](file, tmp_path / "pipe"), "crafted.nc")
    with pytest.raises(ResultError, match="is not an otjdd result: 'current' is "):
        read(crafted)


def test_groups_texts_and_arrays_that_a_library_would_unpack_are_refused(stored, tmp_path):
    path = tmp_path / "a.nc"
    path.write_bytes(stored)

    def grouped(file):
        file.create_group("more")

    def filtered(file):
        del file["current"]
        file.create_dataset("current", data=np.zeros(10), compression="lzf")

    for change, words in ((grouped, "'more' is no array"), (filtered, "'current' is kept by the filter 32000")):
        with pytest.raises(ResultError, match=words):
            read(hostile.resealed(path, change, "crafted.nc"))
    texts = full().assign(current=("time", np.full(SIZES["time"], "many"), {"units": "A"}))
    write(texts, tmp_path / "texts.nc")
    done = otjdd(tmp_path, "plot", "texts.nc")
    assert done.returncode == 5
    assert "current holds text, not numbers" in done.stderr

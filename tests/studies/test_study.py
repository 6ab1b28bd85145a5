"""Studies as their users have them: from a case to one Dataset, in one process and in several, whole and interrupted."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_studies import POINT

import otjdd
from otjdd.case.case import load_case, shipped_cases
from otjdd.errors import CaseError, LimitError
from otjdd.results import store
from otjdd.studies import points
from otjdd.studies import study as studies
from otjdd.studies.jobs import PointJob
from otjdd.studies.points import plan, warn_of_one_seed

GRID = """\
[study.grid]
device.film.thickness = ["2.6 nm", "3 nm"]
"drive.width" = { start = "20 ns", stop = "80 ns", count = 3, spacing = "log" }
"""
SMALL = POINT + GRID


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def test_a_study_is_one_dataset_with_the_varied_keys_as_coordinates(small, tmp_path):
    ds = otjdd.study(small, tmp_path / "out", workers=2)
    assert ds.sizes == {"device.film.thickness": 2, "drive.width": 3, "read": 1}
    assert ds["drive.width"].values == pytest.approx([2e-8, 4e-8, 8e-8])
    assert ds["device.film.thickness"].attrs["units"] == "m"
    assert ds.read_resistance.attrs["units"] == "ohm"
    one = ds.sel({"device.film.thickness": 3e-9, "drive.width": 8e-8})
    alone = otjdd.run(small, **{"device.film.thickness": "3 nm", "drive.width": "80 ns"})
    assert one.read_resistance.values == alone.read_resistance.values
    assert store.read(tmp_path / "out" / "study.nc").identical(ds.assign_attrs(
        store.read(tmp_path / "out" / "study.nc").attrs
    ))  # fmt: skip
    assert (ds.status == 0).all()


def test_any_number_of_workers_gives_the_same_bytes(small, tmp_path):
    for workers in (None, 1, 3):
        otjdd.study(small, tmp_path / str(workers), workers=workers)
    files = [(tmp_path / str(workers) / "study.nc").read_bytes() for workers in (None, 1, 3)]
    assert files[0] == files[1] == files[2]


def test_a_resumed_study_computes_what_is_missing_damaged_or_new(small, tmp_path):
    out, computed, told = tmp_path / "out", [], []

    def study(**changes):
        computed.clear()
        return otjdd.study(
            small, out, resume=True, progress=lambda *counts: computed.append(counts), announce=told.append, **changes
        )

    first = study()
    assert len(computed) == 6
    held = sorted((out / "points").iterdir())
    held[0].unlink()
    held[1].write_bytes(held[1].read_bytes()[:-100])
    flipped = bytearray(held[2].read_bytes())
    flipped[len(flipped) // 2] ^= 4
    held[2].write_bytes(flipped)
    again = study()
    assert len(computed) == 3
    assert again.identical(first)
    assert any("2 of the points cannot be read, and are computed again" in words for words in told)
    more = study(**{"study.grid": {"device.film.thickness": ["2.6 nm", "2.8 nm", "3 nm"]}})
    assert len(computed) == 3
    assert more.sel({"device.film.thickness": [2.6e-9, 3e-9]}).read_resistance.equals(first.read_resistance)
    study(**{"study.keep": ["transport_energy", "read_resistance", "loop.ratio"]})
    assert len(computed) == 6
    fewer = {"study.keep": ["read_resistance", "transport_energy"], "study.grid": {"drive.width": ["20 ns"]}}
    study(**fewer)
    assert not computed
    otjdd.study(small, tmp_path / "fresh", **fewer)
    assert (out / "study.nc").read_bytes() == (tmp_path / "fresh" / "study.nc").read_bytes()


def test_a_folder_with_a_study_is_not_written_into_by_accident(small, tmp_path):
    otjdd.study(small, tmp_path / "out")
    with pytest.raises(OSError, match="resume"):
        otjdd.study(small, tmp_path / "out")


def test_a_point_that_fails_is_told_and_the_others_go_on(small, tmp_path):
    grid = {"study.grid": {"numerics.max_steps": [5, 100000]}}
    ds = otjdd.study(small, tmp_path / "out", workers=1, **grid)
    assert ds.status.sel({"numerics.max_steps": 5}).values.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert (ds.status.sel({"numerics.max_steps": 100000}) == 0).all()
    assert "numerics.max_steps" in str(ds.reason.values[0, 0, 0]) or "max_steps" in str(ds.reason.values.ravel()[0])
    assert np.isnan(ds.read_resistance).sum() == 6


@pytest.mark.campaign
def test_a_point_that_takes_too_long_is_stopped_and_told_and_tried_again(small, tmp_path):
    drive = {"kind": "train", "voltage": "2.2 V", "width": "50 ns", "count": 20, "period": "10 us", "read_each": True}
    varied = {"grid": {"drive.count": [1, 100_000]}, "time_limit": "2 s", "keep": ["read_resistance[-1]"]}
    case = load_case(small).without_study().replace(drive=drive, study=varied)
    tried = []
    for resume in (False, True):
        ds = otjdd.study(
            case, tmp_path / "out", workers=1, resume=resume, progress=lambda *counts: tried.append(counts)
        )
        assert ds.status.values.tolist() == [0, 1]
        assert "2 s" in str(ds.reason.values[1])
    assert tried == [(1, 0, 2), (2, 1, 2), (2, 1, 2)]


def test_a_point_that_is_no_case_is_told_before_anything_runs_with_the_line_of_its_key(small, tmp_path):
    small.write_text(SMALL.replace('"3 nm"]', '"3 s"]'))
    with pytest.raises(CaseError, match=r"small\.toml:10:13 study\.grid\.device\.film\.thickness: expected a length"):
        otjdd.study(small, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_study_of_absurd_size_is_refused(small, tmp_path):
    voltages = {"start": "1 V", "stop": "2 V", "count": 10**6}
    with pytest.raises(LimitError, match=r"a study of 6,000,000 points \(.* 1,000,000 drive\.voltage"):
        otjdd.study(small, tmp_path / "out", **{"study.grid.'drive.voltage'": voltages})
    assert not (tmp_path / "out").exists()


def test_the_cost_of_a_study_is_announced_and_refused_beyond_memory_or_disk(tmp_path, monkeypatch):
    (tmp_path / points.FOLDER).mkdir()
    arrays = {"read_resistance": points.KeptArray(("read",), np.ones(10))}
    job, outcome = PointJob("ab" * 32, {}), points.PointOutcome("done", seconds=2.0, arrays=arrays)
    points.write_point(tmp_path, job.digest, outcome)
    planned, told = SimpleNamespace(digests=range(5)), []
    of = tmp_path, job, outcome, planned, 4, 2, told.append
    studies.check_cost(*of)
    assert told == ["about 4 s and 0.0164 MB on disk"]
    monkeypatch.setattr(studies, "MAX_VALUES", 40)
    with pytest.raises(LimitError, match=r"the result would hold 50 values, 4e\+01 at most"):
        studies.check_cost(*of)
    monkeypatch.setattr(studies.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    with pytest.raises(LimitError, match=r"the points will take 1\.64e-05 GB, 1e-05 GB are free"):
        studies.check_cost(*of)


def test_what_is_kept_can_be_chosen(small):
    keep = ["read_resistance[-1]", "change", "vacancy_concentration[-1]", "current"]
    ds = otjdd.study(small, **{"study.keep": keep})
    assert ds["read_resistance[-1]"].dims == ("device.film.thickness", "drive.width")
    assert ds["change.ratio"].attrs["long_name"] == "first over last resistance read"
    assert ds["vacancy_concentration[-1]"].dims == ("device.film.thickness", "drive.width", "x")
    assert ds.point_x.dims == ("device.film.thickness", "drive.width", "x")  # the film differs, and so do its cells
    assert np.isnan(ds.current).any()  # of runs with fewer steps
    with pytest.raises(CaseError, match='did you mean "read_resistance"'):
        otjdd.study(small, **{"study.keep": ["read_resistanc"]})


@pytest.mark.parametrize("name", ["thickness", "switching-map", "device-spread", "variability", "sobol"])
def test_the_studies_that_come_with_otjdd_are_sound_at_every_point(name):
    made = plan(load_case(shipped_cases() / f"{name}.toml"))
    assert (
        len(set(made.digests))
        == len(made.digests)
        == {"thickness": 9, "switching-map": 168, "device-spread": 20, "variability": 150}.get(name, 640)
    )


def test_a_study_of_single_ions_with_one_seed_is_warned(small, caplog):
    """Its points draw the same hops. Not with the seed among its keys, nor without random hops."""
    noisy = load_case(small, {"ions.noise": "shot"})
    warn_of_one_seed(plan(noisy))
    assert "all 6 points draw the same random hops (ions.seed = 0)" in caplog.text
    caplog.clear()
    warn_of_one_seed(plan(load_case(small)))
    warn_of_one_seed(plan(noisy.replace({"study.grid": {"ions.seed": [1, 2]}})))
    assert caplog.text == ""

"""A result is enough to make it again: the same bits, whatever the surroundings."""

import json
import os
import subprocess

import hostile
import numpy as np
import pytest
import xarray as xr
from commands import ALONE, otjdd
from devices import BARE, needs_speed

from otjdd.case import case
from otjdd.errors import CaseError, ResultError, SolverError
from otjdd.plot import style
from otjdd.plot.figure import figure
from otjdd.results import outputs, store
from otjdd.runs import run

pytestmark = needs_speed

PULSE = 'drive = {kind = "pulse", voltage = "1.8 V", width = "50 ns", read = {}}\n'
SMALL = PULSE + 'columns = {count = 2, spread = {"ions.activation_energy" = "20 meV"}}\n' + BARE


def stored(folder, text=SMALL, name="a", **changes):
    """Path of the result of a case file in a folder."""
    (folder / f"{name}.toml").write_text(text)
    store.write(run.run(folder / f"{name}.toml", **changes), folder / f"{name}.nc")
    return folder / f"{name}.nc"


def test_waveforms_in_files_are_kept_in_the_result(tmp_path):
    (tmp_path / "w.csv").write_text("\ufefft [ns],V [mV]\r\n0,0\r\n10,1500\r\n60,1500\r\n", newline="")
    path = stored(tmp_path, 'drive = {kind = "table", file = "w.csv", reads_at = ["60 ns"]}\n' + BARE)
    (tmp_path / "w.csv").unlink()
    assert run.differences(*run.rerun(path)) == []


def test_a_run_that_failed_fails_again_at_the_same_step(tmp_path):
    with pytest.raises(SolverError) as failed:
        run.run(case.parse_case(SMALL), **{"numerics.max_steps": 5})
    store.write(failed.value.partial, tmp_path / "a.nc")
    before, after = run.rerun(tmp_path / "a.nc")
    assert run.differences(before, after) == []
    assert after.attrs["solver_status"] == before.attrs["solver_status"]


def test_curves_at_frozen_ions_are_made_again(tmp_path):
    iv = 'drive = {kind = "iv", voltages = ["-0.1 V", "0.3 V"], states = {LRS = [{voltage = "1 V", duration = "1 us"}]}}\n'
    path = stored(tmp_path, iv + BARE)
    assert run.differences(*run.rerun(path)) == []
    started = stored(tmp_path, PULSE + BARE, "first")
    path = stored(tmp_path, iv + BARE, "b", **{"ions.initial": {"result": started.name}})
    with pytest.raises(ResultError, match=r"does not hold the state of first\.nc"):
        run.rerun(path)


def test_what_cannot_be_made_again_is_refused_with_words(tmp_path):
    path = stored(tmp_path)
    ds = store.read(path)
    for attrs, words in [
        ({"solver_status": "interrupted"}, "was interrupted"),
        ({"case_resolved": ds.attrs["case_resolved"].replace('"pulse"', '"wave"')}, "drive.kind"),
        (
            {"case_resolved": 'title = "x"\n' + f'[drive]\nkind = "table"\nfile = {json.dumps("w.csv")}\n'},
            "does not hold the file w.csv",
        ),
    ]:
        store.write(ds.assign_attrs(attrs), path)
        with pytest.raises((ResultError, CaseError), match=words):
            run.rerun(path)
    for attrs, words in (({}, "not the result of one run"), ({store.ENGINE: "0"}, "points of a study")):
        store.write(outputs.dataset({"snapshot_time": [0.0]}, {}, attrs), path)
        with pytest.raises(ResultError, match=words):
            run.rerun(path)


def test_the_command_tells_what_differs_and_exits_with_8(tmp_path):
    ds = store.read(stored(tmp_path))
    ds["read_current"][0] *= 1 + 1e-9
    store.write(ds.assign_attrs(numba_version="0.1"), tmp_path / "a.nc")
    done = otjdd(tmp_path, "rerun", "a.nc", "-o", "b.nc")
    assert done.returncode == 8, done.stderr
    told = done.stdout.splitlines()
    assert told[:2] == ["a.nc: other numbers", "read_current: differs by up to 1e-09 of its largest value"]
    assert told[2].startswith("numba_version: 0.1 then, ")
    assert len(told) == 3
    assert otjdd(tmp_path, "rerun", "b.nc").stdout == "b.nc: the same numbers, bit for bit\n"


def test_locale_time_zone_threads_and_hash_seed_change_nothing(tmp_path):
    path = stored(tmp_path)
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    surroundings = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu"} | threads
    command = [*ALONE, "rerun", path.name]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | surroundings, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "a.nc: the same numbers, bit for bit\n"), done.stderr


@pytest.mark.parametrize("name", [name for name in hostile.CRAFTED if "case" in name])
def test_a_result_that_does_not_say_its_case_is_refused_in_words(tmp_path, result, name):
    path = tmp_path / "a.nc"
    path.write_bytes(result.read_bytes())
    crafted = hostile.resealed(path, lambda file: hostile.CRAFTED[name](file, None), "crafted.nc")
    with pytest.raises(ResultError, match=r"does not say (its|the files of its) case"):
        run.rerun(crafted)
    assert "deep" not in name or style.encoded_picture(figure(store.read(crafted)), "svg")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("result"))


def test_differences_are_told_in_words_for_gaps_and_for_zeros_too():
    def result(*values):
        return xr.Dataset({"read_current": ("read", np.array(values))})

    def words(stored, new):
        return run.unlike("read_current", result(*stored), result(*new))

    assert words((1.0, np.nan), (1.0, np.nan)) == ""
    assert words((1.0, np.nan), (1.0, 2.0)) == "read_current: nan in one result alone, at 1 of 2 values"
    assert words((0.0, 0.0), (0.0, 2.0)) == "read_current: differs by up to 1 of its largest value"
    assert words((4.0, np.nan), (3.0, np.nan)) == "read_current: differs by up to 0.25 of its largest value"

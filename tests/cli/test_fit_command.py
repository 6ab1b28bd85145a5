"""otjdd fit and otjdd design: files in, a fit, a case and a picture out; and what is refused."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from commands import otjdd
from fitted_devices import clean, noisy, small

from otjdd.case.case import load_case
from otjdd.cli import fit as command
from otjdd.cli.progress import rest_text
from otjdd.fitting import fit
from otjdd.fitting.least_squares import SearchProgress
from otjdd.results import store
from otjdd.solver.checkpoint import checkpoint_path

NOTHING = {"weights": {}, "reading": {}, "noise": None, "loss": ""}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("fit")
    (place / "small.toml").write_text(small().resolved(), encoding="utf-8")
    data = noisy(clean(small())[0], np.random.default_rng(6)).source
    rows = [
        f"{v:.3f},{r:.6g},{s:.6g}" for v, r, s in zip(data["write_voltage"], data["R"], data["sigma_R"], strict=True)
    ]
    (place / "loop.csv").write_text("\n".join(["V_write (V),R (ohm),R_err (ohm)", *rows]), encoding="utf-8")
    return place


@pytest.mark.campaign
def test_a_fit_that_was_killed_goes_on_and_ends_where_it_would_have(folder):
    asked = ["loop.csv", "small.toml", "--vary", "device.left.barrier=0.5 eV:0.8 eV", "--global", "40", "-q", "-o"]
    whole = otjdd(folder, "fit", *asked, "whole.nc")
    assert whole.returncode == 0, whole.stderr
    code = "from otjdd.cli import main; from otjdd.fitting import search; search.SAVED = 0.0; main()"
    earlier = {folder / "killed.toml": b"# earlier"}  # which stays until there are new files
    store.write_with(store.read(folder / "whole.nc"), folder / "killed.nc", earlier)
    killed = subprocess.Popen([sys.executable, "-c", code, "fit", *asked, "killed.nc"], cwd=folder)
    saved = checkpoint_path(folder / "killed.nc")
    while not saved.exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert store.read(saved).attrs["ended"] == "not ended"
    assert (folder / "killed.toml").read_text() == "# earlier"
    done = otjdd(folder, "fit", *asked, "killed.nc", "--resume")
    assert done.returncode == 0, done.stderr
    assert not saved.exists()
    assert 'base = "small.toml"' in (folder / "killed.toml").read_text()
    after, expected = store.read(folder / "killed.nc"), store.read(folder / "whole.nc")
    assert np.array_equal(after["value"], expected["value"])
    assert np.array_equal(after["search_score"], expected["search_score"])
    assert after.attrs["evaluations"] == expected.attrs["evaluations"]


def test_weights_of_files_on_the_command_line(folder, monkeypatch):
    monkeypatch.chdir(folder)
    files = [Path("loop.csv"), Path("./again/loop.csv")]
    (folder / "again").mkdir()
    (folder / "again/loop.csv").write_bytes((folder / "loop.csv").read_bytes())
    weights = command.weights_by_file(["again/loop.csv=0.25"], files)
    made = command.task_of(load_case("small.toml"), files, ["ions.density"], **NOTHING | {"weights": weights})
    one, other = made.curves
    assert other.sigma == pytest.approx(2 * one.sigma)


def test_a_fit_without_a_terminal_has_a_line_for_each_evaluation_and_prints_its_best_set(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    made = command.task_of(
        load_case("small.toml"), [Path("loop.csv")], ["device.left.barrier", "ions.density"], **NOTHING
    )
    values = made.aims + made.sigma

    def search(task, out, progress, **options):
        at = SearchProgress(1, 0, 2.5, np.array([1.0, 0.0]), values)
        progress(at)
        progress(at._replace(evaluations=4, misfit=1.5, x=np.zeros(2)))
        return fit.so_far(task, at, 0, 1)

    monkeypatch.setattr(fit, "searched_fit", search)
    ds = command.fitted(made, Path("ended.nc"), [], 0, quiet=False, workers=1, seed=1, evaluations=0)
    first, *lines = capsys.readouterr().err.splitlines()
    assert "1 evaluation of 30 points took" in first
    assert "about 12" in first
    of = "fit: {}, 0 Jacobians, residual {} per point; device.left.barrier = {:.4g} eV, ions.density = 3.655e26 1/m^3"
    barrier = load_case("small.toml").device.left.barrier
    best, rest = zip(*(line.rsplit("; ", 1) for line in lines), strict=True)
    assert best == (of.format("1 evaluation", 2.5, 1.2 * barrier), of.format("4 evaluations", 1.5, barrier))
    assert all(re.fullmatch(r"about \S+ s left", words) for words in rest)
    assert rest_text(6.0, 4, 12) == "about 12 s left"
    assert rest_text(6.0, 12, 12) == "longer than most"
    command.fitted(made, Path("ended.nc"), [], 0, quiet=True, workers=1, seed=1, evaluations=0)
    command.keep_best(None, Path("ended.nc"), as_json=False, quiet=False)
    assert "no best set" in capsys.readouterr().err
    command.keep_best(ds, Path("ended.nc"), as_json=False, quiet=False)
    printed = capsys.readouterr().out
    assert f"device.left.barrier  {1.2 * barrier:.4g} eV" in printed
    assert "chi-square 1 per point; 1 evaluations" in printed
    assert (folder / "ended.nc").exists()


def test_expected_errors_are_a_row_a_candidate_with_what_failed_and_the_warnings_of_the_fit():
    ds = xr.Dataset({"ratio": (("candidate", "parameter"), [[0.5, 1.0], [0.25, 0.75]])})
    ds = ds.assign_coords(candidate=["at 350 K", "rv-loop"], parameter=["barrier", "density"])
    words = command.errors_table(ds.assign_attrs(failed="cv failed", warnings="few points\nshort"))
    assert [line.split() for line in words.splitlines()[:3]] == [
        ["barrier", "density"], ["at", "350", "K", "0.50", "1.00"], ["rv-loop", "0.25", "0.75"],
    ]  # fmt: skip
    assert words.splitlines()[4:] == ["cv failed", "warning of the fit: few points", "warning of the fit: short"]

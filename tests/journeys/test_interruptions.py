"""What begins twice, is killed or is told to end: what was computed is kept, and nothing of one ends in the other."""

import pytest
from small_studies import POINT

import otjdd
from otjdd.studies import study as studies

WIDTHS, FILMS = {"drive.width": ["20 ns", "50 ns"]}, {"device.film.thickness": ["2.6 nm", "3 nm"]}


@pytest.fixture
def case(tmp_path):
    (tmp_path / "case.toml").write_text(POINT)
    return tmp_path / "case.toml"


def test_a_second_study_in_one_folder_is_refused(case, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(otjdd.ResultError, match="no study has begun here"):
        studies.status(out)

    def begin_another(*_):
        with pytest.raises(OSError, match="already holds a study: resume it, or choose another folder"):
            otjdd.study(case, out, {"study.grid": FILMS})

    begun = otjdd.study(case, out, {"study.grid": WIDTHS}, progress=begin_another)
    assert begun.equals(otjdd.read(out / "study.nc"))
    assert list(begun.sizes) == ["drive.width", "read"]


def test_a_study_that_is_ended_before_its_first_point_is_told_from_one_that_never_began(case, tmp_path, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(studies, "run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        otjdd.study(case, out, {"study.grid": WIDTHS})
    assert studies.status(out) == {"missing": 2}
    monkeypatch.undo()
    with pytest.raises(OSError, match="resume it"):
        otjdd.study(case, out, {"study.grid": FILMS})
    otjdd.study(case, out, {"study.grid": WIDTHS}, resume=True)
    assert studies.status(out) == {"done": 2}


def test_a_folder_resumed_by_another_study_gets_no_wrong_result(case, tmp_path):
    out = tmp_path / "out"

    def resume_another(done, *_):
        if done == 1:
            otjdd.study(case, out, {"study.grid": FILMS}, resume=True)

    with pytest.raises(OSError, match="another study began here meanwhile"):
        otjdd.study(case, out, {"study.grid": WIDTHS}, progress=resume_another)
    assert "device.film.thickness" in otjdd.read(out / "study.nc").dims

"""Figures: which panels are chosen, of what they are made, what is refused and how; predictions."""

import numpy as np
import pytest
from made_results import WRITES, case_attrs, curves, labels, profiles, reads

from otjdd.errors import ResultError
from otjdd.plot.figure import figure, kinds_to_draw
from otjdd.plot.runs import named_results
from otjdd.plot.style import save
from otjdd.results import outputs


def test_panels_that_fit_are_chosen():
    def found(ds):
        return kinds_to_draw(named_results(ds))

    assert found(curves()) == ["iv", "arrhenius"]
    assert found(reads(WRITES, 1e6 * np.arange(1, 7))) == ["loop"]
    assert found(reads(np.repeat([2.2, -2.5], 5), 1e6 * np.arange(1, 11))) == ["conductance"]
    assert found(profiles([0, 1])) == ["vacancies", "bands", "spectrum"]


def test_an_unknown_kind_is_refused_with_the_nearest_and_all_there_are():
    with pytest.raises(ValueError, match=r"no kind of figure 'lop' \(did you mean 'loop'\?\); there are loop, col"):
        figure(curves(), ["lop"])


def test_what_does_not_fit_is_refused_with_what_is_needed_and_what_there_is():
    with pytest.raises(ValueError, match=r"nothing to draw for 'iv': it needs a drive.*this result holds 3 snapshots"):
        figure(profiles([0, 1, 2]), "iv")
    with pytest.raises(ValueError, match=r"nothing to draw: this result holds no reads.*Figures need two reads"):
        figure(outputs.dataset({}))
    with pytest.raises(ValueError, match="no result"):
        figure([])


def test_a_figure_of_ones_own_is_drawn_into_and_keeps_its_style():
    from matplotlib.figure import Figure

    own = Figure()
    left, right = own.subplots(1, 2)
    assert figure(curves(), ax=left) is own
    assert left.get_xlabel() == "voltage (V)"
    assert not right.lines
    figure([curves(), curves(0.4)], "arrhenius", ax=right, label=["a", "b"])
    assert labels(right)[2] == "b, HRS: 0.400 eV"
    figure(profiles([0, 1]), ["bands", "spectrum"], ax=own.subplots(1, 2))
    with pytest.raises(ValueError, match="2 kinds take as many axes, not 1"):
        figure(profiles([0, 1]), ["bands", "spectrum"], ax=left)


def test_results_without_labels_are_told_apart_by_title_or_by_what_differs():
    ds = profiles([0, 1])
    titles = [ds.assign_attrs(case_attrs(title=title)) for title in ("thin", "thick")]
    assert [run.label for run in named_results(titles)] == ["thin", "thick"]
    films = [ds.assign_attrs(case_attrs(**{"device.film.thickness": t})) for t in ("2.5 nm", "3 nm")]
    assert [run.label for run in named_results(films)] == ["thickness = 2.5 nm", "thickness = 3 nm"]
    assert [run.label for run in named_results([ds, ds])] == ["result 1", "result 2"]
    assert named_results(ds)[0].label == ""
    with pytest.raises(ValueError, match="2 results take as many labels, not 1"):
        named_results([ds, ds], "one")


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_pictures_are_written_by_suffix(tmp_path, suffix, start):
    save(figure(profiles([0, 1]), "bands"), tmp_path / f"a.{suffix}")
    content = (tmp_path / f"a.{suffix}").read_bytes()
    assert content.startswith(start)
    assert b"/Type3" not in content  # letters of a PDF that publishers take


def test_other_suffixes_and_missing_folders_are_refused(tmp_path):
    drawn = figure(profiles([0, 1]), "bands")
    with pytest.raises(ValueError, match="png, pdf or svg"):
        save(drawn, tmp_path / "a.bmp")
    with pytest.raises(ResultError):
        save(drawn, tmp_path / "no" / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_drawing_changes_no_setting_and_opens_no_window():
    import matplotlib
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    figure(curves())
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []

"""Kinetic traps in the place of the vacancies of metal | Nb:SrTiO3: judgement, closed form and numbers of the search."""

import numpy as np
import pytest

from validation.traps import interface


def test_the_onset_of_a_front_is_found_in_its_train():
    onset, slope, width = 3e-7, 0.4, 1.5
    before, first, last = (np.exp(slope * np.log(t / onset)) for t in (onset, width, 25 * width))
    assert interface.onset(before, first, last, 25, width) == pytest.approx(onset, rel=1e-9)


def test_vacancies_have_the_numbers_of_their_claims():
    numbers = dict(
        zip(interface.MEASURED, interface.figures(*map(interface.of_vacancies, interface.RESETS)), strict=True)
    )
    assert numbers["reset slope, -2 V"] == pytest.approx(-0.57, abs=0.01)
    assert numbers["growth after -4 V"] == pytest.approx(40.8, abs=1.0)
    assert numbers["memory"] == pytest.approx(4.84, abs=0.1)


def test_a_set_on_file_runs_to_its_row():
    row = next(row for row in interface.rows_of(interface.SETS) if row[interface.WINDOW])
    run = interface.trains(interface.set_of(row), interface.RESETS[0], pulses=2)
    assert run.start / run.reset[-1] == pytest.approx(float(row[interface.WINDOW]), rel=0.02)
    assert interface.share_of(run) == pytest.approx(float(row["share"]), rel=0.02)

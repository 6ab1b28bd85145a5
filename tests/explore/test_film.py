"""Films of the page: which instants they show, and that the drive stays what it was."""

import numpy as np
import pytest

import otjdd
from otjdd.explore.film import FIRST, filmed

BASE = otjdd.load_case("li2019")


def test_a_drive_of_few_jumps_is_shown_from_a_picosecond_after_each_of_them():
    case = filmed(BASE)
    times = np.array(case.record.profiles_at)
    before, after = BASE.drive.waveform(), case.drive.waveform()
    assert before.duration == pytest.approx(after.duration, rel=1e-15)
    middle = (times[1:] + times[:-1]) / 2
    np.testing.assert_array_equal(
        np.interp(middle, before.times, before.voltages), np.interp(middle, after.times, after.voltages)
    )
    for jump in (0.0, 0.100001):
        since = times[times > jump] - jump
        assert since[0] == pytest.approx(FIRST, rel=0.05)
        ratios = since[1:10] / since[:9]
        assert ratios.max() < 20


def test_a_drive_of_many_jumps_is_shown_read_by_read():
    assert filmed(otjdd.load_case("rv-loop")).record.profiles_at_reads
    assert filmed(otjdd.load_case("ltp-ltd")).record.profiles_at_reads


def test_a_drive_without_time_cannot_be_played():
    with pytest.raises(ValueError, match="nothing to play"):
        filmed(otjdd.load_case("iv"))

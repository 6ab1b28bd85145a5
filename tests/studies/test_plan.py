"""The [expect] of cases: read, checked, told, and met by every shipped case."""

import pytest
from commands import otjdd, typed
from small_studies import POINT

from otjdd.case.case import load_case, shipped_cases
from otjdd.runs.run import simulate
from otjdd.studies.points import check_expected, measure, plan

CASES = sorted(path.stem for path in shipped_cases().glob("*.toml"))
SLOW = {  # a second and more of a processor
    "array", "crossbar", "endurance", "eightwise", "ftj-cv", "iv", "iv-cycles", "ltp-ltd", "nb-sto-interface",
    "nb-sto-pulses", "nb-sto-trains", "pixel", "rv-loop", "sobol", "switching-map", "variability",
}  # fmt: skip
EXPECT = '\n[expect]\nnumber = "read_resistance[-1]"\nlow = "10 kohm"\nhigh = "2 Mohm"\n'
GRID = '\n[study.grid]\n"drive.width" = ["20 ns", "40 ns"]\n'


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(POINT + EXPECT)
    return path


def run_expected(case):
    """The expected number [SI] of a case, or of a point of its study."""
    check_expected(case)
    run = case if case.expect.point is None else plan(case).point(case.expect.point)
    return float(measure(simulate(run), [case.expect.number])[case.expect.number].values)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.campaign if name in SLOW else ()) for name in CASES]
)
def test_a_shipped_case_gives_the_number_that_it_expects(name):
    case = load_case(shipped_cases() / f"{name}.toml")
    assert case.expect is not None
    low, high = case.expect.goal.low, case.expect.goal.high
    assert low <= run_expected(case) <= high
    assert 0 <= high - low < 0.07 * abs(high)  # a window that says something


def test_an_expectation_is_not_inherited_and_not_kept_under_changes(small, tmp_path):
    assert load_case(small).expect.number == "read_resistance[-1]"
    (tmp_path / "above.toml").write_text('base = "small.toml"\n')
    assert load_case(tmp_path / "above.toml").expect is None
    assert load_case(small, {"drive.width": "1 us"}).expect is None
    assert load_case(small).replace("drive.width", "1 us").expect is None


def test_an_expectation_changes_no_digest_and_is_shown(small):
    case = load_case(small)
    text = otjdd(small.parent, "show", small).stdout
    assert '[expect]\nnumber = "read_resistance[-1]"\nlow = "10 kohm"\nhigh = "2 Mohm"\n' in text
    assert "expects read_resistance[-1] from 10 kohm to 2 Mohm" in typed("check", small)
    small.write_text(POINT)
    assert load_case(small).digest == case.digest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[-1]", ""), "small.toml:11:1 expect.number: expected one number, such as read_resistance[-1] or loop.ratio"),
        (("read_resistance", "read_resistanc"), 'did you mean "read_resistance"?'),
        (('low = "10 kohm"\nhigh = "2 Mohm"', "low = 1\nhigh = 2"), "expect.low: expected a window in ohm, got 1"),
        (('"2 Mohm"', '"2 ohm"'), "expected a high end above the low one"),
        (('"2 Mohm"', '"2 V"'), "expected the same kind of quantity"),
        (("[expect]\n", "[expect]\npoint = 0\n"), "expect.point: expected no point in a case without a study, got 0"),
        (("\n[expect]", GRID + "\n[expect]"), "expect.point: expected a point from 0 to 1, got"),
        (("\n[expect]\n", GRID + "\n[expect]\npoint = 2\n"), "expect.point: expected a point from 0 to 1, got 2"),
        (("high", "hihg"), "expect.hihg: expected a known key"),
    ],
)
def test_a_wrong_expectation_is_refused_by_check(small, change, said):
    small.write_text((POINT + EXPECT).replace(*change, 1))
    assert said in typed("check", small, code=3)


def test_the_point_of_a_study_is_run_alone(small):
    point = EXPECT.replace("[expect]\n", "[expect]\npoint = 1\n")
    small.write_text(POINT + GRID + point)
    case = load_case(small)
    small.write_text((POINT + EXPECT).replace("50 ns", "40 ns"))
    assert run_expected(case) == run_expected(load_case(small))

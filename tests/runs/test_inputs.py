"""What a run refuses before it begins: with CaseError, from Python as on the command line."""

import pytest

import otjdd
from otjdd.case.case import load_case
from otjdd.errors import CaseError
from otjdd.runs.run import check_inputs

NO_READS = {"drive": {"kind": "hold", "voltage": "1 V", "duration": "1 us"}, "record.every": "reads"}
UNLIKE = {
    "ions.initial": "equilibrium",
    "device.left.exchange": {"rate": "1e-9 m/s", "formation_energy": "0.5 eV"},
}


@pytest.mark.parametrize(
    ("case", "changes", "words"),
    [
        ("junction", NO_READS, r"record.every: expected .all. or .none. with a drive that has no reads"),
        ("oxygen-exchange", UNLIKE, r"ions.initial: .*vacancies keep flowing from the"),
        ("li2019", {"record.profiles_at": ["1e9 s"]}, r"1e\+09 s is after the end of the drive"),
    ],
)
def test_a_run_that_cannot_begin_is_a_fault_of_its_case(case, changes, words):
    with pytest.raises(CaseError, match=words):
        otjdd.run(case, changes)


def test_a_step_that_is_lost_to_rounding_has_the_line_of_its_drive(tmp_path):
    file = tmp_path / "long.toml"
    hold, pulse = (
        'kind = "hold"\nvoltage = "1 V"\nduration = "1e9 s"\n',
        'kind = "pulse"\nvoltage = "1 V"\nwidth = "1 ns"\n',
    )
    file.write_text(
        f'base = "li2019.toml"\n[drive]\nkind = "sequence"\n[[drive.parts]]\n{hold}[[drive.parts]]\n{pulse}'
    )
    with pytest.raises(CaseError) as error:
        check_inputs(load_case(file), str(file))
    (problem,) = error.value.problems
    assert (problem.line, problem.key) == (2, "drive")
    assert "a step of 1e-09 s cannot be resolved at t = 1e+09 s" in problem.expected
    check_inputs(load_case(file, {"drive.parts[1].width": "1 s"}))

"""The self-test passes where otjdd works, and fails where it does not."""

import pytest
from devices import needs_speed

from otjdd import selftest
from otjdd.errors import ResultError
from otjdd.results import store
from otjdd.solver import self_check

pytestmark = needs_speed


def broken(name, folder):
    """Message of a check that should fail."""
    with pytest.raises((selftest.Failed, ResultError)) as failed:
        selftest.CHECKS[name](folder)
    return str(failed.value)


def test_wrong_kernels_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(self_check, "computed_answer", lambda: self_check.EXPECTED._replace(conductance=1.0))
    assert "conductance 1" in broken("kernels", tmp_path)


def test_a_wrong_sign_and_a_lost_vacancy_fail(tmp_path, monkeypatch):
    right = selftest.pulse_dataset
    voltages = {"drive.voltage": "-1.5 V"}, {}
    monkeypatch.setattr(selftest, "pulse_dataset", lambda changes=None: right(voltages[bool(changes)]))
    assert "against a negative" in broken("conservation", tmp_path)

    def leaking(changes=None):
        ds = right(changes)
        ds["vacancy_balance"][-1] = 1e-9
        return ds

    monkeypatch.setattr(selftest, "pulse_dataset", leaking)
    assert "vacancies changed by 1.0e-09" in broken("conservation", tmp_path)


def test_a_disk_that_forgets_fails(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(store, "read", lambda path: selftest.pulse_dataset({"drive.voltage": "1 V"}))
        assert "other numbers" in broken("result file", tmp_path)
    monkeypatch.setattr(selftest, "flip", lambda path: None)
    assert "not noticed" in broken("result file", tmp_path)


def test_a_process_with_other_numbers_and_a_case_without_fault_fail(tmp_path, monkeypatch):
    right = selftest.pulse_dataset
    monkeypatch.setattr(selftest, "pulse_dataset", lambda: right({"drive.voltage": "1 V"}))
    assert "other numbers" in broken("another process", tmp_path)
    monkeypatch.setattr(self_check, "CASE", self_check.CASE.replace("2.8 nm", "2.9 nm"))
    assert "accepted" in broken("a bad case", tmp_path)


def test_a_check_that_raises_is_a_line_of_the_table(monkeypatch):
    def fails(folder):
        raise OSError("no disk")

    monkeypatch.setattr(selftest, "CHECKS", {"x": fails, "y": lambda folder: "fine"})
    first, second = selftest.run()
    assert first[:3] == ("x", False, "OSError: no disk")
    assert second[:3] == ("y", True, "fine")

"""The known answer: found by any accurate time stepping, tried before every first run, and not believed blindly."""

import pytest
from devices import needs_speed

from otjdd import compiled, known, simulate


@pytest.fixture(autouse=True)
def fresh():
    known.trust.cache_clear()
    yield
    known.trust.cache_clear()


@needs_speed
@pytest.mark.parametrize("rtol", [1e-5, 1e-6, 1e-8])
def test_the_answer_does_not_depend_on_the_time_steps(rtol):
    found = known.answer(**{"numerics.rtol": rtol})
    assert found == pytest.approx(known.KNOWN, rel=30 * rtol)
    assert known.difference(found) == ""


@pytest.mark.parametrize("name", known.Answer._fields)
@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_every_part_of_the_answer_counts(name, value):
    assert name.replace("_", " ") in known.difference(known.KNOWN._replace(**{name: value}))


@needs_speed
def test_kernels_that_give_wrong_numbers_are_compiled_again_before_a_run(monkeypatch):
    wrong, right = known.KNOWN._replace(conductance=0.0), known.KNOWN
    answers, done = [wrong, right], []
    monkeypatch.setattr(known, "answer", lambda: answers.pop(0))
    monkeypatch.setattr(compiled, "recompile", lambda: done.append(True))
    known.trust()
    known.trust()
    assert (answers, done) == ([], [True])


@needs_speed
def test_kernels_that_stay_wrong_simulate_nothing(monkeypatch):
    monkeypatch.setattr(known, "answer", lambda: known.KNOWN._replace(conductance=0.0))
    monkeypatch.setattr(compiled, "recompile", lambda: None)
    with pytest.raises(known.KernelError, match=r"conductance 0, known to be 0\.00838"):
        simulate.simulate(known.parse_case(known.CASE))

"""otjdd compact: what is refused, with its exit code and before anything is written."""

import pytest
from test_cli import otjdd

from otjdd.results import store


def test_still_ions_are_a_fault_of_the_case(tmp_path):
    done = otjdd(
        tmp_path, "compact", "li2019", "-o", "model", "--set", "ions.activation_energy=4 eV", "--set", "columns.count=1"
    )
    assert done.returncode == 3, done.stderr
    assert "expected ions that stay where the voltage moves them" in done.stderr
    assert not list((tmp_path / "model").iterdir())


@pytest.mark.parametrize(("words", "said"), [(["--voltage", "3"], "two numbers"), (["--time", "a:b"], "two numbers")])
def test_ranges_that_are_none_are_wrong_usage(tmp_path, words, said):
    done = otjdd(tmp_path, "compact", "li2019", "-o", "model", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_folder_with_a_model_of_another_version_is_left_alone(compact_model, tmp_path):
    path = tmp_path / "model.nc"
    compact_model.save(path)
    store.write(store.read(path).assign_attrs(model_version=0), path)
    before = path.read_bytes()
    done = otjdd(tmp_path, "compact", "li2019", "-o", ".")
    assert done.returncode == 5
    assert "version 0" in done.stderr
    assert path.read_bytes() == before

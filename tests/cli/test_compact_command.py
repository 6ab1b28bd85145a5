"""otjdd compact: what it writes, and what is refused, with its exit code and before anything is written."""

from pathlib import Path

import made_model
import pytest
from commands import otjdd

from otjdd.cli import compact as command
from otjdd.compact_models import build
from otjdd.compact_models.model import CompactModel
from otjdd.errors import ExitCode, ExtractionError
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


def run(out: Path) -> None:
    """The command in this process."""
    command.compact(Path("li2019"), out, "-3:3", "2e-8:1e3", 0, 1, [], False)


def test_model_that_is_too_far_off_is_kept_and_nothing_else_is_written(tmp_path, monkeypatch):
    failure = ExtractionError("the compact model is off")
    failure.partial = made_model.made_model()

    def refused(*_, **__):
        raise failure

    monkeypatch.setattr(build, "compact", refused)
    with pytest.raises(ExtractionError) as caught:
        run(tmp_path / "model")
    assert caught.value.exit_code == ExitCode.SOLVER
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["model.nc"]
    assert CompactModel.load(tmp_path / "model" / "model.nc").resistance == failure.partial.resistance


def test_command_writes_a_model_its_files_and_a_picture(compact_model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "compact", lambda *_, **__: compact_model)
    run(tmp_path)
    named = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert named >= {"model.nc", "error.png", "otj.va", "otj.cir", "example.cir", "neurosim/cell.txt"}
    printed = capsys.readouterr().out
    assert f"loop: rms {compact_model.error['loop'][0]:.3f}" in printed
    assert str(tmp_path / "otj.va") in printed

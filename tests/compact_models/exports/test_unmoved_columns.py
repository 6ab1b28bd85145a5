"""Columns whose ions do not move within the longest time, beside columns that switch: tables of one state."""

import compact_device
import numpy as np
import pytest
import simulators

from otjdd.case.case import load_case
from otjdd.compact_models import build, error
from otjdd.compact_models.exports import verilog_a
from otjdd.compact_models.model import CompactModel
from otjdd.errors import NotAsExpected
from otjdd.solver.model import members
from otjdd.system.pool import one_by_one
from otjdd.waveform.waveform import Waveform

PINNED = {"name": "pinned", "share": 0.3, "set": {"ions.activation_energy": "2.5 eV"}}
CHANGES = {
    "columns.count": 1, "columns.spread": {}, "columns.kinds": [PINNED, {"name": "switching", "share": 0.7}],
    "device.film.cells": 12, "ions.initial": compact_device.HISTORY.split("=", 1)[1],
}  # fmt: skip
SET_AND_RESET = Waveform(  # each with a plateau of 0.1 V behind it
    [0.0, 1e-8, 1e-5, 1.001e-5, 3e-5, 3.001e-5, 5e-5, 5.001e-5, 7e-5], [0.0, 2.0, 2.0, 0.1, 0.1, -2.5, -2.5, 0.1, 0.1]
)
READS = 2.9e-5, 6.9e-5  # s


def two_kinds(**changes):
    """The reference device on a coarse grid, where ions of 0.3 of the area do not move."""
    return load_case("li2019", CHANGES | changes)


@pytest.fixture(scope="module")
def model():
    return build.compact(two_kinds(), voltage=(-3.0, 2.2), time=(1e-6, 1.0), measure=False)


def test_reads_are_those_of_the_solver_within_the_stated_error(model, monkeypatch):
    pulses, reads = (error.drives(model.limits)[name] for name in ("pulses of 1 us", "other voltages"))
    monkeypatch.setattr(error, "drives", lambda _: {"pulses": pulses[:1], "other voltages": reads})
    assert error.largest_rms(error.with_measured_error(model, two_kinds(), one_by_one, limit=0.03))[0] > 0.0


def test_the_pinned_column_stays_in_its_state(model):
    assert [kind.state.size for kind in model.kinds] == [1, 49]
    position = model.run(SET_AND_RESET).rest_position.values / model.thickness
    assert np.ptp(position[:, 0]) == 0.0
    assert position[0, 0] == pytest.approx(0.5)
    assert np.ptp(position[:, 1]) > 0.2


def test_file_gives_the_model_back(model, tmp_path):
    model.save(tmp_path / "model.nc")
    again = CompactModel.load(tmp_path / "model.nc")
    assert again.hold(again.states(1), 1.0, 1e-3) == model.hold(model.states(1), 1.0, 1e-3)
    with pytest.raises(NotAsExpected, match=r"positions from 0\.5 to 0\.5 of the thickness in column 0, got 0\.6"):
        again.hold(np.array([[0.6, 0.45, 0.0, 0.0]]), 1.0, 0.0)


@pytest.mark.campaign
@simulators.needed
def test_ngspice_reads_what_the_model_reads(model, tmp_path):
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    found, _ = simulators.transient("ngspice", tmp_path, SET_AND_RESET, READS, step=2e-7)
    ds = model.run(SET_AND_RESET)
    assert found == pytest.approx(np.interp(READS, ds.time.values, ds.conduction_current.values), rel=0.01)


def test_verilog_a_has_no_polynomial_of_a_state_that_stays(model):
    text = verilog_a.verilog_a(model)
    assert "rate0_0" in text
    assert "rate0_1" not in text
    assert "rate1_8" in text
    assert "ic1 = 0.5 from [0.5:0.5]" in text


def test_a_start_that_is_not_uniform_is_refused(model):
    case = two_kinds(**{"ions.initial": "equilibrium"})
    settling, kinds = np.full(2, 1e-6), [model.kinds[k] for k in model.kind]
    with pytest.raises(NotAsExpected, match=r"uniform initial concentrations of ions that do not move.*in column 0"):
        build.starting_states(case, members(case), settling, kinds)

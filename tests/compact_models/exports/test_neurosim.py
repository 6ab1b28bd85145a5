"""The exported cell within the source of NeuroSim's example, whose checkout need not be there."""

import runpy
import sys

import made_model
import numpy as np
import pytest

from otjdd.compact_models.exports import neurosim as export
from otjdd.compact_models.exports import pulses
from otjdd.waveform import shapes
from validation.benchmarks import neurosim

CELL = """\
IdealDevice::IdealDevice(int x, int y) {
	maxConductance = 5e-6;		// Maximum cell conductance (S)
}
double IdealDevice::Read(double voltage) {}
RealDevice::RealDevice(int x, int y) {
	maxConductance = 3.8462e-8;		// Maximum cell conductance (S)
	avgMaxConductance = maxConductance;
	NL_LTP = 2.4;	// LTP nonlinearity
	sigmaCtoC = 0.035* (maxConductance - minConductance);
	if (nonlinearIV) { maxConductance = NonlinearConductance(maxConductance); }
}
double RealDevice::Read(double voltage) { maxConductance = 1; }
"""


def test_numbers_of_the_cell_are_replaced_where_it_is_made_and_nowhere_else():
    block = "// sigmaCtoC = 9;\nmaxConductance = 1e-05;\nNL_LTP = 5.5;\nsigmaCtoC = 0;\nnotThere = 1;\n"
    text = neurosim.with_cell(CELL, block, "RealDevice")
    assert text == (
        CELL.replace("3.8462e-8", "1e-05")
        .replace("2.4;", "5.5;")
        .replace("0.035* (maxConductance - minConductance)", "0")
    )
    ideal = neurosim.with_cell(CELL, block, "IdealDevice")
    assert ideal == CELL.replace("5e-6", "1e-05")


def test_a_parameter_that_the_source_has_not_is_named():
    with pytest.raises(ValueError, match="expected an assignment of nHide"):
        neurosim.with_numbers("\tnInput = 400;\n", {"nHide": "50"})


def test_images_are_written_pixel_by_pixel(tmp_path):
    neurosim.images(tmp_path)
    pixels = [line.split() for line in (tmp_path / "patch60000_train.txt").read_text().splitlines()]
    assert (len(pixels), {len(line) for line in pixels}) == (neurosim.PIXELS, {neurosim.TRAIN})
    labels = (tmp_path / "label10000_test.txt").read_text().split()
    assert len(labels) == 1797 - neurosim.TRAIN
    assert set(labels) == set("0123456789")


@pytest.fixture(scope="module")
def cycle():
    """The made model, and pulses of it that differ in width and voltage."""
    made = made_model.made_model(resistance=0.0)
    train = pulses.PulseTrain(pulses.VoltagePulse(2.0, 2e-7), pulses.VoltagePulse(-2.4, 1e-6), 12)
    return made, pulses.pulse_cycle(made, train)


TRAIN = """\
args = parser.parse_args()
args.wl_weight = 5            # weight precision
args.wl_grad = 5              # gradient
args.cellBit = 5
args.max_level = 32           # states
args.c2cVari = 0.003          # cycles
args.d2dVari = 0.0            # devices
args.nonlinearityLTP = 1.75   # LTP
args.nonlinearityLTD = 1.46   # LTD
"""
PARAM = """\
\tcellBit = 5;                        // precision
\tresistanceOn = 100e3;               // Ron
\tresistanceOff = 100e3*10;           // Roff
\tmaxNumLevelLTP = 32;
\tmaxNumLevelLTD = 32;
\twriteVoltage = 4;
\twritePulseWidth = 50e-9;
\tnonlinearIV = false;
\tnonlinearity = 10;
\treadVoltage = 0.5;
\tif (memcelltype == 1) {
\t\tcellBit = 1;             // SRAM
\t}
"""  # the lines that DNN+NeuroSim 2.1 sets its numbers by


def set_numbers(folder, text, monkeypatch, param=PARAM):
    (folder / "NeuroSIM").mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "NeuroSIM/Param.cpp").write_text(param)
    (folder / "set_numbers.py").write_text(text)
    monkeypatch.setattr(sys, "argv", ["set_numbers.py", str(folder)])
    runpy.run_path(str(folder / "set_numbers.py"))


def test_program_sets_what_a_command_line_cannot(cycle, tmp_path, monkeypatch):
    made, pulsed = cycle
    set_numbers(tmp_path, export.files(made, pulsed)["set_numbers.py"], monkeypatch)
    lines = (tmp_path / "train.py").read_text().splitlines()
    values = dict(line.partition("#")[0].removeprefix("args.").split(" = ") for line in lines[1:])
    assert {values[name].strip() for name in ("wl_weight", "wl_grad", "cellBit")} == {"3"}  # of 12 levels
    assert int(values["max_level"]) == 12
    assert float(values["nonlinearityLTP"]) == pytest.approx(export.fitted_label(pulsed.up)[0], rel=1e-8)
    assert lines[1].endswith("# weight precision")
    param = (tmp_path / "NeuroSIM/Param.cpp").read_text()
    assert "\tcellBit = 3;  " in param
    assert "\t\tcellBit = 1;" in param
    assert f"resistanceOn = {1.0 / pulsed.ends[1]:.9g}; " in param
    assert "writeVoltage = 2.4;" in param
    assert "writePulseWidth = 1e-06;" in param


def test_program_changes_nothing_in_another_version(cycle, tmp_path, monkeypatch):
    made, pulsed = cycle
    other = PARAM.replace("writeVoltage", "writeVoltages")
    with pytest.raises(SystemExit, match="sets no writeVoltage: is this version"):
        set_numbers(tmp_path, export.files(made, pulsed)["set_numbers.py"], monkeypatch, other)
    assert (tmp_path / "train.py").read_text() == TRAIN


def test_energy_of_pulses_is_that_of_a_run_and_that_which_neurosim_counts(cycle):
    made, pulsed = cycle
    up, down = pulses.pulse_energies(made, pulsed)
    pulse = pulsed.train.up
    times = np.append(0.0, np.geomspace(1e-10, pulse.width, 4000))
    ds = made.run(shapes.table(times, np.full(times.size, pulse.voltage)), pulsed.states[pulsed.train.count - 1])
    expected = np.trapezoid(np.interp(times, ds.time.values, ds.conduction_current.values), times) * pulse.voltage
    assert up[0] == pytest.approx(expected, rel=0.02)
    energies = export.WriteEnergies.of(made, pulsed)
    linear = 2.4**2 * 1e-6 * np.mean([(a + b) / 2.0 for a, b in zip(pulsed.down, pulsed.down[1:], strict=False)])
    read = 0.1
    counted = linear * read / 2.4 * energies.ratio ** ((2.4 - read) / 1.2)  # NonlinearConductance of formula.cpp
    assert energies.counted[1] == pytest.approx(counted, rel=1e-6)
    off = np.log(np.divide(energies.counted, energies.source))
    assert abs(off).max() < abs(np.log(np.divide(energies.linear, energies.source))).min() / 3.0
    assert down.mean() == energies.source[1]
    text = export.files(made, pulsed)["cell.txt"]
    assert f"NL = {energies.ratio:.9g};" in text
    assert "nonlinearIV = true;" in text
    assert f"{energies.source[0]:.3g} J (LTP) and {energies.source[1]:.3g} J (LTD)" in text

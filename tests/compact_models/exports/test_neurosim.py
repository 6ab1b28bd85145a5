"""The exported cell within the source of NeuroSim's example, whose checkout need not be there."""

import pytest

from validation.exports import neurosim

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

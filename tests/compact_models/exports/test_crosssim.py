"""The exported device in the real CrossSim: products of its core, against the currents of the solver."""

import pytest

pytestmark = pytest.mark.campaign


def test_products_of_crosssim_are_those_of_the_solver(compact_folder):
    pytest.importorskip(
        "simulator", reason="CrossSim is not installed (a checkout of github.com/sandialabs/cross-sim on PYTHONPATH)"
    )
    from validation.exports import crosssim

    for voltage, off, ohmic in crosssim.rows(compact_folder):
        assert float(off) < 0.05, voltage
        if voltage != "0.1 V":  # at which conductances are those of the device
            assert float(off) < 0.5 * float(ohmic), voltage

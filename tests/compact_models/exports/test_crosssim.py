"""The exported device in the real CrossSim: products of its core, against the compact model and the solver."""

import pytest

pytestmark = pytest.mark.campaign


def test_products_of_crosssim_are_those_of_the_model_and_as_near_to_the_solver_as_the_model_is(
    compact_folder, compact_model
):
    pytest.importorskip(
        "simulator", reason="CrossSim is not installed (a checkout of github.com/sandialabs/cross-sim on PYTHONPATH)"
    )
    from validation.benchmarks import crosssim

    for voltage, off, ohmic in crosssim.rows(compact_folder, crosssim.model_states(compact_folder)):
        assert float(off) < 0.05, voltage
        if voltage != "0.1 V":  # at which conductances are those of the device
            assert float(off) < 0.5 * float(ohmic), voltage
    stated, _ = compact_model.error["potentiation and depression"]  # decades
    for voltage, off, _ in crosssim.rows(compact_folder, crosssim.solved_states(compact_folder)):
        assert float(off) < 10.0**stated - 1.0, voltage

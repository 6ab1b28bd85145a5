"""One time step of a polarised film with moving vacancies, with and without electrons: its order."""

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, lumpy
from one_step import ELECTRONS, SMOOTH, TWO_LEVEL, assert_orders, methods, polarisation_of, step

from otjdd.errors import Status
from otjdd.mechanisms.polarisation import begin_step, mean_field
from otjdd.physics.columns import close_all
from otjdd.physics.junction import CLOSURE_TOLERANCE
from otjdd.solver import integrate, model

LAWS = {  # that move a tenth of P_s within a nanosecond at 0.2 V
    "two-level": TWO_LEVEL,
    "merz-kai": {"law": "merz-kai", "saturation": 0.1, "time": 1e-9, "activation_field": 3e7, "dimension": 2.0},
}


def polarised_run(law, **changes):
    """Two columns of a polarised film on the way, at 0.2 V."""
    own = LAWS[law] | ({"offset_field": -3e8} if changes.keys() & ELECTRONS and law == "merz-kai" else {})
    film = case(BETWEEN_METALS, **SMOOTH, **changes, device__film__polarisation=own)
    run = begin(film, lumpy(model.junction(film), np.random.default_rng(4), 0.3))
    integrate.put_memory(run.junction, run.state, {"P": np.array([0.012, -0.018])})
    integrate.jump(run, 0.2)
    begin_step(run.junction, run.state)
    if law == "merz-kai":
        run.state.progress.advance[:] = 0.3, 0.5
        run.state.P[:] = [polarisation_of(run.junction, run.state, k) for k in range(2)]
        integrate.jump(run, 0.2)
    return run


@pytest.mark.parametrize("law", LAWS)
@methods
@pytest.mark.parametrize("more", [{}, ELECTRONS], ids=["without electrons", "with"])
def test_a_step_is_of_the_order_of_its_method_and_its_error_estimate_one_lower(law, method, more):
    assert_orders(polarised_run(law, **more), method, ramp=2e7, longest=4e-10, most=1e-4, within=1.2)


def test_a_polarisation_much_faster_than_a_step_ends_at_its_rest():
    run = polarised_run("two-level")
    new = step(run, 1e-3).state
    assert close_all(run.junction, new, 0.2, CLOSURE_TOLERANCE) == Status.DONE
    polar = run.junction.polarisation
    for k in range(2):
        E = mean_field(run.junction.columns.distance[k], new.E[k], polar.thickness[k])
        rest = 0.1 * np.tanh(E * 0.5e-9 / run.junction.kT[k])
        assert new.P[k] == pytest.approx(rest, abs=2e-3)

"""The circuit in series: the voltage lost at a current, and the current that loses a voltage."""

import pytest
from devices import SMALL, begin, case

from otjdd.physics import circuit


def test_the_current_that_loses_a_voltage_is_the_inverse_of_the_loss():
    junction = begin(case(**SMALL, circuit__series_resistance=50.0, circuit__compliance=1e-3)).junction
    for current in (1e-9, 1e-5, 0.999e-3, 1.001e-3, 1.5e-3):
        lost, slope = circuit.drop(junction, current)
        assert circuit.current_of(junction, lost) == pytest.approx(current, rel=1e-12)
        assert circuit.drop(junction, -current) == (-lost, slope)
        above, below = circuit.drop(junction, current * 1.0001)[0], circuit.drop(junction, current * 0.9999)[0]
        assert slope == pytest.approx((above - below) / (2e-4 * current), rel=1e-9)
    assert circuit.drop(junction, 1e-3)[0] == pytest.approx(0.05)
    assert circuit.drop(junction, 1.00001e-3)[0] == pytest.approx(1.0500005)  # 1 V for 1e-5 of the limit

"""Tables of compact models: smooth functions, thinning, and what is refused."""

import numpy as np
import pytest

from otjdd.compact_models import tables as t
from otjdd.errors import NotAsExpected


def made(rest=None, rate=None):
    """Tables of smooth functions of 41 voltages and 21 states."""
    V, q = np.linspace(-2.0, 2.0, 41), np.linspace(0.1, 0.9, 21)
    rest = 0.5 + 0.3 * np.tanh(V) if rest is None else rest
    rate = 3.0 * V[:, None] ** 2 - q if rate is None else rate
    U = np.linspace(-2.0, 2.0, 61)
    limit = np.full((41, 21), t.UNLIMITED)
    return t.Tables(
        V, q, rest, rate, limit, U, np.cos(U)[:, None] * q**2, np.zeros(2), 1e-6, np.zeros(61), U[:, None] * q,
        **t.begun_at_rest(41),
    )  # fmt: skip


def test_smooth_function_is_the_table_at_its_knots_and_the_law_between_them():
    tables = made()
    V, q = np.array([-1.23, 0.0, 0.777]), np.array([0.15, 0.6])
    assert t.evaluated(tables, "log_rate", V, q) == pytest.approx(3.0 * V[:, None] ** 2 - q, rel=1e-9)
    at_knots = t.evaluated(tables, "log_conductance", tables.conductance_voltage, tables.state)
    assert np.abs(at_knots - tables.log_conductance).max() < 1e-12


def test_thinned_tables_say_the_same_with_fewer_voltages():
    tables = made()
    few = t.common_knots([tables], t.Use(1.0, 1.0, 1e-30, 1e30), 0.03, 0.01)[0]
    assert len(few.voltage) < 10
    assert len(few.conductance_voltage) < 20
    assert 0.0 in few.voltage
    assert 0.0 in few.conductance_voltage
    V, q = np.linspace(-2.0, 2.0, 101), tables.state
    assert np.abs(t.evaluated(few, "log_conductance", V, q) - np.cos(V)[:, None] * q**2).max() < 0.02


def test_rates_beyond_what_matters_need_no_voltages():
    tables = made()
    few = t.common_knots([tables], t.Use(1.0, 1.0, 1e30, 1e31), 0.03, 0.01)[0]
    assert few.voltage.tolist() == [-2.0, 0.0, 2.0]
    again = t.common_knots([few], t.Use(1.0, 1.0, 1e30, 1e31), 0.03, 0.01)[0]  # as tables at several temperatures are
    assert again.voltage.tolist() == few.voltage.tolist()


def test_rates_add_as_the_velocity_of_the_capped_law_does():
    slow, limit = np.array([-30.0, 0.0, 3.0, 20.0]), np.array([5.0, 0.0, 1.0, 5.0])
    found = 10.0 ** t.combined_rate(slow, limit, 10.0)
    wanted = (1.0 / (10.0 * 10.0**slow) ** 2 + 1.0 / 10.0 ** (2.0 * limit)) ** -0.5
    assert found == pytest.approx(wanted, rel=1e-12)
    assert t.combined_rate(slow, np.full(4, t.UNLIMITED), 10.0) == pytest.approx(slow + 1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (made(rest=np.linspace(0.1, 1.1, 41)), "within the range"),
        (made(rate=np.full((41, 21), np.nan)), "861 that are not"),
        (made()._replace(voltage=np.zeros(41)), "ascend"),
    ],
)
def test_tables_that_no_model_can_stand_on_are_refused(tables, said):
    with pytest.raises(NotAsExpected, match=said):
        t.check_tables(tables)

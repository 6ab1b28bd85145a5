"""A compact model written down instead of extracted: smooth tables of one column, for tests that need no solver."""

import dataclasses

import numpy as np

from otjdd.compact_models.extraction import Range
from otjdd.compact_models.model import CompactModel, SelfHeating
from otjdd.compact_models.tables import UNLIMITED, Tables

LOW, HIGH = 0.1, 0.9  # states, which are also those of rest at -3 V and 3 V
LIMITS = Range(-3.0, 3.0, 2e-8, 1e3)


def made_model(
    resistance: float = 50.0, bend: float = 0.6, decades: float = 4.0, about: dict | None = None, kelvin: float = 300.0
):
    """Model from -3 V to 3 V that starts in its high state.

    bend : decades of the conductance by which a volt raises it   decades : from the high to the low state
    kelvin : its temperature, by which hops are activated with 0.3 eV and the current with 0.05 eV
    """
    cold = 1.0 - 300.0 / kelvin
    voltage, state = np.linspace(LIMITS.low, LIMITS.high, 49), np.linspace(LOW, HIGH, 33)
    V, q = np.meshgrid(voltage, state, indexing="ij")
    rest = LOW + (HIGH - LOW) / (1.0 + np.exp(-voltage / 0.25))
    log_rate = -6.0 + 14.0 * V**2 / (V**2 + 1.0) + 5.04 * cold
    log_conductance = -8.0 + decades * (q - LOW) / (HIGH - LOW) + bend * V * np.tanh(V) + 0.84 * cold
    unlimited = np.full(log_rate.shape, UNLIMITED)
    charge = 0.1 * V + 0.02 * np.tanh(V) * q  # C/m2
    ratio = np.exp(4.0 * (voltage - 2.6))  # of electrons
    tables = Tables(
        voltage, state, rest, log_rate, unlimited, voltage, log_conductance, np.zeros(2), 1e-6, ratio, charge
    )
    one = np.ones(1)
    return CompactModel(
        (tables,), np.zeros(1, np.int64), one, one, np.array([LOW]), resistance, LIMITS, kelvin, 2.8e-9, 3.14e-10,
        about or {},
    )  # fmt: skip


def warm_model(*temperatures: float, heat: SelfHeating | None = None, **options):
    """The same with tables at these temperatures [K], 300 K among them."""
    nodes = tuple(made_model(kelvin=T, **options) for T in temperatures)
    own = nodes[temperatures.index(300.0)]
    return dataclasses.replace(own, nodes=nodes, heat=heat)

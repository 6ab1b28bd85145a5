"""A compact model from formulas instead of an extraction: smooth tables of one column, for tests without the solver."""

import dataclasses
from pathlib import Path

import numpy as np

from otjdd.case.case import load_case
from otjdd.compact_models.axes import ModelAxis, points
from otjdd.compact_models.crossbars.network import Crossbar, cells_of_devices
from otjdd.compact_models.extraction import Range
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import (
    UNLIMITED,
    DeviceSpread,
    ModelNoise,
    NoiseTables,
    SelfHeating,
    Tables,
    begun_at_rest,
)

LOW, HIGH = 0.1, 0.9  # lowest and highest state; the column rests there at -3 V and 3 V
LIMITS = Range(-3.0, 3.0, 2e-8, 1e3)

CROSSBAR = """\
base = "li2019.toml"
title = "Two letters"

[columns]
count = 1
spread = {}

[crossbar]
word_lines = 3
bit_lines = 4
line_resistance = "2 ohm"
model = "model.nc"

[drive]
kind = "patterns"
scheme = "half"
"""  # the beginning of a case of such a crossbar, up to the parts of its drive


def bar(model: CompactModel, word_lines: int, bit_lines: int, *more) -> Crossbar:
    """A crossbar whose cells all are one device. more : other arguments of Crossbar"""
    cells = cells_of_devices((model,), np.zeros(word_lines * bit_lines, np.int64))
    return Crossbar(cells, word_lines, bit_lines, *more)


def made_model(
    resistance: float = 50.0,
    bend: float = 0.6,
    decades: float = 4.0,
    about: dict | None = None,
    kelvin: float = 300.0,
    fresh: bool = False,
    thickness: float = 2.8e-9,
    barrier: float = 0.6,
    knots: int = 49,
):
    """Model from -3 V to 3 V that starts in its high-resistance state.

    bend : decades of the conductance per volt   decades : of the conductance, between the two states
    kelvin : temperature of the model; its hops have an activation energy of 0.3 eV, its current of 0.05 eV
    thickness [m], barrier [eV] : a decade less current for 0.2 nm more, and for 0.1 eV more, and fewer hops in thick films
    knots : of the voltage
    fresh : begin with a film that was never written
    """
    cold, thick = 1.0 - 300.0 / kelvin, thickness / 1e-9 - 2.8
    voltage, state = np.linspace(LIMITS.low, LIMITS.high, knots), np.linspace(LOW, HIGH, 33)
    V, q = np.meshgrid(voltage, state, indexing="ij")
    rest = LOW + (HIGH - LOW) / (1.0 + np.exp(-voltage / 0.25))
    log_rate = -6.0 + 14.0 * V**2 / (V**2 + 1.0) + 5.04 * cold - 2.0 * thick
    log_conductance = -8.0 + decades * (q - LOW) / (HIGH - LOW) + bend * V * np.tanh(V) + 0.84 * cold
    log_conductance = log_conductance - 5.0 * thick - 10.0 * (barrier - 0.6) * (1.0 - 0.1 * q)
    unlimited = np.full(log_rate.shape, UNLIMITED)
    charge = 0.1 * V + 0.02 * np.tanh(V) * q  # C/m2
    ratio = np.exp(4.0 * (voltage - 2.6))  # of electrons
    tables = Tables(
        voltage, state, rest, log_rate, unlimited, voltage, log_conductance, np.zeros(2), 1e-6, ratio, charge,
        **(never_written(voltage) if fresh else begun_at_rest(voltage.size)),
    )  # fmt: skip
    one = np.ones(1)
    return CompactModel(
        (tables,), np.zeros(1, np.int64), one, one, np.array([LOW + 0.05 * thick**2]), np.full(1, float(fresh)),
        resistance, LIMITS, kelvin, thickness, 3.14e-10, about or {},
    )  # fmt: skip


def beside(text: str, make=None, changes: dict | None = None, **options) -> None:
    """Write bar.toml with the text of a case, and model.nc, which says to be of its junction, into the present folder.

    make : function that makes the model, `made_model` if None, with `options`   changes : of the case
    """
    Path("model.nc").touch()
    Path("bar.toml").write_text(text)
    about = {"case_resolved": load_case("bar.toml", changes).resolved()}
    (make or made_model)(about=about, **options).save("model.nc")


def with_charge(model, factor: float):
    """The model with a multiple of its charge."""
    kinds = tuple(kind._replace(charge=factor * kind.charge) for kind in model.kinds)
    return dataclasses.replace(model, kinds=kinds)


def noisy_model(ions: float = 400.0, spread: bool = False, read: float = 1.6e-6, **options):
    """The made model with noise: each of so many ions crosses for itself.

    spread : devices differ, by 0.3 of ln of currents and 0.5 of ln of rates   read : sigma of ln G of reads
    """
    made = made_model(**options)
    voltage, state = np.linspace(-3.0, 3.0, 5), made.kinds[0].state
    flat = np.zeros((5, state.size))
    reads = np.full(state.size, np.log10(ions * read**2))
    tables = NoiseTables(voltage, state, flat, ions, reads, flat - 8.0, flat + 6.0)
    covariance = np.diag([0.09, 0.09, 0.25, 0.25])
    differ = DeviceSpread(covariance, 24, "made") if spread else None
    return dataclasses.replace(made, noise=ModelNoise((tables,), differ))


def noisy_warm_model(*temperatures: float, **options):
    """The noisy model at several temperatures [K], of which one has to be 300.0; wells move 10 times faster at 1.2 T."""
    made, own = warm_model(*temperatures, **options), noisy_model(**options).noise
    nodes = []
    for node in made.nodes:
        faster = 6.0 * (1.0 - 300.0 / node.temperature)
        tables = own.kinds[0]
        tables = tables._replace(log_white=tables.log_white - faster, log_corner=tables.log_corner + faster)
        nodes.append(dataclasses.replace(node, noise=ModelNoise((tables,))))
    return dataclasses.replace(made, nodes=tuple(nodes), noise=own)


def never_written(voltage: np.ndarray) -> dict[str, np.ndarray]:
    """Tables of the unsettled share: it settles in 10 us at 0 V, and moves the state with the voltage."""
    V, w = np.meshgrid(voltage, np.linspace(0.0, 1.0, 9), indexing="ij")
    return {
        "share": w[0],
        "log_settling": 5.0 + w + 2.0 * V**2 / (V**2 + 1.0),
        "settling_move": 0.3 * np.tanh(V) * (1.0 - 0.5 * w),
        "excess": 1.5 + 0.5 * w - 0.1 * V,
    }


def warm_model(*temperatures: float, heat: SelfHeating | None = None, **options):
    """The same model with tables at several temperatures [K], of which one has to be 300.0."""
    nodes = tuple(made_model(kelvin=T, **options) for T in temperatures)
    own = nodes[temperatures.index(300.0)]
    axis = ModelAxis("temperature", "temperature", temperatures)
    return dataclasses.replace(own, nodes=nodes, axes=(axis,), point=(300.0,), heat=heat)


def varied_model(**options):
    """The same model with tables over its temperature, its thickness and its barrier."""
    axes = (
        ModelAxis("temperature", "temperature", (270.0, 300.0, 350.0)),
        ModelAxis("device.film.thickness", "length", (2.6e-9, 2.8e-9, 3.1e-9)),
        ModelAxis("device.left.barrier", "energy", (0.55, 0.6)),
    )
    nodes = tuple(
        made_model(kelvin=T, thickness=thickness, barrier=barrier, **options) for T, thickness, barrier in points(axes)
    )
    point = (300.0, 2.8e-9, 0.6)
    return dataclasses.replace(nodes[points(axes).index(point)], nodes=nodes, axes=axes, point=point)

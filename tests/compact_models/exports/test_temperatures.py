"""A model of several temperatures: in circuits that are set to others, and where it warms up."""

import made_model
import numpy as np
import pytest
import simulators
from scipy.integrate import solve_ivp

from otjdd.compact_models.exports import folder, verilog_a
from otjdd.compact_models.tables import SelfHeating
from otjdd.errors import NotAsExpected
from otjdd.units import ZERO_CELSIUS
from otjdd.waveform import shapes

NODES = 250.0, 300.0, 400.0  # K
WARM = 373.15  # K, between two of them
TABLE = simulators.stairs((1.6, 1e-6), (0.1, 1e-6))  # a write and a read
(READ,) = TABLE.read_times  # s


@pytest.fixture(scope="module")
def model():
    return made_model.warm_model(*NODES)


@pytest.fixture(scope="module")
def place(model, tmp_path_factory):
    """Folder with the compiled model."""
    return simulators.compiled(verilog_a.verilog_a(model), tmp_path_factory.mktemp("warm")).parent


def at(simulator: str, folder, kelvin: float, device: str = "charging=0", end: float = READ) -> tuple[float, str]:
    """Current [A] of a write and a read at a temperature of the circuit, and the output of the simulator."""
    celsius = f"{kelvin - float(ZERO_CELSIUS):.9g}"
    options = {"ngspice": f"reltol=1e-5 method=gear\n.temp {celsius}", "vacask": f"reltol=1e-5 temp={celsius}"}
    (current,), text = simulators.transient(simulator, folder, TABLE, [end], device, options[simulator])
    return current, text


def test_a_model_that_its_current_warms_is_one_for_circuits_alone(tmp_path):
    model = made_model.warm_model(*NODES, heat=SelfHeating(2e5, 1e-8))
    with pytest.raises(NotAsExpected, match="self-heating"):
        model.run(TABLE)
    assert {path.name for path in folder.write_exports(folder.Extracted(model), tmp_path)} == {
        "model.nc", "otj.va", "example.cir", "example.sim",
    }  # fmt: skip


@simulators.needed
@pytest.mark.parametrize("simulator", ["ngspice", pytest.param("vacask", marks=pytest.mark.campaign)])
def test_simulators_follow_the_temperature_of_the_circuit(model, place, simulator):
    wanted = [model.at(kelvin).run(TABLE).read_current.item() for kelvin in (300.0, WARM)]
    assert wanted[1] > 2.0 * wanted[0]
    for kelvin, current in zip((300.0, WARM), wanted, strict=True):
        found, text = at(simulator, place, kelvin)
        assert found == pytest.approx(current, rel=0.01)
        assert "holds" not in text


@pytest.mark.campaign
@simulators.needed
def test_ngspice_warns_beyond_the_temperatures(place):
    assert "holds from 250 K to 400 K, the simulator is set to 450 K" in at("ngspice", place, 450.0)[1]


@simulators.needed
def test_the_current_warms_the_junction_of_a_circuit(tmp_path):
    """Against an integration of C dT/dt = I V - (T - T0)/R with the currents of the model at the states that move."""
    heat, end = SelfHeating(1.2e8, 2e-7), 0.99e-6
    model = made_model.warm_model(*NODES, heat=heat, resistance=0.0, decades=1.0)
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    found, _ = at("ngspice", tmp_path, 300.0, "", end)
    cold = made_model.warm_model(*NODES, resistance=0.0, decades=1.0)
    times, volts = TABLE.times, TABLE.voltages

    def rates(t, y):
        q, rise = y
        own, V = cold.at(min(300.0 + rise, 400.0)), np.interp(t, times, volts)
        rate = 10.0 ** np.interp(V, own.kinds[0].voltage, own.kinds[0].log_rate[:, 0])
        rest = np.interp(V, own.kinds[0].voltage, own.kinds[0].rest)
        current = own.hold(own.states(1, [np.clip(q, 0.1, 0.9)]), V, 0.0)[0]
        return [rate * (rest - q), (heat.resistance * current * V - rise) / heat.time_constant]

    solved = solve_ivp(rates, (0.0, end), [cold.start[0], 0.0], method="LSODA", rtol=1e-5, atol=1e-6, max_step=1e-7)
    q, rise = solved.y[:, -1]
    assert 20.0 < rise < 95.0
    own, V, near = cold.at(300.0 + rise), np.full(2, 1.6), q + np.array([-1e-4, 1e-4])
    by_state = (
        np.diff(own.charge(V, near[:, None]))[0] / 2e-4
    )  # the charge of these tables does not depend on temperature
    displaced = own.area * by_state * rates(end, [q, rise])[0]
    assert found == pytest.approx(own.hold(own.states(1, [q]), 1.6, 0.0)[0] + displaced, rel=0.02)
    assert found > 1.2 * cold.run(shapes.table(times, volts, [end])).read_current.values[0]


@pytest.mark.campaign
@simulators.needed
def test_a_junction_that_gets_too_hot_is_told_and_simulated_to_its_end(tmp_path):
    """The flag switches while the temperature passes the end of its range: no simulator is to resolve that switch."""
    model = made_model.warm_model(*NODES, heat=SelfHeating(1.2e9, 2e-7), resistance=0.0, decades=1.0)
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    assert 1 <= at("ngspice", tmp_path, 300.0, "")[1].count("outside of the range") <= 4  # as `test_defaults`

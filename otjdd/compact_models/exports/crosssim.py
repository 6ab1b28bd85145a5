"""The device as a module for CrossSim 3, with a table of its current over conductance and voltage."""

from typing import NamedTuple

import numpy as np

from otjdd.compact_models.exports.functions import header, number
from otjdd.compact_models.exports.pulses import Devices, Pulsed, sentences
from otjdd.compact_models.model import CompactModel

STATES = 12  # rows of the table, evenly spaced in the logarithm of the conductance
VOLTAGES = np.array([-0.3, -0.2, -0.15, -0.1, -0.05, -0.02, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3])  # V


def visited(model: CompactModel, pulses: Pulsed) -> np.ndarray:
    """States (n, ...) after each pulse, in ascending order of the conductance."""
    return pulses.states[np.argsort(model.hold(pulses.states.copy(), pulses.read_voltage, 0.0))]


def ratios(model: CompactModel, states: np.ndarray, read_voltage: float) -> tuple[np.ndarray, np.ndarray]:
    """ln G (n,) of states at the read voltage, and ln [G(V)/G] (n, V) at VOLTAGES."""
    G = model.hold(states.copy(), read_voltage, 0.0) / read_voltage
    at = np.array([model.hold(states.copy(), V, 0.0) / V for V in VOLTAGES])
    return np.log(G), np.log(at / G).T


def conductance_table(model: CompactModel, pulses: Pulsed) -> tuple[np.ndarray, np.ndarray, float]:
    """ln G (STATES,), ln [G(V)/G] (STATES, V), and the relative rms error of the currents of the visited states."""
    lnG, ratio = ratios(model, visited(model, pulses), pulses.read_voltage)
    nodes = np.linspace(lnG[0], lnG[-1], STATES)
    values = np.array([np.interp(nodes, lnG, column) for column in ratio.T]).T
    back = np.array([np.interp(lnG, nodes, column) for column in values.T]).T
    return nodes, values, float(np.sqrt((np.expm1(back - ratio) ** 2).mean()))


def between_devices(ln_G: np.ndarray, devices: Devices) -> np.ndarray:
    """Standard deviation (STATES,) of ln G between devices after equal pulses, where the mean of ln G is ln_G (STATES,)."""
    curves = np.log(np.concatenate((devices.up, devices.down), axis=1))
    mean, deviation = curves.mean(axis=0), curves.std(axis=0, ddof=1)
    order = np.argsort(mean)
    return np.asarray(np.interp(ln_G, mean[order], deviation[order]))


def differing(nodes: np.ndarray, devices: Devices | None) -> list[str]:
    """Lines of the class for devices that differ; [] for one device."""
    if devices is None:
        return []
    deviations = ", ".join(map(number, between_devices(nodes, devices)))
    return [
        f"    deviation = [{deviations}]  # of ln G between devices, at LN_G",
        "    random = np.random.default_rng(0)",
        "",
        "    def programming_error(self, input_):",
        '        """Conductances (in Gmax) of devices that differ, which should all have those given."""',
        "        G = np.maximum(input_, 1e-300)",
        "        return G * np.exp(np.interp(np.log(G), LN_G, self.deviation) * self.random.standard_normal(np.shape(G)))",
        "",
    ]


class DeviceNoise(NamedTuple):
    """The parts of a device that noise adds."""

    about: list[str]  # lines of its header
    tables: list[str]  # lines
    methods: list[str]  # lines of its class


def device(
    model: CompactModel, pulses: Pulsed, devices: Devices | None = None, noise: DeviceNoise | None = None
) -> str:
    """Text of a module with the class `OTJ`. It must be imported before CrossSim chooses its device by that name."""
    nodes, values, off = conductance_table(model, pulses)
    high = float(np.exp(nodes[-1]))
    about = [
        *header(model),
        f"Rmin = {1.0 / high:.5g} ohm, Rmax = {1.0 / np.exp(nodes[0]):.5g} ohm, Vread = {pulses.read_voltage:g} V",
        *sentences(pulses, devices, noise.about if noise else ()),
        f"current of the states that these pulses visit, at inputs from {VOLTAGES[0]:g} V to {VOLTAGES[-1]:g} V; "
        "beyond, the conductance is constant",
        f"currents are off by {off:.2g}, rms, relative to those of the compact model in these states; there are no steps: "
        "CrossSim programs conductances at once",
        "tried with CrossSim 3.2",
    ]
    rows = ["    [" + ", ".join(map(number, row)) + "]," for row in values]
    lines = [f"# {line}" for line in about]
    lines += ["", "import numpy as np", "from scipy.interpolate import RegularGridInterpolator"]
    lines += ["from simulator.devices.idevice import EmptyDevice", "", f"VREAD = {number(pulses.read_voltage)}  # V"]
    lines += ["LN_G = [" + ", ".join(number(node - nodes[-1]) for node in nodes) + "]  # of G/Gmax"]
    lines += [
        "VOLTS = [" + ", ".join(map(number, VOLTAGES)) + "]",
        "LN_RATIO = [  # of G(V)/G(VREAD)",
        *rows,
        "]",
        *(["", f"GMAX = {number(high)}  # S", *noise.tables] if noise else []),
        "",
        "",
    ]
    lines += ["class OTJ(EmptyDevice):", '    """Oxide tunnel junction: a current that bends with the voltage."""', ""]
    lines += ["    ratio = staticmethod(RegularGridInterpolator((LN_G, VOLTS), LN_RATIO))", ""]
    lines += noise.methods if noise else differing(nodes, devices)
    lines += [
        "    def nonlinear_current(self, Gmat, Vmat):",
        '        """Currents for conductances (in Gmax) and voltages (in VREAD)."""',
    ]
    lines += [
        "        # single precision rounds the ends of the table to values beyond them",
        "        G, V = (values.astype(float) for values in np.broadcast_arrays(Gmat, Vmat))",
        "        ln_G = np.clip(np.log(np.maximum(G, 1e-300)), LN_G[0], LN_G[-1])",
    ]
    lines += ["        return G * V * np.exp(self.ratio((ln_G, np.clip(V * VREAD, VOLTS[0], VOLTS[-1]))))", "", ""]
    return "\n".join([*lines, *switches(float(np.exp(nodes[0])), high, pulses.read_voltage, errors(devices, noise))])


def errors(devices: Devices | None, noise: DeviceNoise | None) -> list[str]:
    """Errors of CrossSim that the class has."""
    if noise:
        return ["programming_error", "drift_error", "read_noise"]
    return [] if devices is None else ["programming_error"]


def switches(low: float, high: float, read_voltage: float, errors: list[str]) -> list[str]:
    """Lines of the function that chooses this device. low, high : ends of its conductance [S]"""
    lines = [
        "def otj_parameters():",
        '    """Parameters of CrossSim with this device; currents are those of `nonlinear_current`."""',
        "    from simulator import CrossSimParameters",
        "",
        "    parameters = CrossSimParameters()",
        "    device = parameters.xbar.device",
        f"    device.Rmin, device.Rmax, device.Vread = {number(1.0 / high)}, {number(1.0 / low)}, {number(read_voltage)}",
        '    device.nonlinear_IV.enable, device.nonlinear_IV.model = True, "OTJ"',
        "    parameters.simulation.disable_fast_nonlinear_IV = True  # the fast way requires sums that this device has not",
    ]
    lines += [f'    device.{error}.enable, device.{error}.model = True, "OTJ"' for error in errors]
    return [*lines, "    return parameters", ""]


def noise_methods() -> list[str]:
    """Lines of methods that draw from the tables of `levels`: as written, as drift, and at reads."""
    return [
        "    verified = False  # True: levels are written and verified, and scatter by what comes after alone",
        "    random = np.random.default_rng(0)",
        "",
        "    def at(self, table, G, time):",
        '        """Values of a table at conductances (in Gmax) and a time."""',
        "        ln_t = np.log(np.maximum(time, TIMES[0]))",
        "        by_level = [np.interp(ln_t, np.log(TIMES), row) for row in table]",
        "        return np.interp(np.log(np.maximum(G, 1e-300) * GMAX), np.log(LEVELS), by_level)",
        "",
        "    def drift_error(self, input_, time):",
        '        """Conductances (in Gmax) a time [s] after the last pulse."""',
        "        sigma = self.at(SIGMA_VERIFIED if self.verified else SIGMA, input_, time)",
        "        x = self.random.standard_normal(np.shape(input_))",
        "        return input_ * np.exp(self.at(SHIFT, input_, time) + sigma * x)",
        "",
        "    def programming_error(self, input_):",
        '        """Conductances (in Gmax) as written."""',
        "        return self.drift_error(input_, TIMES[0])",
        "",
        "    def read_noise(self, input_):",
        '        """Conductances (in Gmax) as one read of 1 us has them."""',
        "        sigma = np.interp(np.log(np.maximum(input_, 1e-300) * GMAX), np.log(LEVELS), READ)",
        "        return input_ * np.exp(sigma * self.random.standard_normal(np.shape(input_)))",
        "",
    ]

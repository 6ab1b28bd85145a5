"""Datasets like those of a run, made from simple numbers that a test can find again in a figure. No kernel is run."""

import numpy as np

from otjdd.case.case import load_case, shipped_cases
from otjdd.results import outputs

WRITES = np.array([1.0, 2.0, 1.5, -1.0, -2.0, -1.0])


def case_attrs(drive: str | None = None, title: str = "made", **changes) -> dict:
    """Attributes of a result of li2019, with another drive (a TOML table) and other changes."""
    changes = ({"drive": " ".join(drive.split())} if drive else {}) | changes
    case = load_case(shipped_cases() / "li2019.toml", {"title": f'"{title}"'} | changes)
    return {"title": title, "case_resolved": case.resolved()}


def reads(write_voltage, resistance, times=None, attrs=None, **more):
    n = len(write_voltage)
    names = ("read_voltage", "read_current", "tunnelling_share", "transport_energy")
    arrays = {name: np.full(n, 0.1) for name in names}
    times = np.arange(n) if times is None else times
    return outputs.dataset(
        arrays
        | {"read_time": times, "write_voltage": write_voltage, "read_resistance": resistance}
        | {"cell_width": [1e-9, 1e-9]}
        | more,
        {"x": [0.5e-9, 1.5e-9]},
        attrs,
    )


def curves(energy: float = 0.3):
    """Dataset of I-V curves in two states at three temperatures, where I/T^2 has an activation energy [eV]."""
    T, V = np.array([260.0, 300.0, 340.0]), np.linspace(-0.5, 0.5, 11)
    thermal = T**2 * np.exp(-energy / (8.617333262e-5 * T))
    current = np.stack([np.sinh(V)[None, :] * thermal[:, None], 100 * np.sinh(V)[None, :] * thermal[:, None]])
    shape = dict.fromkeys(("bias_junction_voltage", "bias_tunnelling_share", "bias_transport_energy"), 0 * current)
    return outputs.dataset(shape | {"bias_current": current}, {"state": ["HRS", "LRS"], "temperature": T, "bias": V})


def signals(bias, frequency, impedance, attrs=None, **more):
    """Small signals of one state at 300 K: impedance (bias, frequency) [ohm], complex. more : outputs over bias."""
    bias, frequency, Z = np.asarray(bias), np.asarray(frequency), np.asarray(impedance)
    Y = 1 / Z
    arrays = {"impedance_real": Z.real, "impedance_imag": Z.imag, "conductance_ac": Y.real}
    arrays |= {"capacitance": Y.imag / (2 * np.pi * frequency)} | more
    coords = {"state": ["initial"], "temperature": [300.0], "bias": bias, "frequency": frequency}
    return outputs.dataset({name: np.asarray(value)[None, None] for name, value in arrays.items()}, coords, attrs)


def depletion(permittivity: float = 300.0, doping: float = 1e26, barrier: float = 1.0):
    """C-V of the shipped device with a linear right electrode of a band bending [eV] of barrier - V."""
    V, omega = np.linspace(-2.0, 0.5, 26), 2e6 * np.pi
    law = f'{{ law = "linear", eps_r = {permittivity} }}'
    attrs = case_attrs(**{"device.right.permittivity": law, "device.right.doping": f"{doping} 1/m^3"})
    area, kT = np.pi * 1e-10, 8.617333262e-5 * 300.0
    C = area * np.sqrt(
        1.602176634e-19 * 8.8541878128e-12 * permittivity * doping / 2 / np.maximum(barrier - V - kT, kT)
    )
    return signals(V, [1e6], (1 / (1j * omega * C))[:, None], attrs, bias_band_bending=barrier - V)


DEPLETION = depletion()
FREQUENCY = np.geomspace(1.0, 1e6, 31)
# 50 ohm, and 1 Mohm beside 1 nF
SPECTRUM = signals([0.0], FREQUENCY, (50 + 1e6 / (1 + 2e-3j * np.pi * FREQUENCY))[None])


def series(t, voltage, current, attrs=None, displacement=0.0):
    """Dataset of a time series. The recorded current is the conduction current plus `displacement` [A]."""
    arrays = {"voltage": voltage, "conduction_current": current, "current": np.asarray(current) + displacement}
    return outputs.dataset(arrays, {"time": t}, attrs)


def profiles(times, attrs=None, barrier=0.6, metal=True, step=0.0):
    """Dataset of snapshots of a 2 nm film between two metals, or a metal and a semiconductor.

    The band edge of a metal is at -5 eV. The band of the semiconductor bends by 0.3 eV over 10 nm.
    step : [eV] of the bending that remain where the drawn band ends
    """
    times = np.asarray(times, dtype=float)
    x = np.linspace(0.1e-9, 1.9e-9, 10)
    c = 1e26 * (1 + np.outer(np.arange(len(times)), x) * 1e9)
    film = np.linspace(barrier, barrier / 2, 5)
    if metal:
        position, edge = [-2, 0, *np.linspace(0, 2, 5), 2, 4], [-5, -5, *film, -5, -5]
    else:
        position = [-2, 0, *np.linspace(0, 2, 5), *np.linspace(2, 12, 5), 12, 14]
        edge = [-5, -5, *film, *np.linspace(0.3, -0.01 + step, 5), -0.01, -0.01]
    arrays = {"vacancy_concentration": c, "snapshot_time": times, "cell_width": np.full(10, 2e-10)}
    arrays |= {"band_position": np.tile(position, (len(times), 1)) * 1e-9, "band_edge": np.tile(edge, (len(times), 1))}
    energy = np.linspace(0, 1, 50)
    arrays |= {"spectrum_energy": np.tile(energy, (len(times), 1))}
    arrays |= {"spectrum_density": np.tile(1e5 * np.exp(-40 * energy), (len(times), 1))}
    return outputs.dataset(arrays, {"x": x}, attrs)


def labels(axes) -> list[str]:
    """Texts of the legend of axes."""
    return [text.get_text() for text in axes.get_legend().get_texts()] if axes.get_legend() else []

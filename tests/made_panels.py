"""A made result, or several, for each kind of panel. No kernel is run."""

import numpy as np
import xarray as xr
from made_results import DEPLETION, SPECTRUM, WRITES, case_attrs, curves, profiles, reads, series

from otjdd.results import outputs

PULSE = case_attrs('{ kind = "pulse", voltage = "2 V", width = "20 ns" }')
AT = np.concatenate([np.geomspace(1e-9, 1e-6, 40), 1e-6 + np.geomspace(1e-9, 1e-3, 40)])
LOOP = reads(WRITES, 1e6 * np.arange(1, 7))
TURNS = reads(np.tile([2.0, -2.0], 8), np.where(np.arange(16) % 2, 1e8, 1e5) * np.linspace(1, 1.2, 16))


def train(heights, period=1e-6):
    """Pulses of 0.1 period whose currents are given."""
    t, V, current = [0.0], [0.0], [1e-9]
    for k, height in enumerate(heights):
        start = (k + 1) * period
        t += [start, start + 1e-12, start + 0.1 * period, start + 0.1 * period + 1e-12]
        V += [0.0, 1.0, 1.0, 0.0]
        current += [1e-9, height, height, 1e-9]
    return series(t, V, current)


def with_electrons():
    """A film with electrons, most of them in the second of three snapshots."""
    ds = profiles([0, 1, 2])
    n = ds.vacancy_concentration * xr.DataArray([1e-3, 0.5, 1e-2], dims="snapshot")
    return ds.assign(
        film_electrons=n.drop_attrs(),
        conduction_band=(("snapshot", "x"), np.full(n.shape, 0.2)),
        snapshot_junction_voltage=("snapshot", [0.0, 0.7, -0.3]),
    )


def with_exchange(**walls):
    """Three seconds in which a film loses half of its vacancies. walls : concentrations at the electrodes"""
    t = np.linspace(0.0, 3.0, 4)
    return outputs.dataset({"time": t, "vacancies": 1e18 * (2 - t / 3), "cell_width": [1e-9, 1e-9], **walls})


def with_traps(names=("vacancies",)):
    """Two snapshots of a film whose traps take electrons at the right and give them at the left, 0.5 eV lower."""
    ds = profiles([0, 1])
    x, E = ds.x.values, np.linspace(-1.0, 0.5, ds.sizes["energy"])
    place = np.ones((2, len(names), 1)) * np.exp(-x / 1e-10)
    spectrum = np.exp(-(((E + 0.5) / 0.1) ** 2)) * np.ones((2, 1))
    by_place, by_energy = ("snapshot", "trap", "x"), ("snapshot", "energy")
    return ds.assign_coords(trap=list(names)).assign(
        trap_current_left=(by_place, place), trap_current_right=(by_place, place[..., ::-1]),
        spectrum_trap_energy=(by_energy, np.tile(E, (2, 1))), spectrum_traps_left=(by_energy, spectrum),
        spectrum_traps_right=(by_energy, spectrum[:, ::-1]), trap_filling=(by_place, 0.5 * place / place.max()),
        trap_charge=(("snapshot", "x"), -1e7 * place[:, 0]),
    )  # fmt: skip


def polarised(spike: float = 0.0):
    """A loop of ±2 V in 1 ms with peaks of 20 µA at ±1 V; at its start the voltage jumps, with a current of `spike` [A]."""
    V = np.concatenate([np.linspace(-2, 2, 200), np.linspace(2, -2, 200)[1:]])
    t = 1e-3 * np.arange(len(V)) / (len(V) - 1)
    way = np.append(np.ones(200), -np.ones(199))
    current = way * 20e-6 * np.exp(-(((V - way) / 0.1) ** 2))
    ds = series(np.insert(t, 1, 1e-12), np.insert(V, 1, V[0]), np.insert(0 * V, 1, 0.0))
    current = np.insert(current, 1, spike)
    P = np.tanh(np.cumsum(current) / 1e-4)
    return ds.assign(
        displacement_current=("time", current), junction_voltage=ds.voltage, polarisation=("time", P - P.mean())
    )


def crossbar(shape=(2, 3), kinds=("begin", "read", "write", "rest", "read")):
    """Outputs of a crossbar whose cell 0, 1 is written."""
    n = len(kinds)
    chosen = np.zeros((n, *shape))
    G, sensed, sneak = np.full((n, *shape), 1e-9), np.full((n, *shape), np.nan), np.full((n, *shape), np.nan)
    for i, kind in enumerate(kinds):
        if kind == "write":
            chosen[i, 0, 1], G[i:, 0, 1] = 1.0, 1e-5
        if kind == "read":
            sensed[i], sneak[i] = 0.1 * G[i], 0.2
    voltage = [{"read": 0.1, "write": 2.2}.get(kind, np.nan) for kind in kinds]
    arrays = {
        "step_time": np.arange(n) * 1e-6, "step_voltage": voltage, "step_energy": np.ones(n),
        "write_disturb": np.full(n, 0.01), "cell_chosen": chosen, "cell_voltage": 2.2 * chosen, "cell_conductance": G,
        "cell_rest_position": G, "sensed_current": sensed, "sneak_share": sneak,
    }  # fmt: skip
    return outputs.dataset(arrays)


def programmed():
    """A crossbar whose last step programs its cells, one of them in vain."""
    reached = np.array([[1e-6, 2e-6, 3e-6], [4e-6, 5e-6, 6e-6]])
    of_step = ("step", "word_line", "bit_line")
    steps = {
        "program_target": 1.1 * reached, "program_conductance": reached, "program_error": 1 / 1.1 - 1 + 0 * reached,
        "program_pulses": 3 + 0 * reached, "program_missed": reached > 5.5e-6,
    }  # fmt: skip
    ds = crossbar()
    return ds.assign({k: (of_step, np.where(np.arange(5)[:, None, None] == 4, v, np.nan)) for k, v in steps.items()})


def noisy():
    """Reads at even times that scatter, of single ions."""
    current = 1e-6 * (1 + 1e-2 * np.random.default_rng(2).integers(0, 2, 128))
    ds = outputs.measured(read_time=1e-3 * np.arange(1, 129), read_current=current, read_voltage=np.full(128, 0.1))
    return ds.assign(single_ion_share=0.05, column_weight=("column", [0.25, 0.75]))


def spikes(delay: str, change: float):
    """Two reads of a drive with spikes between them, after which the conductance is larger by `change`."""
    piece = '{ kind = "steps", width = "1 us", voltages = ["1 V"] }'
    drive = f'{{ kind = "spikes", delay = "{delay}", pre = ["a"], post = ["a"], pieces = {{ a = {piece} }} }}'
    return reads([np.nan, np.nan], [1e6, 1e6 / (1 + change)], attrs=case_attrs(drive))


def of_kinds(ds):
    """A result with the current of two kinds of columns and of two channels of conduction."""
    total = ds.read_current.values
    ds = ds.assign_coords(kind=["background", "switching"], kind_share=("kind", [0.9, 0.1]), channel=["band", "leak"])
    share = np.broadcast_to([0.75, 0.25], (len(total), 2))
    parts = np.stack((1e-5 * total, total), 1)
    return ds.assign(kind_read_current=(("read", "kind"), parts), read_channel_share=(("read", "channel"), share))


TWO_STATES = curves()
TWO_STATES["bias_current"] = (
    TWO_STATES.bias_current * [[[1.0]], [[2.0]]] * np.exp(0.1 * TWO_STATES.bias.values * [[[0]], [[1]]])
)
SINCE = np.array([1.0, 10.0, 100.0, 1000.0])
WARM = series(AT, 0 * AT, 1e-9 + 0 * AT, PULSE).assign(junction_temperature=("time", 300 + 1e4 * AT))
EXAMPLES = {
    "loop": LOOP, "columns": of_kinds(LOOP), "channels": of_kinds(LOOP),
    "conductance": reads(
        np.repeat([2.2, -2.5, 2.2, -2.5], 8), 1 / np.tile(np.r_[1:9, 8:0:-1] * 1e-6, 2), times=np.arange(32)
    ),
    "endurance": TURNS, "cdf": TURNS,
    "retention": reads(
        np.full(4, np.nan), 1e6 * SINCE**0.2, SINCE + 1e-3,
        write_end=np.full(4, 1e-3), write_end_voltage=np.full(4, -4.0),
    ),
    "noise": noisy(), "trace": noisy(),
    "iv": curves(), "iv-linear": curves(), "arrhenius": curves(), "ter": TWO_STATES,
    "hysteresis": polarised(), "switching-current": polarised(500e-6),
    "nyquist": SPECTRUM, "bode": SPECTRUM, "cv": DEPLETION, "mott-schottky": DEPLETION,
    "polarisation": series(AT, 2 + 0 * AT, 0 * AT).assign(polarisation=("time", 0.2 * AT / AT[-1])),
    "current": series(AT, np.where(AT < 1e-6, 0.0, 2.0), 1e-9 * (1 + 1e3 * AT), PULSE),
    "exchange": with_exchange(wall_concentration_left=np.full(4, 1e26)), "temperature": WARM,
    "train": train([1e-6, 1.2e-6, 1.5e-6]),
    "ppf": [train([1e-6, 1e-6 * (1 + np.exp(-0.9e6 * p / 2)), 2e-6], p) for p in 1e-6 * np.array([1, 2, 3, 4, 6])],
    "stdp": [spikes(f"{delay} us", change) for delay, change in ((-4, -0.1), (-2, -0.2), (2, 0.3), (4, 0.1))],
    "vacancies": profiles([0, 1], metal=False), "bands": profiles([0, 1], metal=False),
    "traps": with_traps(), "trap-currents": with_traps(), "trap-charge": with_traps(),
    "electrons": with_electrons(), "spectrum": with_traps(),
    "cells": crossbar(), "sensed": crossbar(), "sneak": crossbar(), "programmed": programmed(), "stress": crossbar(),
}  # fmt: skip

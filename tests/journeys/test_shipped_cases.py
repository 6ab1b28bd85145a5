"""Each shipped case that is no study, on a small device: run, drawn, exported, and its question answered from the table."""

import shutil

import numpy as np
import pandas as pd
import pytest
from compact_device import CHANGES
from walk import drawn, otjdd

from otjdd import cases

MODELLED = " ".join(f"--set '{change}'" for change in CHANGES)  # the junction of the model that is there
LOOPS = "--set drive.step='0.2 V' --set drive.width='10 ms'"
SHORTER = {
    "rv-loop": LOOPS,
    "iv-cycles": LOOPS,
    "impedance": "--set drive.frequencies.per_decade=5",
    "iv": "--set drive.step='50 mV' --set drive.temperatures='[\"280 K\", \"320 K\"]'",
    "ltp-ltd": "--set drive.repeat=2",
    "crossbar": f"--set crossbar.model=model.nc {MODELLED}",
    "nb-sto-pulses": "--set drive.parts[1].count=30 --set drive.parts[2].count=30",
    "nb-sto-trains": "--set drive.parts[1].count=5 --set drive.parts[2].count=5",
}


def resistance(table):
    return table["read_resistance (ohm)"].to_numpy()


def change(table):
    """Resistance at the first read over that at the last."""
    return resistance(table)[0] / resistance(table)[-1]


def extremes(table):
    return resistance(table).max() / resistance(table).min()


def cycles(table):
    """Largest difference between the currents of the second loop and the third, as a share."""
    current = table["read_current (A)"].to_numpy()[table["read_voltage (V)"].abs() > 1e-9].reshape(3, -1)
    return np.abs(current[2] / current[1] - 1).max()


def energies(table):
    """Energy at which the current flows in HRS above that in LRS, at 0.3 V and 280 K, eV."""
    at = table[np.isclose(table["bias (V)"], 0.3) & (table["temperature (K)"] == 280)].set_index("state (1)")
    return at["bias_transport_energy (eV)"]["HRS"] - at["bias_transport_energy (eV)"]["LRS"]


def capacitances(table):
    """Capacitance of LRS over that of HRS at 10 kHz."""
    at = table[np.isclose(table["frequency (Hz)"], 1e4)].set_index("state (1)")["capacitance (F)"]
    return at["LRS"] / at["HRS"]


def coercive(table):
    """Field at which the polarisation first turns positive, MV/cm."""
    up = table[table["polarisation (C m^-2)"] > 0].iloc[0]
    return up["film_field (V m^-1)"] / 1e8


def rise(table):
    """Conductance after the 20 pulses up over that after the 20 pulses down, in the last round."""
    return resistance(table)[-1] / resistance(table)[-21]


def windows(table):
    """Window at -1 V of the sweep to -4 V over that of the sweep to -2 V."""
    at = np.isclose(table["read_voltage (V)"], -1)
    low, high = table["read_current (A)"].to_numpy()[at].reshape(3, 2).T
    return (low / high)[2] / (low / high)[0]


def memory(table):
    """Current after the last set over that before the first."""
    current = table["read_current (A)"].to_numpy()
    return current[-1] / current[len(current) // 2]


def slope(table):
    """Power of the number of pulses that the current follows, pulses 3 to 30 of the reset."""
    current = np.abs(table["read_current (A)"].to_numpy()[1:31])
    return np.polyfit(np.log(np.arange(3, 31)), np.log(current[2:]), 1)[0]


def butterfly(table):
    """Voltage of the peak on the way up, at the lowest frequency."""
    lowest = table[table["frequency (Hz)"] == table["frequency (Hz)"].min()]
    up = lowest[: len(lowest) // 2]
    return up["bias (V)"].iloc[int(up["capacitance (F)"].to_numpy().argmax())]


def limited(table):
    """Slope of ln I in the last step to 3 V over the steepest above 0.75 V."""
    up = slice(8, int(table["read_voltage (V)"].to_numpy().argmax()) + 1)
    V, current = table["read_voltage (V)"].to_numpy()[up], table["read_current (A)"].to_numpy()[up]
    slope = np.diff(np.log(current)) / np.diff(V)
    return slope[-1] / slope.max()


def activation(table):
    """Activation energy of the current at 1.49 V, from the lowest and the highest temperature, eV."""
    at = table[np.isclose(table["bias (V)"], 1.49)].sort_values("temperature (K)")
    T, current = at["temperature (K)"].to_numpy(), at["bias_current (A)"].to_numpy()
    return np.log(current[-1] / current[0]) * 8.617e-5 / (1 / T[0] - 1 / T[-1])


def turned(table):
    """Resistance after the highest write over that after the lowest."""
    write = table["write_voltage (V)"].to_numpy()
    return resistance(table)[write.argmax()] / resistance(table)[write.argmin()]


def kept(table):
    """Time until the mean position of the vacancies has moved by a hundredth of 3 nm, s."""
    moved = np.abs(np.diff(table["vacancy_mean_position (m)"], prepend=table["vacancy_mean_position (m)"][0]).cumsum())
    return table["time (s)"][int((moved > 3e-11).argmax())]


def shown(table):
    """Smallest current of a cell of the letter over the largest of the others, in the read after the write."""
    written = table["cell_chosen (1)"][table["step (1)"] == 2].to_numpy() > 0
    current = table["sensed_current (A)"][table["step (1)"] == 3].to_numpy()
    return current[written].min() / current[~written].max()


ANSWERS = {  # a number from the exported table, and where it has to be for the answer that the case's file gives
    "li2019": (change, 1e3, 1e5),
    "rv-loop": (extremes, 1e3, 1e5),
    "iv-cycles": (cycles, 0, 0.05),
    "iv": (energies, 0.1, 0.6),
    "impedance": (capacitances, 1.05, 2),
    "retention": (lambda table: resistance(table)[-1] / resistance(table)[21], 0.5, 2),
    "endurance": (lambda table: resistance(table)[18] / resistance(table)[0], 0.9, 1.1),
    "nb-sto-interface": (windows, 1.2, 1e3),
    "nb-sto-pulses": (slope, -1.0, -0.2),
    "nb-sto-trains": (memory, 2, 1e4),
    "threshold-20ns": (change, 1.00001, 1.5),
    "ltp-ltd": (rise, 3, 30),
    "short-term": (change, 0.99, 1.01),
    "pixel": (change, 1.001, 1.1),
    "crossbar": (shown, 1.5, 1e4),
    "stdp-antisymmetric": (change, 1.2, 100),
    "stdp-symmetric": (change, 1.2, 100),
    "junction": (extremes, 1.01, 1.3),
    "hfo2-leakage": (activation, 0.25, 0.38),
    "double-barrier": (limited, 0.01, 0.2),
    "bilayer-polarity": (turned, 1.5, 4),
    "slow-layer": (kept, 0.1, 0.25),
    "ftj-hzo": (coercive, 0.7, 0.9),
    "ftj-cv": (butterfly, 0.5, 0.8),
}
ALIKE = {  # whose kind of device and of drive another case has
    "li2019", "iv-cycles", "endurance", "nb-sto-pulses", "nb-sto-trains", "short-term", "pixel", "stdp-symmetric",
    "junction", "bilayer-polarity", "slow-layer", "ftj-cv",
}  # fmt: skip
LAYERED = {"double-barrier", "bilayer-polarity", "slow-layer"}
WHOLE = {"crossbar", "nb-sto-interface", "nb-sto-pulses"} | LAYERED  # the answer is that of their columns or layers


def test_each_case_has_an_answer():
    assert set(ANSWERS) == {case.name for case in cases() if not case.study}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.campaign) if name in ALIKE else name for name in ANSWERS]
)
def test_a_shipped_case_is_run_drawn_and_exported_and_answers_its_question(name, request):
    if name == "crossbar":
        shutil.copy(request.getfixturevalue("compact_folder") / "model.nc", "model.nc")
    words = f"run {name} --plot {name}.png {SHORTER.get(name, '')}"
    assert f"{name}.png" in otjdd(words, smaller=name not in WHOLE)
    assert drawn(f"{name}.png")
    assert otjdd(f"export {name}.nc") == f"{name}.csv\n"
    number, low, high = ANSWERS[name]
    assert low < number(pd.read_csv(f"{name}.csv")) < high

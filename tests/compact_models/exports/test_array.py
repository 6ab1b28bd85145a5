"""Netlists of a whole crossbar: ngspice and VACASK sense what `otjdd run` senses, with lines, drivers and access."""

import dataclasses

import arrays
import made_model
import numpy as np
import pytest
import simulators
from scipy.integrate import trapezoid

from otjdd.case.crossbar import Patterns, Selector, Switch
from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.models import of_area
from otjdd.compact_models.crossbars.network import Crossbar, beginning, cells_of_devices
from otjdd.compact_models.exports import array, testbench
from otjdd.errors import NotAsExpected

UNITS = {"strict_units": False}
SWITCH = Switch(kind="switch", on_resistance="2 kohm")
SELECTORS = [
    Selector(kind="selector", voltage="0.4 V", current="1 nA", on_resistance="2 kohm"),
    Selector(kind="selector", law="exponential", voltage="0.05 V", current="1 nA", on_resistance="2 kohm"),
]


def test_netlists_have_a_module_for_devices_that_differ_in_more_than_speed():
    model = made_model.made_model()
    drive = Patterns.model_validate({"kind": "patterns", "parts": [{"kind": "read"}]})
    fast = dataclasses.replace(model, speed=30.0 * model.speed)
    text = array.crossbar_netlists(Crossbar(cells_of_devices((model, fast), np.array([0, 1])), 1, 2, 1.0, 0.0), drive)
    assert text["array.sim"].count("faster1=30") == 1
    assert "otj_2" not in text["otj.va"] + text["array.sim"]
    other = dataclasses.replace(model, weight=2.0 * model.weight)
    text = array.crossbar_netlists(
        Crossbar(cells_of_devices((model, other, fast), np.array([1, 2, 0])), 1, 3, 1.0, 0.0), drive
    )
    assert text["otj.va"].count("module otj(") == text["otj.va"].count("module otj_2(") == 1
    assert text["array.sim"].count(") otj_2 ") == 1
    drawn = model.with_factors((0.1, 0.0, 0.0, 0.0))
    with pytest.raises(NotAsExpected, match="drawn from the spread of a model"):
        array.crossbar_netlists(Crossbar(cells_of_devices((model, drawn), np.array([0, 1])), 1, 2, 1.0, 0.0), drive)


def test_a_long_rest_is_told_in_less_time_by_a_pace_that_makes_up_for_it():
    bar = made_model.bar(made_model.made_model(), 1, 2, 1.0)
    parts = [{"kind": "read"}, {"kind": "rest", "duration": 500.0}, {"kind": "read"}]
    steps = array.steps_of(Patterns.model_validate({"kind": "patterns", "parts": parts}, context=UNITS), bar)
    clock = array.netlist_clock(steps)
    time, pace = np.array(clock.pace(steps).split(), float).reshape(-1, 2).T
    ends = [0.0, *clock.ends]
    for step, start, end in zip(steps, ends[:-1], ends[1:], strict=True):
        at = np.unique([start, *time[(time > start) & (time < end)], end])
        lasts = trapezoid(np.interp(at, time, pace), at)
        assert lasts == pytest.approx(step.duration, rel=1e-6)
        assert end - start <= array.LONGEST_STEP * min(step.duration for step in steps) * (1 + 1e-9)


def test_drivers_rise_from_0_v_while_the_states_stand_still():
    model = made_model.made_model(fresh=True)
    bar = made_model.bar(model, 2, 1, 1.0)
    parts = [{"kind": "write", "pattern": ["#", "."], "voltage": 2.2, "width": 1e-5}, {"kind": "read"}]
    texts = array.crossbar_netlists(bar, Patterns.model_validate({"kind": "patterns", "parts": parts}, context=UNITS))
    assert "Vw_0 w_0 0 PWL(0 0 1e-09 2.2 1e-05 2.2 " in texts["array.cir"]
    assert "Vpace pace 0 PWL(0 0 1e-09 0 2e-09 " in texts["array.cir"]
    assert 'vw_1 (w_1 0) vsource type="pwl" wave=[0, 0, 1e-09, 1.1, 1e-05, 1.1, ' in texts["array.sim"]


@simulators.needed
def test_a_line_is_discharged_through_a_resistance_by_the_exponential_of_rc(tmp_path):
    """1 ps of `otj_capacitor` behind 1 kohm; a capacitance of the other sign would run away from 0 V."""
    model, drive = made_model.made_model(), Patterns.model_validate({"kind": "patterns", "parts": [{"kind": "read"}]})
    bar = Crossbar(cells_of_devices((model,), np.zeros(1, np.int64)), 1, 1, 1.0, 0.0, 1e-15, np.zeros(2))
    (tmp_path / "array.va").write_text(array.crossbar_netlists(bar, drive)["array.va"])
    simulators.compile_module(tmp_path, "array")
    times = [1e-12 + n * 0.5e-12 for n in range(1, 6)]
    reads = "\n".join(f"meas tran r{n} find v(n) at={t:g}" for n, t in enumerate(times))
    circuit = "Vs s 0 PWL(0 1 0.999p 1 1p 0)\nR1 s n 1k\nN1 n m c=1f\n.model m otj_capacitor"
    analysis = f".options {testbench.OPTIONS}\n.tran 1f 4p 0 5f\n.control\nrun\n{reads}\n.endc"
    found = simulators.ngspice(tmp_path, f".control\npre_osdi array.osdi\n.endc\n{circuit}\n{analysis}")
    decay = np.exp(-(np.array(times) - 1e-12) / 1e-12)
    assert [found[f"r{n}"] for n in range(len(times))] == pytest.approx(decay, rel=0.01)


def programmed(targets: list[list[float]]) -> tuple[Crossbar, Patterns]:
    """A crossbar of the made model whose cells, after a write and a rest, are programmed to conductances [S]."""
    model = of_area(made_model.made_model(), 8e-11)
    cells = cells_of_devices((model,), np.zeros(np.size(targets), np.int64))
    bar = Crossbar(cells, len(targets), len(targets[0]), 20.0, 100.0)
    raising = {"voltage": 1.5, "width": 1e-6, "voltage_step": 0.05, "highest": 2.9}
    lowering = {"voltage": -1.5, "width": 1e-6, "width_factor": 1.5, "longest": 1e-4}
    parts = [
        {"kind": "write", "voltage": 1.8, "width": 1e-6, "count": 2, "period": 3e-6},
        {"kind": "rest", "duration": 1e-3},
        {"kind": "program", "targets": targets, "set_pulse": raising, "reset_pulse": lowering, "tolerance": 0.03},
        {"kind": "read"},
    ]
    return bar, Patterns.model_validate({"kind": "patterns", "parts": parts}, context=UNITS)


TARGETS = [[1e-6, 2e-6, 5e-6], [2e-6, 3e-6, 0.7e-6], [1e-6, 0.5e-6, 5e-6]]  # S


def test_steps_that_program_leave_each_cell_at_its_target():
    bar, drive = programmed(TARGETS)
    steps, states, sensed = array.steps_of(drive, bar), beginning(bar.cells), []
    for step in steps:
        driven = pulses.hold_drivers(bar, states, step.drivers, step.duration)
        if step.drivers.read:
            sensed.append(driven.end.bit_current)
    assert np.array(sensed[-3:]) / 0.1 == pytest.approx(np.array(TARGETS), rel=0.04)
    assert len({step.duration for step in steps}) > 3  # pulses of several widths
    assert len(sensed) > 12


def test_steps_before_a_part_that_programs_are_those_of_the_drive():
    bar, drive = programmed(TARGETS)
    before = drive.model_copy(update={"parts": drive.parts[:2]})
    durations = [step.duration for step in array.steps_of(before, bar)]
    assert durations == pytest.approx(6 * [1e-6, 2e-6] + [1e-3])
    assert durations == [step.duration for step in array.steps_of(drive, bar)[: len(durations)]]


@pytest.mark.campaign
@simulators.needed
def test_ngspice_and_vacask_program_cells_to_their_targets(tmp_path):
    arrays.check_both(tmp_path, *programmed(TARGETS), 0.02)


@simulators.needed
@pytest.mark.parametrize(
    ("count", "access", "speeds"),
    [
        *((2, each, [1.0]) for each in (SWITCH, SELECTORS[1])),
        *(
            pytest.param(*row, marks=pytest.mark.campaign)
            for row in (
                (4, None, [1.0]),
                (4, None, [0.1, 1.0, 5.0]),
                (4, None, [1.0, 2.0, "other tables"]),
                (16, None, [1.0]),
                *((4, each, [1.0]) for each in (SWITCH, *SELECTORS)),
            )
        ),
    ],
)
def test_ngspice_and_vacask_sense_what_the_run_senses(count, access, speeds, tmp_path):
    model, other = (of_area(made_model.made_model(decades=decades), 8e-11) for decades in (4.0, 3.5))
    devices = tuple(
        dataclasses.replace(model, speed=speed * model.speed, start=model.start + 0.05 * n)
        if isinstance(speed, float)
        else other
        for n, speed in enumerate(speeds)
    )
    pattern = np.random.default_rng(1).random((count, count)) < 0.5
    unselected = "floating" if count < 16 and access is None else "grounded"
    rows = ["".join(".#"[int(cell)] for cell in row) for row in pattern]
    parts = [
        {"kind": "write", "pattern": rows, "voltage": 2.2, "width": 1e-5},
        {"kind": "read", "unselected": unselected},
        {"kind": "rest", "duration": 500.0},
        {"kind": "read"},
    ]
    drive = Patterns.model_validate({"kind": "patterns", "parts": parts}, context=UNITS)
    cells = cells_of_devices(devices, np.resize(np.arange(len(devices)), count * count), access)
    arrays.check_both(tmp_path, Crossbar(cells, count, count, 20.0, 100.0), drive)


@simulators.needed
@pytest.mark.parametrize(
    ("farads", "charge", "unselected", "allowed"),
    # 10 pF: writes begin with a ramp of 16 ns, on which an exported model is within 0.02 decades
    [
        pytest.param(1e-12, 0.0, "grounded", 0.01, marks=pytest.mark.campaign),
        pytest.param(1e-11, 0.0, "grounded", 10.0**0.02 - 1.0, marks=pytest.mark.campaign),
        pytest.param(1e-13, 0.0, "floating", 0.01, marks=pytest.mark.campaign),
        # cells double the delay of lines: while these lose the charge of a write, a read is 7 % off without that of cells
        pytest.param(2e-13, 0.03, "grounded", 0.03, marks=pytest.mark.campaign),
    ],
)
def test_lines_with_a_capacitance_lag_in_circuits_as_in_python(farads, charge, unselected, allowed, tmp_path):
    model = of_area(made_model.with_charge(made_model.made_model(), charge), 8e-11)
    parts = [
        {"kind": "write", "pattern": ["#.#", ".#.", "##."], "voltage": 2.2, "width": 1e-6},
        {"kind": "read", "duration": 2e-8, "unselected": unselected},
        {"kind": "rest", "duration": 2e-8},
        {"kind": "read", "duration": 2e-8},
    ]
    drive = Patterns.model_validate({"kind": "patterns", "parts": parts}, context=UNITS)
    cells = cells_of_devices((model,), np.zeros(9, np.int64))
    arrays.check_both(tmp_path, Crossbar(cells, 3, 3, 20.0, 500.0, farads, np.zeros(18)), drive, allowed)

"""The Verilog-A of a model in the programs that it is for, against the model that it was written from.

One netlist at every commit; all others are a campaign.
"""

import dataclasses

import numpy as np
import pytest
import simulators

from otjdd.compact_models.exports import testbench, verilog_a
from otjdd.compact_models.exports.functions import export_header, functions, horner
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate

EXACT = 0.01  # of the current


@pytest.fixture(scope="module")
def folder(compact_model, tmp_path_factory):
    """A folder with the compiled model."""
    return simulators.compiled(verilog_a.verilog_a(compact_model), tmp_path_factory.mktemp("circuits")).parent


def train(*heights, width=1e-6):
    """Pulses with edges of 1 ns, each followed by a read."""
    read = ((0.0, 1e-7), (0.1, 1e-6), (0.0, 1e-6))
    return simulators.stairs(*(level for height in heights for level in ((height, width), *read)))


def held_currents(model, waveform, times) -> np.ndarray:
    """Currents [A] of the model at the times [s], as reads of the waveform there."""
    cut = np.union1d(waveform.times, times)
    return model.run(shapes.table(cut, waveform(cut), times)).read_current.values


@simulators.needed
@pytest.mark.parametrize("uic", ["", pytest.param("uic", marks=pytest.mark.campaign)])
def test_ngspice_reads_what_the_model_reads(compact_model, folder, uic):
    waveform = train(2.0, -2.5, 1.4, 2.6, -4.0, -3.0, 1.8)
    times = waveform.read_times
    wanted = held_currents(compact_model, waveform, times)
    found, _ = simulators.transient("ngspice", folder, waveform, times, more=uic)
    assert found == pytest.approx(wanted, rel=EXACT)
    assert wanted.max() > 100.0 * wanted.min()


def ramped_train(seed: int):
    """Pulses of random height, width from 20 ns and edges from 1 ns to 1 ms, and times [s] of the read after each."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(5):
        height = float(rng.choice([rng.uniform(-4.0, -1.2), rng.uniform(1.0, 2.6)]))
        width, rise, fall = (float(10.0 ** rng.uniform(low, high)) for low, high in ((-7.7, -3), (-9, -3), (-9, -3)))
        parts.append(shapes.pulse(height, width, rise=rise, fall=fall, wait=1e-7))
        parts.append(shapes.pulse(0.1, 1e-6, rise=1e-9, fall=1e-9, wait=1e-6))
    waveform = concatenate(parts)
    t0, t1, v0, v1 = waveform.segments()
    return waveform, (t1 - 0.01 * (t1 - t0))[(v0 == 0.1) & (v1 == 0.1)]


@pytest.mark.campaign
@simulators.needed
@simulators.BOTH
@pytest.mark.parametrize("seed", range(4))
def test_simulators_follow_random_pulses_with_random_ramps(compact_model, folder, simulator, seed):
    waveform, times = ramped_train(seed)
    found, _ = simulators.transient(simulator, folder, waveform, times, step=1e-4)
    off = np.abs(np.log10(found / held_currents(compact_model, waveform, times))).max()
    assert off < {"ngspice": 0.02, "vacask": 0.01}[simulator]


@pytest.mark.campaign
@simulators.needed
def test_ngspice_goes_from_ten_nanoseconds_to_a_thousand_seconds(compact_model, folder):
    short, long = train(2.2, 2.2, width=1e-8), shapes.table([0.0, 1e-3, 1e3], [0.0, -0.8, -0.8])
    for waveform, times, step in ((short, short.read_times, 2e-9), (long, np.array([1.0, 30.0, 990.0]), 10.0)):
        found, _ = simulators.transient("ngspice", folder, waveform, times, step=step)
        assert found == pytest.approx(held_currents(compact_model, waveform, times), rel=EXACT)


@pytest.mark.campaign
@simulators.needed
def test_dc_sweep_is_that_of_the_frozen_junction(compact_model, folder):
    voltages = np.array([-4.0, -1.0, -0.1, 0.1, 0.5, 2.0])
    told = "\n".join(f"meas dc r{i} find i(vs) at={V:g}" for i, V in enumerate(voltages))
    body = f"{simulators.LOADED}\nVs p 0 0\nN1 p 0 otjm\n.options {testbench.OPTIONS}\n.dc Vs -4 2.5 0.05\n"
    found = simulators.ngspice(folder, f"{body}.control\nrun\n{told}\n.endc")
    wanted = [compact_model.hold(compact_model.states(1), V, 0.0)[0] for V in voltages]
    assert [-found[f"r{i}"] for i in range(len(voltages))] == pytest.approx(wanted, rel=EXACT)


@pytest.mark.campaign
@simulators.needed
@pytest.mark.parametrize("uic", ["", "uic"])
def test_parameters_are_area_resistance_and_state(compact_model, folder, uic):
    waveform, state = train(1e-3), 0.9
    device = f"charging=0 area={3 * compact_model.area:.9g} rs=1000 ic1={state} ic2={state}"
    found, _ = simulators.transient("ngspice", folder, waveform, waveform.read_times, device, more=uic)
    other = dataclasses.replace(compact_model, resistance=1000.0, weight=3.0 * compact_model.weight)
    assert found == pytest.approx([other.hold(other.states(1, state), 0.1, 0.0)[0]], rel=EXACT)


@pytest.mark.campaign
@simulators.needed
def test_cell_with_a_transistor_sets(compact_model, folder):
    """With its charge: without it the junction jumps where the transistor closes."""
    low = float(compact_model.kinds[0].state[0])
    body = (
        f"{simulators.LOADED}\n.model nmos1 nmos level=1 vto=0.5 kp=5e-4\nVg g 0 2\n"
        "Vp p 0 PWL(0 0 1n 0.1 1u 0.1 1.001u 2.5 3u 2.5 3.001u 0.1 5u 0.1)\n"
        f"N1 p d otjm ic1={low:.9g} ic2={low:.9g}\nM1 d g 0 0 nmos1 w=10u l=1u\n.options {testbench.OPTIONS}\n"
        ".tran 1n 5u 0 20n\n.control\nrun\nwrdata cell.txt v(p,d) i(vp)\n.endc"
    )
    simulators.ngspice(folder, body)
    time, voltage, _, current = np.loadtxt(folder / "cell.txt").T
    assert voltage[(time > 1.1e-6) & (time < 2.9e-6)].max() < 2.45  # the transistor takes its part
    ds = compact_model.run(shapes.table(time, voltage), compact_model.states(1, low)[0])
    for moment in (0.9e-6, 1.5e-6, 2.9e-6, 4.9e-6):
        wanted = np.interp(moment, ds.time.values, ds.conduction_current.values)
        assert -np.interp(moment, time, current) == pytest.approx(wanted, rel=EXACT)
    assert np.interp(4.9e-6, time, current) < 100.0 * np.interp(0.9e-6, time, current)


def test_pieces_of_a_table_meet_at_their_knots_as_text(compact_model):
    """A jump of 4e-10 of the charge at 0 V stopped ngspice: Newton's method goes from one side of it to the other."""
    for names, part in functions(compact_model, 0).groups:
        for i in range(len(part.knots) - 2):
            ends = [eval(horner(part.factors[i, r], "t"), {"t": 1.0}) for r in range(len(names))]
            begins = [eval(horner(part.factors[i + 1, r], "t"), {"t": 0.0}) for r in range(len(names))]
            assert ends == pytest.approx(begins, rel=1e-13, abs=1e-13)


def test_header_says_range_error_and_a_film_that_was_never_written(compact_model):
    text = verilog_a.verilog_a(compact_model)
    head = [line for line in text.splitlines() if line.startswith("//")]
    assert any("-4.3 V to 3 V" in line for line in head)
    assert any(f"rms {compact_model.error['loop'][0]:.3f}" in line for line in head)
    assert text.isascii()
    assert not any("never written" in line for line in export_header(compact_model))
    about = compact_model.about | {"solver_start_shift": 0.26}
    told = [line for line in export_header(dataclasses.replace(compact_model, about=about)) if "never written" in line]
    assert len(told) == 1
    assert "move by 0.26 of the thickness" in told[0]


@pytest.mark.campaign
@simulators.needed
def test_netlists_of_both_simulators_read_the_same_and_warn_of_another_temperature(compact_model, folder):
    texts = testbench.example_netlists(compact_model)
    body = texts["example.cir"].split("\n", 1)[1].replace(".end\n", "")
    warning = "holds at 300 K only, the simulator is set to 400.15 K"
    printed = simulators.printed(folder, body)
    assert warning not in printed
    assert warning in simulators.printed(folder, body + "\n.temp 127")
    found = simulators.measured(printed)
    reads = [found[f"read{i}"] for i in range(1, 5)]
    assert reads[1] / reads[0] > 30.0
    told = simulators.vacask(folder, texts["example.sim"], "tran1")
    times = testbench.drive(compact_model, 1e-6)[1]
    assert np.interp(times, told["time"], told["vs:flow(br)"]) == pytest.approx(reads, rel=EXACT)

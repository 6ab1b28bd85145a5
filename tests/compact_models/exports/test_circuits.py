"""The Verilog-A of a model in the programs that it is for, against the model that it was written from.

One netlist at every commit; all others are a campaign.
"""

import dataclasses

import numpy as np
import pytest
import simulators

from otjdd.compact_models.exports import testbench, verilog_a
from otjdd.compact_models.exports.functions import functions, header, horner
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate

EXACT = 0.01  # of the current
OPTIONS = f".options {testbench.OPTIONS}"


@pytest.fixture(scope="module")
def model(compact_model):
    return compact_model


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """A folder with the compiled model."""
    return simulators.compiled(verilog_a.verilog_a(model), tmp_path_factory.mktemp("circuits")).parent


@pytest.fixture(scope="module")
def slim(model, tmp_path_factory):
    """One column of the model, and a folder with it compiled: sixteen of it are enough for a simulator of circuits."""
    only = dataclasses.replace(
        model, kind=model.kind[:1], speed=model.speed[:1], weight=np.ones(1), start=model.start[:1],
        unsettled=model.unsettled[:1],
    )  # fmt: skip
    return only, simulators.compiled(verilog_a.verilog_a(only), tmp_path_factory.mktemp("slim")).parent


# without the charge, which delays the voltage of the junction in circuits only; see `test_charge`
DEVICE = "N{} {} {} otjm charging=0 {}"


def train(*heights, width=1e-6):
    """Pulses with edges of 1 ns, each followed by a read."""
    parts = []
    for height in heights:
        parts.append(shapes.pulse(height, width, rise=1e-9, fall=1e-9, wait=1e-7))
        parts.append(shapes.pulse(0.1, 1e-6, rise=1e-9, fall=1e-9, wait=1e-6))
    return concatenate(parts)


def pwl(waveform) -> str:
    """Breakpoints of a waveform as a netlist has them."""
    return " ".join(f"{t:.12g} {v:.12g}" for t, v in zip(waveform.times, waveform.voltages, strict=True))


def at(state: float) -> str:
    """Parameters by which both columns start from a state."""
    return f"ic1={state:.9g} ic2={state:.9g}"


def reads(waveform) -> np.ndarray:
    """Times [s] just before the end of each plateau of 0.1 V."""
    t0, t1, v0, v1 = waveform.segments()
    return (t1 - 0.01 * (t1 - t0))[(v0 == 0.1) & (v1 == 0.1)]


def expected(model, waveform, times) -> np.ndarray:
    """Currents [A] of the model at times [s] at which they hardly change."""
    ds = model.run(waveform)
    return np.interp(times, ds.time.values, ds.conduction_current.values)


def transient(folder, waveform, times, step=2e-8, more="", uic=""):
    """Currents [A] that ngspice finds at times [s] under a waveform."""
    told = "\n".join(f"meas tran r{i} find i(vs) at={t:.12g}" for i, t in enumerate(times))
    body = (
        f"{simulators.LOADED}\nVs p 0 PWL({pwl(waveform)})\n{DEVICE.format(1, 'p', 0, more)}\n{OPTIONS}\n"
        f".tran {0.1 * step:g} {waveform.duration:.12g} 0 {step:g} {uic}\n.control\nrun\n{told}\n.endc"
    )
    found = simulators.ngspice(folder, body)
    return -np.array([found[f"r{i}"] for i in range(len(times))])


@simulators.needs_ngspice
@simulators.needs_vacask
@pytest.mark.parametrize("uic", ["", pytest.param("uic", marks=pytest.mark.campaign)])
def test_ngspice_reads_what_the_model_reads(model, folder, uic):
    waveform = train(2.0, -2.5, 1.4, 2.6, -4.0, -3.0, 1.8)
    times = reads(waveform)
    wanted = expected(model, waveform, times)
    assert transient(folder, waveform, times, uic=uic) == pytest.approx(wanted, rel=EXACT)
    assert wanted.max() > 100.0 * wanted.min()


def ramped_train(seed: int):
    """Pulses of random height, width from 20 ns and edges from 1 ns to 1 ms, each followed by a read."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(5):
        height = float(rng.choice([rng.uniform(-4.0, -1.2), rng.uniform(1.0, 2.6)]))
        width, rise, fall = (float(10.0 ** rng.uniform(low, high)) for low, high in ((-7.7, -3), (-9, -3), (-9, -3)))
        parts.append(shapes.pulse(height, width, rise=rise, fall=fall, wait=1e-7))
        parts.append(shapes.pulse(0.1, 1e-6, rise=1e-9, fall=1e-9, wait=1e-6))
    return concatenate(parts)


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
@pytest.mark.parametrize("seed", range(4))
def test_both_simulators_follow_random_pulses_with_random_ramps(model, folder, seed):
    waveform = ramped_train(seed)
    times = reads(waveform)
    wanted = np.log10(held_currents(model, waveform, times))
    assert np.log10(transient(folder, waveform, times, step=1e-4)) == pytest.approx(wanted, rel=0.0, abs=0.02)
    vectors = vacask_transient(folder, waveform, 1e-4)
    current = -np.interp(times, vectors["time"], vectors["vs:flow(br)"])
    assert np.log10(current) == pytest.approx(wanted, rel=0.0, abs=0.01)


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
def test_ngspice_follows_short_pulses(model, folder):
    waveform = train(*[2.2] * 4, *[-2.5] * 4, width=5e-8)
    times = reads(waveform)
    found = transient(folder, waveform, times, step=5e-9)
    assert found == pytest.approx(expected(model, waveform, times), rel=EXACT)


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
def test_ngspice_goes_from_ten_nanoseconds_to_a_thousand_seconds(model, folder):
    short, long = train(2.2, 2.2, width=1e-8), shapes.table([0.0, 1e-3, 1e3], [0.0, -0.8, -0.8])
    for waveform, times, step in ((short, reads(short), 2e-9), (long, np.array([1.0, 30.0, 990.0]), 10.0)):
        found = transient(folder, waveform, times, step=step)
        assert found == pytest.approx(held_currents(model, waveform, times), rel=EXACT)


def held_currents(model, waveform, times) -> np.ndarray:
    """Currents [A] of the model at the times [s], as reads of the waveform there."""
    cut = np.union1d(waveform.times, times)
    ds = model.run(shapes.table(cut, waveform(cut), times))
    return ds.read_current.values


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
def test_dc_sweep_is_that_of_the_frozen_junction(model, folder):
    voltages = np.array([-4.0, -1.0, -0.1, 0.1, 0.5, 2.0])
    told = "\n".join(f"meas dc r{i} find i(vs) at={V:g}" for i, V in enumerate(voltages))
    device = DEVICE.format(1, "p", 0, "")
    sweep = f".dc Vs -4 2.5 0.05\n.control\nrun\n{told}\n.endc"
    body = f"{simulators.LOADED}\nVs p 0 0\n{device}\n{OPTIONS}\n{sweep}"
    found = simulators.ngspice(folder, body)
    wanted = [model.hold(model.states(1), V, 0.0)[0] for V in voltages]
    assert [-found[f"r{i}"] for i in range(len(voltages))] == pytest.approx(wanted, rel=EXACT)


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
@pytest.mark.parametrize("uic", ["", "uic"])
def test_parameters_are_area_resistance_and_state(model, folder, uic):
    waveform, state = train(1e-3), 0.9
    times, more = reads(waveform), f"area={3 * model.area:.9g} rs=1000 {at(state)}"
    found = transient(folder, waveform, times, more=more, uic=uic)
    other = dataclasses.replace(model, resistance=1000.0, weight=3.0 * model.weight)
    assert found == pytest.approx([other.hold(other.states(1, state), 0.1, 0.0)[0]], rel=EXACT)


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
def test_cell_with_a_transistor_sets(model, folder):
    low = float(model.kinds[0].state[0])
    device = DEVICE.replace("charging=0 ", "")  # without the charge the junction jumps where the transistor closes
    body = (
        f"{simulators.LOADED}\n.model nmos1 nmos level=1 vto=0.5 kp=5e-4\nVg g 0 2\n"
        "Vp p 0 PWL(0 0 1n 0.1 1u 0.1 1.001u 2.5 3u 2.5 3.001u 0.1 5u 0.1)\n"
        f"{device.format(1, 'p', 'd', at(low))}\nM1 d g 0 0 nmos1 w=10u l=1u\n{OPTIONS}\n"
        ".tran 1n 5u 0 20n\n.control\nrun\nwrdata cell.txt v(p,d) i(vp)\n.endc"
    )
    simulators.ngspice(folder, body)
    time, voltage, _, current = np.loadtxt(folder / "cell.txt").T
    assert voltage[(time > 1.1e-6) & (time < 2.9e-6)].max() < 2.45  # the transistor takes its part
    ds = model.run(shapes.table(time, voltage), model.states(1, low)[0])
    for moment in (0.9e-6, 1.5e-6, 2.9e-6, 4.9e-6):
        wanted = np.interp(moment, ds.time.values, ds.conduction_current.values)
        assert -np.interp(moment, time, current) == pytest.approx(wanted, rel=EXACT)
    assert np.interp(4.9e-6, time, current) < 100.0 * np.interp(0.9e-6, time, current)


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
def test_crossbar_of_four_by_four_writes_the_selected_cell(slim):
    model, folder = slim
    low = float(model.kinds[0].state[0])
    cells = [DEVICE.format(f"{i}{j}", f"w{i}", f"b{j}", f"ic1={low:.9g}") for i in range(4) for j in range(4)]
    rows, columns = [], []
    for i in range(4):
        line = 2.2 if i == 1 else 1.1
        rows.append(f"Vw{i} w{i} 0 PWL(0 0 1n {line} 1u {line} 1.001u 0 1.4u 0)")
        line, read = (0.0, 0.1) if i == 2 else (1.1, 0.0)
        columns.append(f"Vb{i} b{i} 0 PWL(0 0 1n {line} 1u {line} 1.001u {read} 1.4u {read})")
    told = "\n".join(f"meas tran c{i} find i(vw{i}) at=1.39u" for i in range(4))
    body = "\n".join(
        [simulators.LOADED, *rows, *columns, *cells, OPTIONS, ".tran 5n 1.4u 0 50n", f".control\nrun\n{told}\n.endc"]
    )
    found = simulators.ngspice(folder, body)
    states = model.states(2, low)
    model.hold(states, np.array([2.2, 1.1]), 1e-6)
    wanted = -model.hold(states, -0.1, 0.0)
    assert found["c1"] == pytest.approx(wanted[0], rel=EXACT)
    assert found["c0"] == pytest.approx(wanted[1], rel=EXACT)
    assert wanted[0] > 100.0 * wanted[1]


def vacask_transient(folder, waveform, step) -> dict[str, np.ndarray]:
    """Vectors of VACASK under a waveform. step : longest time step [s]"""
    points = ", ".join(pwl(waveform).split())
    text = (
        'test\nground 0\nload "otj.osdi"\nmodel otj otj\nmodel vsource vsource\n'
        f'vs (p 0) vsource type="pwl" wave=[{points}]\nx1 (p 0) otj charging=0\n'
        "control\n  options reltol=1e-5\n  abort always\n"
        f"  analysis tran1 tran step=1e-9 stop={waveform.duration:.12g} maxstep={step:g}\nendc\n"
    )
    return simulators.vacask(folder, text, "tran1")


@pytest.mark.campaign
@simulators.needs_vacask
def test_vacask_reads_what_the_model_reads(model, folder):
    waveform = train(2.0, -2.5, 1.4, 2.6, -4.0)
    times, found = reads(waveform), vacask_transient(folder, waveform, 2e-8)
    current = -np.interp(times, found["time"], found["vs:flow(br)"])
    assert current == pytest.approx(expected(model, waveform, times), rel=EXACT)


def test_pieces_of_a_table_meet_at_their_knots_as_text(model):
    """A jump of 4e-10 of the charge at 0 V stopped ngspice: Newton's method goes from one side of it to the other."""
    for names, part in functions(model, 0).groups:
        for i in range(len(part.knots) - 2):
            ends = [eval(horner(part.factors[i, r], "t"), {"t": 1.0}) for r in range(len(names))]
            begins = [eval(horner(part.factors[i + 1, r], "t"), {"t": 0.0}) for r in range(len(names))]
            assert ends == pytest.approx(begins, rel=1e-13, abs=1e-13)


def test_header_says_range_and_error(model):
    text = verilog_a.verilog_a(model)
    head = [line for line in text.splitlines() if line.startswith("//")]
    assert any("-4.3 V to 3 V" in line for line in head)
    assert any(f"rms {model.error['loop'][0]:.3f}" in line for line in head)
    assert text.isascii()


def test_header_warns_of_a_film_that_was_never_written(model):
    assert not any("never written" in line for line in header(model))
    pristine = dataclasses.replace(model, about=model.about | {"solver_start_shift": 0.26})
    told = [line for line in header(pristine) if "never written" in line]
    assert len(told) == 1
    assert "move by 0.26 of the thickness" in told[0]


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
def test_netlists_of_all_simulators_read_the_same(model, folder):
    texts = testbench.netlists(model)
    found = simulators.ngspice(folder, body_of(texts["example.cir"]))
    reads = [found[f"read{i}"] for i in range(1, 5)]
    assert reads[1] / reads[0] > 30.0
    told = simulators.vacask(folder, texts["example.sim"], "tran1")
    times = testbench.drive(model, 1e-6)[1]
    assert np.interp(times, told["time"], told["vs:flow(br)"]) == pytest.approx(reads, rel=EXACT)


@pytest.mark.campaign
@simulators.needs_ngspice
@simulators.needs_vacask
def test_compiled_model_warns_of_another_temperature(model, folder):
    body = body_of(testbench.netlists(model)["example.cir"])
    told = "holds at 300 K only, the simulator is set to 400.15 K"
    assert told not in simulators.printed(folder, body)
    assert told in simulators.printed(folder, body + "\n.temp 127")


def body_of(text: str) -> str:
    """A netlist without its title and end."""
    return text.split("\n", 1)[1].replace(".end\n", "")

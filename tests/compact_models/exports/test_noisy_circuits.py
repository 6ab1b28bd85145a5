"""Noisy models in circuit simulators: the scatter of Python, the noise of electrons, devices by seed and by `agauss`."""

import dataclasses
from functools import cache

import numpy as np
import pytest
import simulators
from made_model import made_model, noisy_model, noisy_warm_model

from otjdd.case.case import load_case
from otjdd.compact_models import noise_error
from otjdd.compact_models.exports import testbench, verilog_a
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.units import ZERO_CELSIUS
from otjdd.waveform import shapes

DEVICES, WIDTH, FRAME = 40, 1e-6, 5e-8  # s
HEIGHT = 1.55  # V, which sets in part
WAVE = f"0 0 1e-9 {HEIGHT} {WIDTH} {HEIGHT} {WIDTH + 1e-9} 0.1 {2 * WIDTH} 0.1"


def log_reads(model, seeds):
    """ln of currents of Python after the same pulse."""
    wave = shapes.pulse(HEIGHT, WIDTH).then(shapes.read(0.1, WIDTH))
    return np.array([np.log(model.run(wave, seed=seed).read_current.item()) for seed in seeds])


@simulators.needed
def test_vacask_scatters_as_python_does(tmp_path):
    model = noisy_model()
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    source = f'vsource type="pwl" wave=[{WAVE.replace(" ", ", ")}]'
    many = "\n".join(
        f"vs{i} (p{i} 0) {source}\nx{i} (p{i} 0) otj seed={i} frame={FRAME if i else 0}" for i in range(DEVICES + 1)
    )
    found = simulators.vacask(tmp_path, f"""test
ground 0
load "otj.osdi"
model otj otj
model vsource vsource
{many}
control
  options reltol=1e-5 abstol=1e-10
  analysis tran1 tran step={FRAME} stop={2 * WIDTH} maxstep={FRAME}
endc
""", "tran1")  # fmt: skip
    logs = np.log([-found[f"vs{i}:flow(br)"][-1] for i in range(DEVICES + 1)])
    expected = log_reads(model, range(200))
    assert logs[0] == pytest.approx(log_reads(model, [None])[0], abs=0.03)
    assert logs[1:].std() == pytest.approx(expected.std(), rel=0.4)  # 3.5 standard errors
    assert logs[1:].mean() == pytest.approx(expected.mean(), abs=4.0 * expected.std() / np.sqrt(DEVICES))


@cache
def cycled():
    """A noisy model, its sigma (4,) of ln R from cycle to cycle in Python, and netlists of the same pulses."""
    model, drive = (
        noisy_model(read=0.01),
        noise_error.drive_of_pulses((-2.9, 1e-5), (1.6, 1e-6), (2.9, 1e-5), (-1.6, 1e-6)),
    )
    waveform = load_case("li2019").replace("drive", drive | {"repeat": noise_error.CYCLES}).drive
    logs = [np.log(model.predicted(waveform, seed=seed).read_current.values).reshape(-1, 4) for seed in range(12)]
    sigma, error = noise_error.from_cycle_to_cycle(np.array(logs))
    told = noise_error.measured_with(model, noise_error.CYCLES_OF_CIRCUITS, drive, [sigma, error, sigma])
    return told, sigma, testbench.noisy_netlists(testbench.measured_cycle(told))


@simulators.needed
def test_devices_in_ngspice_are_drawn_and_read_as_the_file_stands(tmp_path):
    model, _, files = cycled()
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    body = files["monte_carlo.cir"].split("\n", 1)[1].replace("\n.end\n", "\n")
    found = simulators.ngspice(tmp_path, body)
    logs = np.log([[found[f"read{j}_{i}"] for j in range(1, 5)] for i in range(1, testbench.DEVICES + 1)])
    assert (np.ptp(logs, axis=0) > 1e-3).all()


@pytest.mark.campaign
@simulators.needed
def test_cycles_in_vacask_scatter_as_in_python(tmp_path):
    """The states, and the ions within the wells where a state is at the end of its range."""
    model, sigma, files = cycled()
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    found = simulators.vacask(tmp_path, files["cycles.sim"], "tran1")
    own, devices = testbench.measured_cycle(model), range(1, testbench.DEVICES + 1)
    at = [n * own.duration + end for n in range(testbench.CYCLES) for end in own.reads]
    logs = [np.log(np.abs(np.interp(at, found["time"], found[f"vs{i}:flow(br)"]))) for i in devices]
    circuit, _ = noise_error.from_cycle_to_cycle(np.reshape(logs, (testbench.DEVICES, testbench.CYCLES, -1)))
    assert (sigma[[1, 3]] > 0.03).all()
    assert sigma[2] == pytest.approx(0.01, rel=0.3)
    assert circuit == pytest.approx(sigma, rel=0.25)  # 4 standard errors


@simulators.needed
@pytest.mark.parametrize("kelvin", [300.0, pytest.param(325.0, marks=pytest.mark.campaign)])
def test_noise_analysis_has_the_spectrum_of_python(tmp_path, kelvin):
    """1/f^2 of the state, the white level and the corner of the wells, shot noise, and 4kT/R through the charge."""
    model = noisy_warm_model(270.0, 300.0, 330.0, resistance=1e3)
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    text = simulators.printed(
        tmp_path,
        f"""{simulators.LOADED}
.temp {kelvin - float(ZERO_CELSIUS)}
Vs p 0 DC 0.3 AC 1
N1 p out otjm ic1=0.5
Rl out 0 1e-3 noisy=0
.options {testbench.OPTIONS}
.control
op
print @n1[lasts]
noise v(out) Vs dec 1 1 1e9
setplot noise1
print onoise_spectrum
.endc""",
    )
    rows = [line.split() for line in text.splitlines() if line[:1].isdigit() and len(line.split()) == 3]
    frequency, volts = np.array(rows, float).T[1:]
    own = model.at(kelvin).noise_spectrum(frequency, 0.3, model.states(1, [0.5])[0])
    assert (volts / 1e-3) ** 2 == pytest.approx(own.current_spectrum.values, rel=5e-3)
    (lasts,) = [float(line.split()[-1]) for line in text.splitlines() if line.startswith("@n1[lasts]")]
    assert lasts == pytest.approx(own.lasts.values.max(), rel=5e-3)  # below it the state does not stay
    assert own.state_spectrum[0] > 100.0 * own.well_spectrum[0] > 500.0 * own.shot_spectrum[0]
    assert (own.well_spectrum > own.shot_spectrum)[2]


def test_noise_far_above_the_wells_is_the_shot_noise():
    model = noisy_model(resistance=0.0)
    own = model.noise_spectrum([1e12], 0.1)
    assert own.current_spectrum.item() == pytest.approx(2.0 * ELEMENTARY_CHARGE * own.attrs["current"], rel=1e-3)


@simulators.needed
def test_ngspice_draws_devices_and_random_steps(tmp_path):
    model = noisy_model(spread=True)
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    lines = [f"frame={FRAME} spread=0 seed=1", f"frame={FRAME} spread=0 seed=2", "", "seed=3", "seed=4", "seed=4"]
    found = simulators.ngspice(tmp_path, "\n".join([
        simulators.LOADED, f".options {testbench.OPTIONS}", f".tran {FRAME} {2 * WIDTH} 0 {FRAME}",
        *(f"Vs{i} p{i} 0 PWL({WAVE})\nN{i} p{i} 0 otjm {line}" for i, line in enumerate(lines)),
        ".control", "run", *(f"meas tran r{i} find i(vs{i}) at={1.99 * WIDTH}" for i in range(6)), ".endc",
    ]))  # fmt: skip
    first, second, mean, device, other, again = np.log([-found[f"r{i}"] for i in range(6)])
    sigma = log_reads(model, range(100)).std()
    assert mean == pytest.approx(log_reads(model, [None])[0], abs=0.03)
    assert 0.0 < abs(first - mean) < 5.0 * sigma
    assert first != second
    assert 0.01 < abs(device - mean) < 5.0
    assert device != other
    assert other == again


@simulators.needed
@pytest.mark.parametrize("voltage", [0.3, -0.4])
def test_every_model_has_shot_and_thermal_noise(tmp_path, voltage):
    """2qI of the junction and 4kT/R of its series resistance divide as the two resistances do, whatever the ions do."""
    made, resistance, state = made_model(), 2e4, 0.8
    simulators.compiled(verilog_a.verilog_a(made), tmp_path)
    text = simulators.printed(
        tmp_path,
        f"{simulators.LOADED}\nVs p 0 DC {voltage} AC 1\nN1 p out otjm ic1={state} rs={resistance}\nRl out 0 1e-3 noisy=0\n"
        ".control\nop\nprint i(vs)\nnoise v(out) Vs dec 1 1 10\nsetplot noise1\nprint onoise_spectrum\n.endc",
    )
    (current,) = [float(line.split()[-1]) for line in text.splitlines() if line.startswith("i(vs)")]
    rows = [line.split() for line in text.splitlines() if line[:1].isdigit() and len(line.split()) == 3]
    inner = voltage + current * resistance
    bare = dataclasses.replace(made, resistance=0.0)
    beside = bare.hold(bare.states(2, [state]), inner + np.array([-1e-4, 1e-4]), 0.0)
    own, electrons = 2e-4 / np.diff(beside).item(), 2.0 * ELEMENTARY_CHARGE * abs(current)
    thermal = 4.0 * BOLTZMANN_EV * ELEMENTARY_CHARGE * (27.0 + float(ZERO_CELSIUS)) * resistance
    expected = (electrons * own**2 + thermal) / (own + resistance) ** 2
    assert 0.2 < electrons * own**2 / thermal < 20.0  # both count
    assert (np.array(rows, float)[:, 2] / 1e-3) ** 2 == pytest.approx(expected, rel=0.01)


def test_models_of_the_mean_have_no_text_of_noise():
    text = verilog_a.verilog_a(made_model())
    assert not any(word in text for word in ("seed", "frame", "flicker_noise"))

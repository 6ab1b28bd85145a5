"""Noisy models in circuit simulators: the scatter of Python, the noise of electrons, devices by seed and by `agauss`."""

import numpy as np
import pytest
import simulators
from made_model import made_model, noisy_model

from otjdd.compact_models.exports import spice, verilog_a
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.waveform import shapes

DEVICES, WIDTH, FRAME = 40, 1e-6, 5e-8  # s
HEIGHT = 1.55  # V, which sets in part
WAVE = f"0 0 1e-9 {HEIGHT} {WIDTH} {HEIGHT} {WIDTH + 1e-9} 0.1 {2 * WIDTH} 0.1"


def log_reads(model, seeds):
    """ln of currents of Python after the same pulse."""
    wave = shapes.pulse(HEIGHT, WIDTH).then(shapes.read(0.1, WIDTH))
    return np.array([np.log(model.run(wave, seed=seed).read_current.item()) for seed in seeds])


@simulators.needs_vacask
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


@simulators.needs_ngspice
@simulators.needs_vacask
def test_noise_analysis_has_the_shot_noise_of_the_current(tmp_path):
    model = noisy_model(resistance=0.0)
    simulators.compiled(verilog_a.verilog_a(model), tmp_path)
    found = simulators.ngspice(tmp_path, """.control
pre_osdi otj.osdi
.endc
.model otjm otj
Vs p 0 DC 0.1 AC 1
N1 p out otjm
Rl out 0 1 noisy=0
.control
op
let current = v(out)
noise v(out) Vs dec 1 1 10
setplot noise1
let density = onoise_spectrum[0]
print density
setplot op1
print current
.endc""")  # fmt: skip
    assert found["density"] == pytest.approx(np.sqrt(2.0 * ELEMENTARY_CHARGE * found["current"]), rel=0.02)


@simulators.needs_ngspice
def test_ngspice_draws_devices_and_random_steps(tmp_path):
    model = noisy_model(spread=True)
    (tmp_path / "otj.cir").write_text(spice.subcircuit(model))
    drawn = "z0={agauss(0,1,1)} z1={agauss(0,1,1)} z2={agauss(0,1,1)}"
    lines = [f"frame={FRAME}", f"frame={FRAME}", "frame=0", f"frame=0 {drawn}", f"frame=0 {drawn}"]
    found = simulators.ngspice(tmp_path, "\n".join([
        ".include otj.cir", f".options {spice.OPTIONS}", f".tran {FRAME} {2 * WIDTH} 0 {FRAME}",
        *(f"Vs{i} p{i} 0 PWL({WAVE})\nX{i} p{i} 0 otj {line}" for i, line in enumerate(lines)),
        ".control", "setseed 3", "run", *(f"meas tran r{i} find i(vs{i}) at={1.99 * WIDTH}" for i in range(5)), ".endc",
    ]))  # fmt: skip
    one, other, mean, device, device_b = np.log([-found[f"r{i}"] for i in range(5)])
    sigma = log_reads(model, range(100)).std()
    assert mean == pytest.approx(log_reads(model, [None])[0], abs=0.03)
    assert 0.0 < abs(one - mean) < 5.0 * sigma
    assert one != other
    assert 0.01 < abs(device - mean) < 5.0
    assert device != device_b


def test_models_of_the_mean_have_no_text_of_noise():
    text = verilog_a.verilog_a(made_model()) + spice.subcircuit(made_model())
    assert not any(word in text for word in ("seed", "frame", "TRNOISE", "white_noise"))

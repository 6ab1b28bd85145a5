"""The Verilog-A with the defaults of the simulators, whose integration method is the trapezoidal rule."""

import made_model
import numpy as np
import pytest
import simulators

from otjdd.compact_models.exports import verilog_a
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate

WARNING = "the trapezoidal rule rings"
PULSES = pytest.mark.parametrize(("width", "read"), [(0.1, 1e-6), (1e-3, 1e-4)])
EXACT = 0.02  # of the current, by the defaults; the rule alone gave 6 and 14 times the current in the other direction


def written(width: float, read: float):
    """A set and a reset of a width [s] with a read of a length [s] after each, and the times of the reads [s]."""
    wave = concatenate(
        shapes.pulse(height, width, rise=1e-9, fall=1e-9, wait=1e-3).then(
            shapes.pulse(0.1, read, rise=1e-9, fall=1e-9, wait=1e-3)
        )
        for height in (2.2, -2.9)
    )
    start, end, V0, V1 = wave.segments()
    return wave, (end - 0.01 * (end - start))[(V0 == 0.1) & (V1 == 0.1)]


def expected(wave, times) -> np.ndarray:
    """Currents [A] of the model in Python."""
    ds = made_model.made_model().run(wave)
    return np.interp(times, ds.time.values, ds.conduction_current.values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    text = verilog_a.verilog_a(made_model.made_model())
    return simulators.compiled(text, tmp_path_factory.mktemp("defaults")).parent


def points(wave) -> list[str]:
    return [f"{number:.12g}" for pair in zip(wave.times, wave.voltages, strict=True) for number in pair]


@simulators.needs_ngspice
@simulators.needs_vacask
@PULSES
@pytest.mark.parametrize(("options", "warned"), [("", True), (".options method=gear", False)], ids=["defaults", "gear"])
def test_ngspice_reads_low_currents_and_warns_of_its_default_rule(folder, width, read, options, warned):
    wave, times = written(width, read)
    rows = "\n".join(f"meas tran r{i} find i(vs) at={t:.12g}" for i, t in enumerate(times))
    text = simulators.printed(
        folder,
        f"{simulators.LOADED}\nVs p 0 PWL({' '.join(points(wave))})\nN1 p 0 otjm\n{options}\n"
        f".tran {0.1 * read:g} {wave.duration:.12g} 0 {width:g}\n.control\nrun\n{rows}\n.endc",
    )
    currents = simulators.measured(text)
    assert [-currents[f"r{i}"] for i in range(len(times))] == pytest.approx(expected(wave, times), rel=EXACT)
    assert (WARNING in text) == warned
    assert text.count(WARNING) <= 3  # a step that is tried again warns again


@simulators.needs_vacask
@PULSES
@pytest.mark.parametrize(
    ("options", "warned"), [("", True), ('  options tran_method="gear2"\n', False)], ids=["defaults", "gear"]
)
def test_vacask_reads_low_currents_and_warns_of_its_default_rule(folder, width, read, options, warned):
    wave, times = written(width, read)
    text = simulators.vacask_printed(
        folder,
        'test\nground 0\nload "otj.osdi"\nmodel otj otj\nmodel vsource vsource\n'
        f'vs (p 0) vsource type="pwl" wave=[{", ".join(points(wave))}]\nx1 (p 0) otj\ncontrol\n{options}'
        f"  analysis tran1 tran step=1e-9 stop={wave.duration:.12g} maxstep={width:g}\nendc\n",
    )
    vectors = simulators.raw(folder / "tran1.raw")
    currents = -np.interp(times, vectors["time"], vectors["vs:flow(br)"])
    assert currents == pytest.approx(expected(wave, times), rel=EXACT)
    assert (WARNING in text) == warned
    assert text.count(WARNING) <= 3


@simulators.needs_ngspice
@simulators.needs_vacask
def test_with_gear_a_ramp_has_its_displacement_current(folder):
    """1 V/us for 3 us at 0.1 F/m2: the charge stays where the method does not ring, whatever the time that has passed."""
    made = made_model.made_model()
    body = (
        "Vs p 0 PWL(0 0 1 0 1.000002 -2)\nN1 p 0 otjm\n.options method=gear\n.tran 1m 1.000002 0 0.1\n.control\nrun\n"
    )
    found = simulators.ngspice(folder, f"{simulators.LOADED}\n{body}meas tran r find i(vs) at=1.0000005\n.endc")
    slope = (made.charge(np.array([-0.49, -0.51]), np.tile(made.start, (2, 1))) @ [1.0, -1.0]) / 0.02
    frozen = made.hold(made.states(1), -0.5, 0.0)[0]
    assert -found["r"] == pytest.approx(frozen - 1e6 * float(slope) * made.area, rel=0.02)

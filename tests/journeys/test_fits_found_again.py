"""Fits as a user makes them: each row of the guide's table "what can be fitted", from a file with a hidden parameter to it.

The files are made by runs of a device whose barrier is not that of the case that is fitted.
"""

import numpy as np
import pytest
from fitted_devices import small
from typer.testing import CliRunner

import otjdd
from otjdd.cli import app
from otjdd.results import store

HIDDEN = 0.65  # eV; the case has 0.6394
VARY = ("--vary", "device.left.barrier=0.5eV:0.8eV")
PULSES = {"kind": "train", "voltage": "1.5 V", "width": "1 ms", "count": 8, "period": "4 ms", "read_each": True}
HOLD = {"kind": "hold", "voltage": "0.3 V", "duration": "10 s"}
SWEEP = {"kind": "triangle", "path": ["0 V", "1 V", "-1 V", "0 V"], "rate": "10 V/s"}
FROZEN = {"kind": "iv", "voltages": ["-0.6 V", "-0.3 V", "-0.1 V", "0 V", "0.1 V", "0.3 V", "0.6 V"]}
SMALL = {"kind": "cv", "voltages": ["-0.6 V", "-0.3 V", "-0.1 V", "0.1 V", "0.3 V"], "frequencies": ["1 MHz"]}
UNEVEN = np.array([0.0, 1e-3, 1.5e-3, 4e-3, 5e-3, 9e-3, 9.5e-3, 12e-3, 20e-3, 21e-3, 30e-3])
VOLTS = np.array([0.3, 0.5, 0.4, 1.1, 1.2, 0.6, 0.5, -0.4, -0.6, 0.2, 0.4])


def command(*words, code=0):
    """What `otjdd WORDS` says."""
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == code, done.output
    assert "unexpected" not in done.output
    return " ".join(done.output.replace("│", " ").split())


def truth(**drive):
    """A run of the device that was measured."""
    return otjdd.run(small(), {"device.left.barrier": HIDDEN, "drive": drive, "record.every": "all"})


def recorded(t, V):
    """Rows of time, voltage and current as an instrument takes them, the voltage straight from row to row."""
    points = [[float(a), float(b)] for a, b in zip(t, V, strict=True)]
    ds = truth(kind="table", points=points)
    at = np.searchsorted(ds.time.values, t - 1e-9, side="left")
    current = ds.current.values[at]
    current[0] = ds.conduction_current.values[np.searchsorted(ds.time.values, 0.0, side="right") - 1]
    return {"t (s)": t, "V (V)": V, "I (A)": current}


def of_reads(axis, **drive):
    """Rows of the reads of a drive against one of their axes."""
    ds = truth(**drive)
    x = {"n": np.arange(1, ds.sizes["read"] + 1), "t (s)": ds.read_time.values, "V_write (V)": ds.write_voltage.values}
    return {axis: x[axis], "R (ohm)": ds.read_resistance.values}


def swept(axis):
    """Rows of the current along a sweep, at even times."""
    t = np.linspace(0.01, 0.39, 39)
    rows = recorded(np.append(0.0, t), np.interp(np.append(0.0, t), [0.0, 0.1, 0.3, 0.4], [0.0, 1.0, -1.0, 0.0]))
    x = {"t (s)": t, "V (mV)": 1e3 * rows["V (V)"][1:]}
    return {axis: x[axis], "I (A)": rows["I (A)"][1:]}


def frozen(drive, name, header):
    """Rows of a curve at frozen ions."""
    ds = truth(**drive)
    return {"V (V)": ds.bias.values, header: np.ravel(ds[name])}


ROWS = {  # name -> drive of the case that is fitted, rows of the file
    "waveform": ({}, lambda: recorded(UNEVEN, VOLTS)),
    "waveform of five rows": ({}, lambda: recorded(np.arange(5) * 1e-3, np.array([0.0, 0.5, 1.0, 0.5, 0.1]))),
    "R of a loop": ({}, lambda: of_reads("V_write (V)", **small().plain()["drive"])),
    "R by number": (PULSES, lambda: of_reads("n", **PULSES)),
    "R in time": (HOLD, lambda: of_reads("t (s)", **HOLD, reads_at=["1 ms", "10 ms", "0.1 s", "1 s", "9 s"])),
    "I of a sweep": (SWEEP, lambda: swept("V (mV)")),
    "I in time": (SWEEP, lambda: swept("t (s)")),
    "I at frozen ions": (FROZEN, lambda: frozen(FROZEN, "bias_current", "I (A)")),
    "C at frozen ions": (SMALL, lambda: frozen(SMALL, "capacitance", "C (F)")),
}


ASKED = """base = "case.toml"
[fit]
vary = { "device.left.barrier" = { low = "0.5 eV", high = "0.8 eV" } }
[[fit.data]]
file = "data.csv"
"""


def write(path, columns):
    np.savetxt(path, np.column_stack(list(columns.values())), "%.10g", ",", header=",".join(columns), comments="")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder with the case of the small device."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.toml").write_text(small().resolved(), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("row", ROWS)
def test_what_can_be_fitted_is_found_again(folder, row):
    drive, rows = ROWS[row]
    if drive:
        (folder / "case.toml").write_text(small().replace("drive", drive).resolved(), encoding="utf-8")
    write(folder / "data.csv", rows())
    noise = ["--noise", "0.1 nA"] * ("sweep" in row or "I in time" in row)  # the current passes through zero
    words = ["data.csv", "case.toml", *VARY, *noise]
    if row == "R by number":
        (folder / "asked.toml").write_text(ASKED, encoding="utf-8")
        words = ["asked.toml"]
    said = command("fit", *words, "-o", "found.nc")
    ds = store.read(folder / "found.nc")
    assert abs(float(ds.value[0]) - HIDDEN) < 4e-4, said
    assert otjdd.load_case(folder / "found.toml").device.left.barrier == pytest.approx(HIDDEN, abs=4e-4)
    assert (folder / "found.png").stat().st_size > 10_000


def test_a_rate_of_exchange_is_found_again_from_a_decade_away(folder):
    drive = {"kind": "train", "voltage": "1.5 V", "width": "1 ms", "count": 6, "period": "4 ms", "read_each": True}
    exchange = {"rate": "1e-8 m/s", "formation_energy": "1.4 eV"}
    hidden = otjdd.run(small(), {"drive": drive, "device.left.exchange": exchange})
    write(folder / "data.csv", {"n": np.arange(1.0, 7.0), "R (ohm)": hidden.read_resistance.values})
    start = small().replace({"drive": drive, "device.left.exchange": exchange | {"rate": "1e-9 m/s"}})
    (folder / "case.toml").write_text(start.resolved(), encoding="utf-8")
    said = command(
        "fit", "data.csv", "case.toml", "--vary", "device.left.exchange.rate=1e-10m/s:1e-6m/s", "-o", "rate.nc"
    )
    assert otjdd.load_case(folder / "rate.toml").device.left.exchange.rate == pytest.approx(1e-8, rel=2e-3), said


def test_from_a_fit_with_noise_and_outliers_to_its_band(folder):
    columns = frozen(FROZEN | {"voltages": np.linspace(-0.6, 0.6, 61).tolist()}, "bias_current", "I (A)")
    rng = np.random.default_rng(3)
    scale = 1e-12 / np.abs(np.interp(0.05, columns["V (V)"], columns["I (A)"]))
    columns["I (A)"] = scale * columns["I (A)"] * (1 + 0.02 * rng.standard_normal(61)) + 1e-12 * rng.standard_normal(61)
    columns["I (A)"][50] *= 3.0
    device = small().replace(
        {"drive": FROZEN, "device.conducting_fraction": scale * small().device.conducting_fraction}
    )
    (folder / "case.toml").write_text(device.resolved(), encoding="utf-8")
    write(folder / "data.csv", columns)
    said = command("fit", "data.csv", "case.toml", *VARY, "--noise", "1 pA", "--loss", "soft-l1", "-o", "found.nc")
    ds = store.read(folder / "found.nc")
    assert abs(float(ds.value[0]) - HIDDEN) < 3 * float(ds.error[0]), said
    assert "loss soft-l1 data.csv line 52, voltage 0.4" in said
    said = command("design", "found.nc", "case.toml", "--temperature", "350 K", "--plot", "next.png")
    assert "case.toml at 350 K" in said
    assert (folder / "next.png").stat().st_size > 10_000
    said = command("predict", "found.nc", "case.toml", "-o", "band.nc", "--draws", "12", "--plot", "band.png")
    assert "from the 2.5 % to the 97.5 % percentile" in said
    assert (folder / "band.png").stat().st_size > 10_000
    band = store.read(folder / "band.nc")
    axes = otjdd.figure(band, "iv").axes[0]
    assert len(axes.collections) >= 2  # the bands
    command("plot", "band.nc", "-o", "again.png")
    command("export", "band.nc", "-o", "band.csv")
    header = (folder / "band.csv").read_text().splitlines()[0].split(",")
    assert "bias_current 2.5 % (A)" in header
    assert "bias_current 97.5 % (A)" in header


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--vary", "device.left.barier"], 3, 'did you mean "device.left.barrier"'),
        (["--vary", "device.left.barrier=0.5 nm:0.8 nm"], 3, "bounds like"),
        (["--vary", "device.left.barrier=0.5 eF:0.8 eV"], 3, "eF"),
        (["--vary", "device.left.barrier=nan:0.8 eV"], 3, "low below high"),
        ([*VARY, "--noise", "1 nm"], 3, "the noise of resistance, got 1 nm"),
        ([*VARY, "--noise", "a bit"], 3, "a quantity like 1 pA"),
        ([*VARY, "--loss", "soft-l2"], 3, 'did you mean "soft-l1"'),
    ],
)
def test_a_wrong_word_is_told_before_anything_runs(folder, words, code, said):
    write(folder / "data.csv", {"V_write (V)": small().drive.waveform().write_voltages, "R (ohm)": np.full(30, 1e6)})
    assert said in command("fit", "data.csv", "case.toml", *words, code=code)
    assert not list(folder.glob("*.nc"))


def test_keys_that_may_move_are_completed():
    from otjdd.cli.fit import complete_number

    assert complete_number("device.left.b") == ["device.left.barrier", "device.left.band_depth"]
    assert complete_number("ions.law") == []


FILM = """base = "ftj-hzo.toml"
title = "a small film with a loop"
[device.film]
cells = 16
[drive]
path = ["0 V", "3 V", "-3 V", "0 V"]
cycles = 1
"""
HIDDEN_BARRIER = 1.02  # eV; the case has 1.05


@pytest.fixture(scope="module")
def measured_loop(tmp_path_factory):
    """The folder of a case of a polarised film, and the exported run of one with another barrier."""
    folder = tmp_path_factory.mktemp("loop")
    (folder / "film.toml").write_text(FILM, encoding="utf-8")
    polarisation = f"device.film.polarisation.barrier={HIDDEN_BARRIER} eV"
    command("run", folder / "film.toml", "--set", polarisation, "-o", folder / "hidden.nc")
    command("export", folder / "hidden.nc", "--over", "time", "-o", folder / "hidden.csv")
    return folder


@pytest.mark.parametrize("columns", ["exported", "E P", "V P", "t P", "V D"])
def test_a_loop_of_the_polarisation_gives_its_barrier_back(measured_loop, columns):
    file = measured_loop / "hidden.csv"
    if columns != "exported":
        rows = np.genfromtxt(file, delimiter=",", names=True, deletechars="")
        held = {
            "t": ("t (s)", rows["time_(s)"]), "V": ("V (V)", rows["voltage_(V)"]),
            "E": ("E (MV/cm)", rows["voltage_(V)"] / 9.83e-9 / 1e8),
            "P": ("P (\u00b5C/cm\u00b2)", 100 * rows["polarisation_(C_m^-2)"]),
            "D": ("D (C/m2)", rows["electrode_charge_(C_m^-2)"]),
        }  # fmt: skip
        file = measured_loop / f"{columns}.csv"
        write(file, dict(held[name] for name in columns.split()))
    out = measured_loop / f"{columns}.nc"
    key = "device.film.polarisation.barrier"
    said = command(
        "fit", file, measured_loop / "film.toml", "--vary", f"{key}=0.9eV:1.2eV", "--noise", "1 uC/cm^2", "-o", out
    )
    assert ("electrode_charge" if "D" in columns else "polarisation") + " against" in said
    assert float(store.read(out).value[0]) == pytest.approx(HIDDEN_BARRIER, abs=4e-4), said


def test_a_polarisation_is_not_compared_with_a_film_that_has_none(folder):
    write(folder / "data.csv", {"V (V)": np.linspace(-1, 1, 9), "P (uC/cm2)": np.linspace(-20, 20, 9)})
    assert "a case with [device.film.polarisation]" in command("fit", "data.csv", "case.toml", *VARY, code=3)
    write(folder / "power.csv", {"V (V)": np.linspace(-1, 1, 9), "I (A)": np.ones(9), "P (W)": np.ones(9)})
    assert "columns not used: P (W)" in command("check", "power.csv")

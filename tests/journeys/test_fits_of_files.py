"""From a file of measured data to the parameter behind it, the band of a prediction, and what to measure next.

The files are made by runs of a device whose barrier is not that of the case; some have the form of an instrument.
"""

import json

import commands
import instruments as make
import numpy as np
import pytest
from commands import typed
from fitted_devices import small

import otjdd
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


def truth(**drive):
    """A run of the device that was measured."""
    return otjdd.run(small(), {"device.left.barrier": HIDDEN, "drive": drive, "record.every": "all"})


def recorded(t, V):
    """Rows of time, voltage and current as an instrument takes them, the voltage straight from row to row."""
    points = [[float(a), float(b)] for a, b in zip(t, V, strict=True)]
    ds = truth(kind="table", points=points, reads_at=[0.0])
    at = np.searchsorted(ds.time.values, t - 1e-9, side="left")
    current = ds.current.values[at]
    current[0] = ds.read_current.values[0]  # of a junction that is charged
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
def folder(folder):
    """The empty folder, with the case of the small device."""
    (folder / "case.toml").write_text(small().resolved(), encoding="utf-8")
    return folder


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
    said = typed("fit", *words, "-o", "found.nc")
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
    said = typed(
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
    said = typed("fit", "data.csv", "case.toml", *VARY, "--noise", "1 pA", "--loss", "soft-l1", "-o", "found.nc")
    ds = store.read(folder / "found.nc")
    assert abs(float(ds.value[0]) - HIDDEN) < 3 * float(ds.error[0]), said
    assert "loss soft-l1 data.csv line 52, voltage 0.4" in said
    said = typed("design", "found.nc", "case.toml", "--temperature", "350 K", "--plot", "next.png")
    assert "case.toml at 350 K" in said
    assert (folder / "next.png").stat().st_size > 10_000
    said = typed("predict", "found.nc", "case.toml", "-o", "band.nc", "--draws", "12", "--plot", "band.png")
    assert "from the 2.5 % to the 97.5 % percentile" in said
    assert (folder / "band.png").stat().st_size > 10_000
    band = store.read(folder / "band.nc")
    axes = otjdd.figure(band, "iv").axes[0]
    assert len(axes.collections) >= 2  # the bands
    typed("plot", "band.nc", "-o", "again.png")
    typed("export", "band.nc", "-o", "band.csv")
    header = (folder / "band.csv").read_text().splitlines()[0].split(",")
    assert "bias_current 2.5 % (A)" in header
    assert "bias_current 97.5 % (A)" in header


def test_keys_that_may_move_are_completed():
    from otjdd.cli.fit import complete_number

    assert complete_number("device.left.b") == ["device.left.barrier", "device.left.band_depth"]
    assert complete_number("ions.law") == []


def without_limit(columns):
    """The buffer of an SMU in whose source limit no row was."""
    return make.buffer(columns).replace(b",T,T,", b",T,F,")


def densities(temperature):
    """A leakage table of an aixACCT at a temperature that its name alone says."""
    ds = otjdd.run(small(), {"device.left.barrier": HIDDEN, "drive": FROZEN, "temperature": float(temperature)})
    J = 1e2 * np.ravel(ds.bias_current) / small().device.junction_area  # uA/cm2
    return make.aixacct([{"Voltage [V]": ds.bias.values, "Leakage Current Density [uA/cm2]": J}], kind="Leakage")


def sweep():
    """Time, voltage and current from row to row."""
    return dict(zip(("t", "V", "I"), recorded(UNEVEN, VOLTS).values(), strict=True))


INSTRUMENTS = {  # name -> drive of the case, files, options of the fit, what is compared
    "I-V": ({}, lambda: {"run.csv": without_limit(sweep())}, ["--noise", "0.1 nA"], "driven by the measured waveform"),
    "J(V,T)": (
        FROZEN, lambda: {f"D7_{T}K.dat": densities(T) for T in (280, 340)}, ["--from-name", "{temperature}K"],
        "points of current_density",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_a_file_of_an_instrument_is_checked_drawn_and_fitted(folder, kind):
    drive, files, options, compared = INSTRUMENTS[kind]
    if drive:
        (folder / "case.toml").write_text(small().replace("drive", drive).resolved(), encoding="utf-8")
    names = list(contents := files())
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    naming = options if "--from-name" in options else []
    said = typed("check", *names, *naming, "--plot", "data.png")
    assert f"otjdd fit {names[0]}" in said
    assert (folder / "data.png").stat().st_size > 10_000
    said = typed("fit", *names, "case.toml", *VARY, *options, "-o", "found.nc")
    assert compared in said
    assert abs(float(store.read(folder / "found.nc").value[0]) - HIDDEN) < 4e-4, said
    assert kind != "J(V,T)" or "D7_340K.dat 340 K" in said


def test_a_state_is_chosen_by_an_option(folder):
    """Two states: the error names the option, and the option works."""
    written = {"LRS": [{"voltage": "1.5 V", "duration": "1 ms"}], "HRS": [{"voltage": "-1.5 V", "duration": "1 ms"}]}
    drive = FROZEN | {"states": written}
    (folder / "case.toml").write_text(small().replace("drive", drive).resolved(), encoding="utf-8")
    ds = truth(**drive).sel(state="HRS")
    write(folder / "hrs.csv", {"V": ds.bias.values, "I": np.ravel(ds.bias_current)})
    assert '--state "LRS"' in typed("fit", "hrs.csv", "case.toml", *VARY, code=3)
    said = typed("fit", "hrs.csv", "case.toml", *VARY, "--state", "HRS", "-o", "found.nc")
    assert abs(float(store.read(folder / "found.nc").value[0]) - HIDDEN) < 4e-4, said


def test_the_noise_of_a_current_is_that_of_a_resistance(folder):
    """1 nA at a read of 0.1 V: a resistance of 10 Mohm is uncertain by a tenth."""
    rows = of_reads("V_write (V)", **small().plain()["drive"])
    write(folder / "loop.csv", rows)
    typed("fit", "loop.csv", "case.toml", *VARY, "--noise", "1 nA", "-o", "found.nc")
    ds = store.read(folder / "found.nc")
    V = float(np.abs(truth(**small().plain()["drive"]).read_voltage.values[0]))
    relative = rows["R (ohm)"] * 1e-9 / V  # of a logarithm, beside a scatter of 0.01 or more
    lost = relative > 0.05
    assert lost.any()
    np.testing.assert_allclose(ds.uncertainty.values[lost], relative[lost], rtol=0.1)


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
    typed("run", folder / "film.toml", "--set", polarisation, "-o", folder / "hidden.nc")
    typed("export", folder / "hidden.nc", "--over", "time", "-o", folder / "hidden.csv")
    return folder


@pytest.mark.parametrize("columns", ["exported", "E P", "V D"])
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
    said = typed(
        "fit", file, measured_loop / "film.toml", "--vary", f"{key}=0.9eV:1.2eV", "--noise", "1 uC/cm^2", "-o", out
    )
    assert ("electrode_charge" if "D" in columns else "polarisation") + " against" in said
    assert float(store.read(out).value[0]) == pytest.approx(HIDDEN_BARRIER, abs=4e-4), said


def test_an_exported_table_is_data_and_python_fits_it_as_the_command_does(folder):
    otjdd.write(truth(**small().plain()["drive"]), folder / "hidden.nc")
    typed("export", "hidden.nc")
    numbers = json.loads(
        commands.otjdd(folder, "fit", "hidden.csv", "case.toml", *VARY, "-o", "found.nc", "--json").stdout
    )
    assert set(numbers) >= {"parameters", "reduced_chi_square", "correlations", "evaluations"}
    assert numbers["parameters"]["device.left.barrier"]["value"] == pytest.approx(HIDDEN, abs=4e-4)
    ds = otjdd.fit("hidden.csv", "case.toml", {"device.left.barrier": (0.5, 0.8)})
    assert float(ds.value[0]) == float(otjdd.read("found.nc").value[0]) == pytest.approx(HIDDEN, abs=4e-4)

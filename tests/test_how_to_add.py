"""How to add: each row of the table in otjdd/README.md is walked by a toy, in a copy of the package, which runs.

A toy touches only the files that its row names. Kernels run as Python.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp, trapezoid

pytestmark = pytest.mark.campaign

TESTS = Path(__file__).parent
PACKAGE, CASES = TESTS.parent / "otjdd", TESTS.parent / "cases"


def before(text: str, more: str) -> tuple[str, str]:
    """A change that puts more text before a text that stands in the file once."""
    return text, more + text


def after(text: str, more: str) -> tuple[str, str]:
    """A change that puts more text behind a text that stands in the file once."""
    return text, text + more


LAG = '''"""The lag of the junction voltage: tau dy/dt = V_j - y, exact where the voltage is a straight line in a step."""

from otjdd.compiler.decorators import detached, inlined
from otjdd.errors import Status
from otjdd.mechanisms.heat import rises

TIME_CONSTANT = 3e-10  # s
MOST = 0.01  # V, of a step
CAPACITANCE = 0.02  # F/m2, by which the lag charges the left electrode


@inlined
def follow_end(junction):
    """The lag follows from the end of a step."""
    return True


@detached
def correct(junction, state, new, step):
    """Put the lag at the end of a step [s] into a new state. Returns how far it was off: nothing follows from it."""
    for k in range(state.lag.size):
        new.lag[k] = rises(state.lag[k], state.V[0], new.V[0], step / TIME_CONSTANT)[0]
    return 0.0


@detached
def after_leap(junction, state, new, tangent, step):
    """As `correct`."""
    correct(junction, state, new, step)
    return Status.DONE


@detached
def end_error(junction, state, new, step, motion, rtol):
    """Norm of the error of a step: no curve through its ends is drawn with fewer points."""
    worst = 0.0
    for k in range(state.lag.size):
        worst = max(worst, abs(new.lag[k] - state.lag[k]) / MOST)
    return worst


def answer(junction, state, k, response, log_slopes):
    """The linear response of column k, with its lag."""
    rate = 1.0 / TIME_CONSTANT
    flux = rate * (state.V[0] - state.lag[k])
    return response.with_unknown(relaxation=rate, by_V=rate, flux=flux, numbers=[0.0, 0.0, CAPACITANCE])
'''

# what is added -> file -> changes (text there, text instead), or the text of a new file
ADDED = {
    "a law of the ions": {
        "laws.py": [
            before("HOPPING_LAWS = {\n", "def twice(ions, hopping, E, w, slope):\n    return 2.0, 0.0\n\n\n"),
            after("HOPPING_LAWS = {\n", '    "twice": HoppingLaw(twice, "Somebody, Journal 1, 1 (2026)"),\n'),
        ]
    },
    "a law of an electrode that vacancies pass": {
        "laws.py": [
            before(
                "EXCHANGE_LAWS = {\n",
                "def twice(wall, contact, z, sites, rate):\n"
                "    return butler_volmer(wall, contact, z, sites, 2.0 * rate)\n\n\n",
            ),
            after("EXCHANGE_LAWS = {\n", '    "twice": ExchangeLaw(twice, "Somebody, Journal 1, 1 (2026)"),\n'),
        ]
    },
    "a channel of conduction": {
        "physics/leaks.py": [
            before(
                "def ohmic(numbers",
                "def cubic(numbers, film, V, kT):\n    return math.log(numbers[0] * (1.0 + V * V))\n\n\n",
            ),
            after("LEAKS = {\n", '    "cubic": Leak(cubic, None, "Somebody, Journal 1, 1 (2026)"),\n'),
        ],
        "case/traps.py": [
            before(
                "AnyLeak = Annotated[OhmicLeak",
                'class CubicLeak(OhmicLeak):\n    """A current with a cubic part."""\n\n    kind: Literal["cubic"]\n\n\n',
            ),
            ("AnyLeak = Annotated[OhmicLeak", "AnyLeak = Annotated[CubicLeak | OhmicLeak"),
        ],
    },
    "a transmission": {
        "laws.py": [
            before(
                "TRANSMISSION_MODELS = {\n",
                "def all_pass(profile, E):\n    return np.ones(E.size)\n\n\n"
                "def no_slopes(profile, E, weight):\n    return np.zeros((3, profile.length.size))\n\n\n",
            ),
            after("TRANSMISSION_MODELS = {\n", '    "all-pass": TransmissionModel(all_pass, no_slopes),\n'),
        ]
    },
    "a permittivity": {
        "case/electrodes.py": [
            before(
                "Permittivity = Annotated[",
                'class Vacuum(Record):\n    """No dielectric."""\n\n    law: Literal["vacuum"]\n\n'
                "    def terms(self, temperature):\n        return 1.0, 0.0, 1.0\n\n\n",
            ),
            after("Permittivity = Annotated[", "Vacuum | "),
        ]
    },
    "an electrode": {
        "case/electrodes.py": [
            before(
                "Electrode = Annotated[Metal",
                'class IdealMetal(Record):\n    """A metal without a screening layer."""\n\n'
                '    kind: Literal["ideal-metal"]\n    barrier: Barrier\n    exchange: Exchange | None = None\n\n'
                "    def form(self, temperature):\n        return Straight(self.barrier, -5.0, 1.0, 0.0)\n\n"
                "    def states(self, temperature):\n        return band_states(1.0, temperature)\n\n\n",
            ),
            ("Electrode = Annotated[Metal", "Electrode = Annotated[IdealMetal | Metal"),
        ]
    },
    "a drive": {
        "case/drive.py": [
            before(
                "Drive = Annotated[Parts",
                'class Tap(Record):\n    """One short pulse."""\n\n    kind: Literal["tap"]\n'
                '    voltage: Volts = Field(description="voltage of the tap", examples=["0.3 V"])\n\n'
                "    def waveform(self):\n        return shapes.pulse(self.voltage, 1e-9)\n\n\n",
            ),
            ("Drive = Annotated[Parts", "Drive = Annotated[Tap | Parts"),
        ]
    },
    "a variable of the state": {
        "variables.py": [
            before(
                "    band: Annotated",
                '    lag: Annotated[Array, memory("column", "V", "lag of the junction voltage")]\n',
            )
        ],
        "mechanisms/lag.py": LAG,
    },
    "an output": {
        "results/outputs.py": [
            after(
                "OUTPUTS = _outputs({\n",
                '    "charge_sum": ("time", "C m^-2", "sum of the charges of both electrodes"),\n',
            )
        ],
        "solver/collect.py": [
            before(
                "    recorded = recorded_extremes(",
                "    if along_time:\n"
                '        arrays["charge_sum"] = arrays["electrode_charge"] + arrays["right_electrode_charge"]\n',
            )
        ],
    },
    "a metric": {
        "analysis/last_charge.py": '"""The last charge."""\n\n\ndef last_charge(ds):\n'
        '    """Charge [C/m2] of the left electrode at the end."""\n'
        '    return {"charge": float(ds.electrode_charge[-1])}\n',
        "analysis/metrics.py": [
            after("from otjdd.analysis import ", "last_charge, "),
            after(
                "METRICS = {\n",
                '    "last": Metric(last_charge.last_charge, {"charge": ("C/m^2", "charge at the end")}),\n',
            ),
        ],
    },
    "a figure": {
        "plot/over_time.py": [
            before(
                "\n\ndef shows_time(",
                '\n\n@panel("charge", "time", "electrode_charge", usual=False, shows="charge over time",'
                ' needs="a time series")\n'
                "def charge(axes, runs):\n"
                '    """Draw the charge of the left electrode."""\n'
                "    for run in runs:\n        axes.plot(run.ds.time, run.ds.electrode_charge)\n",
            ),
        ],
    },
    "a command": {
        "cli/hello.py": '"""otjdd hello."""\n\n\ndef hello() -> None:\n    """Greet.\n\n    Example: otjdd hello\n    """\n'
        '    print("hello")\n',
        "cli/__init__.py": [
            after("from otjdd.cli import cases, compact, fit, ", "hello, "),
            after("COMMANDS = (\n", "    hello.hello,\n"),
        ],
    },
    "an export of compact models": {
        "compact_models/exports/area.py": '"""The area."""\n\n\ndef area(model):\n    """Text with the area."""\n'
        '    return f"{model.area:g} m2\\n"\n',
        "compact_models/exports/folder.py": [
            after("from otjdd.compact_models.exports import (\n", "    area,\n"),
            ('{"otj.va": verilog_a', '{"area.txt": area.area(model), "otj.va": verilog_a'),
        ],
    },
    "a slider or an experiment of the page": {
        "explore/sliders.toml": [
            before(
                "[thickness]\n",
                '[hops]\nkey = "ions.hop_distance"\nlabel = "Hop"\nunit = "nm"\nlow = 0.1\nhigh = 1.0\nstep = 0.01\n'
                'source = "Somebody, Journal 1, 1 (2026)"\n\n',
            )
        ]
    },
    "an error": {
        "errors.py": [
            before(
                "class LimitError(OtjddError):",
                'class ColourError(OtjddError):\n    """A wrong colour."""\n\n    exit_code = ExitCode.CASE\n\n\n',
            )
        ]
    },
    "a published value": {
        "case/materials.toml": [
            before(
                "[sto-permittivity]\n",
                '[hop-of-somebody]\nwhat = "distance of a hop"\nvalue = "0.3 nm"\ndimension = "length"\n'
                'source = "Somebody, Journal 1, 1 (2026)"\n\n',
            )
        ]
    },
    "a shipped case": {
        "../cases/tap.toml": '# What does a tap do?\nbase = "li2019.toml"\ntitle = "tap"\n'
        'drive = { kind = "tap", voltage = "0.3 V" }\n'
    },
    "a name of a measured column": {
        "measurements/names.py": [
            after("QUANTITIES = {\n", '    "strain": MeasuredQuantity("1", "strain of the film", r"strain|eps"),\n')
        ]
    },
    "an instrument's form": {
        "measurements/instruments.py": [
            before(
                "FORMS = (\n",
                'def boxes(sheet, names):\n    text = sheet.text.replace("volts|amps", "V|I")\n'
                '    return file_blocks(sheet._replace(text=text, divider="|"), names)\n\n\n',
            ),
            after("FORMS = (\n", '    Form("Box 7", (r"^--- Box 7",), boxes),\n'),
        ]
    },
    "a status of an instrument": {
        "measurements/columns.py": [
            after("STATUS = (\n", '    StatusColumn("lamp", lambda text: text == "3", "lit by the lamp"),\n')
        ]
    },
}

RUN = """
import json
import sys
from pathlib import Path
import typer
import otjdd
from otjdd import cli, errors
from otjdd.analysis.metrics import METRICS
from otjdd.case import keys
from otjdd.case.case import parse_case
from otjdd.case.device import material
from otjdd.compact_models.exports import folder
from otjdd.explore.sliders import device_sliders
from otjdd.measurements.names import quantity_of_name
from otjdd.plot.figure import figure
from otjdd.waveform.waveform import Waveform
from otjdd.solver import checkpoint, integrate, model, self_check, simulate
from otjdd.solver.start import at_snapshot
self_check.verify_kernels = lambda: None  # interpreted kernels need no check of their machine code
sys.path.append(sys.argv[1])
from made_model import made_model
same = {"device.film.cells": 8, "circuit.series_resistance": "0 ohm", "device.transmission": "wkb"}
plain = {"kind": "pulse", "voltage": "0.3 V", "width": "1 ns"}
tap = {"kind": "tap", "voltage": "0.3 V"}
def result(**changes):
    case = parse_case(self_check.CASE).replace(**same | changes)
    return simulate.simulate_junction(case), case
fast, _ = result(**{"drive": plain, "ions.law": "linear", "ions.prefactor": "10e-7 m^2/s"})
twice, _ = result(**{"drive": tap, "ions.law": "twice"})
clear, case = result(**{"drive": tap, "device.transmission": "all-pass"})
metal = {"kind": "metal", "barrier": "0.7 eV", "screening_length": "0 m", "mass": 1, "band_depth": "5 eV"}
screened, ideal = (
    result(**{"drive": plain, "device.left": left})[0] for left in (metal, {"kind": "ideal-metal", "barrier": "0.7 eV"})
)
exchange = {"rate": "1e-12 m/s", "equilibrium_density": "1e26 1/m^3"}
slow, quick, twofold = (
    result(**{"drive": plain, "device.left.exchange": exchange | more})[0]
    for more in ({}, {"rate": "2e-12 m/s"}, {"law": "twice"})
)
tight, _ = result(**{"drive": plain})
leaky, _ = result(**{"drive": plain, "device.leaks": [{"kind": "cubic", "conductance": "1e9 S/m^2"}]})
laws = {"law": "linear", "eps_r": 1}, {"law": "vacuum"}
empty, vacuum = (result(**{"drive": plain, "device.film.permittivity": law})[0] for law in laws)
junction = model.junction(case)
low = max(junction.left[0].bottom - 0.3, junction.right[0].bottom)
(line,), of_lag = (figure(fast, kind).axes[0].lines for kind in ("charge", "state_lag"))
with open("box.out", "w") as file:
    file.write("--- Box 7\\nvolts|amps|lamp\\n0.1|1|0\\n0.2|2|3\\n0.3|3|0\\n")
box = otjdd.read_data("box.out")
lagging, _ = simulate.begun(parse_case(self_check.CASE).replace(**same))
integrate.keep_state(lagging, 0.0)
integrate.follow_waveform(lagging, Waveform((0.0, 1e-9, 2e-9, 2.5e-9), (0.0, 0.3, 0.3, -0.1)), every="all")
checkpoint.write(Path("lag"), lagging, {}, 0.0)
again, _ = simulate.begun(parse_case(self_check.CASE).replace(**same))
checkpoint.restore(again, checkpoint.read(Path("lag"), {}))
on = simulate.simulate_junction(case, start=at_snapshot(fast, -1))
impedance = {
    "kind": "impedance", "bias": ["0.1 V"], "frequencies": ["3e8 Hz", "9e8 Hz", "1e15 Hz"], "states": {"fresh": []},
}
swung, _ = result(**{"drive": impedance})
del sys.modules["otjdd.mechanisms.lag"].answer
try:
    result(**{"drive": impedance})
except errors.LimitError as error:
    refused = str(error)
def listed(ds, name):
    return ds[name].values.tolist()
print(json.dumps({
    "otjdd": otjdd.__file__, "fast": listed(fast, "vacancy_concentration"), "sources": twice.attrs["references"],
    "twice": listed(twice, "vacancy_concentration"), "current": float(clear.conduction_current[-1]),
    "screened": listed(screened, "conduction_current"), "ideal": listed(ideal, "conduction_current"),
    "empty": listed(empty, "conduction_current"), "vacuum": listed(vacuum, "conduction_current"),
    "slow": listed(slow, "vacancies"), "quick": listed(quick, "vacancies"), "twofold": listed(twofold, "vacancies"),
    "area": case.device.junction_area, "tight": listed(tight, "conduction_current"),
    "leaky": listed(leaky, "conduction_current"), "V": listed(leaky, "junction_voltage"),
    "supply": junction.columns.supply[0], "low": low, "kT": junction.kT[0],
    "keys": keys.markdown(), "sum": listed(fast, "charge_sum"), "unit": fast.charge_sum.attrs["units"],
    "left": listed(fast, "electrode_charge"), "right": listed(fast, "right_electrode_charge"),
    "last": METRICS["last"].of(fast), "drawn": line.get_ydata().tolist(),
    "lag drawn": [line.get_ydata().tolist() for line in of_lag],
    "commands": list(typer.main.get_command(cli.app).commands), "files": folder.circuits(made_model()),
    "sliders": [slider.name for slider in device_sliders()], "code": errors.ColourError.exit_code,
    "material": material("hop-of-somebody").value, "case": otjdd.load_case("tap").title,
    "cases": [case.name for case in otjdd.cases()], "quantity": quantity_of_name("strain"),
    "lag": lagging.state.lag.tolist(), "steps": lagging.counts.accepted, "resumed": again.state.lag.tolist(),
    "lags": listed(fast, "state_lag"), "goes on": listed(on, "state_lag"), "of lag": fast.state_lag.attrs,
    "capacitance": listed(swung, "capacitance"), "refused": refused,
    "box": listed(box, "current"), "understood": box.attrs["understood"],
}))
"""


def table() -> dict[str, str]:
    """What is added -> its place, of the table in the README."""
    text = (PACKAGE / "README.md").read_text(encoding="utf-8").partition("## How to add\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| (.+?) \| (.+) \|$", text, re.MULTILINE))


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """Numbers of runs with all toys, which only the copy has."""
    copy = tmp_path_factory.mktemp("copy") / "otjdd"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(CASES, copy.parent / "cases", ignore=shutil.ignore_patterns("*.ipynb", "*.md"))
    for name, changes in (item for files in ADDED.values() for item in files.items()):
        place = copy / name
        if isinstance(changes, str):
            place.write_text(changes, encoding="utf-8")
            continue
        text = place.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        place.write_text(text, encoding="utf-8")
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, TESTS], cwd=copy.parent, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert Path(numbers["otjdd"]).parent == copy
    return numbers


@pytest.mark.parametrize("what", ADDED)
def test_a_toy_touches_only_files_that_its_row_names(what):
    place = table()[what]
    for name in ADDED[what]:
        names = {name, f"{name.removeprefix('../').rpartition('/')[0]}/"}
        assert any(f"`{one}`" in place or f"]({one})" in place or f"]({one}" in place for one in names), (name, place)


def test_a_law_that_doubles_every_hop_is_as_fast_as_twice_the_diffusivity(toys):
    assert toys["twice"] == toys["fast"]
    assert np.ptp(toys["twice"][-1]) > 1e-6 * np.max(toys["twice"][-1])
    assert "Somebody, Journal 1, 1 (2026)" in toys["sources"]


def test_an_electrode_that_doubles_every_exchange_is_as_fast_as_twice_the_rate(toys):
    assert toys["twofold"] == toys["quick"]
    assert np.ptp(toys["quick"]) == pytest.approx(2.0 * np.ptp(toys["slow"]), rel=0.1)  # so the rate counts


def test_a_cubic_leak_adds_its_current(toys):
    V = np.array(toys["V"])
    assert V.max() > 0.2
    leak = np.array(toys["leaky"]) - np.array(toys["tight"])
    np.testing.assert_allclose(
        leak, toys["area"] * 1e9 * V * (1.0 + V**2), rtol=1e-6, atol=1e-9 * np.max(toys["tight"])
    )


def test_a_barrier_that_lets_all_electrons_pass_carries_the_whole_supply(toys):
    E = toys["low"] + np.linspace(0.0, 8.0, 400_001)
    occupied = np.logaddexp(0.0, -E / toys["kT"]) - np.logaddexp(0.0, (-0.3 - E) / toys["kT"])
    expected = toys["supply"] * trapezoid(occupied, E)
    assert toys["current"] == pytest.approx(expected, rel=1e-5)


def test_a_metal_without_a_screening_layer_is_a_metal_whose_layer_has_no_thickness(toys):
    assert toys["ideal"] == toys["screened"]
    assert np.ptp(toys["ideal"]) > 0


def test_a_permittivity_of_one_is_that_of_a_vacuum(toys):
    assert toys["vacuum"] == toys["empty"]


def test_a_drive_is_in_the_table_of_keys(toys):
    assert '**Drive: kind = "tap"**' in toys["keys"]
    assert (
        '| `drive.voltage` | voltage of the tap | V | required | a voltage from "-100 V" to "100 V" | `"0.3 V"` |'
        in (toys["keys"])
    )


def test_a_variable_of_the_state_is_carried_along_and_bounds_the_steps(toys):
    def rate(t, y):
        return (np.interp(t, [0.0, 1e-9, 2e-9, 2.5e-9], [0.0, 0.3, 0.3, -0.1]) - y) / 3e-10

    exact = solve_ivp(rate, (0.0, 2.5e-9), [0.0], "DOP853", rtol=1e-11, atol=1e-13, max_step=1e-11)
    assert toys["lag"] == pytest.approx([exact.y[0, -1]] * len(toys["lag"]), abs=1e-7)
    assert toys["steps"] >= np.abs(np.diff(exact.y[0])).sum() / 0.01


def test_a_variable_of_the_state_is_recorded_stored_started_and_resumed_from(toys):
    assert toys["resumed"] == toys["lag"]
    assert toys["lags"][0] == [0.0] * len(toys["lag"])
    assert toys["goes on"][0] == toys["lags"][-1] != toys["lags"][0]
    assert toys["of lag"]["units"] == "V"


def test_a_variable_of_the_state_answers_a_small_signal(toys):
    answer = 0.02 * toys["area"] / (1.0 + (2.0 * np.pi * np.array([3e8, 9e8]) * 3e-10) ** 2)
    *slow, fast = np.ravel(toys["capacitance"])
    np.testing.assert_allclose(np.array(slow) - fast, answer, rtol=1e-6)
    assert "otjdd.mechanisms.lag, which has no `answer`" in toys["refused"]


def test_an_output_has_its_values_and_its_unit(toys):
    assert toys["sum"] == [a + b for a, b in zip(toys["left"], toys["right"], strict=True)]
    assert toys["unit"] == "C m^-2"


def test_a_metric_and_a_figure_show_the_result(toys):
    assert toys["last"] == {"charge": toys["left"][-1]}
    assert toys["drawn"] == toys["left"]
    assert np.transpose(toys["lag drawn"]).tolist() == toys["lags"]


def test_a_command_an_export_a_slider_and_an_error_are_known(toys):
    assert "hello" in toys["commands"]
    assert toys["files"]["area.txt"] == "3.14e-10 m2\n"
    assert "hops" in toys["sliders"]
    assert toys["code"] == 3


def test_a_published_value_a_case_and_a_measured_column_are_found_by_name(toys):
    assert toys["material"] in (3e-10, "0.3 nm")
    assert toys["case"] == "tap"
    assert "tap" in toys["cases"]
    assert toys["quantity"] == "strain"


def test_a_form_and_a_status_are_read(toys):
    assert toys["box"] == [1.0, 3.0]
    assert "file of Box 7" in toys["understood"]
    assert "1 rows masked by 'lamp': lit by the lamp" in toys["understood"]

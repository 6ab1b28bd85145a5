"""Channels in parallel: resistors, small signals, heat and files of junctions with leaks, and a toy channel."""

import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import otjdd
from devices import BARE, COLUMNS, JUNCTION, SMALL, case, needs_speed

from otjdd.case.notes import conduction_notes as notes
from otjdd.compact_models.bench import bench, readings
from otjdd.runs.run import run
from otjdd.solver import model

PACKAGE = Path(__file__).parents[3] / "otjdd"
AREA = math.pi * (10e-6) ** 2  # m2, of the junction of `devices`
OHMIC = {"kind": "ohmic", "conductance": 3e5}
TRAPS = {"name": "traps", "kind": "poole-frenkel", "conductivity": 4.0, "barrier": 0.4, "permittivity": 5.5}
CURVE = (
    'drive = { kind = "iv", voltages = ["-0.3 V", "-1 mV", "0 V", "0.2 V", "0.5 V"], states = { new = [] } }\n' + BARE
)
FREQUENCIES = 'frequencies = ["1 Hz", "1 MHz"]'
ANSWER = f"""drive = {{ kind = "impedance", bias = ["-0.3 V", "0.4 V"], states = {{ new = [] }}, {FREQUENCIES} }}
"""
PULSE = 'drive = { kind = "pulse", voltage = "1.6 V", width = "1 us", read = {} }\n' + BARE
# a neutral film that no electron tunnels through
THICK = SMALL | {
    "device__film__thickness": 2e-8,
    "device__film__fixed_charge": -4e26,
    "device__left__barrier": 3.0,
    "device__right__band_offset": 2.5,
}


def by_voltage(ds, name):
    return ds[name].values[0, 0]


@needs_speed
@pytest.mark.parametrize("resistance", [0.0, 2e4])
def test_a_junction_with_an_ohmic_leak_alone_is_a_resistor(resistance):
    """Two columns, the circuit in series: current and resistance under a small signal."""
    film = case(CURVE, **THICK, **COLUMNS, device__leaks=[OHMIC], circuit__series_resistance=resistance)
    ds = run(film)
    expected = ds.bias.values / (resistance + 1.0 / (3e5 * AREA))
    assert by_voltage(ds, "bias_current") == pytest.approx(expected, rel=1e-8)
    assert by_voltage(ds, "bias_channel_share")[:, 1] == pytest.approx(np.ones(5), abs=1e-8)
    answer = run(case(ANSWER + BARE, **THICK, device__leaks=[OHMIC], circuit__series_resistance=resistance))
    assert answer.impedance_real.values[0, 0, :, 0] == pytest.approx(resistance + 1.0 / (3e5 * AREA), rel=1e-6)


@needs_speed
def test_an_ohmic_leak_is_in_parallel_with_the_capacitance():
    leaky = run(case(ANSWER + BARE, **THICK, device__leaks=[OHMIC]))
    tight = run(case(ANSWER + BARE, **THICK))
    inside = 3e5 * AREA + 2j * np.pi * leaky.frequency.values * tight.capacitance.values[0, 0]
    Z = leaky.impedance_real.values + 1j * leaky.impedance_imag.values
    assert Z[0, 0] == pytest.approx(1.0 / inside, rel=1e-7)


@needs_speed
@pytest.mark.parametrize("V", [-0.6, 0.0, 0.8])
def test_a_compact_model_reads_the_leaks_of_its_column(V):
    tight, leaky = case(**SMALL), case(**SMALL, device__leaks=[OHMIC])
    conductances = [
        readings(bench(film, model.members(film)[0]), model.uniform(film, model.members(film)), V)
        for film in (tight, leaky)
    ]
    added = conductances[1].conductance - conductances[0].conductance
    assert added == pytest.approx(3e5 * AREA, rel=1e-3)


@needs_speed
def test_a_leak_warms_the_junction_by_its_joule_power():
    """Of a resistor at a voltage for many time constants: T0 + R V^2 G."""
    heat = {"resistance": 2e5, "time_constant": 1e-9}
    film = case(PULSE, **THICK, device__leaks=[OHMIC], device__heat=heat, record__every="all")
    ds = run(film)
    hottest = ds.junction_temperature.values.max()
    assert hottest == pytest.approx(300.0 + 2e5 * 1.6**2 * 3e5 * AREA, rel=1e-6)


@needs_speed
def test_a_case_with_leaks_from_its_file_to_its_table(tmp_path):
    """What a user types: check, run, vary a leak, table and picture."""
    leaks = (
        '[[device.leaks]]\nkind = "ohmic"\nconductance = "3e5 S/m^2"\n'
        '[[device.leaks]]\nname = "traps"\nkind = "poole-frenkel"\nconductivity = "4 S/m"\nbarrier = "0.4 eV"\n'
        "permittivity = 5.5\n"
    )
    Path(tmp_path / "leaky.toml").write_text(CURVE + leaks)
    assert otjdd(tmp_path, "check", "leaky.toml").returncode == 0
    done = otjdd(tmp_path, "run", "leaky.toml", "--set", "device.leaks[0].conductance=6e5 S/m^2", "-o", "leaky.nc")
    assert done.returncode == 0, done.stderr
    done = otjdd(tmp_path, "export", "leaky.nc", "-o", "leaky.csv")
    assert done.returncode == 0, done.stderr
    assert "bias_channel_share traps (1)" in Path(tmp_path / "leaky.csv").read_text().splitlines()[0]
    done = otjdd(tmp_path, "plot", "leaky.nc", "--kind", "channels", "-o", "leaky.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "leaky.png").stat().st_size > 10_000
    grid = '"device.leaks[0].conductance" = ["1e5 S/m^2", "1e6 S/m^2"]'
    study = f'[study]\nkeep = ["bias_current", "bias_channel_share"]\ngrid = {{ {grid} }}\n'
    Path(tmp_path / "study.toml").write_text(CURVE + leaks + study)
    done = otjdd(tmp_path, "study", "study.toml", "--workers", "1", "-o", "points")
    assert done.returncode == 0, done.stderr
    wrong = otjdd(tmp_path, "check", "leaky.toml", "--set", "device.leaks[0].conductance=1e5 S")
    assert wrong.returncode != 0
    assert "S/m^2" in wrong.stderr + wrong.stdout


TOY_FORMULA = '''

def toy(numbers: np.ndarray, film: FilmBand, V: float, kT: float) -> float:
    """ln of J/V_j [S/m2] of a leak that grows with the mean field. numbers : g [S/m2], scale of the field [V/m]"""
    field = (film.right[film.right.size - 1] - film.left[0]) / film.length.sum()
    return math.log(numbers[0]) + (field / numbers[1]) ** 2
'''
TOY_RECORD = '''

class ToyLeak(Leak):
    """A toy."""

    kind: Literal["toy"]
    conductance: Annotated[float, Quantity("conductance per area", "1e-12 S/m^2", "1e18 S/m^2")] = key(
        "conductance per area at no field", example="1 S/m^2", kernel=0
    )
    scale: Annotated[float, Quantity("field", "1e3 V/m", "1e12 V/m")] = key(
        "scale of the field", example="1e8 V/m", kernel=1
    )


'''
WALK = """
from otjdd.case.case import parse_case
from otjdd.physics.state import ALL_ENERGIES
from otjdd.physics.channels.table import leak_conductance
from otjdd.solver import integrate, model
from otjdd.case import keys
import math, sys
film = parse_case(sys.stdin.read())
logs = []
for V in (0.5, 0.5001, 0.4999):
    moving = integrate.begin(model.junction(film), model.uniform(film, model.members(film)), rtol=1e-2, atol=1e-2)
    integrate.jump(moving, V)
    logs.append((moving, leak_conductance(moving.junction, moving.state, 0, 1, ALL_ENERGIES)))
from otjdd.physics.junction import closure_slope
moving, toy = logs[0]
state = moving.state
slope = toy.by_V + toy.by_D / closure_slope(moving.junction, 0, state.D_left[0], state.D_right[0], state.eps[0])
assert toy.by_V == 0.0 and abs(toy.by_D) > 0.0
expected = math.log(logs[1][1].chord / logs[2][1].chord) / 2e-4
assert abs(slope / expected - 1) < 1e-4, (slope, expected)
assert "device.leaks[0].scale" in keys.markdown()
print(model.channel_names(film))
"""


def test_a_toy_channel_touches_the_files_that_its_row_names(tmp_path):
    """A formula without slopes and a record, added to a copy of the package as 'How to add' says."""
    row = next(line for line in (PACKAGE / "README.md").read_text().splitlines() if line.startswith("| a channel"))
    shutil.copytree(PACKAGE, tmp_path / "otjdd", ignore=shutil.ignore_patterns("__pycache__"))
    edits = {
        "physics/channels/leaks.py": lambda text: text + TOY_FORMULA,
        "physics/channels/table.py": lambda text: text.replace(
            "LEAKS = {\n", 'LEAKS = {\n    "toy": Leak(leaks.toy, None, "none"),\n', 1
        ),
        "case/traps.py": lambda text: text.replace("\nAnyLeak =", TOY_RECORD + "AnyLeak =").replace(
            "Annotated[OhmicLeak |", "Annotated[ToyLeak | OhmicLeak |"
        ),
    }  # fmt: skip
    assert set(re.findall(r"`((?:physics|case)/[a-z_/]+\.py)`", row)) == set(edits)
    for name, edit in edits.items():
        path = tmp_path / "otjdd" / name
        before = path.read_text()
        path.write_text(edit(before))
        assert path.read_text() != before
    toy = '[[device.leaks]]\nkind = "toy"\nconductance = "1 S/m^2"\nscale = "1e8 V/m"\n'
    small = case(JUNCTION, device__film__cells=8, device__transmission="wkb").resolved()
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", WALK], input=small + toy, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'coherent' 'toy'" in done.stdout


def test_check_tells_of_a_leak_without_a_barrier():
    """b sqrt(E) = B at 3.5e8 V/m in the film of 2.8 nm, for b of the textbook in a permittivity of 5.5."""
    assert notes(case(PULSE, device__leaks=[OHMIC, TRAPS | {"barrier": 0.9}])) == []
    (note,) = notes(case(PULSE, device__leaks=[OHMIC, TRAPS | {"barrier": 0.6}]))
    assert note.startswith("device.leaks[1]: 1.6 V")
    assert f"{(0.6 / 7.588e-5) ** 2 * 5.5:.2g} V/m" in note

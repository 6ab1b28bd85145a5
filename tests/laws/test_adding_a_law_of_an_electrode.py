"""A law of an electrode is added as the map of the code says: a formula, and a row of LAWS."""

import subprocess
import sys

from otjdd.system import interpreter

TOY = """
from otjdd.laws import exchange
from otjdd.laws.exchange import LAWS, ExchangeLaw, Ways

def steady_gain(wall, contact, z, sites, rate):
    '''Vacancies at a given rate per site, whatever the film holds.'''
    return Ways(rate * sites, 0.0, 0.0, 0.0, 0.0, 0.0)

LAWS["steady-gain"] = ExchangeLaw(steady_gain, "a toy")

from devices import BETWEEN_METALS, begin, case, hold
film = case(BETWEEN_METALS, device__film__cells=8, numerics__rtol=1e-2).replace({
    "device.left.exchange": {"law": "steady-gain", "rate": "1e-14 m/s", "formation_energy": "1 eV"},
})
run = begin(film, voltage=0.0)
hold(run, 0.0, 1e-3)
print(run.state.passed[0, 0])
"""


def test_a_toy_law_needs_its_formula_and_its_row():
    environment = interpreter.environment() | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": "tests:."}
    done = subprocess.run([sys.executable, "-c", TOY], env=environment, capture_output=True, text=True, check=True)
    assert abs(float(done.stdout) / (1e-14 * 1e30 * 1e-3) - 1.0) < 1e-3  # few sites are taken

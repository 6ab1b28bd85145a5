"""Mutation testing of the kernels, on a kernel of two lines: a mutant that a test sees, and one that no test can see."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.campaign

ROOT = Path(__file__).parents[1]
SOURCE = "def double(x):\n    y = 2.0 * x\n    return y + 0\n"

TRIAL = """
from validation.tests import mutation
mutation.preload()
source = (mutation.ROOT / "otjdd" / "physics" / "numerics.py").read_text()
place = mutation.ROOT / "tests" / "physics" / "test_numerics.py"
files = [f"{place}::test_hermite_is_exact_for_cubics_from_the_first_node_to_the_last"]
wrong = mutation.Mutant("numerics", source.replace("f1 - f0", "f1 + f0"), 0, "", "")
harmless = mutation.Mutant("numerics", source.replace("SERIES = 0.15", "SERIES = 0.1500001"), 0, "", "")
endless = mutation.Mutant("numerics", source.replace("position = (x", "while True: pass\\n    position = (x"), 0, "", "")
mutation.CPU_SECONDS = 20
print(*(mutation.survives(mutant, files) for mutant in (None, wrong, harmless, endless)))
"""


def test_a_wrong_kernel_is_noticed_and_so_is_one_that_does_not_end_and_a_harmless_change_is_not():
    env = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", TRIAL], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False", "True", "False"], done.stderr


def test_mutants_are_those_of_operators_and_numbers_one_at_a_time():
    pytest.importorskip("cosmic_ray")  # not installed beside the lowest versions
    from validation.tests import mutation

    found = [mutation.mutant("numerics", SOURCE, *place) for place in mutation.places(SOURCE)]
    assert all(m.source.count("\n") == 3 and m.before != m.after for m in found)
    assert {(m.number, m.after) for m in found} >= {(2, "y = 2.0 / x"), (2, "y = 3.0 * x"), (3, "return y - 0")}
    assert len({m.source for m in found}) == len(found)


def test_every_explanation_is_of_a_line_that_is_there():
    from validation.tests import mutation

    assert mutation.explanations()
    for module, before, after in mutation.explanations():
        source = (ROOT / "otjdd" / mutation.home_of(module) / f"{module}.py").read_text()
        lines = [line.strip() for line in source.splitlines()]
        assert before in lines, f"{module}: {before}"
        assert after != before

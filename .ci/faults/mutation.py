"""Mutation testing of the kernels: change one operator or number of a module at a time, and see if a test fails.

cosmic-ray makes the mutants. Kernels run as Python, and no file is changed: a process that has loaded the libraries forks,
and the child loads the mutated source in place of the module and runs the tests until one fails. So a mutant costs the time
of its tests only. (mutmut is no alternative: it makes no mutants of decorated functions, and every kernel is one.)
"""

import importlib.util
import os
import random
import resource
import sys
import tomllib
from importlib.abc import MetaPathFinder, SourceLoader
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
EXPLAINED = Path(__file__).with_name("survivors.toml")

# Module -> test files. The most specific come first, because the first failure ends the trial of a mutant.
TESTS = {
    "laws": ("ions", "junction", "tunnelling", "conduction"),
    "ions": ("ions", "junction"),
    "electrostatics": ("electrostatics", "junction"),
    "junction": ("junction", "rosenbrock", "conduction"),
    "bands": ("bands", "conduction", "current"),
    "columns": ("conduction", "quasistatic", "current"),
    "current": ("current", "tunnelling", "conduction", "textbook"),
    "tunnelling": ("tunnelling", "current", "conduction"),
    "levels": ("levels", "current"),
    "numerics": ("numerics", "electrostatics", "rosenbrock"),
    "rosenbrock": ("rosenbrock", "stepper"),
    "quasistatic": ("quasistatic", "stepper", "conduction", "integrate"),
    "trial_step": ("stepper", "integrate"),
    "step_control": ("step_control", "stepper", "integrate"),
    "course": ("stepper", "integrate"),
    "run_log": ("stepper", "integrate"),
    "fermi_dirac": ("fermi_dirac", "electrostatics"),
    "textbook": ("textbook",),
}


HOMES = ("physics", "mechanisms", "mechanisms/electrons", "mechanisms/traps", "stepping", "analysis", ".")


def home_of(module: str) -> str:
    """Package of otjdd that a module is in."""
    return next(home for home in HOMES if (ROOT / "otjdd" / home / f"{module}.py").exists())


def source_of(module: str) -> str:
    """Source text of a module."""
    return (ROOT / "otjdd" / home_of(module) / f"{module}.py").read_text(encoding="utf-8")


def module_name(module: str) -> str:
    return f"otjdd.{home_of(module)}.{module}".replace("/", ".").replace("...", ".")


ARITHMETIC = ("Add", "Sub", "Mul", "Div")
COMPARISONS = "Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE Gt_LtE GtE_Gt GtE_Lt".split()
# Of cosmic-ray's operators those whose mutants are numbers still: % or << in their place would be noticed at once.
OPERATORS = (
    *(f"ReplaceBinaryOperator_{a}_{b}" for a in ARITHMETIC for b in ARITHMETIC if a != b),
    *(f"ReplaceComparisonOperator_{pair}" for pair in COMPARISONS),
    *("ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not", "AddNot", "NumberReplacer"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
)
CPU_SECONDS = 120  # a mutant that takes longer is taken for an endless loop, and counts as noticed
ADDRESS_SPACE = 8 << 30  # bytes
# until the first failure, and without the warning that what is preloaded was not rewritten
ONCE = ("-x", "-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", f"--rootdir={ROOT}")
ONCE = (*ONCE, "-c", str(ROOT / "pyproject.toml"))


class Mutant(NamedTuple):
    """A mutated source, and the changed line."""

    module: str
    source: str
    number: int  # of the line
    before: str
    after: str


class Score(NamedTuple):
    """Outcome of the tried mutants of a module."""

    there: int  # mutants there are
    tried: int
    survivors: tuple[Mutant, ...]


class Mutated(MetaPathFinder, SourceLoader):
    """Loads a module from a mutated source instead of its file."""

    def __init__(self, mutant: Mutant):
        self.mutant = mutant

    def find_spec(self, name, path, target=None):
        if name == module_name(self.mutant.module):
            return importlib.util.spec_from_loader(name, self)
        return None

    def get_filename(self, name):
        return f"<mutant of {name}>"

    def get_data(self, path):
        return self.mutant.source.encode()


def places(source: str) -> list[tuple[str, int]]:
    """Every mutation that the operators allow: (operator, occurrence)."""
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    nodes = list(ast_nodes(get_ast(source)))
    found = []
    for name in OPERATORS:
        operator = plugins.get_operator(f"core/{name}")()
        count = sum(len(list(operator.mutation_positions(node))) for node in nodes)
        found += [(name, i) for i in range(count)]
    return found


def mutant(module: str, source: str, operator: str, occurrence: int) -> Mutant:
    """The mutant of a source by one occurrence of an operator."""
    from cosmic_ray import plugins
    from cosmic_ray.mutating import mutate_code

    mutated = mutate_code(source, plugins.get_operator(f"core/{operator}")(), occurrence)
    pairs = zip(source.splitlines(), mutated.splitlines(), strict=True)
    number, (before, after) = next((i, pair) for i, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    return Mutant(module, mutated, number, before.strip(), after.strip())


def preload() -> None:
    """Import the libraries that every trial needs, but no module of otjdd that imports a kernel."""
    import hypothesis
    import mpmath  # noqa: F401
    import numba
    import pytest  # noqa: F401
    import scipy.integrate
    import scipy.optimize  # noqa: F401

    import otjdd.case.case  # noqa: F401

    if not numba.config.DISABLE_JIT:
        raise RuntimeError("numba was loaded before NUMBA_DISABLE_JIT was set")
    # the same examples for every mutant, and none sought that is simpler than the first that fails
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, phases=phases)
    hypothesis.settings.load_profile("mutants")
    sys.path.insert(0, str(ROOT / "tests"))


def survives(mutant: Mutant | None, files: list[str]) -> bool:
    """True if the tests in files pass with a mutant in place of its module; None is the unchanged module."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        trial(mutant, files)
    return os.waitpid(child, 0)[1] == 0


def trial(mutant: Mutant | None, files: list[str]) -> None:
    """Run the tests and end the process, with exit code 0 if they pass."""
    import pytest

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    code = 1
    try:
        if mutant is not None:
            sys.meta_path.insert(0, Mutated(mutant))
        code = pytest.main([*ONCE, *files])
    finally:
        os._exit(int(code))


def score(module: str, sample: int | None, seed: int, told=lambda mutant, alive: None) -> Score:
    """Try the mutants of a module, or a sample of them; told(mutant, alive) after each."""
    source = source_of(module)
    files = [str(next(ROOT.glob(f"tests/**/test_{name}.py"))) for name in TESTS[module]]
    if not survives(None, files):
        raise RuntimeError(f"the tests of {module} fail without any mutation")
    there = places(source)
    chosen = there if sample is None else random.Random(f"{module} {seed}").sample(there, min(sample, len(there)))
    alive = []
    for place in chosen:
        one = mutant(module, source, *place)
        lives = survives(one, files)
        told(one, lives)
        if lives:
            alive.append(one)
    return Score(len(there), len(chosen), tuple(alive))


def explanations() -> dict[tuple[str, str, str], str]:
    """Surviving mutants that need not be noticed: (module, line before, line after) -> the reason.

    Raises ValueError where a module has lost the line of a reason.
    """
    rows = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))
    for module, reasons in rows.items():
        lines = {line.strip() for line in source_of(module).splitlines()}
        lost = [row["before"] for row in reasons if row["before"] not in lines]
        if lost:
            raise ValueError(f"{EXPLAINED.name}: no line of {module} is {lost[0]!r}")
    return {
        (module, row["before"], after): row["why"]
        for module, found in rows.items()
        for row in found
        for after in row["after"]
    }

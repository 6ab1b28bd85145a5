"""The exceptions of otjdd, wherever they are defined: each survives the way from one process to another."""

import importlib
import inspect
import pickle
import pkgutil

import pytest

import otjdd
from otjdd.errors import MAX_PROBLEMS, CaseError, OtjddError, Status

ACTING = (".preload", ".__main__")  # in names of modules that act when they are imported, and define nothing
ARGUMENTS = {  # of exceptions whose constructor asks for more than words
    "NotAsExpected": ("a length", "2 eV"),
    "UnitError": ("a length", "2 eV"),
    "NoDifference": ("a length", "2 eV"),
    "CaseError": (["case.toml:1:1 title: expected text, got 1"],),
    "ResultError": ("a.nc", "is damaged", "run it again"),
    "OtherVersion": ("a.nc", "is damaged", "run it again"),
    "SolverError": (Status.NOT_FINITE.name, 1e-6, 2.2, 1e-9, 3.0, 1e-9),
    "NetworkError": (Status.LINES_NOT_SOLVED.name, 1e-6, 2.2, 0.0, 0.1, 0.0),
    "OutsideError": ("Film thickness: 1.2 to 5 nm here", "thickness"),
    "Stopped": ("interrupted by SIGTERM", False),
    "Refused": (5, "is not a regular file"),
    "TooLarge": (27, "is larger than 8 GiB"),
}


def exceptions() -> list[type[BaseException]]:
    """All exception classes that a module of otjdd defines."""
    names = [name for _, name, _ in pkgutil.walk_packages(otjdd.__path__, "otjdd.")]
    names = [name for name in names if not any(part in name for part in ACTING)]
    found = [
        value for name in names for value in vars(importlib.import_module(name)).values() if inspect.isclass(value)
    ]
    own = {value for value in found if issubclass(value, BaseException) and value.__module__.startswith("otjdd")}
    return sorted(own, key=lambda value: value.__qualname__)


def test_every_exception_survives_pickling():
    found = exceptions()
    assert {"ResultError", "SolverError", "Stopped", "Unclear", "Failed", "Refused"} <= {
        kind.__name__ for kind in found
    }
    for kind in found:
        error = kind(*ARGUMENTS.get(kind.__name__, ("words",)))
        error.partial = [1.0, 2.0]
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))
        assert getattr(again, "exit_code", None) == getattr(error, "exit_code", None)


def test_a_case_error_tells_a_limited_number_of_problems():
    assert str(CaseError(["a", "b"])) == "a\nb"
    assert str(CaseError(["a"] * MAX_PROBLEMS)).endswith("Only the first problems are shown.")


@pytest.mark.parametrize("kind", OtjddError.__subclasses__())
def test_every_error_has_an_exit_code(kind):
    assert kind.exit_code in range(1, 9)

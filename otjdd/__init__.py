"""otjdd: ionic drift-diffusion, Poisson and tunnelling current of oxide tunnel junctions.

case file -> Case (device, ions, circuit, drive) -> run -> Dataset -> figures

Names are loaded when they are first used, so that `import otjdd` costs next to nothing.
"""

import importlib

HOME = {
    "run": "solver.simulate",
    "study": "studies.study",
    "slope": "studies.sensitivity",
    "sobol_indices": "studies.sensitivity",
    "load_case": "case.case",
    "shipped_cases": "case.case",
    "Case": "case.case",
    "CaseError": "errors",
    "SolverError": "errors",
    "ResultError": "errors",
    "read": "results.store",
    "write": "results.store",
    "figure": "plot.result",
}

__all__ = ["__version__", *HOME]


def __getattr__(name: str):
    if name == "__version__":
        from importlib.metadata import version

        value = version("otjdd")
    elif name in HOME:
        value = getattr(importlib.import_module(f"otjdd.{HOME[name]}"), name)
    else:
        raise AttributeError(f"module 'otjdd' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})

"""otjdd: ionic drift-diffusion, Poisson and tunnelling current of oxide tunnel junctions.

    ds = otjdd.run("rv-loop", {"device.film.thickness": "3.2 nm"})   # an xarray.Dataset, SI units, energies in eV
    ds.otjdd.figure("loop").savefig("loop.pdf")

Cases
    cases()                     the cases that come with otjdd: name, title, question
    load_case(name_or_path)     read a case; Case.replace("key", "value with unit") changes it
Simulations
    run(case, changes)          one run -> Dataset
    study(case, out)            many runs, as the table [study] of the case says -> Dataset
    slope, sobol_indices        how a result of a study changes with one key, and which keys it depends on
    variability                 scatter of both states of a study's devices: cycle to cycle, device to device
Compact models
    compact(case)               extract one -> CompactModel, with its measured error; CompactModel.load(path)
Measured data
    read_data(file_or_arrays)   a file of any instrument, several, or arrays -> Dataset with units, records and noise floor
    by_record(data)             the same over record and point
    fit(data, case, vary)       parameters of a case from measured data -> Dataset: values, errors, correlations
    predict(fit, drive)         response of the fitted device to another drive, with percentiles -> Dataset
    design(fit, candidates)     which measurement to make next: expected errors after each candidate -> Dataset
Results
    read, write                 NetCDF files; an interrupted write leaves no incomplete file
    figure(ds, kinds)           matplotlib figure of a result or a study
    noise(ds)                   spectrum, slope and size of the noise of reads at one voltage
    resample(ds, step)          the time series at even times
    to_csv(ds, path)            the variables over one dimension as a table
    measured(**arrays)          a Dataset of measured arrays, for the metrics and figures
    ds.otjdd                    accessor: figure, reads, metrics, resample, to_csv
Numbers from results and from measured arrays
    synapse                     loops, states, retention, endurance, thresholds
    plasticity                  potentiation and depression, paired pulses, spikes, decay
    fits                        exponential and Gaussian, thermionic, trapezoid, Fowler-Nordheim, activation energy
    textbook                    closed formulas: Simmons, Gruverman, Fowler-Nordheim, Richardson-Schottky, and others
Errors
    CaseError, SolverError, ResultError

Each name is loaded at its first use, so `import otjdd` itself is fast.
"""

import importlib

from otjdd import accessor

TYPE_CHECKING = False  # type checkers assume True; importing `typing` would take most of the time of this module
if TYPE_CHECKING:
    from otjdd.analysis import fits as fits
    from otjdd.analysis import plasticity as plasticity
    from otjdd.analysis import synapse as synapse
    from otjdd.analysis import textbook as textbook
    from otjdd.analysis.current_noise import noise as noise
    from otjdd.case.case import Case as Case
    from otjdd.case.case import load_case as load_case
    from otjdd.case.document import ShippedCase as ShippedCase
    from otjdd.case.document import cases as cases
    from otjdd.case.document import shipped_cases as shipped_cases
    from otjdd.compact_models.build import compact as compact
    from otjdd.compact_models.model import CompactModel as CompactModel
    from otjdd.errors import CaseError as CaseError
    from otjdd.errors import ResultError as ResultError
    from otjdd.errors import SolverError as SolverError
    from otjdd.fitting.design import design as design
    from otjdd.fitting.fit import fit as fit
    from otjdd.fitting.prediction import predict as predict
    from otjdd.measurements.datasets import by_record as by_record
    from otjdd.measurements.read import read_data as read_data
    from otjdd.plot.figure import figure as figure
    from otjdd.results.outputs import measured as measured
    from otjdd.results.store import read as read
    from otjdd.results.store import write as write
    from otjdd.results.summary import to_csv as to_csv
    from otjdd.runs.run import run as run
    from otjdd.solver.time_series import resample as resample
    from otjdd.studies.dataset import slope as slope
    from otjdd.studies.dataset import sobol_indices as sobol_indices
    from otjdd.studies.dataset import variability as variability
    from otjdd.studies.study import study as study

    __version__: str

HOME = {
    "cases": "case.document",
    "shipped_cases": "case.document",
    "ShippedCase": "case.document",
    "load_case": "case.case",
    "Case": "case.case",
    "run": "runs.run",
    "study": "studies.study",
    "slope": "studies.dataset",
    "sobol_indices": "studies.dataset",
    "noise": "analysis.current_noise",
    "variability": "studies.dataset",
    "compact": "compact_models.build",
    "CompactModel": "compact_models.model",
    "fit": "fitting.fit",
    "predict": "fitting.prediction",
    "design": "fitting.design",
    "read_data": "measurements.read",
    "by_record": "measurements.datasets",
    "read": "results.store",
    "write": "results.store",
    "figure": "plot.figure",
    "resample": "solver.time_series",
    "to_csv": "results.summary",
    "measured": "results.outputs",
    "CaseError": "errors",
    "SolverError": "errors",
    "ResultError": "errors",
}
MODULES = {name: f"analysis.{name}" for name in ("synapse", "plasticity", "fits", "textbook")}

__all__ = ["__version__", *HOME, *MODULES]


accessor.register()


def lookup(name: str) -> object:
    """The object with a public name, imported at its first use: the `__getattr__` of this module. Raises AttributeError."""
    value: object
    if name == "__version__":
        from importlib.metadata import version

        value = version("otjdd")
    elif name in HOME:
        value = getattr(importlib.import_module(f"otjdd.{HOME[name]}"), name)
    elif name in MODULES:
        value = importlib.import_module(f"otjdd.{MODULES[name]}")
    else:
        raise AttributeError(f"module 'otjdd' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # with a module __getattr__, a type checker would accept any name
    __getattr__ = lookup

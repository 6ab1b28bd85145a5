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

import lazy_loader

from otjdd.system import late

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

late.when_imported("xarray", "otjdd.accessor")

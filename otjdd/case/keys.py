"""Reference of all keys of a case file: meaning, unit, default, range, and an example of that key.

Units, defaults and ranges are read from the schema. MEANINGS adds a meaning and an example to each key; a test compares
the two.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from otjdd.case import (
    columns,
    crossbar,
    device,
    drive,
    drive_patterns,
    electrodes,
    film,
    heat,
    leaks,
    permittivity,
    polarisation,
    targets,
)
from otjdd.case.case import Case
from otjdd.case.circuit import Circuit
from otjdd.case.explain import alternatives, words_of
from otjdd.case.fit_task import Fit, FitData, Vary
from otjdd.case.numerics import Numerics
from otjdd.case.recording import Recording
from otjdd.case.study_axes import Study
from otjdd.case.toml_text import toml_value
from otjdd.units import DIMENSIONS, write

# heading, path of its table, record; alternatives of a table are rows of their own
TABLES: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("The case", "", Case),
    ("Device", "device", device.Device),
    ("Film", "device.film", film.Film),
    ("Film of several layers", "device.film", film.LayeredFilm),
    ("A layer of a film", "device.film.layers", film.Layer),
    ("Electrode: metal", "device.left", electrodes.Metal),
    ("Electrode: semiconductor", "device.right", electrodes.Semiconductor),
    ('Permittivity: law = "linear"', "device.film.permittivity", permittivity.LinearPermittivity),
    ('Permittivity: law = "nonlinear"', "device.film.permittivity", permittivity.NonlinearPermittivity),
    ('Polarisation: law = "two-level"', "device.film.polarisation", polarisation.TwoLevel),
    ('Polarisation: law = "merz-kai"', "device.film.polarisation", polarisation.MerzKai),
    ('Polarisation: law = "nls"', "device.film.polarisation", polarisation.NucleationLimited),
    ("Heat", "device.heat", heat.Heat),
    ('Leak: kind = "ohmic"', "device.leaks[0]", leaks.OhmicLeak),
    ('Leak: kind = "poole-frenkel"', "device.leaks[0]", leaks.PooleFrenkelLeak),
    ('Leak: kind = "schottky"', "device.leaks[0]", leaks.SchottkyLeak),
    ("Ions", "ions", device.Ions),
    ("Columns", "columns", columns.Columns),
    ("A kind of columns", "columns.kinds", columns.ColumnKind),
    ("Circuit", "circuit", Circuit),
    ("Crossbar", "crossbar", crossbar.Crossbar),
    ("Cells of a crossbar", "crossbar.cells", crossbar.CrossbarCells),
    ('Access to a cell: kind = "switch"', "crossbar.access", crossbar.Switch),
    ('Access to a cell: kind = "selector"', "crossbar.access", crossbar.Selector),
    ("Record", "record", Recording),
    ("Numerics", "numerics", Numerics),
    ("Study", "study", Study),
    ("Fit", "fit", Fit),
    ("A parameter of a fit", "fit.vary", Vary),
    ("A data set of a fit", "fit.data", FitData),
    ("A read of a drive", "drive.read", drive.ReadSettings),
    *(  # type: ignore[arg-type]  # mypy sees their metaclass
        (f'Drive: kind = "{kind}"', "drive", record)
        for kind, record in {
            "hold": drive.Hold, "pulse": drive.Pulse, "train": drive.Train, "steps": drive.Steps,
            "write-read-loop": drive.WriteReadLoop, "triangle": drive.Triangle, "pund": drive.Pund, "spikes": drive.Spikes,
            "table": drive.Table, "sequence": drive.Sequence, "iv": drive.IV, "cv": drive.CV, "impedance": drive.Impedance,
            "patterns": drive_patterns.Patterns,
        }.items()
    ),
    *(  # type: ignore[arg-type]  # likewise
        (f'A part of a drive of patterns: kind = "{kind}"', "drive.parts[0]", record)
        for kind, record in {
            "write": drive_patterns.PatternWrite, "program": drive_patterns.PatternProgram,
            "read": drive_patterns.PatternRead, "rest": drive_patterns.PatternRest,
        }.items()
    ),
    ("Pulses that program cells", "drive.parts[0].set_pulse", drive_patterns.ProgramPulse),
    ("Targets in a text file", "drive.parts[0].targets", targets.TargetFile),
    ("Targets in a picture", "drive.parts[0].targets", targets.TargetPicture),
)  # fmt: skip
SELECTORS = {"kind", "law"}  # keys that the heading of a table states

# key of a record -> meaning, example as TOML; for a table of its own no example
MEANINGS: dict[str, tuple[str, str]] = {
    "Case.title": ("title of figures and results", '"R-V loop"'),
    "Case.temperature": ("temperature of the junction, or of its surroundings beside `device.heat`", '"300 K"'),
    "Case.device": ("the junction", ""),
    "Case.ions": ("the mobile ions", ""),
    "Case.columns": ("parallel columns of a junction that is not uniform", ""),
    "Case.circuit": ("what stands around the junction", ""),
    "Case.crossbar": ("an array of this junction, for a drive of patterns", ""),
    "Case.drive": ("what the source does", ""),
    "Case.record": ("what a result keeps", ""),
    "Case.numerics": ("accuracy and limits", ""),
    "Case.study": ("what a study varies and keeps", ""),
    "Case.fit": ("measured data, and the parameters that may move to meet them", ""),
    "Case.expect": ("what a run of the case should give, and how near", ""),
    "Device.radius": ("radius of the circular electrode", '"10 um"'),
    "Device.conducting_fraction": ("share of the area through which electrons pass", "4.2e-5"),
    "Device.richardson": ("Richardson constant of the electron supply", '"156 A/cm^2/K^2"'),
    "Device.transmission": ("method for the transmission", '"wkb"'),
    "Device.left": ("electrode at x = 0, to which the voltage is applied", ""),
    "Device.film": ("the oxide film", ""),
    "Device.right": ("electrode at x = L, grounded", ""),
    "Device.leaks": ("currents beside that through the band, a list of tables with a kind; none if absent", ""),
    **{
        f"{kind}.name": ("name in results; the kind if absent", '"edge"')
        for kind in ("OhmicLeak", "PooleFrenkelLeak", "SchottkyLeak")
    },
    "OhmicLeak.conductance": ("conductance per area", '"1e6 S/m^2"'),
    "PooleFrenkelLeak.conductivity": ("conductivity with all electrons free", '"0.1 S/m"'),
    "PooleFrenkelLeak.barrier": ("depth of the traps below the band, without a field", '"0.5 eV"'),
    "PooleFrenkelLeak.permittivity": ("dynamic permittivity, of frequencies at which ions stand still", "5.5"),
    "SchottkyLeak.left_barrier": ("barrier above the Fermi level of the left electrode, without a field", '"0.6 eV"'),
    "SchottkyLeak.right_barrier": ("the same at the right electrode", '"0.4 eV"'),
    "SchottkyLeak.richardson": ("Richardson constant times the share of the area that leaks", '"0.01 A/cm^2/K^2"'),
    "SchottkyLeak.permittivity": ("dynamic permittivity, of frequencies at which ions stand still", "5.5"),
    "Film.material": ("name of its material; no number depends on it", '"SrTiO3"'),
    "Film.thickness": ("thickness L", '"2.8 nm"'),
    "Film.cells": ("number of cells of the grid", "100"),
    "Film.grading": ("largest over smallest cell", "20"),
    "Film.permittivity": ("permittivity, a table with a law", ""),
    "Film.fixed_charge": ("immobile charge, in elementary charges, with its sign", '"-1e25 1/m^3"'),
    "Film.tunnelling_mass": ("mass under the barrier, in electron masses", "0.42"),
    "Film.image_permittivity": ("permittivity of the image force at metals, in T(E) alone; without it if absent", "5.3"),
    "Film.electrons": ("free electrons in the film", '"balance"'),
    "Film.density_of_states": ("density of states of the film; the right electrode's if absent", '"1e26 1/m^3"'),
    "LayeredFilm.layers": ("layers from left to right, a table each, in place of the keys of a film of one material", ""),
    "Layer.material": ("name of its material; no number depends on it", '"Al2O3"'),
    "Layer.thickness": ("thickness of the layer", '"1.3 nm"'),
    "Layer.cells": ("number of its cells", "60"),
    "Layer.grading": ("largest over smallest of its cells, which are finer at both of its ends", "20"),
    "Layer.permittivity": ("permittivity, a table with a law", ""),
    "Layer.fixed_charge": ("immobile charge, in elementary charges, with its sign", '"-1e25 1/m^3"'),
    "Layer.tunnelling_mass": ("mass under the barrier, in electron masses", "0.3"),
    "Layer.density_of_states": ("density of states, for the estimate of electrons in the film", '"1e26 1/m^3"'),
    "Layer.band_offset": ("conduction band minus that of the first layer", '"-1.2 eV"'),
    "Layer.ions": ("mobile ions, or none: a layer without sites, which no ion enters", '"none"'),
    "Layer.site_density": ("sites of ions per volume; that of [ions] if absent", '"5e28 1/m^3"'),
    "Layer.activation_energy": ("migration barrier; that of [ions] if absent", '"0.9 eV"'),
    "Layer.prefactor": ("prefactor of the diffusivity; that of [ions] if absent", '"1e-7 m^2/s"'),
    "Layer.hop_distance": ("hop distance; that of [ions] if absent", '"0.26 nm"'),
    "Layer.site_energy": ("energy of a vacancy in the layer", '"-0.1 eV"'),
    "Layer.interface_barrier": ("barrier of the hop to the next layer; none of its own if absent", '"0.9 eV"'),
    "Metal.material": ("name of its material; no number depends on it", '"Pt"'),
    "Metal.barrier": ("conduction band of the film above the Fermi level", '"0.64 eV"'),
    "Metal.screening_length": ("Thomas-Fermi screening length", '"0.05 nm"'),
    "Metal.relative_permittivity": ("permittivity of the screening layer", "2"),
    "Metal.mass": ("mass in the metal, in electron masses", "1"),
    "Metal.band_depth": ("bottom of the band below the Fermi level", '"5 eV"'),
    "Semiconductor.material": ("name of its material; no number depends on it", '"Nb:SrTiO3"'),
    "Semiconductor.band_offset": ("conduction band of the film minus that of the electrode", '"-0.08 eV"'),
    "Semiconductor.doping": ("density of ionised donors", '"1.2e26 1/m^3"'),
    "Semiconductor.density_of_states": ("effective density of states; from the mass if absent", '"1e26 1/m^3"'),
    "Semiconductor.permittivity": ("permittivity, a table with a law", ""),
    "Semiconductor.mass": ("mass in the electrode, in electron masses", "1.3"),
    "LinearPermittivity.eps_r": ("relative permittivity", "25"),
    "NonlinearPermittivity.b": ("b of D = eps0 [eps_inf E + b asinh(E/sqrt(a))]", '"1.42e10 V/m"'),
    "NonlinearPermittivity.a": ("a of the same", '"2.65e15 V^2/m^2"'),
    "NonlinearPermittivity.temperature_law": ('"suzuki": b and a hold at 300 K and scale with temperature', '"suzuki"'),
    "NonlinearPermittivity.eps_inf": ("permittivity at the highest fields", "7"),
    "Film.polarisation": ("polarisation of a ferroelectric film, a table with a law; none if absent", ""),
    **{
        f"{law}.{key}": meaning
        for law in ("TwoLevel", "MerzKai", "NucleationLimited")
        for key, meaning in {
            "saturation": ("P_s of the film", '"27 uC/cm^2"'),
            "initial": ("P at the start over P_s, positive towards the right electrode", "-1"),
            "offset_field": ("field by which the loop is shifted (imprint)", '"0.2 MV/cm"'),
            "curie_temperature": ("P_s falls to 0 there, as a square root; it is constant if absent", '"720 K"'),
            "reference_temperature": ("temperature at which P_s is the one given", '"300 K"'),
        }.items()
    },
    "TwoLevel.barrier": ("barrier w_b between the two levels", '"1.05 eV"'),
    "TwoLevel.dipole_length": ("length d_e over which a field shifts the levels", '"7.5 nm"'),
    **{
        f"{law}.{key}": meaning
        for law in ("MerzKai", "NucleationLimited")
        for key, meaning in {
            "time": ("switching time tau0 in the highest field", '"1 ns"'),
            "activation_field": ("E_a of tau = tau0 exp[(E_a/E)^alpha]", '"10 MV/cm"'),
            "exponent": ("alpha of the same", "2"),
            "dimension": ("n of 1 - exp[-(t/tau)^n]", "1"),
        }.items()
    },
    "Device.heat": ("heat of the current; the junction stays at the temperature of the case if absent", ""),
    "Heat.resistance": ("to the surroundings, or `\"spreading\"`: 1/(4 conductivity radius)", '"1e6 K/W"'),
    "Heat.conductivity": ("thermal conductivity around the junction, for spreading", '"11 W/m/K"'),
    "Heat.time_constant": ("thermal resistance times heat capacity", '"10 ns"'),
    "Heat.capacity": ("heat capacity, in place of the time constant", '"1e-17 J/K"'),
    "Heat.share": ("share of the power I V_j that is left in the junction", "0.5"),
    "Heat.of": ("what has a temperature of its own", '"columns"'),
    "Ions.charge": ("charge number", "2"),
    "Ions.site_density": ("density of sites", '"5e28 1/m^3"'),
    "Ions.density": ("mean density in the film", '"3.7e26 1/m^3"'),
    "Ions.law": ("field dependence of the hop", '"mott-gurney"'),
    "Ions.hop_distance": ("distance of a hop along x", '"0.39 nm"'),
    "Ions.attempt_frequency": ("attempts of a hop; caps the drift velocity", '"1e13 Hz"'),
    "Ions.activation_energy": ("activation energy of the diffusivity, in the middle of the film", '"0.45 eV"'),
    "Ions.activation_energy_rise": ("its value at the right end minus that at the left end, linear between", '"-0.2 eV"'),
    "Ions.prefactor": ("prefactor of the diffusivity", '"5e-7 m^2/s"'),
    "Ions.ionisation_energy": ("depth below the band of an electron that an ion may hold; none if absent", '"0 eV"'),
    "Ions.well_left": ("depth of the sites at the left interface", '"0.35 eV"'),
    "Ions.well_right": ("depth of the sites at the right interface", '"1.1 eV"'),
    "Ions.well_width": ("width of both", '"0.29 nm"'),
    "Ions.initial": ("state to start from", '"equilibrium"'),
    "Ions.noise": ('"shot" lets single ions hop at random, "none" a density flow', '"shot"'),
    "Ions.seed": ("of the hops: names the run", "7"),
    "Columns.count": ("columns for each key that is spread", "5"),
    "Columns.nodes": ("where values with a standard deviation lie: normal, uniform, or drawn", '"gauss-legendre"'),
    "Columns.seed": ("seed of draws", "1"),
    "Columns.spread": ("dotted key -> standard deviation or law", '{ "ions.activation_energy" = "60 meV" }'),
    "Columns.together": ("keys that move along one quantile", '["ions.activation_energy", "-device.left.barrier"]'),
    "Columns.kinds": ("parts of the area that differ in device or ions", ""),
    "ColumnKind.name": ("name in results and pictures", '"background"'),
    "ColumnKind.share": ("share of the area; what all leave insulates", "0.01"),
    "ColumnKind.set": ("dotted keys of device and ions with their values here", '{ "device.left.barrier" = "0.7 eV" }'),
    "ColumnKind.count": ("columns of this kind; as in [columns] if absent", "1"),
    "ColumnKind.nodes": ("as in [columns] if absent", '"gauss-legendre"'),
    "ColumnKind.seed": ("as in [columns] if absent", "1"),
    "ColumnKind.spread": ("as in [columns] if absent", '{ "ions.activation_energy" = "60 meV" }'),
    "ColumnKind.together": ("as in [columns] if absent", '["ions.activation_energy", "ions.density"]'),
    "Circuit.series_resistance": ("resistance in series", '"55 ohm"'),
    "Circuit.parallel_capacitance": ("capacitance across the junction", '"30 pF"'),
    "Circuit.compliance": ("largest current of the source", '"10 mA"'),
    "Circuit.range": ("current at which the instrument clips", '"1 mA"'),
    "Circuit.bandwidth": ("bandwidth of the instrument, one pole", '"5 MHz"'),
    "Circuit.time_constant": ("the same as a time", '"1 us"'),
    "Recording.every": ("time steps in the time series", '"reads"'),
    "Recording.windows": ("intervals of which all steps are kept", '[["0 s", "2 us"]]'),
    "Recording.profiles": ("snapshots, evenly spread over the drive", "20"),
    "Recording.profiles_at": ("times of further snapshots", '["1 us", "1 ms"]'),
    "Recording.profiles_at_reads": ("a snapshot with every read", "true"),
    "Numerics.rtol": ("error of a time step: of the band edge in kT, of charges and of concentrations relative", "1e-3"),
    "Numerics.atol": ("error of a concentration, in units of the mean density of the ions", "1e-4"),
    "Numerics.max_steps": ("most time steps of a run", "10000000"),
    "Numerics.largest_leap": ("share of the ions of a column that random hops may change in a step", "0.03"),
    "Numerics.error": (
        "reads extrapolated from two grids, errors stated from three, or both", '"estimate"',
    ),
    "Numerics.current_tolerance": ("relative error of recorded currents", "1e-5"),
    "Study.grid": ("keys whose values are all combined", '{ "device.film.thickness" = ["2.6 nm", "3 nm"] }'),
    "Study.zip": ("keys that change together, lists of one length", '{ temperature = ["250 K", "350 K"] }'),
    "Study.points": ("tables of keys, a point each", '[{ temperature = "250 K" }]'),
    "Study.sample": ("draws: method, count, seed, over", '{ count = 8, over = { temperature = { values = ["9 K"] } } }'),
    "Study.keep": ("outputs and metrics that are kept", '["read_resistance[-1]", "loop.ratio"]'),
    "Study.time_limit": ("most time that a point may take", '"60 s"'),
    "Fit.vary": ("dotted key -> bounds and scale", '{ "device.left.barrier" = {} }'),
    "Fit.data": ("data sets", '[{ file = "loop.csv" }]'),
    "Fit.loss": ("how residuals count; all but the linear loss bear outliers", '"soft-l1"'),
    "Fit.noise": ("noise of the instrument, which adds to the relative uncertainty", '"1 pA"'),
    "Vary.low": ("lower bound; that of the key if absent", '"0.5 eV"'),
    "Vary.high": ("upper bound; that of the key if absent", '"0.8 eV"'),
    "Vary.log": ("a logarithmic scale; for what is positive by nature if absent", "true"),
    "Vary.each": ("a value for each data set", "true"),
    "FitData.file": ("file of measured data", '"loop.csv"'),
    "FitData.set": ("changes of the case for these data", '{ temperature = "350 K" }'),
    "FitData.weight": ("weight of the squares of these data", "0.5"),
    "FitData.state": ("state of a drive of curves at frozen ions", '"LRS"'),
    "FitData.noise": ("noise of the instrument of these data; that of the fit if absent", '"1 pA"'),
    "FitData.columns": ("quantity -> header of its column", '{ current = "Reading 2" }'),
    "FitData.sheet": ("sheet of a workbook, or table of a file; the first with a curve if absent", '"Run1"'),
    "FitData.skip": ("first and last lines of the file that are left out", "[[12, 20]]"),
    "FitData.from_name": ("what the name of the file says of the measurement", '"{temperature}K"'),
    "FitData.range": ("quantity -> ends of the points that are taken", '{ voltage = ["-1 V", "2 V"] }'),
    "ReadSettings.voltage": ("voltage of the read", '"0.1 V"'),
    "ReadSettings.duration": ("duration; the current is taken at the end", '"1 us"'),
    "ReadSettings.delay": ("time at 0 V before it", '"10 us"'),
    "Hold.voltage": ("voltage", '"0 V"'),
    "Hold.duration": ("duration", '"1e4 s"'),
    "Hold.reads_at": ("times of reads from the start", '["1 s", "10 s"]'),
    "Hold.reads_per_decade": ("reads in each decade of time from 1 us on", "3"),
    "Hold.read": ("the reads", ""),
    "Pulse.voltage": ("voltage of the plateau", '"2.2 V"'),
    "Pulse.width": ("duration of the plateau", '"50 ns"'),
    "Pulse.rise": ("time of the leading ramp", '"5 ns"'),
    "Pulse.fall": ("time of the trailing ramp", '"5 ns"'),
    "Pulse.wait": ("time at the base after it", '"1 us"'),
    "Pulse.base": ("voltage before and after", '"0.1 V"'),
    "Pulse.read": ("a read at the end", "{}"),
    "Train.voltage": ("voltage of the pulses", '"1.6 V"'),
    "Train.width": ("duration of each plateau", '"1 us"'),
    "Train.count": ("number of pulses", "50"),
    "Train.period": ("time from start to start", '"10 us"'),
    "Train.frequency": ("the same as a frequency", '"5 MHz"'),
    "Train.rise": ("time of the leading ramps", '"5 ns"'),
    "Train.fall": ("time of the trailing ramps", '"5 ns"'),
    "Train.base": ("voltage in between", '"0.1 V"'),
    "Train.read_each": ("a read after each pulse", "true"),
    "Train.read": ("the reads; without read_each one after the last pulse", "{}"),
    "Steps.voltages": ("voltages of the plateaus", '["1 V", "2 V"]'),
    "Steps.path": ("instead: vertices of the path", '["0 V", "2.2 V", "0 V"]'),
    "Steps.step": ("step along the path", '"0.1 V"'),
    "Steps.width": ("duration of a plateau", '"100 ms"'),
    "Steps.cycles": ("repetitions of the whole", "3"),
    "Steps.read_each": ("a read at the end of every plateau", "true"),
    "WriteReadLoop.path": ("vertices of the path of the writes", '["0 V", "2.2 V", "-4.3 V", "0 V"]'),
    "WriteReadLoop.step": ("step along the path", '"0.1 V"'),
    "WriteReadLoop.width": ("duration of a write", '"100 ms"'),
    "WriteReadLoop.rise": ("time of the leading ramp", '"1 us"'),
    "WriteReadLoop.fall": ("time of the trailing ramp", '"1 us"'),
    "WriteReadLoop.wait": ("time at 0 V before the read", '"1 ms"'),
    "WriteReadLoop.cycles": ("repetitions of the path", "2"),
    "WriteReadLoop.read": ("the reads", ""),
    "Pund.voltage": ("voltage of the positive pulses", '"3 V"'),
    "Pund.width": ("duration of a plateau; 0 for triangles", '"10 us"'),
    "Pund.rise": ("rise from, and fall to, 0 V", '"1 us"'),
    "Pund.wait": ("pause at 0 V before the first and after each pulse", '"10 us"'),
    "Triangle.path": ("vertices of the path", '["0 V", "2 V", "-2 V", "0 V"]'),
    "Triangle.rate": ("slope of the voltage", '"1 V/s"'),
    "Triangle.step": ("a staircase of this step instead of a ramp, read on each step", '"20 mV"'),
    "Triangle.delay": ("from the beginning of a step to its read; its end if absent", '"10 ms"'),
    "Triangle.cycles": ("repetitions of the path", "3"),
    "Spikes.pieces": ("drives by name, parts of spikes", '{ peak = { kind = "pulse", voltage = "1 V", width = "1 us" } }'),
    "Spikes.pre": ("names of the pieces of the spike on the left", '["peak"]'),
    "Spikes.post": ("names of those of the spike on the right", '["peak"]'),
    "Spikes.delay": ("start of the right spike after the left one", '"3 us"'),
    "Table.points": ("breakpoints of time and voltage", '[["0 s", "0 V"], ["1 us", "1 V"]]'),
    "Table.file": ("instead: a text file of two columns", '"waveform.csv"'),
    "Table.reads_at": ("times of reads", '["1 us"]'),
    "Sequence.parts": ("drives, one after the other", '[{ kind = "hold", voltage = "0 V", duration = "1 s" }]'),
    "Sequence.repeat": ("repetitions of the whole", "10"),
    "IV.voltages": ("voltages of a curve", '["-0.1 V", "0.1 V"]'),
    "IV.start": ("instead: first voltage", '"-0.5 V"'),
    "IV.stop": ("last voltage", '"0.5 V"'),
    "IV.step": ("step between", '"20 mV"'),
    "IV.temperatures": ("temperatures of the curves; the ions move at the case's", '["250 K", "300 K"]'),
    "IV.states": ("name -> writes that prepare the state", '{ LRS = [{ voltage = "2.2 V", duration = "100 ms" }] }'),
    "CV.voltages": ("voltages of a curve", '["-0.1 V", "0.1 V"]'),
    "CV.start": ("instead: first voltage", '"-2 V"'),
    "CV.stop": ("last voltage", '"0.5 V"'),
    "CV.step": ("step between", '"50 mV"'),
    "CV.frequencies": ("frequencies, a list or a table of start, stop and per_decade", '["1 kHz", "1 MHz"]'),
    "CV.temperatures": ("temperatures of the curves; the ions are prepared at the case's", '["250 K", "300 K"]'),
    "CV.states": ("name -> writes that prepare the state", '{ LRS = [{ voltage = "2.2 V", duration = "100 ms" }] }'),
    "CV.ions": ("the ions stand still under the small signal, or answer it", '"moving"'),
    "CV.settle": ("the ions come to rest at each bias first", "true"),
    "CV.polarisation": ("the polarisation stands still under the small signal, or answers it", '"following"'),
    "CV.path": ("instead of voltages: the bias moves along it, ions and polarisation with it", '["-3 V", "3 V", "-3 V"]'),
    "CV.rate": ("how fast it moves, by a step in step / rate", '"10 V/s"'),
    "Impedance.bias": ("voltages of the source", '["0 V", "0.5 V"]'),
    "Impedance.frequencies": (
        "frequencies, a list or a table of start, stop and per_decade",
        '{ start = "1 Hz", stop = "1 GHz", per_decade = 5 }',
    ),
    "Impedance.temperatures": ("temperatures; the ions are prepared at the case's", '["250 K", "300 K"]'),
    "Impedance.states": ("name -> writes that prepare the state", '{ LRS = [{ voltage = "2.2 V", duration = "100 ms" }] }'),
    "Impedance.ions": ("the ions stand still under the small signal, or answer it", '"moving"'),
    "Impedance.settle": ("the ions come to rest at each bias first", "true"),
    "Impedance.polarisation": ("the polarisation stands still under the small signal, or answers it", '"following"'),
    "Crossbar.word_lines": ("lines that lead to the left electrodes", "64"),
    "Crossbar.bit_lines": ("lines that lead to the right electrodes", "64"),
    "Crossbar.line_resistance": ("resistance of a line from cell to cell, and from its driver to the first", '"2 ohm"'),
    "Crossbar.driver_resistance": ("resistance of each driver", '"50 ohm"'),
    "Crossbar.cells": ("junctions of another size, or that differ from each other", '{ radius = "1 um", devices = 25 }'),
    "Crossbar.access": (
        "what stands in series with each junction: a switch or a selector", '{ kind = "switch", on_resistance = "1 kohm" }'
    ),
    "CrossbarCells.radius": ("radius of each cell; that of the device if absent", '"1 um"'),
    "CrossbarCells.devices": ("drawn from `columns.spread` or a noisy model, by the study, or by own draws", '"study"'),
    "CrossbarCells.seed": ("seed of the deal", "7"),
    "Switch.on_resistance": ("resistance on the word line that is written or read", '"1 kohm"'),
    "Switch.off_resistance": ("resistance on all others", '"1 Tohm"'),
    "Selector.law": ("course of its voltage with the current", '"exponential"'),
    "Selector.voltage": ("threshold; of an exponential, the voltage for a factor e of the current", '"0.5 V"'),
    "Selector.current": ("current at which a threshold is passed; prefactor of an exponential", '"1 nA"'),
    "Selector.on_resistance": ("resistance in series with that", '"1 kohm"'),
    "Crossbar.model": ("compact model by `otjdd compact`; extracted from the case if absent", '"model.nc"'),
    "Patterns.scheme": ("what unselected lines are at during a write: V/2, or V/3 and 2 V/3", '"third"'),
    "Patterns.parts": ("writes, reads and rests, one after the other", '[{ kind = "read" }]'),
    "PatternWrite.pattern": ("a text for each word line, # for cells to write; all cells if absent", '["#.", ".#"]'),
    "PatternWrite.voltage": ("voltage across the cells that are written", '"2.2 V"'),
    "PatternWrite.width": ("duration of each pulse", '"1 us"'),
    "PatternWrite.count": ("pulses on each word line", "10"),
    "PatternWrite.period": ("time from start to start", '"2 us"'),
    "PatternProgram.targets": (
        "conductances: one for all cells, rows of them, a text file or a picture", '[["2 uS", "5 uS"], ["1 uS", "8 uS"]]'
    ),
    "PatternProgram.set_pulse": (
        "pulses that raise the conductance",
        '{ voltage = "1.3 V", width = "1 us", voltage_step = "50 mV", highest = "2.4 V" }',
    ),
    "PatternProgram.reset_pulse": (
        "pulses that lower it", '{ voltage = "-1 V", width = "1 us", voltage_step = "50 mV", highest = "-3 V" }'
    ),
    "PatternProgram.tolerance": ("relative error of a conductance that is left alone", "0.1"),
    "PatternProgram.most_pulses": ("largest number of pulses on a cell", "50"),
    "PatternProgram.rounds": ("turns over all word lines; later ones for cells that others have disturbed", "2"),
    "PatternProgram.read_voltage": ("voltage of the word line that is read", '"0.1 V"'),
    "PatternProgram.read_duration": ("duration of each read", '"1 us"'),
    "ProgramPulse.voltage": ("voltage of a cell's first pulse in a direction", '"1.3 V"'),
    "ProgramPulse.width": ("width of that pulse", '"1 us"'),
    "ProgramPulse.voltage_step": ("by so much each further pulse is higher", '"50 mV"'),
    "ProgramPulse.highest": ("voltage at which steps end; needed beside `voltage_step`", '"2.4 V"'),
    "ProgramPulse.width_factor": ("by so much each further pulse is longer", "1.5"),
    "ProgramPulse.longest": ("width at which they do not become longer; needed beside `width_factor`", '"1 ms"'),
    "TargetFile.file": ("a line of numbers for each word line", '"targets.csv"'),
    "TargetFile.unit": ("unit of the numbers", '"uS"'),
    "TargetPicture.picture": ("a picture with a pixel for each cell", '"letter.png"'),
    "TargetPicture.black": ("conductance of black", '"1 uS"'),
    "TargetPicture.white": ("conductance of white", '"10 uS"'),
    "TargetPicture.scale": ("what is proportional to the grey: the conductance or its logarithm", '"logarithmic"'),
    "PatternRead.voltage": ("voltage of the word line that is read", '"0.1 V"'),
    "PatternRead.duration": ("duration of each read; the currents are taken at its end", '"1 us"'),
    "PatternRead.unselected": ("what the other lines do: at 0 V, or free, cell after cell being read", '"floating"'),
    "PatternRest.duration": ("duration, all lines at 0 V", '"500 s"'),
}  # fmt: skip


class Key(NamedTuple):
    """One key: dotted path, meaning, unit in which results hold it, default as TOML, range in words, example as TOML."""

    path: str
    meaning: str
    unit: str
    default: str
    range: str
    example: str


def keys_of(path: str, record: type[BaseModel]) -> Iterator[Key]:
    """Keys of a record at a path."""
    schema = record.model_json_schema()
    (table,) = alternatives(schema, schema, None)  # resolves the reference of a record that contains itself
    for name, node in table["properties"].items():
        if name in SELECTORS:
            continue
        meaning, example = MEANINGS[f"{record.__name__}.{name}"]
        found = [n for n in alternatives(schema, node, None) if n.get("type") != "null"]
        units = [dimension.unit for dimension in DIMENSIONS.values() for n in found if in_dimension(n, dimension.name)]
        words = list(dict.fromkeys(word for n in found if (word := word_of(n))))
        default = "required" if record.model_fields[name].is_required() else default_of(node, found)
        dotted = f"{path}.{name}" if path else name
        yield Key(dotted, meaning, units[0] if units else "", default, " or ".join(words), example)


def in_dimension(node: dict[str, Any], name: str) -> bool:
    """True for a node of a quantity of that name."""
    return node.get("type") == "string" and f"{node.get('description', '')} ".startswith(f"{name} ")


def word_of(node: dict[str, Any]) -> str:
    """Range of one alternative in words: bounds, choices, or the kind of value."""
    choices = node.get("enum", [node["const"]] if "const" in node else [])
    return ", ".join(f'"{choice}"' for choice in choices) or words_of(node)


def default_of(node: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """Default as TOML, a number in SI with its unit; "none" where there is no default."""
    value = node.get("default")
    if value in (None, [], {}):
        return "none"
    dimension = next((d for d in DIMENSIONS.values() for n in found if in_dimension(n, d.name)), None)
    if dimension and not isinstance(value, str):
        return toml_value(write(value, next(k for k, d in DIMENSIONS.items() if d is dimension)))
    return "as its own table" if isinstance(value, dict) else toml_value(value)


def markdown() -> str:
    """All keys as Markdown, a table for each record."""
    parts = []
    for heading, path, record in TABLES:
        rows = "\n".join(
            f"| `{k.path}` | {k.meaning} | {k.unit} | {code(k.default)} | {k.range} | {code(k.example)} |"
            for k in keys_of(path, record)
        )
        parts.append(
            f"**{heading}**\n\n| key | meaning | unit | default | range | example |\n|---|---|---|---|---|---|\n{rows}"
        )
    return "\n\n".join(parts)


def code(text: str) -> str:
    """A value in Markdown: as code, unless it is one of the words for "no value"."""
    return text if text in ("", "none", "required", "as its own table") else f"`{text}`"


def dotted_keys() -> list[str]:
    """All dotted keys, each once, for completion."""
    return list(dict.fromkeys(key.path for _, path, record in TABLES for key in keys_of(path, record)))

"""The table of all outputs of a run, and Datasets of them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.system.late import xr
from otjdd.variables import rows_of_outputs


class Output(NamedTuple):
    """One row of the table: dimensions, unit, long name."""

    dims: tuple[str, ...]
    unit: str
    long_name: str


BIASED = "state temperature bias"
_ROWS: dict[str, tuple[str, str, str]] = {
    # coordinates
    "time": ("time", "s", "time"),
    "x": ("x", "m", "distance from the left electrode, cell centres"),
    "bias": ("bias", "V", "voltage at the source"),
    "temperature": ("temperature", "K", "temperature"),
    "state": ("state", "1", "state prepared before the curve"),
    "frequency": ("frequency", "Hz", "frequency of the small signal"),
    # in time
    "voltage": ("time", "V", "voltage at the source"),
    "junction_voltage": ("time", "V", "voltage across the junction"),
    "band_bending": ("time", "eV", "band bending of the right electrode at the interface"),
    "electrode_charge": ("time", "C m^-2", "areal charge of the left electrode"),
    "right_electrode_charge": ("time", "C m^-2", "areal charge of the right electrode"),
    "terminal_charge_left": ("time", "C m^-2", "areal charge of the left electrode and the film electrons from it"),
    "terminal_charge_right": ("time", "C m^-2", "areal charge of the right electrode and the film electrons from it"),
    "film_electron_sheet": ("time", "m^-2", "electrons in the film per area"),
    "polarisation": ("time", "C m^-2", "polarisation of the film, towards the right electrode, mean over the columns"),
    "film_field": ("time", "V m^-1", "mean field of the film, towards the right electrode"),
    "vacancy_mean_position": ("time", "m", "mean distance of the vacancies from the left electrode"),
    "trapped_electrons": ("time", "m^-2", "electrons per area on traps whose filling takes time, mean over the columns"),
    "trapped_from_left": ("time", "m^-2", "electrons per area that these traps took from the left electrode so far"),
    "trapped_from_right": ("time", "m^-2", "electrons per area that these traps took from the right electrode so far"),
    "vacancies": ("time", "m^-2", "vacancies in the film per area, mean over the columns"),
    **{
        f"{name}_{side}": ("time", unit, long_name.format(side))
        for name, unit, long_name in (
            ("exchange_flux", "m^-2 s^-1", "vacancies that the {} electrode gives to the film per area and time"),
            ("wall_concentration", "m^-3", "vacancy concentration in the film at the {} electrode"),
            ("reservoir_filling", "1", "fraction of the oxygen sites of the {} electrode that is filled"),
        )
        for side in ("left", "right")
    },
    "current": ("time", "A", "current that the instrument reads"),
    "conduction_current": ("time", "A", "conduction current"),
    "conduction_current_error": ("time", "1", "estimated relative error of the conduction current between recorded times"),
    "displacement_current": ("time", "A", "displacement current, at a corner of the voltage that before it"),
    "displacement_current_after": ("time", "A", "displacement current, at a corner of the voltage that after it"),
    "mean_displacement_current": ("time", "A", "displacement current, mean over the interval that ends here"),
    "temperature_rise": ("time", "K", "estimated rise of the temperature, which the model itself leaves out"),
    "junction_temperature": ("time", "K", "temperature of the junction, of its hottest column"),
    "column_temperature": ("time column", "K", "temperature of each column"),
    "vacancy_balance": ("time", "1", "relative change of the number of vacancies"),
    # profiles, in full precision, so that a run that starts from them gives the same bits
    "cell_width": ("x", "m", "cell width"),
    "snapshot_time": ("snapshot", "s", "time of the profiles"),
    "vacancy_concentration": ("snapshot x", "m^-3", "vacancy concentration, mean over the columns"),
    **rows_of_outputs(),
    "conduction_band": ("snapshot x", "eV", "conduction band edge above the Fermi level of the right electrode"),
    "snapshot_junction_voltage": ("snapshot", "V", "voltage across the junction at the profiles"),
    "film_electrons": ("snapshot x", "m^-3", "electrons in the film, mean over the columns"),
    "film_electron_ratio": ("snapshot", "1", "largest density of film electrons over that which bends the band by kT"),
    "band_position": ("snapshot band", "m", "position in the band diagram, electrodes included"),
    "band_edge": ("snapshot band", "eV", "conduction band edge in the band diagram"),
    "spectrum_energy": ("snapshot energy", "eV", "energy of the tunnelling electrons"),
    "spectrum_density": ("snapshot energy", "A m^-2 eV^-1", "current density per energy"),
    "spectrum_trap_energy": ("snapshot energy", "eV", "energy of electrons that pass between traps and electrodes"),
    "spectrum_traps_left": ("snapshot energy", "A m^-2 eV^-1", "current per energy from traps to the left electrode"),
    "spectrum_traps_right": ("snapshot energy", "A m^-2 eV^-1", "current per energy from the right electrode to traps"),
    "film_electron_ratio_max": ("", "1", "largest density of film electrons over that which bends the band by kT"),
    "junction_temperature_max": ("", "K", "highest temperature of the junction"),
    "reservoir_share": ("", "1", "largest fraction of the sites of a reservoir of oxygen that was filled, or was empty"),
    "vacancy_loss": ("", "1", "vacancies that the film lost, at most, over those that it held at first"),
    "site_share": ("", "1", "largest fraction of the sites of the film that vacancies held"),
    "stack_leaps": ("", "1", "most jumps of the electrons to another stack while the voltage did not turn"),
    "read_grid_error": ("", "1", "estimated error by the cells of the first or the last read, whichever is larger"),
    "curve_grid_error": ("", "1", "estimated error by the cells of the currents and impedances of a curve, the largest"),
    "single_ion_share": ("", "1", "one ion over the ions of the column that holds fewest, where ions hop stochastically"),
    "column_weight": ("column", "1", "fraction of the area of all columns"),
    "column_kind": ("column", "1", "number of the kind of a column"),
    # layers of a film, where it has several
    "layer": ("layer", "1", "material of a layer of the film"),
    "layer_end": ("layer", "m", "distance of the right end of a layer from the left electrode"),
    "layer_vacancies": ("snapshot layer", "m^-2", "vacancies per area in a layer, mean over the columns"),
    "trap": ("trap", "1", "name of traps in the film"),
    "trap_filling": ("snapshot trap x", "1", "occupancy of traps, mean over the columns; nan where none are"),
    "trap_current_left": ("snapshot trap x", "A m^-3", "current per volume from traps to the left electrode"),
    "trap_current_right": ("snapshot trap x", "A m^-3", "current per volume from the right electrode to traps"),
    "trap_charge": ("snapshot x", "C m^-3", "charge of traps, mean over the columns"),
    "layer_field": ("snapshot layer", "V m^-1", "field of a layer, towards the right electrode, mean over the columns"),
    # kinds of columns, where a case has several
    "kind": ("kind", "1", "kind of columns"),
    "kind_share": ("kind", "1", "fraction of a kind in the area of the junction"),
    "kind_conduction_current": ("time kind", "A", "conduction current through the columns of a kind"),
    "kind_vacancy_mean_position": ("time kind", "m", "mean distance of the vacancies of a kind from the left electrode"),
    "kind_read_current": ("read kind", "A", "current read through the columns of a kind"),
    "kind_bias_current": (f"{BIASED} kind", "A", "current through the columns of a kind"),
    "kind_capacitance": (f"{BIASED} frequency kind", "F", "capacitance of the columns of a kind, without the circuit"),
    "kind_conductance_ac": (f"{BIASED} frequency kind", "S", "conductance of the columns of a kind, without the circuit"),
    "rest_position": ("time column", "m", "mean distance from the left electrode at which vacancies relax at 0 V"),
    # reads
    "read_time": ("read", "s", "time of the read"),
    "write_voltage": ("read", "V", "voltage of the write before the read"),
    "write_end": ("read", "s", "end of the last write before the read"),
    "write_end_voltage": ("read", "V", "voltage at the end of the last write before the read"),
    "read_voltage": ("read", "V", "voltage of the source at the read"),
    "read_current": ("read", "A", "current read"),
    "read_current_error": ("read", "1", "relative error of the current read by levels too narrow to resolve"),
    "read_resistance": ("read", "ohm", "resistance read"),
    "read_resistance_error": ("read", "1", "relative error of the resistance read"),
    "read_resistance_grid_error": ("read", "1", "relative error of the resistance read, of the grid"),
    "read_resistance_time_error": ("read", "1", "relative error of the resistance read, of the time steps"),
    "read_resistance_column_error": ("read", "1", "relative error of the resistance read, of the number of columns"),
    "tunnelling_share": ("read", "1", "fraction of the current below the top of the barrier"),
    "transport_energy": ("read", "eV", "mean energy of the current above the emitting level"),
    "channel": ("channel", "1", "channel of conduction"),
    "read_channel_share": ("read channel", "1", "fraction of the read current through a channel of conduction"),
    # current against voltage with frozen ions
    "bias_current": (BIASED, "A", "current"),
    "bias_current_error": (BIASED, "1", "relative error of the current"),
    "bias_current_grid_error": (BIASED, "1", "relative error of the current, of the grid"),
    "bias_current_time_error": (BIASED, "1", "relative error of the current, of the time steps"),
    "bias_current_column_error": (BIASED, "1", "relative error of the current, of the number of columns"),
    "bias_current_level_error": (BIASED, "1", "relative error of the current by levels too narrow to resolve"),
    "bias_junction_voltage": (BIASED, "V", "voltage across the junction"),
    "bias_tunnelling_share": (BIASED, "1", "fraction of the current below the top of the barrier"),
    "bias_transport_energy": (BIASED, "eV", "mean energy of the current above the emitting level"),
    "bias_channel_share": (f"{BIASED} channel", "1", "fraction of the current through a channel of conduction"),
    "bias_band_bending": (BIASED, "eV", "band bending of the right electrode at the interface"),
    "bias_electrode_charge": (BIASED, "C m^-2", "areal charge of the left electrode"),
    "bias_right_electrode_charge": (BIASED, "C m^-2", "areal charge of the right electrode"),
    "bias_trap_charge": (f"{BIASED} x", "C m^-3", "charge of traps, mean over the columns"),
    "bias_polarisation": (BIASED, "C m^-2", "polarisation of the film, positive towards the right electrode"),
    # small signals
    "impedance_real": (f"{BIASED} frequency", "ohm", "real part of the impedance"),
    "impedance_imag": (f"{BIASED} frequency", "ohm", "imaginary part of the impedance"),
    "capacitance": (f"{BIASED} frequency", "F", "capacitance, with the conductance in parallel"),
    "conductance_ac": (f"{BIASED} frequency", "S", "conductance under the small signal, with the capacitance in parallel"),
    "trap_noise": (
        f"{BIASED} frequency", "A^2 Hz^-1",
        "spectral density of the current of traps whose filling takes time, without the circuit",
    ),
    "drift_ratio": (BIASED, "1", "drift of the conductance, or of P over P_s, in 1/(2 pi f) of the lowest frequency"),
    # a crossbar after each part of its drive; step 0 is the beginning
    "step_time": ("step", "s", "time at the end of a step"),
    "step_voltage": ("step", "V", "voltage across the cells that a step writes or reads, nan where it rests or programs"),
    "step_energy": ("step", "J", "energy that the drivers of the lines give in a step"),
    "settling_time": (
        "step", "s",
        "time of a read until all currents that it senses stay within 1 % of the steady ones, the longest of a scan, nan "
        "where a read ends before; of a write until the cells that it writes have 99 % of their largest voltage",
    ),
    "selected_energy": ("step", "J", "energy into the cells that a step writes or reads, while it does"),
    "half_selected_energy": ("step", "J", "energy into all other cells in a step"),
    "line_energy": ("step", "J", "energy into lines and drivers in a step, including their charging energy"),
    "step_operations": ("step", "1", "number of cells that a step writes or reads, one for each pulse"),
    "write_disturb": (
        "step", "1",
        "largest change of a cell that was not to be written, compared with one left alone, in decades of conductance",
    ),
    "cell_chosen": ("step word_line bit_line", "1", "1 for cells that a step writes or programs, else 0"),
    "cell_voltage": ("step word_line bit_line", "V", "voltage of largest magnitude across a cell in a step"),
    "cell_energy": ("step word_line bit_line", "J", "energy into a cell and its series resistance in a step"),
    "cell_conductance": ("step word_line bit_line", "S", "chord conductance of a cell at 0.1 V, without its lines"),
    "cell_rest_position": (
        "step word_line bit_line", "m",
        "distance from the left electrode at which the vacancies of a cell relax, mean over them",
    ),
    "sensed_current": (
        "step word_line bit_line", "A", "current of the bit line while the word line is read, nan where a step reads none",
    ),
    # of steps that program cells, nan in others
    "program_target": ("step word_line bit_line", "S", "conductance that a cell is programmed to"),
    "program_conductance": (
        "step word_line bit_line", "S",
        "conductance that a cell has after all are programmed: current of its bit line over the read voltage",
    ),
    "program_error": ("step word_line bit_line", "1", "programmed conductance over its target, less 1"),
    "program_pulses": ("step word_line bit_line", "1", "pulses on a cell to program it"),
    "program_energy": ("step word_line bit_line", "J", "energy into a cell while its word line is programmed and read"),
    "program_time": (
        "step word_line bit_line", "s", "time of a cell, from the beginning of its word line to its last read",
    ),
    "program_missed": ("step word_line bit_line", "1", "1 for cells that missed their target by more than the tolerance"),
    "sneak_share": (
        "step word_line bit_line", "1", "fraction of the sensed current that has not come through the cell that is read",
    ),
}  # fmt: skip
OUTPUTS = {name: Output(tuple(dims.split()), unit, long_name) for name, (dims, unit, long_name) in _ROWS.items()}

# Coordinates: each is a dimension of its own name, or lies along a dimension without values.
COORDINATES = {
    "time", "x", "bias", "temperature", "state", "frequency", "read_time", "write_voltage", "snapshot_time",
    "step_time", "kind", "channel", "layer", "trap",
}  # fmt: skip


TEXTS = {"state", "kind", "channel", "layer", "trap"}  # coordinates that are text


def dataset(
    arrays: Mapping[str, ArrayLike],
    coords: Mapping[str, ArrayLike] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Dataset of named arrays with the dimensions, units and long names of OUTPUTS.

    arrays, coords : name -> array-like, SI, energies in eV. Names in COORDINATES or `coords` become coordinates
    Raises ValueError for a name that is not in the table, and for a shape that does not fit it or the other arrays.
    """
    sizes: dict[str, tuple[int, str]] = {}
    variables = {name: _variable(name, value, sizes) for name, value in (dict(arrays) | dict(coords or {})).items()}
    where = {name for name in variables if name in COORDINATES or name in (coords or {})}
    data = {name: variable for name, variable in variables.items() if name not in where}
    return xr.Dataset(data, {name: variables[name] for name in variables if name in where}, dict(attrs or {}))


def selected_arrays(arrays: Mapping[str, ArrayLike], only: Collection[str]) -> dict[str, ArrayLike]:
    """The arrays that are in `only`, and the coordinates of their dimensions."""
    names = {*only, *(dim for name in only for dim in OUTPUTS[name].dims)}
    return {name: values for name, values in arrays.items() if name in names}


def measured(**arrays: ArrayLike) -> xr.Dataset:
    """A Dataset of measured arrays, named as the outputs of a run, for the metrics and figures of runs.

    arrays : SI, energies in eV: measured(write_voltage=V, read_resistance=R), measured(time=t, voltage=V, current=I)
    Raises ValueError for a name that is no output, and for lengths that do not fit each other.
    """
    return dataset(arrays)


def _variable(name: str, value: ArrayLike, sizes: dict[str, tuple[int, str]]) -> tuple[Any, ...]:
    """(dims, array, attrs) of one output. sizes : dimension -> its length and the output that set it; is extended"""
    if name not in OUTPUTS:
        close = difflib.get_close_matches(name, OUTPUTS, n=1)
        raise ValueError(f"there is no output {name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    dims, unit, long_name = OUTPUTS[name]
    array = np.asarray(value, dtype=None if name in TEXTS else float)
    if array.ndim != len(dims):
        raise ValueError(f"{name} has the dimensions {dims}, not the shape {array.shape}")
    for dim, size in zip(dims, array.shape, strict=True):
        length, other = sizes.setdefault(dim, (size, name))
        if size != length:
            raise ValueError(f"{name} is {size} long in {dim}, {other} is {length}")
    return dims, array, about(long_name, unit)


def about(words: str, unit: str = "1") -> dict[str, str]:
    """Attributes of a variable of a Dataset: its unit and its name in words."""
    return {"units": unit, "long_name": words}

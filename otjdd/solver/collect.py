"""Named arrays from the records of a run: time series, reads, kinds of columns, and profiles of kept states."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from otjdd import variables
from otjdd.case.case import Case
from otjdd.case.electrodes import exchanging_sides
from otjdd.case.kinds import kinds_of
from otjdd.constants import BOLTZMANN_EV
from otjdd.errors import SolverError
from otjdd.mechanisms.electrons import density as contacts
from otjdd.physics.bands import band_diagram, film_edges_at_right, straight_parts
from otjdd.physics.channels import current_by_energy
from otjdd.physics.junction import Junction, coupled
from otjdd.physics.state import State
from otjdd.results import outputs
from otjdd.results.outputs import OUTPUTS
from otjdd.solver import integrate, model, model_limits, time_series
from otjdd.solver.integrate import Run, row_widths
from otjdd.solver.model_limits import Ended, Reached, ending
from otjdd.solver.start import KeptState, bounded, without
from otjdd.solver.time_series import mean_rate, quotients, rates, simultaneous
from otjdd.solver.traps import trap_currents, trap_filling, trap_series
from otjdd.stepping import run_log
from otjdd.stepping.run_log import Watch, ratio_of_columns
from otjdd.variables import OF_CIRCUIT, OUTPUT
from otjdd.waveform.waveform import Chain, Waveform, last_writes

SMALLEST_JUMP = 1e-6  # V, larger than the change by settling once more


def readings(case: Case, moving: Run, waveform: Waveform | Chain) -> dict[str, np.ndarray]:
    """Arrays (R,) of the reads that were taken."""
    rows = np.concatenate(moving.reads) if moving.reads else np.zeros((0, row_widths(moving)[1]))
    first = run_log.READING + len(moving.junction.channels.code)  # of the columns, where they are told apart
    G = rows[:, run_log.READING : first]  # S, of the channels
    voltage, current = rows[:, run_log.READ_SOURCE], rows[:, run_log.READ_CURRENT]
    unseen = rows[:, run_log.READ_UNSEEN]  # error by levels too narrow to resolve
    write_end, write_end_voltage = last_writes(waveform, len(rows)).T.copy()
    return (
        {
            "read_time": rows[:, run_log.READ_TIME],
            "write_voltage": waveform.write_voltages[: len(rows)],
            "write_end": write_end,
            "write_end_voltage": write_end_voltage,
            "read_voltage": voltage,
            "read_current": current,
            "read_resistance": np.divide(voltage, current, out=np.full(len(rows), np.nan), where=current != 0.0),
            "tunnelling_share": rows[:, run_log.READ_SHARE],
            "transport_energy": rows[:, run_log.READ_ENERGY],
        }
        | ({"read_current_error": unseen} if (unseen > case.numerics.current_tolerance).any() else {})
        | ({"read_channel_share": G / G.sum(axis=1, keepdims=True)} if case.device.beside_coherent else {})
        | ({"kind_read_current": by_kind(case, rows[:, first:])} if moving.apart else {})
    )


def snapshots_of(case: Case, moving: Run, states: list[KeptState]) -> tuple[list[dict[str, Any]], Ended | None]:
    """Profiles of kept states, and what ended them early: a current that is not found, an interruption."""
    snapshots: list[dict[str, Any]] = []
    # memory that never changes, as the case does not have what it is of: polarisations, exchange, a circuit
    constant = set() if case.device.film.polarisation is not None else {"P"}
    constant |= set() if exchanging_sides(case.device) else {"passed", "smooth_passed"}
    constant |= set() if coupled(moving.junction) else set(OF_CIRCUIT)
    try:
        for state in states:
            snapshots.append(snapshot(case, moving, state, constant))
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        return snapshots, ending(error)
    return snapshots, None


def collected(
    case: Case,
    moving: Run,
    reads: dict[str, np.ndarray],
    snapshots: list[dict[str, Any]],
    only: Collection[str] | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Reached]]:
    """Outputs of a run and their coordinates, by name, and output -> `model_limits.Reached`.

    only : names that are taken, None for all; time series are left out if none is among them
    """
    junction = moving.junction
    rows = np.concatenate(moving.rows) if moving.rows else np.zeros((0, row_widths(moving)[0]))
    rows[:, variables.TIME] = simultaneous(rows[:, variables.TIME])
    rows = rows[recorded_once(rows)]
    along_time = only is None or any("time" in outputs.OUTPUTS[name].dims for name in only)
    arrays: dict[str, Any] = (
        series(case, junction, rows) if along_time else {"conduction_current": rows[:, variables.CURRENT]}
    )
    faces = model.film_faces(case.device.film)
    coords = {"time": rows[:, 0], "x": model.centres(faces)}
    arrays |= reads | {"cell_width": np.diff(faces), "column_weight": junction.columns.weight}
    stack = case.device.film.stack
    if len(stack) > 1:
        arrays["layer_end"] = np.cumsum([sheet.thickness for sheet in stack])
        names = [sheet.material or f"layer {number}" for number, sheet in enumerate(stack, 1)]
        coords["layer"] = np.array(names, dtype=object)
    if moving.apart:
        K = len(junction.columns.weight)
        arrays |= kinds_apart(case, junction, rows[:, variables.RECORD : variables.RECORD + 2 * K])
        coords["kind"] = np.array([kind.name for kind in kinds_of(case)], dtype=object)
    if case.device.beside_coherent:
        coords["channel"] = model.channel_names(case)
    if case.device.traps is not None and snapshots:
        coords["trap"] = np.array([trap.name for trap in case.device.traps], dtype=object)
    if snapshots:
        for name in snapshots[0]:
            values = [row[name] for row in snapshots]
            arrays[name] = rectangular(values) if name.startswith(("band_", "spectrum_")) else np.array(values)
        arrays["spectrum_density"] = arrays["spectrum_density"] * density_of_supply(case, junction)
    recorded = recorded_extremes(case, arrays, coords["time"])
    watched = watched_values(moving.watch, case.device.junction_area, case.device.heat is not None)
    reached = model_limits.larger(watched, recorded)
    if case.device.heat is not None:
        arrays["junction_temperature_max"] = reached["junction_temperature"].value
    arrays["film_electron_ratio_max"] = reached["film_electron_ratio"].value
    if case.device.film.electrons != "none":  # then they are part of the model
        del reached["film_electron_ratio"]
        arrays["stack_leaps"] = reached["stack_leaps"].value
    if exchanging_sides(case.device):
        of_exchange = exchange_extremes(case, moving, rows)
        reached |= of_exchange
        arrays |= {name: at.value for name, at in of_exchange.items()}
    if case.ions.noise != "none":
        reached["single_ion_share"] = single_ion_share(moving)
        arrays["single_ion_share"] = reached["single_ion_share"].value
    return arrays, coords, reached


def single_ion_share(moving: Run) -> Reached:
    """One ion over the ions of the column that holds fewest, and that column."""
    ions = moving.trial.noise.ions.sum(axis=1)
    fewest = int(ions.argmin())
    return model_limits.Reached(float(1.0 / max(ions[fewest], 1.0)), f"column {fewest + 1} of {len(ions)}")


def kind_of_columns(case: Case) -> np.ndarray:
    """Number (K,) of the kind of each column."""
    return np.array([part.kind for part in model.members(case)])


def by_kind(case: Case, columns: np.ndarray) -> np.ndarray:
    """Sums (n, kinds) over the columns of each kind, of values (n, K)."""
    kind = kind_of_columns(case)
    return np.stack([columns[:, kind == number].sum(axis=1) for number in range(len(kinds_of(case)))], axis=1)


def kinds_apart(case: Case, junction: Junction, columns: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs of each kind, from the currents and the positions (T, 2 K) of the columns."""
    K, kinds = len(junction.columns.weight), kinds_of(case)
    shares = by_kind(case, junction.columns.weight[None])
    return {
        "column_kind": kind_of_columns(case),
        "kind_share": np.array([kind.share for kind in kinds]),
        "kind_conduction_current": by_kind(case, columns[:, :K]),
        "kind_vacancy_mean_position": by_kind(case, columns[:, K:] * junction.columns.weight) / shares,
    }


def density_of_supply(case: Case, junction: Junction) -> float:
    """Current density per energy [A/(m2 eV)] of a transmission of one, of the column whose spectrum is shown."""
    columns = junction.columns
    if len(kinds_of(case)) > 1:
        supply: float = columns.supply[len(columns.weight) // 2] / case.device.junction_area
        return supply
    kT = BOLTZMANN_EV * case.temperature
    return case.device.conducting_fraction * case.device.richardson * case.temperature**2 / kT


def watched_values(watch: Watch, area: float, heated: bool) -> dict[str, Reached]:
    """Largest values that a watch recorded, by output.

    area : of the electrode [m2], for the current density   heated : its temperature is that of a junction which its
    current warms, not an estimated rise
    """
    units = {"film_electron_ratio": (run_log.ELECTRONS, 1.0), "current_density": (run_log.AMPERES, area)}
    units["junction_temperature" if heated else "temperature_rise"] = run_log.KELVIN, 1.0
    units["stack_leaps"] = run_log.LEAPS, 1.0
    rows = {name: (watch.largest[row], unit) for name, (row, unit) in units.items()}
    return {
        name: Reached(float(row[run_log.VALUE]) / unit, f"t = {row[run_log.WHEN]:.4g} s")
        for name, (row, unit) in rows.items()
    }


def recorded_extremes(case: Case, arrays: dict[str, Any], time: np.ndarray) -> dict[str, model_limits.Reached]:
    """Largest values of the quantities that have a limit, over records, reads and snapshots.

    time : (T,) of the time series [s]
    """
    times = np.concatenate((time, arrays["read_time"]))
    currents = np.concatenate((arrays["conduction_current"], arrays["read_current"]))
    ratio = arrays.get("film_electron_ratio", np.zeros(0))
    return {
        "film_electron_ratio": model_limits.of_series(arrays.get("snapshot_time"), ratio),
        "current_density": model_limits.of_series(times, currents / case.device.junction_area),
    }


def rectangular(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of unlike length as one array, filled up with nan."""
    out = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def recorded_once(rows: np.ndarray) -> np.ndarray:
    """True for rows (T, RECORD) that do not repeat the one before: the time is later, or the voltage has jumped."""
    later = rows[1:, variables.TIME] > rows[:-1, variables.TIME]
    jumped = np.abs(rows[1:, variables.SOURCE] - rows[:-1, variables.SOURCE]) > SMALLEST_JUMP
    return np.concatenate(([True], later | jumped))[: len(rows)]


def series(case: Case, junction: Junction, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Time series from the recorded rows (T, RECORD)."""
    t, V_j, charge = rows[:, variables.TIME], rows[:, variables.JUNCTION], rows[:, variables.CHARGE_LEFT]
    conduction = rows[:, variables.CURRENT]
    terminal = rows[:, variables.TERMINAL_LEFT]
    whole = case.device.junction_area * terminal + case.circuit.parallel_capacitance * V_j
    mean, (before, after) = mean_rate(t, whole), rates(t, whole, rows[:, variables.SOURCE])
    conducted, displaced = at_source(rows, whole, mean, coupled(junction), case.circuit.tau)
    electrons = {
        "terminal_charge_left": terminal,
        "terminal_charge_right": rows[:, variables.TERMINAL_RIGHT],
        "film_electron_sheet": rows[:, variables.SHEET],
    }
    polarisation = {"polarisation": rows[:, variables.POLARISATION], "film_field": rows[:, variables.FIELD]}
    return {
        "voltage": rows[:, variables.SOURCE],
        "junction_voltage": V_j,
        "band_bending": rows[:, variables.BENDING],
        "electrode_charge": charge,
        "right_electrode_charge": rows[:, variables.CHARGE_RIGHT],
        "vacancy_mean_position": rows[:, variables.POSITION],
        "conduction_current": conduction,
        "displacement_current": before,
        "displacement_current_after": after,
        "mean_displacement_current": mean,
        "current": time_series.read_out(t, conducted, displaced, case.circuit) if len(t) else conduction,
        "vacancy_balance": rows[:, variables.BALANCE],
        **(electrons if case.device.film.electrons != "none" else {}),
        **temperatures(case, rows),
        **(polarisation if case.device.film.polarisation else {}),
        **exchanged(case, rows),
        **trap_series(case, rows),
    }


def at_source(
    rows: np.ndarray, charge: np.ndarray, mean: np.ndarray, in_series: bool, tau: float
) -> tuple[np.ndarray, np.ndarray]:
    """Currents (T,) of the source for `read_out`: at the rows, and beside them on average in the intervals before.

    rows : (T, RECORD)   charge, mean : (T,) of the source [C], and its rate since the record before   tau : of the read-out
    Behind something in series the rows have the charging current; what it leaves out is what a jump charges at once.
    """
    conduction, charging, t = rows[:, variables.CURRENT], rows[:, variables.CHARGING], rows[:, variables.TIME]
    if not in_series:
        return conduction, mean
    if tau:
        return conduction + charging, mean - 0.5 * (charging + np.append(charging[:1], charging[:-1]))
    own = quotients(np.diff(charge), np.diff(t))
    return conduction + charging, mean - np.append(0.0, own)[: len(mean)]


def exchanged(case: Case, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Time series of what the electrodes exchange, from the recorded rows (T, RECORD); none where both block."""
    columns = {
        "left": (variables.FLUX_LEFT, variables.WALL_LEFT, variables.FILLING_LEFT),
        "right": (variables.FLUX_RIGHT, variables.WALL_RIGHT, variables.FILLING_RIGHT),
    }
    series: dict[str, np.ndarray] = {}
    for side, given in exchanging_sides(case.device).items():
        flux, wall, filling = columns[side]
        series |= {f"exchange_flux_{side}": rows[:, flux], f"wall_concentration_{side}": rows[:, wall]}
        if given.capacity is not None:  # as the cells of profiles: steps leave some 1e-5 beyond and take it back
            series[f"reservoir_filling_{side}"] = np.clip(rows[:, filling], 0.0, 1.0)
    return series and series | {"vacancies": rows[:, variables.COUNT].clip(min=0.0)}  # as the cells of an empty film


def exchange_extremes(case: Case, moving: Run, rows: np.ndarray) -> dict[str, Reached]:
    """Loss of the vacancies over those at first, and share of the sites that they hold, over records and the last state."""
    weight, width = moving.junction.columns.weight, moving.junction.columns.width
    first, last = float(weight @ moving.total), float(weight @ (moving.state.c * width).sum(axis=1))
    time, number = np.append(rows[:, variables.TIME], moving.time), np.append(rows[:, variables.COUNT], last)
    sites = float(weight @ (moving.junction.columns.sites * width).sum(axis=1))
    return {
        "vacancy_loss": model_limits.of_series(time, np.maximum(first - number, 0.0) / (first or 1.0)),
        "site_share": model_limits.of_series(time, number / (sites or 1.0)),
    } | reservoir_share(case, moving, rows)


def reservoir_share(case: Case, moving: Run, rows: np.ndarray) -> dict[str, Reached]:
    """Largest share of the sites of a reservoir with an end that was filled or empty, over records and the last state."""
    last = moving.state.passed * [1.0, -1.0]
    of_sides: list[Reached] = []
    for column, end, side in ((variables.FILLING_LEFT, 0, "left"), (variables.FILLING_RIGHT, 1, "right")):
        given = exchanging_sides(case.device).get(side)
        if given is None or given.capacity is None:
            continue
        y = np.concatenate((rows[:, column], given.initial_filling + last[:, end] / given.capacity))
        time = np.concatenate((rows[:, variables.TIME], np.full(len(last), moving.time)))
        share = np.clip(np.maximum(y, 1.0 - y), 0.0, 1.0)  # steps leave some 1e-6 beyond and take it back
        of_sides.append(model_limits.of_series(time, share, f"the {side} electrode, t = {{:.4g}} s"))
    return {"reservoir_share": max(of_sides, key=lambda reached: reached.value)} if of_sides else {}


def temperatures(case: Case, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Temperatures in the recorded rows: those that the current makes, or an estimate where they are left out."""
    if case.device.heat is None:
        return {"temperature_rise": rows[:, variables.RISE]}
    T = rows[:, -len(model.members(case)) :]
    return {"junction_temperature": T.max(axis=1)} | (
        {"column_temperature": T} if case.device.heat.of == "columns" else {}
    )


PROBE = 0.1  # V, at which the current spectrum of a snapshot is taken when the source is below half of it


def needs_snapshots(names: Collection[str] | None) -> bool:
    """True when snapshots are needed for any of these outputs; None stands for all outputs."""
    return names is None or any("snapshot" in OUTPUTS[name].dims or name == "film_electron_ratio_max" for name in names)


def snapshot(case: Case, moving: Run, instant: KeptState, constant: Collection[str]) -> dict[str, Any]:
    """Profiles of a recorded state, and the spectrum of the current of its middle column, at PROBE if the source is off.

    constant : what of its memory is left out
    """
    integrate.restore_state(moving, instant)
    junction, state, weight = moving.junction, moving.state, moving.junction.columns.weight
    c = state.c.copy()  # of single ions: whole ones, for which a part of a site is one
    if case.ions.noise == "none":
        c = bounded(c, junction.columns.width, junction.columns.sites)
    middle = len(weight) // 2
    position, edge = band_diagram(junction, state, middle)
    profiles = {
        "snapshot_time": instant.time,
        "vacancy_concentration": weight @ c,
        "conduction_band": weight @ film_bands(junction, state),
        "film_electron_ratio": ratio_of_columns(junction, state, moving.watch),
        "band_position": position,
        "band_edge": edge,
    }
    if junction.layers.half_left.size:
        ions = np.add.reduceat(c * junction.columns.width, junction.layers.first[:-1], axis=1)
        profiles["layer_vacancies"] = weight @ ions
        profiles["layer_field"] = weight @ np.array([layer_fields(junction, state, k) for k in range(len(weight))])
    if case.device.traps is not None:
        filling = np.array([trap_filling(junction, state, k) for k in range(len(weight))])
        profiles["trap_filling"] = np.tensordot(weight, filling, 1)
    if state.trapped.size:
        profiles["trap_charge"] = weight @ (state.trapped / junction.columns.width)
    if case.device.film.electrons != "none":
        profiles["film_electrons"] = weight @ (state.electrons[:, contacts.RIGHT] + state.electrons[:, contacts.LEFT])
        profiles["snapshot_junction_voltage"] = float(state.V[0])
    profiles |= {OUTPUT[name]: value for name, value in without(instant.start | {"c": c}, *constant).items()}
    if abs(instant.voltage) < PROBE / 2:  # not "== 0": the rounding of a waveform must not decide
        integrate.jump(moving, PROBE)
    of_traps = trap_currents(junction, state, middle) if case.device.traps is not None else {}
    energy, density = current_by_energy(junction, state, middle)  # of electrons whose energies a channel knows
    return profiles | {"spectrum_energy": energy, "spectrum_density": density} | of_traps


def layer_fields(junction: Junction, state: State, k: int) -> np.ndarray:
    """Mean field (M,) [V/m] of each layer of column k."""
    lengths, fields, _ = straight_parts(junction, state, k)
    cells = junction.layers.first[:-1]
    first = cells + np.arange(cells.size)  # each interface has two straight parts
    mean: np.ndarray = np.add.reduceat(lengths * fields, first) / np.add.reduceat(lengths, first)
    return mean


def film_bands(junction: Junction, state: State) -> np.ndarray:
    """Conduction band (K, N) [eV] at the cell centres of all columns."""
    at_right, steps = film_edges_at_right(junction, state)[:, None], junction.columns.rise
    rise = junction.columns.distance * state.E
    bands: np.ndarray = at_right - np.cumsum(rise[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return bands - np.cumsum(steps[:, ::-1], axis=1)[:, ::-1][:, 1:] if steps.any() else bands

"""python -m validation.traps.claims: sweeps and protocols of nb-sto-interface with kinetic traps in the place of vacancies.

The set of `nearest` that changes the current most runs them in the device of interface.toml. data/interface-claims.csv has
the currents of each run, which is not repeated. Voltages are those of the junction: of the source less the measured current
through the series resistance, and FORWARD at +1 V. A sweep is a loop in levels: FORWARD for as long as the measured rise
and fall take, then each measured voltage below 0 V for the time of the ramp that leads to it.
"""

import argparse
import time

import numpy as np

from otjdd.analysis import power_laws
from otjdd.case.case import Case, load_case
from otjdd.claims import folders
from otjdd.claims.trial import ClaimTrial
from otjdd.errors import SolverError
from otjdd.solver.simulate import simulate_junction
from validation import measured
from validation.traps import interface
from validation.traps.interface import DATA, HERE, NEAREST, rows_of

OF_DEVICE = HERE.parent / "nb-sto-interface"
RUNS = DATA / "interface-claims.csv"
COLUMNS = "run", "rtol", "processor time (s)", "reached (s)", "of (s)", "currents (A)"
TABLE = "number", "measured:", "vacancies:", "traps:"
VACANCIES = {
    "-2": 1.9,
    "-3": 4.0,
    "-4": 8.2,
}  # stop [V] -> window of 10 um, of ../nb-sto-interface/stop-voltage/claim.toml
OF_32 = "3"  # slopes of vacancies near the measured ones, of ../nb-sto-interface/README.md
CONTACTS = "10um", "32um", "100um"
SWEPT = rows_of(OF_DEVICE / "data" / "sweeps.csv")
RATE = 1.0 / 8.27  # V/s, of the sweeps
FORWARD = 0.49  # V of the junction where the source has +1 V
EDGE = 1e-3  # s, between two levels of a sweep
READS = -1.0, -0.5  # V, of windows; the claims judge the first
FINER = {"10um -3 V": 0.003, "10um -4 V": 0.003}  # numerics.rtol of runs that are slower with interface.FINE
MOST_SECONDS = 360.0  # of a processor, for a run


def trials_of(claim: str) -> list[ClaimTrial]:
    """The runs of a claim, of vacancies, without results."""
    return folders.planned(OF_DEVICE / claim, folders.load_claim(OF_DEVICE / claim))


def stops_of(contact: str) -> list[str]:
    """Stops of the sweeps of a contact, as "-2"."""
    return list(dict.fromkeys(row["stop (V)"] for row in SWEPT if f"{row['contact (um)']}um" == contact))


def below(contact: str, stop: str) -> np.ndarray:
    """Voltages [V] below 0 and measured |currents| [A] of a sweep (2, n), in the order of time."""
    rows = (row for row in SWEPT if (f"{row['contact (um)']}um", row["stop (V)"]) == (contact, stop))
    return np.array([(V, float(row["|I| (A)"])) for row in rows if (V := float(row["V (V)"])) < 0.0]).T


def sweep(contact: str, stop: str, resistance: float) -> dict[str, object]:
    """Drive of a loop to a stop in levels of the voltage of the junction, a read at the end of each below 0 V."""
    V, current = below(contact, stop)
    ends = 2.0 / RATE + np.cumsum(np.abs(np.diff(V, prepend=0.0))) / RATE
    points, t = [[0.0, 0.0], [EDGE, FORWARD], [2.0 / RATE, FORWARD]], 2.0 / RATE
    for level, end in zip((V + resistance * current).tolist(), ends.tolist(), strict=True):
        points += [[t + EDGE, level], [end, level]]
        t = end
    return {"kind": "table", "points": points, "reads_at": ends.tolist()}


def protocol(case: Case) -> dict[str, object]:
    """Drive of a protocol with sets of FORWARD."""
    drive = case.drive.model_dump(exclude_none=True)
    parts = [part | {"voltage": FORWARD if part["voltage"] > 0.0 else part["voltage"]} for part in drive["parts"]]
    return drive | {"parts": parts}


def cases() -> dict[str, Case]:
    """Name -> run of the traps."""
    values = interface.set_of(interface.strongest(rows_of(NEAREST)))
    keys = {key: x for key, x in interface.changes(values, 0.0).items() if not key.startswith("drive")}
    drives = {
        f"{trial.name} {stop} V": sweep(trial.name, stop, trial.case.circuit.series_resistance)
        for trial in trials_of("sweeps")
        for stop in stops_of(trial.name)
    }
    drives |= {f"{trial.name} {trial.value:g}": protocol(trial.case) for trial in trials_of("protocols")}
    shipped = load_case(HERE / "interface.toml").replace(keys)
    return {
        name: shipped.replace({"drive": drive, "numerics.rtol": FINER.get(name, interface.FINE)})
        for name, drive in drives.items()
    }


def run(name: str, case: Case, most: float) -> dict[str, str]:
    """The row of a run, which ends after `most` seconds of a processor with the currents so far."""
    began = time.process_time()

    def watch(_: float) -> None:
        if time.process_time() - began > most:
            raise KeyboardInterrupt

    try:
        ds = simulate_junction(case, progress=watch)
    except (SolverError, KeyboardInterrupt) as error:
        ds = error.partial
    took, reached, whole = time.process_time() - began, ds.attrs["solver_time_reached"], ds.attrs["solver_time_total"]
    currents = np.abs(ds.read_current.values[np.isfinite(ds.read_current.values)])
    cells = (name, f"{case.numerics.rtol:g}", f"{took:.0f}", f"{reached:.5g}", f"{whole:.5g}")
    return dict(zip(COLUMNS, (*cells, " ".join(f"{current:.5g}" for current in currents)), strict=True))


def run_missing(most: float, of: str) -> None:
    """Add the runs to RUNS that are not there, of those whose name begins so."""
    present = {row["run"] for row in rows_of(RUNS)}
    for name, case in cases().items():
        if name not in present and name.startswith(of):
            row = run(name, case, most)
            interface.write(row, RUNS, COLUMNS)
            print(*list(row.values())[:5], sep=", ", flush=True)


def ended() -> dict[str, np.ndarray]:
    """Name -> |currents| [A] of the reads, of the runs on file that ended."""
    rows = (row for row in rows_of(RUNS) if row["reached (s)"] == row["of (s)"])
    return {row["run"]: np.array(row["currents (A)"].split(), float) for row in rows}


def window(V: np.ndarray, current: np.ndarray, read: float) -> float:
    """Current at a read voltage [V] on the way to the stop over that on the way back."""
    first, last = current[np.isclose(V, read)]
    return float(first / last)


def largest_factor(current: np.ndarray, traps: np.ndarray) -> float:
    """Largest factor between measured and simulated currents, with the share of the area that makes it least."""
    return float(np.exp(0.5 * np.ptp(np.log(traps / current))))


def near_slopes() -> tuple[int, int]:
    """Slopes of decades of the protocols that ended which are as near to the measured ones as the claim asks, and all."""
    settings, runs, near, count = folders.load_claim(OF_DEVICE / "protocols").settings, ended(), 0, 0
    for trial, (_, *row) in zip(trials_of("protocols"), settings["measured"], strict=True):
        if (currents := runs.get(f"{trial.name} {trial.value:g}")) is not None:
            slopes = np.array([power_laws.decades(train) for train in np.reshape(currents[1:], (2, -1))])
            away = np.abs(slopes - np.diff(np.log10(np.reshape(row, (2, 3))), axis=1))
            near, count = near + int((away <= settings["within"]).sum()), count + away.size
    return near, count


def table() -> list[tuple[str, ...]]:
    """Cells of TABLE: windows at READS, and the largest factor, of each sweep that ended; near slopes of the protocols."""
    runs, rows = ended(), []
    for contact in CONTACTS:
        for stop in stops_of(contact):
            if (traps := runs.get(f"{contact} {stop} V")) is not None:
                V, current = below(contact, stop)
                name = f"{contact.removesuffix('um')} µm, {stop} V"
                for read in READS:
                    vacancies = f"{VACANCIES[stop]:.3g}" if (contact, read) == (CONTACTS[0], READS[0]) else ""
                    windows = (f"{window(V, x, read):.3g}" for x in (current, traps))
                    rows.append((f"{name}: window at {read:g} V", next(windows), vacancies, next(windows)))
                rows.append((f"{name}: largest factor", "at most 3", "", f"{largest_factor(current, traps):.3g}"))
    near, count = near_slopes()
    return [*rows, ("protocols: slopes within 0.15", "at least 26 of 32", f"{OF_32} of 32", f"{near} of {count}")]


def main() -> None:
    """Run what is not on file, and write the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=MOST_SECONDS, help="of a processor, for a run at most")
    asked.add_argument("--of", default="", help="run only those whose name begins so")
    given = asked.parse_args()
    run_missing(given.seconds, given.of)
    if not given.of:
        measured.keep(HERE, "traps-claims", TABLE, table(), command="python -m validation.traps.claims")


if __name__ == "__main__":
    main()

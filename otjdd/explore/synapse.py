"""A junction that is pulsed by hand: its present state, and all pulses that led to it."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.results.outputs import measured
from otjdd.solver.start import Start, at_snapshot

if TYPE_CHECKING:
    import xarray as xr

MOST = 1000  # most pulses by hand
PAUSE = "1 us"  # at 0 V after each pulse, before its read
READ = {"voltage": "0.1 V", "duration": "1 us"}


class Synapse(NamedTuple):
    """A run and the pulses by hand after it.

    case : of the run   state : present state   before : state before the last pulse, where a film of it starts
    pulses : as drives   voltages, resistances : (n,) [V], [ohm] of the reads, beginning with the last one of the run
    """

    case: Case
    state: Start
    before: Start | None = None
    pulses: tuple[dict[str, Any], ...] = ()
    voltages: tuple[float, ...] = ()
    resistances: tuple[float, ...] = ()


def after(case: Case, ds: "xr.Dataset") -> Synapse | None:
    """The synapse after a run; None for a run without a final state, such as curves at frozen ions."""
    states = ds.get("vacancy_concentration_columns")
    if states is None or not len(states):
        return None
    has_read = ds.sizes.get("read", 0) and np.isfinite(ds.read_resistance.values[-1])
    last = (float(ds.read_resistance.values[-1]),) if has_read else ()
    return Synapse(case, at_snapshot(ds, -1), None, (), (0.0,) * len(last), last)


def pulse_case(synapse: Synapse, voltage: float, width: float) -> Case:
    """The case of one more pulse of a voltage [V] and a width [s]. Raises CaseError, ValueError for too many pulses."""
    if len(synapse.pulses) >= MOST:
        raise ValueError(f"{MOST} pulses by hand are enough: a case with a train does more")
    drive = {"kind": "pulse", "voltage": f"{voltage:.6g} V", "width": f"{width:.6g} s", "wait": PAUSE, "read": READ}
    return synapse.case.replace({"drive": drive, "record": {"every": "all"}})


def after_pulse(synapse: Synapse, case: Case, ds: "xr.Dataset") -> Synapse:
    """The synapse after a further pulse. case, ds : of the run of that pulse"""
    return synapse._replace(
        state=at_snapshot(ds, -1),
        before=synapse.state,
        pulses=(*synapse.pulses, case.plain()["drive"]),
        voltages=(*synapse.voltages, float(ds.write_voltage.values[-1])),
        resistances=(*synapse.resistances, float(ds.read_resistance.values[-1])),
    )


def reads(synapse: Synapse) -> "xr.Dataset":
    """Dataset of all reads, for the figures of runs."""
    return measured(write_voltage=synapse.voltages, read_resistance=synapse.resistances)


def whole(synapse: Synapse) -> Case:
    """The case of one run with the drive of the run and all pulses after it."""
    drive = {"kind": "sequence", "parts": [synapse.case.plain()["drive"], *synapse.pulses]}
    return synapse.case.replace({"drive": drive, "record": {"every": "reads"}}) if synapse.pulses else synapse.case

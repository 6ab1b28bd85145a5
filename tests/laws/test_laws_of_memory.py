"""What any device remembers: a run that was stopped, made again, cut, continued or watched is the same run."""

import itertools
from pathlib import Path

import any_device as of
import numpy as np
import pytest
from any_law import (
    TIGHT,
    a_folder,
    alike,
    along,
    bits,
    in_table,
    law,
    read_times,
    reads_alike,
    run_of,
    stored,
    table_of,
    with_keys,
)  # fmt: skip

from otjdd.case.case import parse_case
from otjdd.mechanisms.traps.kinetic import LEAST_SHARE
from otjdd.results import store
from otjdd.runs import run
from otjdd.runs.run import simulate
from otjdd.solver import checkpoint, integrate
from otjdd.solver.checkpoint import CheckpointPlace

EACH_MEMORY = (
    of.charged_kinetic_trap, of.electrons, of.polarisation, of.heat, of.exchange, of.neutral_kinetic_trap, of.layers,
    of.noise,
)  # fmt: skip


class Stop(KeyboardInterrupt):
    """Ends a run from within."""


STEPS_AT_ONCE = 5  # in the run that is stopped, and in the one that goes on


MEMORY = {  # last values of what a run starts from -> error of a run in two pieces, over the largest value
    "vacancy_concentration_columns": 2e-3, "snapshot_polarisation": 2e-3, "trap_filling_groups": 2e-3,
    "snapshot_temperature": 1e-4,
}  # fmt: skip


def ends_alike(one, other):
    """Assert that two runs end in one state, to the tolerance of their steps."""
    for name, rel in MEMORY.items():
        if name in one and one[name].size:
            size = float(np.abs(one[name][-1]).max())
            if name == "trap_filling_groups":  # as the steps measure its error
                size = max(size, LEAST_SHARE)
            alike(one[name][-1], other[name][-1], rel, size, name)
    for name in ("reservoir_filling_left", "reservoir_filling_right"):
        if name in one:
            alike(one[name][-1], other[name][-1], 1e-3, 1.0, name)


@law(seeds=(48, *range(1, 8)), in_turn=EACH_MEMORY)
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(data):
    """Stopped on its way, a few steps after a row or a read, with all that moves still moving."""
    whole, case, calls = run_of(data), parse_case(of.text_of(data)), itertools.count(1)

    def stop(fraction):
        if next(calls) == ends_at:
            raise Stop

    before = checkpoint.PATIENCE, integrate.CHUNK
    checkpoint.PATIENCE, integrate.CHUNK = 0.0, STEPS_AT_ONCE
    try:
        with a_folder() as folder:
            path, ends_at = Path(folder) / "checkpoint", 0
            simulate(case, stop)
            calls, ends_at = itertools.count(1), max(int(0.4 * next(calls)), 1)
            with pytest.raises(Stop):
                simulate(case, stop, checkpoints=CheckpointPlace(path, 0.0))
            on = simulate(case, checkpoints=CheckpointPlace(path, 1e9, resume=True))
    finally:
        checkpoint.PATIENCE, integrate.CHUNK = before
    assert bits(on) == bits(whole)


@law(seeds=(35, 1, 23, 17, 25, 19, 41), without=(of.noise,), in_turn=EACH_MEMORY[:-1])
def test_a_run_in_two_pieces_is_the_run_in_one(data):
    """The second begins with the result of the first, whose end is all that it needs to know."""
    data = in_table(data)
    points, reads = along(data), read_times(data)
    cut = next(i for i, (t, _) in enumerate(points) if t > 0.45 * points[-1][0])
    if cut == len(points) - 1 or points[cut + 1][0] == points[cut][0]:  # at the end, or at a jump
        t0, V0 = points[cut - 1]
        t1, V1 = points[cut]
        points.insert(cut, (t0 + 0.6 * (t1 - t0), V0 + 0.6 * (V1 - V0)))
    at = points[cut][0]
    later = [(t - at, U) for t, U in points[cut:]]
    with a_folder() as folder:
        whole = run_of(with_keys(data, drive=table_of(points, reads)), **TIGHT)
        first = run_of(data | {"drive": table_of(points[: cut + 1], [t for t in reads if t <= at])}, **TIGHT)
        start = with_keys(data, drive=table_of(later, [t - at for t in reads if t > at]))
        start["ions"] = start["ions"] | {"initial": {"result": stored(first, folder, "first.nc")}}
        for trap in start["device"].get("traps", []):
            trap.pop("initial", None)
        second = run_of(start, folder, **TIGHT)
    ends_alike(whole, second)
    currents = np.concatenate((first.read_current.values, second.read_current.values))
    alike(currents, whole.read_current.values, 3e-3, what="reads")


@law(seeds=(2, 4, 5, 6, 14, 45, 71, 318), without=(of.noise, of.initial), in_turn=EACH_MEMORY[:-1])
def test_a_history_leaves_what_a_drive_with_its_voltages_leaves(data):
    """Also where the junction charges as slowly as the voltages change. After a history it is as cold as at first."""
    time = 0.2 * along(data)[-1][0]
    steps = [(0.9, time), (-0.6, 0.5 * time), (0.7, 0.1 * time)]
    ends = [0.0, *itertools.accumulate(duration for _, duration in steps)]
    points = [(0.0, 0.0)]
    for (voltage, _), (begin, end) in zip(steps, itertools.pairwise(ends), strict=True):
        points += [(begin, voltage), (end, voltage)]
    slow = {"series_resistance": "1 kohm", "parallel_capacitance": f"{0.3 * time / 1e3!r} F"}
    driven = run_of(with_keys(data, circuit=slow, drive=table_of(points)), **TIGHT)
    writes = [{"voltage": f"{voltage} V", "duration": f"{duration!r} s"} for voltage, duration in steps]
    after = with_keys(data, circuit=slow, ions__initial={"history": writes})
    ends_alike(
        driven.drop_vars("snapshot_temperature", errors="ignore"), run_of(after, **TIGHT).isel(snapshot=[0], time=[0])
    )


@law(seeds=(40, 1, 10, 27, 4, 5, 6, 7, 81, 92), in_turn=EACH_MEMORY)
def test_a_run_made_again_from_its_result_is_the_same_bits(data):
    """Also one that began with another result, which is not there any more."""
    with a_folder() as folder:
        first = run_of(data)
        name = stored(first, folder, "first.nc")
        if "initial" in data["ions"] or "traps" in data["device"]:  # what begins uniform is made again in tests/runs
            assert run.differences(*run.rerun(f"{folder}/{name}")) == []
        data["ions"] = data["ions"] | {"initial": {"result": "first.nc"}}
        for trap in data["device"].get("traps", []):
            trap.pop("initial", None)
        second = run_of(data, folder)
        Path(folder, "first.nc").unlink()
        assert run.differences(*run.rerun(f"{folder}/{stored(second, folder, 'second.nc')}")) == []


@law(seeds=(1, 2, 4, 5, 6, 7, 20), without=(of.noise,))
def test_what_is_recorded_changes_no_read(data):
    """Rows at reads or in windows alone, and columns apart, leave the reads as they are; snapshots to the tolerance."""
    plain = run_of(data, **TIGHT)
    if plain.sizes["read"]:
        few = run_of(with_keys(data, record={"every": "reads"}), **TIGHT)
        reads_alike(few, plain, 1e-5)
    end = float(plain.time[-1])
    none = run_of(with_keys(data, record={"every": "none", "windows": [["0 s", f"{0.5 * end!r} s"]]}), **TIGHT)
    reads_alike(none, plain, 2e-3)
    many = run_of(with_keys(data, record={"profiles": 6, "profiles_at_reads": True}), **TIGHT)
    reads_alike(many, plain, 2e-3)
    ends_alike(many, plain)


@law(seeds=(1, 3, 5, 6, 20, 41, 73), without=(of.noise,))
def test_cuts_and_further_reads_change_nothing(data):
    """The drive as its breakpoints, with each of its pieces cut in three, and a read at each cut."""
    plain = run_of(data, **TIGHT)
    points, reads = along(data), read_times(data)
    finer = [points[0]]
    for (t0, V0), (t1, V1) in itertools.pairwise(points):
        if t1 > t0:
            finer += [(t0 + share * (t1 - t0), V0 + share * (V1 - V0)) for share in (1 / 3, 2 / 3)]
        finer.append((t1, V1))
    cut = run_of(with_keys(data, drive=table_of(finer, reads)), **TIGHT)
    reads_alike(cut, plain, 2e-3)
    ends_alike(cut, plain)
    between = sorted({*reads, *(t for t, _ in finer if t > 0.0)})
    more = run_of(with_keys(data, drive=table_of(finer, between)), **TIGHT)
    at = np.searchsorted(more.read_time.values, plain.read_time.values * (1.0 - 1e-9))
    reads_alike(more.isel(read=at), plain, 2e-3)
    ends_alike(more, plain)


@law(seeds=(*range(5), 7, 54, 332), without=(of.noise, of.polarisation, of.initial))
def test_a_rest_before_the_drive_changes_nothing_in_equilibrium(data):
    for trap in data["device"].get("traps", []):
        trap.pop("initial", None)
    data = with_keys(data, ions__initial="equilibrium")
    points, reads = along(data), read_times(data)
    if points[0][1] != 0.0:
        points = [(0.0, 0.0), *points]
    rest = 0.5 * points[-1][0]
    plain = run_of(with_keys(data, drive=table_of(points, reads)), **TIGHT)
    later = [(0.0, 0.0), *((t + rest, V) for t, V in points)]
    rested = run_of(with_keys(data, drive=table_of(later, [t + rest for t in reads])), **TIGHT)
    reads_alike(rested, plain, 2e-3)
    ends_alike(rested, plain)


@law(without=(of.noise,))
def test_a_stored_result_is_the_result(data):
    with a_folder() as folder:
        ds = run_of(data)
        again = store.read(f"{folder}/{stored(ds, folder, 'a.nc')}")
        assert bits(again) == bits(ds)
        assert parse_case(again.attrs["case_resolved"]).digest == parse_case(ds.attrs["case_resolved"]).digest

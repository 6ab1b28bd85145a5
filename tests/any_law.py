"""What must hold for any device: a decorator that tries random devices, and shows the smallest case that breaks a law.

A law is a function of the data of a case (`any_device`), which asserts. It is tried on eight devices by default, with
others in the place of those that take many seconds, and on SEEDS in the campaign. A device that heats itself beyond what
matter stands, or takes more than MOST_STEPS, makes no statement; any other end before that of the drive breaks the law.
A test none of whose devices makes a statement fails.
"""

import copy
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from any_device import Data, accepted, any_device, case_of, changed, smallest, text_of
from devices import COMPILED

from otjdd.case.case import parse_case
from otjdd.errors import CaseError, SolverError
from otjdd.results import store
from otjdd.runs.run import check_inputs, simulate

SEEDS = range(8, 300)
TRIES = 120  # cases that are tried to make one smaller
MOST_STEPS = 4000  # of a run, which has some hundred
SHOWN = 3  # cases of a campaign that are made small and shown
ENDS = ("heats itself beyond",)  # beginnings of what may end a device that check accepts
TIGHT = {"rtol": 1e-5, "atol": 1e-6, "current_tolerance": 1e-6}


class NoStatement(Exception):
    """The device is none of those that a law is about, or ended as physics may end it."""


def law(seeds: Iterable[int] = range(8), **device: Any) -> Callable:
    """A test of a law on random devices. seeds : of the default run   device : keywords of `any_device`"""

    def decorated(check: Callable[[Data], None]) -> Callable:
        drawn = {"salt": check.__name__} | device
        each = [pytest.param([seed], id=f"device{seed}") for seed in (seeds if COMPILED else [])]

        @pytest.mark.parametrize("devices", [*each, pytest.param(SEEDS, marks=pytest.mark.campaign, id="campaign")])
        def test(devices: Sequence[int]) -> None:
            broken, silent = [], {}
            for seed in devices:
                data = any_device(seed, **drawn)
                fault = fault_of(check, data)
                if isinstance(fault, NoStatement):
                    silent[seed] = str(fault)
                elif fault:
                    broken.append(shown(check, data, seed, fault, TRIES if len(broken) < SHOWN else 0))
            if broken:
                pytest.fail(f"{len(broken)} devices break the law\n\n" + "\n\n".join(broken), pytrace=False)
            if len(silent) == len(devices):
                pytest.fail(f"no device makes a statement, take other seeds: {silent}", pytrace=False)

        test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
        return test

    return decorated


def fault_of(check: Callable[[Data], None], data: Data) -> Exception | None:
    """What a law raises for a device, NoStatement among it; None where it holds."""
    try:
        check(copy.deepcopy(data))
    except Exception as fault:
        return fault
    return None


def shown(check: Callable[[Data], None], data: Data, seed: int, fault: Exception, tries: int) -> str:
    """The fault of a device in words, and the smallest case that has it."""

    def fails(trial: Data) -> bool:
        return isinstance(fault_of(check, trial), type(fault))

    small = smallest(data, fails, tries) if tries else data
    last = fault_of(check, small) or fault
    words = "\n".join(line[:300] for line in str(last).strip().splitlines()[:2])
    return f"seed {seed}: {type(last).__name__}: {words}\n# smallest case\n{text_of(small)}"


def run_of(data: Data, folder: str | Path = ".", **numerics: Any) -> xr.Dataset:
    """Dataset of a device, with other numerics. Raises NoStatement where it is refused or ends as it may."""
    data = data | {"numerics": {"max_steps": MOST_STEPS} | data.get("numerics", {}) | numerics}
    try:
        case = parse_case(text_of(data), folder)
        check_inputs(case)
    except CaseError as error:
        raise NoStatement(str(error)) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return simulate(case)
    except SolverError as error:
        if error.reason == "TOO_MANY_STEPS" or any(words in str(error) for words in ENDS):
            raise NoStatement(str(error)) from error
        raise


def with_keys(data: Data, **changes: Any) -> Data:
    """A device with other keys (`any_device.changed`). Raises NoStatement where `check` refuses it."""
    data = changed(data, **changes)
    if not accepted(data):
        raise NoStatement(f"refused beside {changes}")
    return data


def bits(ds: xr.Dataset) -> str:
    return store.data_sha256(ds)


def along(data: Data, sign: float = 1.0) -> list[tuple[float, float]]:
    """Breakpoints (time [s], voltage [V]) of a device's drive, times a sign; and the times of its reads."""
    waveform = case_of(data).waveform()
    points: list[tuple[float, float]] = []
    for start, block in waveform.blocks():
        points += [(float(start + t), float(sign * V)) for t, V in zip(block.times, block.voltages, strict=True)]
    kept = [at for i, at in enumerate(points) if i in (0, len(points) - 1) or not at == points[i - 1] == points[i + 1]]
    return [at for i, at in enumerate(kept) if not i or at != kept[i - 1]]


def read_times(data: Data) -> list[float]:
    """Times [s] of the reads of a device's drive."""
    return [float(start + t) for start, block in case_of(data).waveform().blocks() for t in block.read_times]


def table_of(points: Iterable[tuple[float, float]], reads: Iterable[float] = ()) -> Data:
    """A drive along points (time [s], voltage [V]) with reads at times [s]."""
    return {
        "kind": "table", "points": [[f"{t!r} s", f"{V!r} V"] for t, V in points], "reads_at": [f"{t!r} s" for t in reads],
    }  # fmt: skip


def in_table(data: Data, sign: float = 1.0) -> Data:
    """A device whose drive is the table of its breakpoints, times a sign."""
    return data | {"drive": table_of(along(data, sign), read_times(data))}


def stored(ds: xr.Dataset, folder: str | Path, name: str) -> str:
    """Name of a result that is stored in a folder."""
    store.write(ds, Path(folder) / name)
    return name


def a_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def alike(one, other, rel: float, size: float | None = None, what: str = "") -> None:
    """Assert that values differ by a share of a size at most, by default of the largest of them."""
    one, other = np.asarray(one, float), np.asarray(other, float)
    assert one.shape == other.shape, f"{what}: {one.shape} and {other.shape}"
    size = max(np.abs(one).max(initial=0.0), np.abs(other).max(initial=0.0)) if size is None else size
    off = np.abs(one - other)
    assert np.isfinite(one + other).all(), f"{what}: {one} and {other}"
    worst = int(off.argmax()) if off.size else 0
    if off.size and off.max() > rel * size:
        raise AssertionError(f"{what}: {one.flat[worst]!r} and {other.flat[worst]!r}, off by {off.max() / size:.3g}")


def reads_alike(one: xr.Dataset, other: xr.Dataset, rel: float, sign: float = 1.0) -> None:
    """Assert that each read current of two results is the same, to a share of itself."""
    a, b = one.read_current.values, sign * other.read_current.values
    assert a.shape == b.shape
    floor = 1e-6 * np.abs(a).max(initial=0.0)
    for number, (here, there) in enumerate(zip(a, b, strict=True)):
        alike(here, there, rel, max(abs(here), abs(there), floor, 1e-300), f"read {number}")

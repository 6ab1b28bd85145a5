"""All files of a compact model in one folder, which are written together.

From a case to the content of its exports: the compact model; pulses on it, on devices that differ, on single ions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.compact_models import build, noise_error, scatter_of_pulses
from otjdd.compact_models.exports import (
    export_noise,
    neurosim,
    pulses,
    python_devices,
    testbench,
    verilog_a,
)
from otjdd.compact_models.extraction import Extraction
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.model_file import dataset_of_model
from otjdd.errors import ExtractionError
from otjdd.results import store
from otjdd.system import pool
from otjdd.system.steps import Progress

Stage = Callable[[str], AbstractContextManager[Progress]]  # shows the progress of a named part of the work

ALIKE = "identical except for their ions and how these hop"  # difference of devices that are not drawn from a spread


class Request(NamedTuple):
    """Settings of an extraction and of its exports."""

    voltage: tuple[float, float]  # V, lowest and highest at the junction
    time: tuple[float, float]  # s, shortest and longest
    vary: Mapping[str, Sequence[str]]  # dotted key -> lowest and highest value and number of nodes, see `build.compact`
    workers: int
    exclude: tuple[str, ...]  # drives whose error does not count
    noise: bool  # the model is one of noise
    devices: int  # number to draw; 0 for none, or with noise for the default number


class Extracted(NamedTuple):
    """A compact model, and the pulses, devices and noise of its exports for networks.

    cycle : the pulses on the model, None with self-heating, or for those of `pulses.pulse_cycle`
    devices : the same pulses on devices that differ, for spreads between devices
    noise : the scatter of the same pulses, which has devices of its own
    """

    model: CompactModel
    cycle: pulses.Pulsed | None = None
    devices: pulses.Devices | None = None
    noise: export_noise.ExportNoise | None = None


def extracted_with_train(case: Case, request: Request, train: pulses.PulseTrain, out: Path, stage: Stage) -> Extracted:
    """Extract the compact model of a case, and apply a train of pulses.

    A model that is not accurate enough, and one whose extraction is interrupted once it has tables, is written into the
    folder `out`; the ExtractionError or KeyboardInterrupt has that model as its `partial`. Raises CaseError, SolverError,
    ResultError too.
    """
    check_export_folder(out)
    source = noise_error.origin_of_differences(case, request.devices) if request.devices else ""
    if request.noise:
        scatter_of_pulses.cases_of_devices(case, request.devices)
    model: CompactModel | None = None
    try:
        with stage("extraction") as progress:
            model = build.compact(
                case, voltage=request.voltage, time=request.time, workers=request.workers, progress=progress,
                exclude=request.exclude, vary=request.vary, noise=request.noise,
                devices=request.devices or noise_error.DRAWN,
            )  # fmt: skip
        cycle = pulses.pulse_cycle(model, train) if model.heat is None else None
        if request.noise and cycle and cycle.window >= pulses.NOTHING:
            with stage("scatter") as progress, pool.team(request.workers) as spread:
                scatter = scatter_of_pulses.measured_scatter(case, cycle, spread, request.devices, progress)
            numbers = scatter_of_pulses.with_deviations(case, scatter)
            return Extracted(model, cycle, noise=export_noise.noise_of_exports(numbers, cycle, source or ALIKE))
        if request.devices and cycle:
            with stage("devices") as progress, pool.team(request.workers) as spread:
                models = build.device_models(case, request.devices, Extraction(model.limits, spread, progress))
                cycles = [pulses.pulse_cycle(device, train) for device in models]
            up, down = (np.array([getattr(of_device, way) for of_device in cycles]) for way in ("up", "down"))
            return Extracted(model, cycle, pulses.Devices(up, down, source))
        return Extracted(model, cycle)
    except (ExtractionError, KeyboardInterrupt) as error:
        unfinished = getattr(error, "partial", None) or model
        if unfinished is not None:
            error.partial = unfinished  # type: ignore[union-attr]  # a KeyboardInterrupt takes it too
            store.write_with(dataset_of_model(unfinished), out / MODEL, {})
        raise


MODEL, NETWORKS, PICTURE = "model.nc", "networks.nc", "error.png"
NAMES = (
    "otj.va", "example.cir", "example.sim", "monte_carlo.cir", "monte_carlo.sim",
    "cycles.sim", "aihwkit_preset.py", "crosssim_device.py", "neurosim/cell.txt", "neurosim/pulses.csv",
    "neurosim/set_numbers.py", "neurosim/devices.csv", NETWORKS, PICTURE,
)  # fmt: skip


def check_export_folder(folder: Path) -> None:
    """Raise ResultError if a folder holds a model of another version, or one of NAMES that was not written with the model.

    Files of other names are left alone.
    """
    if (folder / MODEL).exists():
        CompactModel.load(folder / MODEL)
    store.check_replaceable(folder / MODEL, [folder / name for name in NAMES])


def circuits(model: CompactModel) -> dict[str, str]:
    """Name -> text of the files for circuit simulators."""
    return {"otj.va": verilog_a.verilog_a(model)} | testbench.example_netlists(model)


def networks(extracted: Extracted) -> dict[str, str]:
    """Name -> text of the files for network simulators; {} for pulses without effect, or a junction with self-heating."""
    model, cycle, devices, noise = extracted
    if cycle is None and model.heat is None:
        cycle = pulses.pulse_cycle(model)
    if cycle is None or cycle.window < pulses.NOTHING:
        return {}
    of_preset, of_device, of_cell = export_noise.parts(noise, cycle) if noise else (None, None, None)
    devices = noise.devices if noise else devices
    of_neurosim = neurosim.files(model, cycle, devices, of_cell)
    return {
        "aihwkit_preset.py": python_devices.preset(model, cycle, devices, of_preset),
        "crosssim_device.py": python_devices.device(model, cycle, devices, of_device),
    } | {f"neurosim/{name}": text for name, text in of_neurosim.items()}


def write_exports(extracted: Extracted, folder: Path, picture: bytes = b"") -> list[Path]:
    """Write a model and all its exports into a folder, all of them or none. Returns the paths. Raises ResultError.

    Files of an earlier model there are removed. The Dataset of the noise is NETWORKS.
    picture : of the error of the model, a PNG; empty for none
    """
    model, noise = extracted.model, extracted.noise
    check_export_folder(folder)
    texts = circuits(model) | networks(extracted)
    contents = {folder / name: text.encode("ascii") for name, text in texts.items()}
    if noise is not None:
        contents[folder / NETWORKS] = store.encoded(noise.dataset().assign_attrs(model.about))
    if picture:
        contents[folder / PICTURE] = picture
    store.write_with(dataset_of_model(model), folder / MODEL, contents)
    return [folder / MODEL, *contents]

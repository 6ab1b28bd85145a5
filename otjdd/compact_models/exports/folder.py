"""All files of a compact model in one folder, which are written together."""

from pathlib import Path

from otjdd.compact_models.exports import (
    aihwkit,
    crosssim,
    export_noise,
    monte_carlo,
    neurosim,
    pulses,
    testbench,
    verilog_a,
)
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.model_file import dataset_of
from otjdd.results import store

MODEL, NETWORKS, PICTURE = "model.nc", "networks.nc", "error.png"
NAMES = (
    "otj.va", "example.cir", "example.sim", "monte_carlo.cir", "monte_carlo.sim",
    "cycles.sim", "aihwkit_preset.py", "crosssim_device.py", "neurosim/cell.txt", "neurosim/pulses.csv",
    "neurosim/set_numbers.py", "neurosim/devices.csv", NETWORKS, PICTURE,
)  # fmt: skip


def check_folder(folder: Path) -> None:
    """Raise ResultError if a folder holds a model of another version, or one of NAMES that was not written with the model.

    Files of other names are left alone.
    """
    if (folder / MODEL).exists():
        CompactModel.load(folder / MODEL)
    store.check_replaceable(folder / MODEL, [folder / name for name in NAMES])


def circuits(model: CompactModel) -> dict[str, str]:
    """Name -> text of the files for circuit simulators."""
    files = {"otj.va": verilog_a.verilog_a(model)} | testbench.netlists(model)
    return files if model.noise is None else files | monte_carlo.netlists(model)


def networks(
    model: CompactModel,
    taken: pulses.Pulsed | None,
    devices: pulses.Devices | None = None,
    noise: export_noise.ExportNoise | None = None,
) -> dict[str, str]:
    """Name -> text of the files for network simulators; {} for pulses without effect, or a junction with self-heating."""
    if taken is None or taken.window < pulses.NOTHING:
        return {}
    parts = export_noise.parts(noise, taken) if noise else export_noise.NONE
    devices = noise.devices if noise else devices
    files = {
        "aihwkit_preset.py": aihwkit.preset(model, taken, devices, parts.preset),
        "crosssim_device.py": crosssim.device(model, taken, devices, parts.device),
    }
    return files | {
        f"neurosim/{name}": text for name, text in neurosim.files(model, taken, devices, parts.cell).items()
    }


def write_exports(
    model: CompactModel,
    folder: Path,
    taken: pulses.Pulsed | None = None,
    devices: pulses.Devices | None = None,
    noise: export_noise.ExportNoise | None = None,
    picture: bytes = b"",
) -> list[Path]:
    """Write a model and all its exports into a folder, all of them or none. Returns the paths. Raises ResultError.

    Files of an earlier model there are removed.
    taken : pulses for the exports for networks, by default those of `pulses.pulse_cycle`
    devices : the same pulses on devices that differ, for spreads between devices
    noise : the scatter of the same pulses, which has devices of its own; its Dataset is NETWORKS
    picture : of the error of the model, a PNG; empty for none
    """
    check_folder(folder)
    if taken is None and model.heat is None:
        taken = pulses.pulse_cycle(model)
    texts = circuits(model) | networks(model, taken, devices, noise)
    contents = {folder / name: text.encode("ascii") for name, text in texts.items()}
    if noise is not None:
        contents[folder / NETWORKS] = store.encoded(noise.dataset().assign_attrs(model.about))
    if picture:
        contents[folder / PICTURE] = picture
    store.write_with(dataset_of(model), folder / MODEL, contents)
    return [folder / MODEL, *contents]


def write_unfinished(model: CompactModel, folder: Path) -> Path:
    """Write a model that is not accurate enough into a folder, without exports. Returns its path. Raises ResultError."""
    store.write_with(dataset_of(model), folder / MODEL, {})
    return folder / MODEL

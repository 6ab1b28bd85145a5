"""All files of a compact model in one folder, each whole or absent."""

from pathlib import Path

from otjdd.compact_models.exports import (
    aihwkit,
    crosssim,
    export_noise,
    monte_carlo,
    neurosim,
    pulses,
    spice,
    verilog_a,
)
from otjdd.compact_models.model import CompactModel
from otjdd.errors import ResultError
from otjdd.results import store
from otjdd.system.files import write_whole

MODEL, NETWORKS = "model.nc", "networks.nc"


def check_folder(folder: Path) -> None:
    """Raise ResultError if a folder holds a model of another version, or another file of that name: it is not replaced."""
    if (folder / MODEL).exists():
        CompactModel.load(folder / MODEL)


def circuits(model: CompactModel) -> dict[str, str]:
    """Name -> text of the files for circuit simulators."""
    files = {"otj.va": verilog_a.verilog_a(model), "otj.cir": spice.subcircuit(model)} | spice.netlists(model)
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
) -> list[Path]:
    """Write a model and all its exports into a folder. Returns the paths. Raises ResultError.

    taken : pulses for the exports for networks, by default those of `pulses.pulse_cycle`
    devices : the same pulses on devices that differ, for spreads between devices
    noise : the scatter of the same pulses, which has devices of its own; its Dataset is NETWORKS
    """
    check_folder(folder)
    if taken is None and model.heat is None:
        taken = pulses.pulse_cycle(model)
    named = circuits(model) | networks(model, taken, devices, noise)
    for name in named:
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultError(folder, f"cannot be made ({error.strerror})") from error
    model.save(folder / MODEL)
    for name, text in named.items():
        write_whole(folder / name, text.encode("ascii"))
    if noise is not None:
        store.write(noise.dataset().assign_attrs(model.about), folder / NETWORKS)
    return [folder / MODEL, *(folder / name for name in named), *([folder / NETWORKS] if noise else [])]

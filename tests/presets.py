"""Presets of aihwkit and devices of CrossSim as the text that they are; neither program, nor torch, need be installed."""

from types import SimpleNamespace

import numpy as np

DEVICE = "from aihwkit.simulator.configs.devices import PiecewiseStepDevice"
VERSION = "from importlib.metadata import version"
CROSSSIM = "from simulator.devices.idevice import EmptyDevice"


class Conductances(np.ndarray):
    """An array with what the noise model asks of a tensor."""

    device = "cpu"

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return np.asarray(self)


class NoiseModel:
    """As BaseNoiseModel of aihwkit, with the range of its converter."""

    def __init__(self, ends):
        self.ends = ends


RNG = np.random.default_rng(1)
TORCH = {
    "as_tensor": lambda x, dtype, device: np.asarray(x, dtype), "exp": np.exp,
    "randn_like": lambda x: RNG.standard_normal(x.shape),
}  # fmt: skip
OF_INFERENCE = {
    "tensors": SimpleNamespace(**TORCH), "BaseNoiseModel": NoiseModel, "SinglePairConductanceConverter": dict,
    "InferenceRPUConfig": lambda noise_model: SimpleNamespace(noise_model=noise_model, forward=SimpleNamespace()),
    "WeightNoiseType": SimpleNamespace(ADDITIVE_CONSTANT="additive constant"),
}  # names that a preset with noise takes from torch and aihwkit  # fmt: skip


def preset_names(text: str, torch: str = "2.10.0", aihwkit: str = "1.1.0") -> dict:
    """What the text of a preset defines; its device is a dict of the values. torch, aihwkit : their versions"""
    names = {"installed": {"aihwkit": aihwkit, "torch": torch}} | OF_INFERENCE
    text = text.replace(DEVICE, "PiecewiseStepDevice = dict").replace(VERSION, "version = installed.get")
    text = text.replace("import torch\n", "torch = tensors\n")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("from aihwkit"))
    exec(compile(text, "preset", "exec"), names)
    return names


def crosssim_names(text: str) -> dict:
    """What the text of a device of CrossSim defines."""
    names: dict = {}
    exec(compile(text.replace(CROSSSIM, "EmptyDevice = object"), "device", "exec"), names)
    return names

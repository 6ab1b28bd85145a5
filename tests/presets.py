"""Presets of aihwkit and devices of CrossSim as the text that they are; neither program, nor torch, need be installed."""

DEVICE = "from aihwkit.simulator.configs.devices import PiecewiseStepDevice"
VERSION = "from importlib.metadata import version"
CROSSSIM = "from simulator.devices.idevice import EmptyDevice"


def preset_names(text: str, torch: str = "2.10.0", aihwkit: str = "1.1.0") -> dict:
    """What the text of a preset defines; its device is a dict of the values. torch, aihwkit : their versions"""
    names = {"installed": {"aihwkit": aihwkit, "torch": torch}}
    text = text.replace(DEVICE, "PiecewiseStepDevice = dict").replace(VERSION, "version = installed.get")
    exec(compile(text, "preset", "exec"), names)
    return names


def crosssim_names(text: str) -> dict:
    """What the text of a device of CrossSim defines."""
    names: dict = {}
    exec(compile(text.replace(CROSSSIM, "EmptyDevice = object"), "device", "exec"), names)
    return names

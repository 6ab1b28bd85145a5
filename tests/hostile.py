"""Files and commands of somebody else: crafted results, planted modules, commands under limits of the shell."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from otjdd.system import interpreter
from otjdd.system.files import sealed, unsealed

OTJDD = "from otjdd.cli import main; main()"
PULSE = """base = "li2019.toml"
title = "a pulse"
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
columns = { count = 1, spread = {} }
device.film.cells = 12
"""
MODULES = ("otjdd", "pickle", "queue", "socket", "numpy", "numba", "yaml", "signal", "tempfile", "sitecustomize")


def otjdd(folder: Path, *words: str, before: str = "") -> subprocess.CompletedProcess:
    """Run a command as users start it, after shell code; the working folder is not on the path of its modules."""
    environment = os.environ | {"COLUMNS": "200"}
    environment.pop(interpreter.SAFE_PATH, None)  # the children have to set it themselves
    command = ["sh", "-c", f'{before or ":"}; exec "$@"', "sh", *interpreter.interpreter_command(OTJDD, *words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")


def plant(folder: Path) -> Path:
    """Put modules into a folder that write a line to a file when they are imported. Returns the path of that file."""
    marks = folder.parent / f"{folder.name}.marks"
    marks.write_text("")
    for name in MODULES:
        code = f"open({str(marks)!r}, 'a').write({name + ' '!r})\nraise ImportError('planted')\n"
        (folder / f"{name}.py").write_text(code)
    return marks


def resealed(path: Path, change: Callable, name: str) -> Path:
    """A copy of a result, changed by change(h5py.File) and with a valid checksum."""
    import io

    import h5py

    data = io.BytesIO(unsealed(path, path.read_bytes()))
    with h5py.File(data, "r+") as file:
        change(file)
    copy = path.with_name(name)
    copy.write_bytes(sealed(data.getvalue()))
    return copy


def external(file, target: Path) -> None:
    """Store an array of an HDF5 file in an external file."""
    del file["current"]
    file.create_dataset("current", (10,), "f8", external=[(str(target), 0, 80)])


def virtual(file, target: Path) -> None:
    """Replace an array of an HDF5 file by a virtual one from another file."""
    import h5py

    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource(str(target), "current", (10,))
    del file["current"]
    file.create_virtual_dataset("current", layout)


def linked(file, target: Path) -> None:
    """Replace an array of an HDF5 file by a link to another file."""
    import h5py

    del file["current"]
    file["current"] = h5py.ExternalLink(str(target), "current")


def attribute(name: str, value) -> Callable:
    """Change an attribute of an HDF5 file."""

    def change(file, target):
        file.attrs[name] = value

    return change


CRAFTED = {  # name -> change(file, target) of a result
    "external storage": external,
    "virtual storage": virtual,
    "a link out of the file": linked,
    "a case 100 000 tables deep": attribute("case_resolved", "a = " + "[" * 100_000),
    "a number for a case": attribute("case_resolved", 3.0),
    "files of the case cut short": attribute("case_files", '{"w.csv": "0,'),
    "files of the case nested": attribute("case_files", "[" * 100_000),
    "a number for the files of the case": attribute("case_files", 3.0),
}

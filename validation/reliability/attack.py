"""Attacks: what somebody else could put in the way of a command, and what a command must never do because of it.

Each part is a function (quick, folder) -> (what was seen, whether that is right). The tests call the same parts, or what
they are made of, in small.
"""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from otjdd.system import interpreter
from otjdd.system.files import sealed, unsealed
from validation.reliability.accidents import PULSE

OTJDD = "from otjdd.cli import main; main()"
STUDY = (
    PULSE
    + """[study.grid]
"drive.voltage" = ["1 V", "1.5 V", "2 V", "2.2 V"]
"""
)
CALIBRATION = """case = "pulse.toml"
[[parameter]]
key = "device.film.thickness"
low = "2.6 nm"
high = "3.0 nm"
dimension = "length"
[[run]]
name = "one pulse"
[[run.target]]
name = "resistance"
read = 0
value = 1e5
"""
MODULES = ("otjdd", "pickle", "queue", "socket", "numpy", "numba", "yaml", "signal", "tempfile", "sitecustomize")


def otjdd(
    folder: Path, *words: str, before: str = "", after: str = "", timeout: float = 1800, **changes: str
) -> subprocess.CompletedProcess:
    """A command as users start it: the working folder is not on the path of modules of its first process.

    before, after : shell that comes before the command, and behind it
    """
    environment = os.environ | {"COLUMNS": "200"} | changes
    environment.pop(interpreter.SAFE_PATH, None)  # what children do is what is tried
    command = interpreter.command(OTJDD, *words)
    if before or after:
        command = ["sh", "-c", f'{before or ":"}; exec "$@" {after}', "sh", *command]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout, errors="replace"
    )


def plant(folder: Path, names: Sequence[str] = MODULES) -> Path:
    """Put modules into a folder that leave a mark when they are imported; returns the file of the marks."""
    marks = folder.parent / f"{folder.name}.marks"
    marks.write_text("")
    for name in names:
        code = f"open({str(marks)!r}, 'a').write({name + ' '!r})\nraise ImportError('planted')\n"
        (folder / f"{name}.py").write_text(code)
    return marks


def lay_out(folder: Path, files: Mapping[str, str]) -> Path:
    """Make a folder with files of text."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


SMALL = {"pulse.toml": PULSE, "study.toml": STUDY, "small.toml": CALIBRATION}
COMMANDS = {  # all that starts other processes, and what it starts them for
    "run": ("run", "pulse.toml", "-q", "-o", "a.nc"),
    "study": ("study", "study.toml", "-q", "-o", "out", "--workers", "2"),
    "calibrate": ("calibrate", "small.toml", "--workers", "2", "--evaluations", "16", "--rounds", "0"),
    "validate": ("validate", "rv-hrs", "--quick", "--workers", "2"),
    "selftest": ("selftest",),
    "rerun": ("rerun", "a.nc"),
    "plot": ("plot", "a.nc"),
}


def planted_modules(quick: bool, folder: Path) -> tuple[str, bool]:
    """Modules of names that otjdd and its libraries import, beside a case: in every command, cold and warm."""
    names = ["run", "study"] if quick else list(COMMANDS)
    place, wrong = lay_out(folder / "planted", SMALL), []
    marks = plant(place)
    tries = [(name, {}) for name in names] + [("run", {"NUMBA_CACHE_DIR": str(folder / "cold")})] * (not quick)
    for name, changes in tries:
        done = otjdd(place, *COMMANDS[name], **changes)
        if done.returncode not in (0, 8) or marks.read_text():
            wrong.append(f"{name}: exit code {done.returncode}, imported {marks.read_text()}{done.stderr[-300:]}")
        marks.write_text("")
    return f"{len(MODULES)} planted modules, {len(tries)} commands: {len(wrong)} imported one" + told(wrong), not wrong


def resealed(path: Path, change: Callable, name: str) -> Path:
    """A copy of a result in which change(h5py.File) has changed something, under a seal that fits."""
    import io

    import h5py

    data = io.BytesIO(unsealed(path, path.read_bytes()))
    with h5py.File(data, "r+") as file:
        change(file)
    copy = path.with_name(name)
    copy.write_bytes(sealed(data.getvalue()))
    return copy


def external(file, target: Path) -> None:
    """Keep an array of an HDF5 file in another file."""
    del file["current"]
    file.create_dataset("current", (10,), "f8", external=[(str(target), 0, 80)])


def virtual(file, target: Path) -> None:
    """Make an array of an HDF5 file of one in another file."""
    import h5py

    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource(str(target), "current", (10,))
    del file["current"]
    file.create_virtual_dataset("current", layout)


def linked(file, target: Path) -> None:
    """Make an array of an HDF5 file a link to another file."""
    import h5py

    del file["current"]
    file["current"] = h5py.ExternalLink(str(target), "current")


def attribute(name: str, value) -> Callable:
    """Change an attribute of an HDF5 file."""

    def change(file, target):
        file.attrs[name] = value

    return change


CRAFTED = {  # name -> change of a result, and whether it hides from readers of the arrays alone
    "external storage": external,
    "virtual storage": virtual,
    "a link out of the file": linked,
    "a case 100 000 tables deep": attribute("case_resolved", "a = " + "[" * 100_000),
    "a number for a case": attribute("case_resolved", 3.0),
    "a case of another kind": attribute("case_resolved", "title = 1"),
    "files of the case cut short": attribute("case_files", '{"w.csv": "0,'),
    "files of the case nested": attribute("case_files", "[" * 100_000),
    "a number for the files of the case": attribute("case_files", 3.0),
    "a number for its end": attribute("solver_status", 3.0),
}


def crafted_results(quick: bool, folder: Path) -> tuple[str, bool]:
    """Results under a seal that fits which lead to other files, or whose attributes are not what they should be."""
    lay_out(folder, SMALL)
    done, wrong, count = otjdd(folder, *COMMANDS["run"]), [], 0
    assert done.returncode == 0, done.stderr
    os.mkfifo(folder / "pipe")
    for k, (name, change) in enumerate(CRAFTED.items()):
        path = resealed(folder / "a.nc", lambda file, change=change: change(file, folder / "pipe"), f"{k}.nc")
        for command in ("rerun", "plot"):
            count += 1
            try:
                done = otjdd(folder, command, path.name, timeout=60)
            except subprocess.TimeoutExpired:
                wrong.append(f"{command} of {name}: hangs")
                continue
            known = (0,) if command == "plot" else (3,) if "another kind" in name else (0,) if "its end" in name else ()
            if done.returncode not in (5, *known) or "bug" in done.stderr:
                wrong.append(f"{command} of {name}: exit code {done.returncode}, {done.stderr[:200]}")
    return f"{len(CRAFTED)} crafted results, {count} commands: {len(wrong)} not refused in words" + told(
        wrong
    ), not wrong


def told(wrong: Sequence[str]) -> str:
    """What went wrong, to be put behind a sentence."""
    return "".join(f"; {one}" for one in wrong)


ATTACKS = {
    "planted": planted_modules,
    "crafted": crafted_results,
}

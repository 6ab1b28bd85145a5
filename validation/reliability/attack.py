"""Attacks on commands by files, links, signals and streams of somebody else.

Each part is a function (quick, folder) -> (text of what was observed, True if that is right). The tests call the same
functions, or parts of them, with small numbers.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from otjdd.errors import ResultError
from otjdd.system import interpreter
from otjdd.system.files import sealed, unsealed
from validation.reliability.accidents import PULSE

OTJDD = "from otjdd.cli import main; main()"
# A shell's background job ignores Ctrl-C, and so would its children.
HEEDING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + OTJDD
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
set = {}
[[run.target]]
name = "resistance"
read = 0
value = 1e5
"""
MODULES = ("otjdd", "pickle", "queue", "socket", "numpy", "numba", "yaml", "signal", "tempfile", "sitecustomize")


def otjdd(
    folder: Path, *words: str, before: str = "", after: str = "", timeout: float = 1800, **changes: str
) -> subprocess.CompletedProcess:
    """Run a command as users start it: the working folder is not on the module path of its first process.

    before, after : shell code before and after the command
    """
    environment = os.environ | {"COLUMNS": "200"} | changes
    environment.pop(interpreter.SAFE_PATH, None)  # the children have to set it themselves
    command = interpreter.command(OTJDD, *words)
    if before or after:
        command = ["sh", "-c", f'{before or ":"}; exec "$@" {after}', "sh", *command]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout, errors="replace"
    )


def plant(folder: Path, names: Sequence[str] = MODULES) -> Path:
    """Put modules into a folder that write a line to a file when they are imported. Returns the path of that file."""
    marks = folder.parent / f"{folder.name}.marks"
    marks.write_text("")
    for name in names:
        code = f"open({str(marks)!r}, 'a').write({name + ' '!r})\nraise ImportError('planted')\n"
        (folder / f"{name}.py").write_text(code)
    return marks


def lay_out(folder: Path, files: Mapping[str, str]) -> Path:
    """Make a folder with text files. files : name -> text"""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


SMALL = {"pulse.toml": PULSE, "study.toml": STUDY, "small.toml": CALIBRATION}
COMMANDS = {  # all commands that start other processes, with the purpose of these
    "run": ("run", "pulse.toml", "-q", "-o", "a.nc"),
    "study": ("study", "study.toml", "-q", "-o", "out", "--workers", "2"),
    "calibrate": ("calibrate", "small.toml", "--workers", "2", "--evaluations", "16", "--rounds", "0"),
    "validate": ("validate", "rv-hrs", "--quick", "--workers", "2"),
    "selftest": ("selftest",),
    "rerun": ("rerun", "a.nc"),
    "plot": ("plot", "a.nc"),
}


def planted_modules(quick: bool, folder: Path) -> tuple[str, bool]:
    """Modules with names that otjdd or its libraries import lie beside a case: no command may import them."""
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
    "a case of another kind": attribute("case_resolved", "title = 1"),
    "files of the case cut short": attribute("case_files", '{"w.csv": "0,'),
    "files of the case nested": attribute("case_files", "[" * 100_000),
    "a number for the files of the case": attribute("case_files", 3.0),
    "a number for its end": attribute("solver_status", 3.0),
}


def crafted_results(quick: bool, folder: Path) -> tuple[str, bool]:
    """Results with a valid checksum that refer to other files, or have wrong attributes."""
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


def interrupted_compilations(quick: bool, folder: Path, seed: int = 8) -> tuple[str, bool]:
    """First runs, without kernels on disk, that get SIGINT or SIGTERM at a random moment of the compilation."""
    count, rng, found, longest = 3 if quick else 100, random.Random(seed), Counter(), 0.0
    lay_out(folder, SMALL)
    for k in range(count):
        cache = folder / f"cache{k}"
        number, code = ((signal.SIGINT, 130), (signal.SIGTERM, 143))[k % 2]
        process = subprocess.Popen(
            interpreter.command(HEEDING, *COMMANDS["run"]), cwd=folder, text=True, stderr=subprocess.PIPE,
            env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
        )  # fmt: skip
        time.sleep(rng.uniform(1.5, 16.0))
        process.send_signal(number)
        began = time.monotonic()
        _, said = process.communicate(timeout=600)
        took = time.monotonic() - began
        longest = max(longest, took)
        if process.returncode == -number:
            found["before the command had begun"] += 1
        elif process.returncode == code and "Traceback" not in said:
            found["ended as asked"] += 1
        else:
            found[f"exit code {process.returncode} ({said[-200:]!r})"] += 1
        shutil.rmtree(cache, ignore_errors=True)
    said = f"{count} signals to a first run while it compiles: {counted(found)}; within {longest:.1f} s"
    return said, set(found) <= {"ended as asked", "before the command had begun"}


def killed_studies(quick: bool, folder: Path, seed: int = 9) -> tuple[str, bool]:
    """`kill -9` of studies with workers, early: all their processes have to end.

    Every second study is killed within a second after it has made its folder, the others after the start of the command.
    """
    count, rng, left, begun = 4 if quick else 50, random.Random(seed), [], 0
    lay_out(folder, SMALL)
    for k in range(count):
        name = f"killed-{os.getpid()}-{k}"
        words = ("study", "study.toml", "-q", "-o", f"out{k}", "--workers", "2")
        process = subprocess.Popen(
            interpreter.command(OTJDD, *words), cwd=folder, env=os.environ | {"OTJDD_MARK": name},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while k % 2 and not (folder / f"out{k}" / "study.json").exists() and process.poll() is None:
            time.sleep(0.02)
        time.sleep(rng.uniform(0.0, 1.0) if k % 2 else rng.uniform(0.2, 1.5))
        process.kill()
        process.wait()
        begun += (folder / f"out{k}" / "study.json").exists()
        end = time.monotonic() + 3.0
        while (alive := marked(name)) and time.monotonic() < end:
            time.sleep(0.1)
        left += alive
    said = f"{count} kills of a study in its first second, {begun} of them after it had begun"
    return f"{said}: {len(left)} processes left after 3 s", not left and begun >= count // 2


def marked(name: str) -> list[int]:
    """Ids of the processes that have inherited a mark in their environment. Linux only."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"OTJDD_MARK={name}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def planted_links(quick: bool, folder: Path) -> tuple[str, bool]:
    """Links to a file of the user in place of each output: the content of the file must not change."""
    lay_out(folder, SMALL)
    (folder / "mine").write_text("mine")
    (folder / "out").mkdir()
    targets = ["a.nc", ".a.nc.checkpoint", "a.png", "found.toml", "out/study.toml", "out/study.json", "out/study.nc"]
    for name in targets:
        (folder / name).symlink_to(folder / "mine")
    commands = (
        ("run", "pulse.toml", "-q", "-o", "a.nc", "--checkpoint", "0", "--plot", "a.png"),
        ("study", "study.toml", "-q", "-o", "out", "--workers", "1"),
        ("calibrate", "small.toml", "--evaluations", "0", "--rounds", "0", "-o", "found.toml"),
    )
    codes = [otjdd(folder, *words).returncode for words in commands[: 2 if quick else 3]]
    followed = (folder / "mine").read_text() != "mine"
    said = f"{len(targets)} links at outputs, {len(codes)} commands: {int(followed)} followed"
    return said, not followed and not any(codes)


def hostile_titles(quick: bool, folder: Path) -> tuple[str, bool]:
    """A title with markup and escape sequences: a terminal has to show it and not obey it."""
    title = r"[/b][red]\u001b]0;owned\u0007\u001b[5m\u202e"
    text = PULSE.replace("a pulse", title)
    lay_out(folder, {"pulse.toml": text, "study.toml": STUDY.replace("a pulse", title), "a\x1b[5m.toml": text})
    wrong = []
    for words in (COMMANDS["run"][:2], COMMANDS["study"][:2] + COMMANDS["study"][3:], ("check", "a\x1b[5m.toml")):
        code, shown = at_a_terminal(folder, *words)
        if code or b"owned\x07" in shown or b"\x1b[5m" in shown or "\u202e".encode() in shown:
            wrong.append(f"{words[0]}: exit code {code}, {shown[-200:]!r}")
    return f"a title with markup and escape sequences, 3 commands at a terminal: {len(wrong)} obeyed" + told(
        wrong
    ), not wrong


def at_a_terminal(folder: Path, *words: str) -> tuple[int, bytes]:
    """Exit code of a command at a pseudo-terminal, and all its output."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(interpreter.command(OTJDD, *words), cwd=folder, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # which ends it on Linux
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    return process.wait(), shown


def closed_streams(quick: bool, folder: Path) -> tuple[str, bool]:
    """Commands whose standard streams are closed, or with too small an address space."""
    from otjdd.results import store

    lay_out(folder, SMALL)
    wrong, ways = [], ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"]
    for k, way in enumerate(ways):
        code = otjdd(folder, "run", "pulse.toml", "-o", f"{k}.nc", after=way).returncode
        try:
            store.read(folder / f"{k}.nc")
        except ResultError as error:
            wrong.append(f"{way}: {error}")
        wrong += [f"{way}: exit code {code}"] * bool(code)
    limits = (100_000, 300_000, 600_000, 900_000, 1_040_000)
    codes = [otjdd(folder, "run", "pulse.toml", "-q", before=f"ulimit -v {limit}").returncode for limit in limits]
    wrong += [f"ulimit -v {limit}: exit code {code}" for limit, code in zip(limits, codes, strict=True) if code != 6]
    said = f"{len(ways)} ways to close streams: results whole; {len(limits)} limits on addresses: exit code 6"
    return said + told(wrong), not wrong


def full_disks_of_workers(quick: bool, folder: Path) -> tuple[str, bool]:
    """A study whose workers cannot write: with a limit on file sizes, and after its folder is removed."""
    more = 'record.profiles = 300\n[study]\nkeep = ["vacancy_concentration"]\n[study.grid]'
    lay_out(folder, SMALL | {"large.toml": STUDY.replace("[study.grid]", more)})
    words, wrong = ("study", "large.toml", "-q", "--workers", "2", "-o"), []
    done = otjdd(folder, *words, "out", before="ulimit -f 16")
    if done.returncode != 5 or "cannot be written" not in done.stderr:
        wrong.append(f"a limit on file sizes: exit code {done.returncode}, {done.stderr[-200:]}")
    process = subprocess.Popen(
        interpreter.command(OTJDD, *words, "gone"), cwd=folder, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 60
    while not (folder / "gone" / "points").exists() and time.monotonic() < end:
        time.sleep(0.005)
    shutil.rmtree(folder / "gone", ignore_errors=True)
    _, said = process.communicate(timeout=600)
    if process.returncode != 5 or "bug" in said:
        wrong.append(f"a folder that goes away: exit code {process.returncode}, {said[-200:]}")
    return "a full disk and a folder that goes away, in the workers of a study: exit code 5" + told(wrong), not wrong


def planted_caches(quick: bool, folder: Path) -> tuple[str, bool]:
    """Kernel caches that others can write to, with entries of a valid checksum that would run code when they are read."""
    from otjdd.compiler import kernel_cache

    lay_out(folder, SMALL)
    mark, wrong = folder / "mark", []
    evil = b"cos\nmkdir\n(V" + os.fsencode(mark) + b"\ntR."  # a pickle
    ways = ("the root", "the folder", "the files") if not quick else ("the files",)
    for way in ways:
        cache = folder / way.replace(" ", "-")
        place = cache / "otjdd" / kernel_cache.folder().name
        shutil.copytree(kernel_cache.folder(), place)
        place.chmod(0o700), place.parent.chmod(0o700)
        for path in place.iterdir():
            body = unsealed(path, path.read_bytes())
            path.write_bytes(sealed(body[: body.index(b"\n") + 1] + evil))
        opened = {"the root": [place.parent], "the folder": [place], "the files": list(place.iterdir())}[way]
        for path in opened:
            path.chmod(0o777)
        done = otjdd(folder, *COMMANDS["run"], NUMBA_CACHE_DIR=str(cache))
        if done.returncode or mark.exists():
            wrong.append(f"{way}: exit code {done.returncode}, {'run' if mark.exists() else done.stderr[-200:]}")
    return f"{len(ways)} planted caches of kernels: {len(wrong)} run" + told(wrong), not wrong


def healed_caches(quick: bool, folder: Path) -> tuple[str, bool]:
    """All kernels are removed and compiled again, as after a failed self-check: a later process has to find them all."""
    cache = {"NUMBA_CACHE_DIR": str(folder / "cache")}
    ask = (
        "from otjdd.compiler import kernel_cache; from otjdd.solver import self_check; self_check.verify_kernels(); "
        "print(kernel_cache.COUNTS['compiled'])"
    )
    heal = "from otjdd.compiler import kernel_cache; kernel_cache.folder(); kernel_cache.forget(); " + ask
    done = [
        subprocess.run(interpreter.command(code), env=interpreter.environment(**cache), capture_output=True, text=True)
        for code in (heal, ask)
    ]
    good = [one.returncode for one in done] == [0, 0] and done[1].stdout == "0\n"
    return f"a healed cache of all kernels: a later process compiles {done[1].stdout.strip()} of them", good


def counted(found: Counter) -> str:
    """Number of each outcome, as text."""
    return ", ".join(f"{number} {what}" for what, number in sorted(found.items()))


def told(wrong: Sequence[str]) -> str:
    """Faults as text that is appended to a sentence."""
    return "".join(f"; {one}" for one in wrong)


ATTACKS = {
    "planted": planted_modules,
    "planted-caches": planted_caches,
    "healed-cache": healed_caches,
    "links": planted_links,
    "crafted": crafted_results,
    "worker-disks": full_disks_of_workers,
    "titles": hostile_titles,
    "streams": closed_streams,
    "compile-signals": interrupted_compilations,
    "killed-studies": killed_studies,
}

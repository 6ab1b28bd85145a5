"""Bad inputs: mistakes of users, the commands that get them, and the exit codes that they must end with.

`test_reliability.py` runs all of them and checks the exit codes and the form of the messages; the site lists them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

USAGE, CASE, FILE = 2, 3, 5

GOOD = """base = "li2019.toml"
title = "a pulse"
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
"""


class Bad(NamedTuple):
    """One bad input: what is wrong, the words after `otjdd`, the exit code, and a function that writes its files."""

    name: str
    words: str
    code: int
    make: Callable[[Path], object]


class Seen(NamedTuple):
    """Outcome of a bad input."""

    bad: Bad
    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The line that says what is wrong."""
        lines = [line.strip(" │") for line in self.err.splitlines()]
        lines = [line for line in lines if line and not line.startswith(("Usage:", "Try ", "╭", "╰"))]
        return lines[0] if lines else ""


def text(name: str, content: str | bytes) -> Callable:
    """Function that writes a file."""
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


def case(name: str, content: str | bytes) -> Bad:
    """A bad case file with this content."""
    return Bad(name, "check bad.toml", CASE, text("bad.toml", content))


def value(name: str, more: str) -> Bad:
    """A good case with additional lines."""
    return case(name, GOOD + more + "\n")


def drive(name: str, table: str) -> Bad:
    """A case with another drive."""
    return case(name, f'base = "li2019.toml"\ndrive = {{ {table} }}\n')


def waveform(name: str, content: str | bytes | None, more: str = "") -> Bad:
    """A case with a waveform in a text file; without that file if content is None."""

    def make(folder):
        text("bad.toml", f'base = "li2019.toml"\ndrive = {{ kind = "table", file = "w.csv"{more} }}\n')(folder)
        if content is not None:
            text("w.csv", content)(folder)

    return Bad(name, "check bad.toml", CASE, make)


def result(name: str, spoil: Callable[[bytes], bytes]) -> Bad:
    """A result file changed by a function."""

    def make(folder):
        whole(folder / "bad.nc")
        (folder / "bad.nc").write_bytes(spoil((folder / "bad.nc").read_bytes()))

    return Bad(name, "plot bad.nc", FILE, make)


def line(name: str, words: str, code: int = USAGE) -> Bad:
    """A bad command line. The folder has a good case, good.toml."""
    return Bad(name, words, code, text("good.toml", GOOD))


def whole(path: Path):
    """Write a small valid result."""
    from otjdd.results import outputs, store

    arrays = {"voltage": [0.0, 1.0, 1.0], "current": [0.0, 1e-9, 2e-9]}
    store.write(outputs.dataset(arrays, {"time": [0.0, 1e-9, 2e-9]}), path)


def foreign(path: Path):
    """Write a NetCDF file that is not from otjdd."""
    import xarray as xr

    xr.Dataset({"current": ("time", [1.0, 2.0])}).to_netcdf(path, engine="h5netcdf")


def flipped(data: bytes) -> bytes:
    return data[:5000] + bytes([data[5000] ^ 4]) + data[5001:]


FILES = [
    case("empty file", ""),
    case("nothing but a comment", "# to do\n"),
    case("random bytes", bytes(range(256)) * 4),
    case("text in UTF-16", GOOD.encode("utf-16")),
    case("a letter in Latin-1", GOOD.replace("pulse", "pulsé").encode("latin-1")),
    case("a zero byte", GOOD + "\0"),
    case("a quote that is not closed", GOOD.replace('"2.2 V"', '"2.2 V')),
    case("a bracket that is not closed", GOOD.replace(" }", "")),
    case("a key given twice", GOOD + 'title = "again"\n'),
    case("a table given twice", GOOD + "[ions]\ncharge = 2\n[device]\n[ions]\ncharge = 1\n"),
    case("a waveform for a case", "t,V\n0,0\n1e-9,1\n"),
    case("a result for a case", b"\x89HDF\r\n\x1a\n" + bytes(100)),
    case("a file of 2 MB", GOOD + "#" * 2_000_000),
    case("lists 5000 deep", "x = " + "[" * 5000),
    case("tables 5000 deep", "x = " + "{a = " * 5000),
    case("lists 40 deep", GOOD + "x = " + "[" * 40 + "]" * 40 + "\n"),
    case("a number of 5000 digits", GOOD + "[ions]\ncharge = " + "9" * 5000 + "\n"),
    case("a key of 20000 parts", ".".join("a" * 20000) + " = 1\n"),
    Bad("a folder for a case", "check bad.toml", CASE, lambda folder: (folder / "bad.toml").mkdir()),
    Bad("a pipe for a case", "check bad.toml", CASE, lambda folder: os.mkfifo(folder / "bad.toml")),
    Bad("a device for a case", "check bad.toml", CASE, lambda folder: (folder / "bad.toml").symlink_to("/dev/zero")),
    Bad("a link to itself", "check bad.toml", FILE, lambda folder: (folder / "bad.toml").symlink_to("bad.toml")),
    Bad("no such case", "check bad.toml", FILE, lambda folder: None),
]
BASES = [
    case("no such base", 'base = "missing.toml"\n'),
    case("a base of itself", 'base = "bad.toml"\n'),
    case("a base above the folder", 'base = "../secret.toml"\n'),
    case("a base anywhere on the disk", 'base = "/etc/hostname"\n'),
    case("a base that is no text", "base = 3\n"),
    Bad(
        "bases in a circle", "check bad.toml", CASE,
        lambda folder: (text("bad.toml", 'base = "b.toml"\n')(folder), text("b.toml", 'base = "bad.toml"\n')(folder)),
    ),
    Bad(
        "a fault in the base", "check bad.toml", CASE,
        lambda folder: (text("bad.toml", 'base = "b.toml"\n')(folder), text("b.toml", GOOD + "colour = 1\n")(folder)),
    ),
]  # fmt: skip
VALUES = [
    value("an expression", 'device.film.thickness = "10**10**10 m"'),
    value("code", "device.film.thickness = \"__import__('os').getcwd()\""),
    value("true for a length", "device.film.thickness = true"),
    value("a list for a length", 'device.film.thickness = ["2.8 nm"]'),
    value("a table for a length", "device.film.thickness = {}"),
    value("a value for a table", 'device.film = "2.8 nm"'),
    value("more ions than sites", 'ions.density = "1e29 1/m^3"\nions.site_density = "1e28 1/m^3"'),
    value("a spread of what cannot spread", '[columns]\nspread = {"ions.charge" = "1 eV"}'),
    value("a spread out of what is physical", '[columns]\ncount = 9\nspread = {"ions.activation_energy" = "0.5 eV"}'),
    value("too many columns", "[columns]\ncount = 100_000"),
    value("profiles after the end", 'record.profiles_at = ["1 s"]'),
    case("a title of nothing", GOOD.replace("a pulse", "")),
    value("a state from nowhere", 'ions.initial = { result = "none.nc" }'),
    value("a state from above the folder", 'ions.initial = { result = "../none.nc" }'),
]  # fmt: skip
DRIVES = [
    case("no drive, no device, no ions", 'title = "x"\n'),
    drive("a drive nobody knows", 'kind = "wave"'),
    drive("a pulse of no time", 'kind = "pulse", voltage = "1 V", width = "0 s"'),
    drive("a pulse without voltage", 'kind = "pulse", width = "1 ns"'),
    drive("a pulse of a million volt", 'kind = "pulse", voltage = "1 MV", width = "1 ns"'),
    drive("a train with period and frequency",
          'kind = "train", voltage = "1 V", width = "1 ns", count = 3, period = "1 us", frequency = "1 MHz"'),
    drive("a train without a period", 'kind = "train", voltage = "1 V", width = "1 ns", count = 3'),
    drive("pulses longer than their period",
          'kind = "train", voltage = "1 V", width = "1 us", count = 3, period = "1 ns"'),
    drive("a thousand million pulses",
          'kind = "train", voltage = "1 V", width = "1 ns", count = 1_000_000_000, period = "1 us"'),
    drive("a loop that goes nowhere", 'kind = "write-read-loop", path = ["1 V"], step = "0.1 V", width = "1 ms"'),
    drive("steps without end", 'kind = "write-read-loop", path = ["-100 V", "100 V"], step = "1 uV", width = "1 ms"'),
    drive("a read outside its hold", 'kind = "hold", voltage = "0 V", duration = "1 s", reads_at = ["2 s"]'),
    drive("curves without voltages", 'kind = "iv"'),
    drive("states that ions at rest forget",
          'kind = "cv", voltages = ["0 V"], settle = true, states = { LRS = [{ voltage = "2 V", duration = "1 s" }] }'),
    drive("frequencies that fall", 'kind = "impedance", frequencies = { start = "1 MHz", stop = "1 Hz" }'),
    drive("time that goes back", 'kind = "table", points = [["0 s", "0 V"], ["2 s", "1 V"], ["1 s", "0 V"]]'),
    drive("time that starts late", 'kind = "table", points = [["1 s", "0 V"], ["2 s", "1 V"]]'),
    drive("sequences in sequences in ...",
          'kind = "sequence", parts = [{ ' * 5 + 'kind = "hold", voltage = "0 V", duration = "1 s" ' + '}]' * 5),
    drive("more breakpoints than fit",
          'kind = "sequence", repeat = 1_000_000, parts = [{kind = "train", voltage = "1 V", width = "1 ns", '
          'count = 100_000, period = "1 us"}]'),
    drive("a pause that drowns its pulse",
          'kind = "sequence", parts = [{kind = "hold", voltage = "0 V", duration = "1e9 s"}, '
          '{kind = "pulse", voltage = "1 V", width = "1 ns"}]'),
]  # fmt: skip
WAVEFORMS = [
    waveform("no such waveform", None),
    waveform("an empty waveform", ""),
    waveform("a header and nothing else", "t [s],V [V]\n"),
    waveform("one row", "0,0\n"),
    waveform("three columns", "0,0,0\n1,1,1\n"),
    waveform("a word among the numbers", "0,0\n1,zero\n"),
    waveform("a row that is cut off", "0,0\n1,"),
    waveform("time that goes back in a file", "0,0\n2,1\n1,0\n"),
    waveform("a file that starts late", "1,0\n2,1\n"),
    waveform("nan in a waveform", "0,0\n1,nan\n"),
    waveform("infinity in a waveform", "0,0\ninf,1\n"),
    waveform("1000 V in a waveform", "0,0\n1,1000\n"),
    waveform("a header in volt for time", "t [V],V [V]\n0,0\n1,1\n"),
    waveform("a header with a strange unit", "t [fortnight],V [V]\n0,0\n1,1\n"),
    waveform("bytes that are no text", b"0,0\n1,\xff\xfe\n"),
    waveform("a read after the end of a file", "0,0\n1,1\n", ', reads_at = ["2 s"]'),
    waveform("decimal commas", "0;0\n1;1,5\n"),
]
RESULTS = [
    Bad("no such result", "plot bad.nc", FILE, lambda folder: None),
    Bad("a folder for a result", "plot bad.nc", FILE, lambda folder: (folder / "bad.nc").mkdir()),
    Bad("a pipe for a result", "plot bad.nc", FILE, lambda folder: os.mkfifo(folder / "bad.nc")),
    Bad("a device for a result", "plot bad.nc", FILE, lambda folder: (folder / "bad.nc").symlink_to("/dev/zero")),
    Bad("a NetCDF file of somebody else", "plot bad.nc", FILE, lambda folder: foreign(folder / "bad.nc")),
    result("an empty result", lambda data: b""),
    result("text for a result", lambda data: b"time,current\n0,1\n"),
    result("half of a result", lambda data: data[: len(data) // 2]),
    result("a result without its last byte", lambda data: data[:-1]),
    result("a result with one bit changed", flipped),
    result("a result with bytes after its end", lambda data: data + b"\n"),
    Bad("a rerun of a result that names no case", "rerun bad.nc", FILE, lambda folder: whole(folder / "bad.nc")),
    Bad("a panel for which a result has nothing", "plot bad.nc --kind iv", USAGE, lambda folder: whole(folder / "bad.nc")),
    Bad("a state from a result without one", "run bad.toml", CASE, lambda folder: (
        whole(folder / "bad.nc"), text("bad.toml", GOOD + 'ions.initial = { result = "bad.nc" }\n')(folder))),
]  # fmt: skip
LINES = [
    line("a command nobody knows", "simulate good.toml"),
    line("no case", "run"),
    line("two cases", "run good.toml good.toml"),
    line("an option nobody knows", "run good.toml --fast"),
    line("an option without its value", "run good.toml -o"),
    line("a setting without a value", "run good.toml --set temperature"),
    line("a setting of an unknown key", "run good.toml --set colour=red", CASE),
    line("a setting of no key", "run good.toml --set =1"),
    line("a setting without a unit", "run good.toml --set device.film.thickness=3", CASE),
    line("a setting of the case's base", "run good.toml --set base=other.toml", CASE),
    line("a result in a folder that is not there", "run good.toml -o none/out.nc", FILE),
    line("a folder for the result", "run good.toml -o .", FILE),
    line("the case for the result", "run good.toml -o good.toml", FILE),
    line("a picture of no format", "run good.toml --plot out.docx"),
    Bad("a panel nobody knows", "plot good.nc --kind pie", USAGE, lambda folder: whole(folder / "good.nc")),
    line("a claim nobody makes", "validate none"),
    line("no workers", "calibrate good.toml --workers 0"),
    line("a calibration that is a case", "calibrate good.toml", CASE),
]

BAD = [*FILES, *BASES, *VALUES, *DRIVES, *WAVEFORMS, *RESULTS, *LINES]


# One process imports everything and forks a child for each command: much faster than a new start for each.
FORKS = """
import gc, json, os, sys, traceback
import h5netcdf, rich.markdown, typer.rich_utils, xarray
import otjdd.case.case, otjdd.cli, otjdd.plot.figure, otjdd.results.store, otjdd.studies.study
import otjdd.solver.integrate, otjdd.solver.model, otjdd.waveform.shapes

typer.main.get_command(otjdd.cli.app)  # whose imports come late
gc.freeze()

for folder, words in json.load(sys.stdin):
    if not os.fork():
        os.chdir(folder)
        for descriptor in (1, 2):
            os.dup2(os.open(f"{folder}.{descriptor}", os.O_WRONLY | os.O_CREAT), descriptor)
        sys.argv = ["otjdd", *words.split()]
        code = 0
        try:
            otjdd.cli.main(own=False)
        except SystemExit as stop:
            code = stop.code or 0
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


FOLDER = "FOLDER"  # in the table, stands for the folder of a command in its message


def surroundings() -> dict:
    """Environment in which the messages do not depend on the terminal."""
    plain = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "400", "PYTHONUTF8": "1"}
    return {k: v for k, v in os.environ.items() if k not in ("OTJDD_DEBUG", "FORCE_COLOR")} | plain


def meet(bad: Bad, folder: Path, timeout: float = 500) -> Seen:
    """Write a bad input into an empty folder and run the command there in a new process."""
    bad.make(folder)
    command = [sys.executable, "-c", "from otjdd.cli import main; main()", *bad.words.split()]
    done = subprocess.run(command, cwd=folder, env=surroundings(), capture_output=True, timeout=timeout)
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    return Seen(bad, done.returncode, out, err.replace(str(folder), FOLDER))


def meet_all(folder: Path, timeout: float = 500) -> list[Seen]:
    """The same for all bad inputs, in children of one process."""
    places = [folder / str(k) for k in range(len(BAD))]
    for bad, place in zip(BAD, places, strict=True):
        place.mkdir()
        bad.make(place)
    tasks = json.dumps([(str(place), bad.words) for bad, place in zip(BAD, places, strict=True)])
    command = [sys.executable, "-c", FORKS]
    done = subprocess.run(command, input=tasks, env=surroundings(), capture_output=True, text=True, timeout=timeout)
    codes = [int(code) for code in done.stdout.split()]
    said = [[Path(f"{place}.{k}").read_text(encoding="utf-8", errors="replace") for k in (1, 2)] for place in places]
    return [
        Seen(bad, code, out, err.replace(str(place), FOLDER))
        for bad, code, (out, err), place in zip(BAD, codes, said, places, strict=True)
    ]

"""Attacks by manipulated files: measured data, fits and compact models. Also two commands at once in one folder.

As in `attack`, each part is a function (quick, folder) -> (text of what was observed, True if that is right).
"""

import math
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from otjdd.errors import DataError, ResultError
from otjdd.system import interpreter
from validation.reliability.accidents import PULSE
from validation.reliability.attack import OTJDD, counted, lay_out, told

LOOP = """base = "rv-loop.toml"
title = "a small loop"
columns = { count = 1, spread = {} }
device = { film = { cells = 12, electrons = "none" } }
drive = { path = ["0 V", "2 V", "-4 V", "0 V"], step = "1 V" }
"""
QUICK, LONGEST = 2.0, 60.0  # s, to refuse a text, and a workbook that asks for too much
TEXTS = ("\n", "\r", "\u2028", "\x85", "\x1b[31m", "\n* x\n.include y", '"', "'''", "\\", "%s", "{}", "\x00")


def far_cells(folder: Path) -> Iterator[Path]:
    """Workbooks of a few kilobytes that need gigabytes in memory: a cell far away, and a long text many times."""
    import openpyxl

    for cell in ("XFD1048576", "ZZ200000"):
        book = openpyxl.Workbook()
        book.active.append(["V", "I"])
        book.active[cell] = 1.0
        book.save(path := folder / f"{cell}.xlsx")
        yield path
    with ZipFile(folder / "ZZ200000.xlsx") as small, ZipFile(folder / "texts.xlsx", "w", ZIP_DEFLATED) as large:
        for name in small.namelist():
            large.writestr(name, small.read(name))
        with large.open("xl/sharedStrings.xml", "w", force_zip64=True) as strings:
            strings.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
            for _ in range(300):
                strings.write(b"<si><t>" + bytes(9_000_000).replace(b"\0", b"a") + b"</t></si>")
            strings.write(b"</sst>")
    yield folder / "texts.xlsx"


def damaged_workbooks(folder: Path, count: int, rng: random.Random) -> Iterator[Path]:
    """Copies of an .xls and an .xlsx file with changed bytes."""
    import openpyxl
    import xlwt

    old, new = xlwt.Workbook(), openpyxl.Workbook()
    sheet = old.add_sheet("Data")
    for row, cells in enumerate([("V", "I"), *((0.1 * k, 1e-9 * k) for k in range(1, 30))]):
        new.active.append(cells)
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    old.save(str(folder / "whole.xls"))
    new.save(folder / "whole.xlsx")
    for k in range(count):
        whole = folder / ("whole.xls" if k % 4 else "whole.xlsx")
        data = bytearray(whole.read_bytes())
        for _ in range(rng.choice((1, 4, 16))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = folder / f"damaged{whole.suffix}"
        path.write_bytes(data)
        yield path


def arrays_elsewhere(folder: Path) -> Iterator[Path]:
    """Measured .nc files whose arrays are in other files, and a pipe."""
    import h5py

    os.mkfifo(folder / "pipe")
    (folder / "secret").write_bytes(bytes(16))
    for number, target in enumerate(("secret", "pipe")):
        with h5py.File(folder / f"external{number}.nc", "w") as file:
            file.create_dataset("V", (2,), "f8", external=[(str(folder / target), 0, 16)])
            file["I"] = [1.0, 2.0]
        layout = h5py.VirtualLayout((2,), "f8")
        layout[:] = h5py.VirtualSource(folder / target, "I", (2,))
        with h5py.File(folder / f"virtual{number}.nc", "w") as file:
            file.create_virtual_dataset("V", layout)
            file["I"] = [1.0, 2.0]
        with h5py.File(folder / f"linked{number}.nc", "w") as file:
            file["V"] = h5py.ExternalLink(str(folder / target), "I")
            file["I"] = [1.0, 2.0]
        yield from (folder / f"{kind}{number}.nc" for kind in ("external", "virtual", "linked"))
    (folder / "pipe.nc").symlink_to(folder / "pipe")
    (folder / "pipe.csv").symlink_to(folder / "pipe")
    yield from (folder / "pipe.nc", folder / "pipe.csv")


def slow_texts(folder: Path) -> Iterator[Path]:
    """Text files for which a careless reader takes a time that grows with the square of their length."""
    for number, text in enumerate((
        "V," + "a (a (a (" * 3000 + "\n1,2\n3,4\n", '"' * 50_000, "V" + "\t" * 100_000 + "I\n", "(" * 100_000,
        "# " * 50_000 + "\n1,2\n", "V,I\n" + "1," * 100_000 + "\n",
    )):  # fmt: skip
        (folder / f"slow{number}.csv").write_text(text)
        yield folder / f"slow{number}.csv"


def measured_files(quick: bool, folder: Path, seed: int = 13) -> tuple[str, bool]:
    """Measured files that need much memory or time, or refer to other files; damaged workbooks. All are read or refused."""
    from otjdd.measurements.read import read_data

    found, wrong = Counter(), []
    damaged = damaged_workbooks(folder, 20 if quick else 400, random.Random(seed))
    kinds = {"far cells": far_cells(folder), "damaged": damaged, "elsewhere": arrays_elsewhere(folder)}
    for kind, paths in (kinds | {"slow": slow_texts(folder)}).items():
        for path in paths:
            began = time.monotonic()
            try:
                read_data(path)
                what = "read" if kind == "damaged" else f"{kind}: {path.name} taken"
            except (DataError, ResultError, OSError):
                what = "refused in words"
            except BaseException as error:
                what = f"{kind}: {type(error).__name__} {error}"[:200]
            found[what] += 1
            took = time.monotonic() - began
            if what not in ("read", "refused in words") or took > (QUICK if kind == "slow" else LONGEST):
                wrong.append(f"{what} after {took:.0f} s")
    said = (
        f"{found.total()} measured files (workbooks of a few kilobytes that ask for gigabytes, damaged ones, arrays in "
    )
    said += f"other files and pipes, headers of 24 kB and more): {counted(found)}"
    return said + told(wrong), not wrong


def forged(path: Path, rng: random.Random) -> Iterator[str]:
    """Write forged.nc beside a result, with a valid checksum and one part missing, text, nan, negative or too short.

    Yields a description of each forgery after it is written.
    """
    from otjdd.results import store

    whole = store.read(path)
    for name in [*whole.data_vars, *whole.attrs]:
        for way in ("gone", "words", "nan", "negative", "short"):
            changed = (forged_head if name in whole.attrs else forged_array)(whole, name, way, rng)
            if changed is not None:
                store.write(changed, path.with_name("forged.nc"))
                yield f"{name} {way}"


def forged_head(ds, name: str, way: str, rng: random.Random):
    """A Dataset with a forged attribute; None if it cannot be forged in this way."""
    if way == "gone":
        return ds.drop_attrs(deep=False).assign_attrs({key: value for key, value in ds.attrs.items() if key != name})
    if isinstance(ds.attrs[name], str) or way == "words":
        return ds.assign_attrs({name: rng.choice(("[" * 10_000, "{}", "null", "x", '[{"x": 1}]', '[{"scale": 7}]'))})
    return ds.assign_attrs({name: math.nan if way == "nan" else -1e3}) if way != "short" else None


def forged_array(ds, name: str, way: str, rng: random.Random):
    """A Dataset with a forged variable; None if it cannot be forged in this way."""
    variable = ds[name]
    if way == "gone":
        return ds.drop_vars(name)
    if way == "words":
        return ds.drop_vars(name).assign({name: "x"})
    if variable.dtype.kind != "f" or not variable.dims:
        return None
    values = variable.values.copy()
    if way == "short":
        return ds.drop_vars(name).assign({name: ("shorter", values.ravel()[:-1])})
    values.flat[rng.randrange(values.size)] = math.nan if way == "nan" else -1e3
    return ds.assign({name: (variable.dims, values, variable.attrs)})


def said_by(folder: Path, *words: str) -> str:
    """Run a command in this process. Returns "done", "refused in words", or what is wrong with its end."""
    from typer.testing import CliRunner

    from otjdd.cli import app

    before = Path.cwd()
    os.chdir(folder)
    try:
        done = CliRunner().invoke(app, list(words))
    finally:
        os.chdir(before)
    known = {0: "done", 2: "refused in words", 3: "refused in words", 4: "refused in words", 5: "refused in words"}
    if done.exit_code in known and "bug" not in done.output and "unexpected" not in done.output:
        return known[done.exit_code]
    return f"exit code {done.exit_code}: {done.output.strip()[-200:]}{done.exception!r}"


def forged_fits(quick: bool, folder: Path, seed: int = 14) -> tuple[str, bool]:
    """A found.nc with each of its parts forged in five ways, for all commands that read a fit."""
    from otjdd.results import store

    lay_out(folder, {"loop.toml": LOOP})
    assert said_by(folder, "run", "loop.toml", "-q", "-o", "loop.nc") == "done"
    ds = store.read(folder / "loop.nc")
    rows = (
        f"{v!r},{R!r}"
        for v, R in zip(ds.write_voltage.values.tolist(), ds.read_resistance.values.tolist(), strict=True)
    )
    (folder / "loop.csv").write_text("\n".join(["V_write (V),R (ohm)", *rows]))
    words = ("fit", "loop.csv", "loop.toml", "--vary", "device.left.barrier=0.5eV:0.8eV", "-o", "found.nc")
    assert said_by(folder, *words) == "done"
    found, wrong = Counter(), []
    for k, what in enumerate(forged(folder / "found.nc", random.Random(seed))):
        commands = [("plot", "forged.nc", "-o", "a.png")]
        commands += [("predict", "forged.nc", "loop.toml", "--draws", "10", "-o", "band.nc")] * (k % 10 == 0)
        commands += [(*words[:-1], "forged.nc", "--resume")] * (k % 50 == 0)
        for command in commands[: 1 if quick else 3]:
            end = said_by(folder, *command)
            found[end if end in ("done", "refused in words") else "wrong"] += 1
            wrong += [] if end in ("done", "refused in words") else [f"{command[0]} {what}: {end}"]
    return f"a fit with each of its parts forged in five ways: {counted(found)}" + told(wrong[:5]), not wrong


def extracted(folder: Path):
    """The compact model of a small loop, and its pulses for networks. folder : for its case"""
    from otjdd.case.case import load_case
    from otjdd.compact_models import build
    from otjdd.compact_models.exports import pulses

    lay_out(folder, {"loop.toml": LOOP})
    model = build.compact(load_case(folder / "loop.toml"), voltage=(-4.0, 2.4), measure=False)
    return model, pulses.pulse_cycle(model)


def forged_models(quick: bool, folder: Path, seed: int = 15) -> tuple[str, bool]:
    """A model.nc with each of its parts forged in five ways, and exports of a model whose texts contain code.

    A forged model has to be refused, or give finite currents of the right sign. No text may add a line to an export.
    """
    import ast
    from dataclasses import replace

    import numpy as np

    from otjdd.compact_models.exports import folder as exports
    from otjdd.compact_models.model import CompactModel

    model, taken = extracted(folder)
    model.save(folder / "model.nc")
    found, wrong = Counter(), []
    for what in forged(folder / "model.nc", random.Random(seed)):
        try:
            other = CompactModel.load(folder / "forged.nc")
            current = other.hold(other.states(2), np.array([0.1, -0.1]), 0.0)
            good = np.isfinite(current).all() and current[0] > 0.0 > current[1]
            found["sound" if good else "wrong"] += 1
            wrong += [] if good else [f"{what}: {current}"]
        except ResultError:
            found["refused in words"] += 1
        except Exception as error:
            found["wrong"] += 1
            wrong.append(f"{what}: {type(error).__name__} {error}"[:200])
    texts = {*model.about, "title", "otjdd_version", "case_sha256"}
    tame = replace(model, about=dict.fromkeys(texts, "a import os"))
    own = exports.circuits(tame) | exports.networks(tame, taken)
    for text in TEXTS:
        wild = replace(model, about=dict.fromkeys(texts, f"a{text}import os"))
        for name, content in (exports.circuits(wild) | exports.networks(wild, taken)).items():
            found["exports"] += 1
            same = len(content.splitlines()) == len(own[name].splitlines()) and content.isascii()
            if name.endswith(".py"):
                same = same and len(ast.parse(content).body) == len(ast.parse(own[name]).body)
            wrong += [] if same else [f"{name} of {text!r} has other lines"]
    said = f"a model with each of its parts forged in five ways: {counted(found)} of texts with line ends and code"
    return said + told(wrong[:5]), not wrong


def races(quick: bool, folder: Path) -> tuple[str, bool]:
    """Two different studies start in one new folder at the same time: one is completed, the other is refused."""
    from otjdd.results import store

    studies = {"voltage": ["1 V", "2 V"], "width": ["20 ns", "50 ns"]}
    texts = {f"{name}.toml": PULSE + f'[study.grid]\n"drive.{name}" = {values}\n' for name, values in studies.items()}
    lay_out(folder, texts)
    found = Counter()
    for k in range(2 if quick else 20):
        started = []
        for name in studies:
            words = ("study", f"{name}.toml", "-q", "-o", f"out{k}", "--workers", "1")
            started.append(
                subprocess.Popen(interpreter.command(OTJDD, *words), cwd=folder, stderr=subprocess.PIPE, text=True)
            )
            time.sleep(0.01 * k)
        said = [process.communicate(timeout=300)[1] for process in started]
        codes = [process.returncode for process in started]
        if sorted(codes) != [0, 5] or "already holds a study" not in said[codes.index(5)]:
            found[f"exit codes {codes}: {said}"] += 1
            continue
        name = list(studies)[codes.index(0)]
        whole = f"drive.{name}" in store.read(folder / f"out{k}" / "study.nc").dims
        found["one whole, the other refused" if whole else "the file of the other"] += 1
    said = f"pairs of different studies started into one folder within 0.2 s: {counted(found)}"
    return said, set(found) == {"one whole, the other refused"}


AROUND = """
import decimal, signal, sys
import otjdd
decimal.getcontext().prec = 3
class Mine(Exception): pass
def mine(number, frame): raise Mine
signal.signal(signal.SIGALRM, mine)
ds = otjdd.run("pulse.toml")
print(repr(ds.read_resistance.values.tolist()))
heard = 0
for k in range(20):
    signal.setitimer(signal.ITIMER_REAL, 0.005 * (k + 1))
    try:
        otjdd.run("endless.toml")
    except Mine:
        heard += 1
print(heard)
"""


def programs(quick: bool, folder: Path) -> tuple[str, bool]:
    """otjdd in a program with its own decimal context and signals, without docstrings, as a module, and on a busy port."""
    import socket

    from validation.reliability.accidents import ENDLESS

    lay_out(folder, {"pulse.toml": PULSE, "endless.toml": ENDLESS})
    wrong = []

    def python(*words: str, **changes: str) -> str:
        done = subprocess.run(
            [*interpreter.command("pass")[:2], *words], cwd=folder, capture_output=True, text=True, timeout=600,
            env=os.environ | changes,
        )  # fmt: skip
        said = done.stdout + done.stderr
        wrong.extend([f"{words}: {said[-200:]}"] if "Traceback" in said or "This is a bug" in said else [])
        return done.stdout if done.returncode == 0 else said

    plain = python("-c", 'import otjdd; print(repr(otjdd.run("pulse.toml").read_resistance.values.tolist()))')
    around = python("-c", AROUND).splitlines()
    wrong += [f"around it: {around}, alone {plain}"] if around != [plain.strip(), "20"] else []
    help_of = {way: python("-m", "otjdd", "--help", PYTHONOPTIMIZE=way) for way in ("", "2")}
    wrong += [] if all("Usage" in text for text in help_of.values()) else [f"--help: {help_of}"[:300]]
    bare = python("-m", "otjdd", "run", "pulse.toml", "-q", "-o", "bare.nc", PYTHONOPTIMIZE="2")
    wrong += [] if (folder / "bare.nc").exists() else [f"PYTHONOPTIMIZE=2: {bare}"]
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        refused = python("-m", "otjdd", "explore", "--no-browser", "--port", port)
    wrong += [] if f"port {port}" in refused else [f"a busy port: {refused}"]
    said = "a program with 3 digits of decimals and handlers of its own: the same numbers, 20 of 20 signals heard; without "
    said += "docstrings (PYTHONOPTIMIZE=2), as `python -m otjdd`, on a busy port: as ever, or told"
    return said + told(wrong), not wrong


FILES = {
    "measured-files": measured_files,
    "fits": forged_fits,
    "models": forged_models,
    "races": races,
    "programs": programs,
}

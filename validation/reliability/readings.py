"""Reading of input data: random tables, starts from results on other grids, and files with repeated records.

Each part is a function (quick, folder) -> (text of what was observed, True if that is right).
"""

import random
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from otjdd.errors import DataError

UNITS = {"V": (("V", 1.0), ("V (V)", 1.0), ("U / mV", 1e-3)), "I": (("I", 1.0), ("I (nA)", 1e-9), ("-I [uA]", -1e-6))}
MILLION = 1_000_000
SOON = 10.0  # s of processor time for a file of a million rows
KEPT = 1e-12  # largest relative change of the number of ions by a start on another grid


class Table(NamedTuple):
    """A table of measured numbers as text, and the numbers of its complete rows; None if the table is ambiguous."""

    text: str
    rows: list[tuple[float, float]] | None


def random_table(rng: random.Random) -> Table:
    """A table with typical defects: empty cells, empty names, words, rows that are too long, two tables side by side."""
    divider = rng.choice("\t;,")
    decimal = rng.choice(".,") if divider != "," else "."
    (V_name, V_unit), (I_name, I_unit) = rng.choice(UNITS["V"]), rng.choice(UNITS["I"])
    names = [V_name, I_name, "status", ""]
    rng.shuffle(names)
    lines, rows, count = [], [], rng.randrange(4, 30)
    beside = rng.randrange(count) if rng.random() < 0.3 else 0  # rows of a shorter table at the right
    for k in range(count):
        numbers = {V_name: f"{0.01 * (k + 1):.6g}", I_name: f"{rng.uniform(0.1, 9.0):.4f}", "status": "0", "": f"{k}"}
        if rng.random() < 0.15:
            numbers[rng.choice((V_name, I_name))] = rng.choice(("", "", "nan", "n/a"))
        cells = [numbers[name] for name in names]
        if not beside and rng.random() < 0.1:  # the end of the line is not written
            cells = cells[: rng.randrange(1, 4)]
        there = [numbers[name] for name in names[: len(cells)] if name in (V_name, I_name)]
        if len(there) == 2 and not {"", "nan", "n/a"} & set(there):
            rows.append((float(numbers[V_name]) * V_unit, float(numbers[I_name]) * I_unit))
        cells = [cell.replace(".", decimal) for cell in cells]
        lines.append(cells + ([f"{k}", "5"] if beside and k < beside else ["", ""] if beside else []))
    longer = rng.random() < 0.3
    if longer:
        lines[rng.randrange(count)] = [*("123456"[: len(names)]), *(["", ""] if beside else []), "7"]
    head = names + (["x", "y"] if beside else [])
    text = "".join(divider.join(line) + rng.choice(("\n", "\r\n")) for line in [head, *lines])
    return Table(text, None if longer else rows)


def outcome(path: Path, table: Table) -> str:
    """Outcome of reading a table: "read", "refused in words", or a fault."""
    from otjdd.measurements.read import read_data

    path.write_bytes(table.text.encode())
    try:
        ds = read_data(path)
    except DataError as error:
        return "refused in words" if f"{path.name}:" in str(error) else f"refused without a place: {error}"
    found = np.stack((ds.voltage.values, ds.current.values), axis=1)
    if table.rows is None:
        return "rows that do not fit their header taken"
    same = found.shape == (len(table.rows), 2) and np.allclose(found, table.rows, rtol=1e-12, atol=0.0)
    return "read" if same else "other numbers"


def measured_tables(quick: bool, folder: Path, seed: int = 10) -> tuple[str, bool]:
    """3000 random tables, and one of a million rows."""
    rng, count = random.Random(seed), 300 if quick else 3000
    tables = [random_table(rng) for _ in range(count)]
    found = Counter(outcome(folder / "t.csv", table) for table in tables)
    whole = sum(table.rows is not None for table in tables)
    took = 0.0 if quick else long_table(folder / "long.csv")
    said = f"{count} random tables of measured numbers, {whole} of them sound: "
    said += ", ".join(f"{number} {what}" for what, number in sorted(found.items()))
    said += "" if quick else f"; a million rows in {took:.1f} s of a processor"
    return said, set(found) <= {"read", "refused in words"} and found["read"] > 0.9 * whole and took < SOON


def long_table(path: Path) -> float:
    """Processor time [s] to read a file of a million rows, whose numbers have to be exact to the last bit."""
    from otjdd.measurements.read import read_data

    V = np.tile(np.round(np.sin(np.arange(1000) * np.pi / 500), 6), MILLION // 1000)
    current = 1e-9 * np.arange(1.0, MILLION + 1)
    rows = (f"{v!r},{i!r}" for v, i in zip(V.tolist(), current.tolist(), strict=True))
    path.write_text("V,I\n" + "\n".join(rows) + "\n")
    began = time.process_time()
    ds = read_data(path)
    took = time.process_time() - began
    assert np.array_equal(ds.voltage, V)
    assert np.array_equal(ds.current, current)
    return took


def other_grids(quick: bool, folder: Path, seed: int = 11) -> tuple[str, bool]:
    """Starts from results on 300 random grids of random films: the number of ions is kept, or the start is refused."""
    from otjdd.case.case import parse_case
    from otjdd.results import outputs, store
    from otjdd.solver import initial, model
    from otjdd.solver.self_check import CASE

    rng, found, most = np.random.default_rng(seed), Counter(), 0.0
    count, plain = 30 if quick else 300, parse_case(CASE, folder, allow_outside=True)

    def film():
        """A random film and the widths of its cells."""
        grid = {"cells": int(rng.integers(8, 200)), "grading": float(rng.uniform(1, 50))}
        case = plain.replace({f"device.film.{key}": value for key, value in grid.items()})
        case = case.replace({"device.film.thickness": f"{rng.uniform(1, 20):.4f} nm"})
        size = case.device.film
        return case, np.diff(model.grid_faces(size.thickness, size.cells, size.grading))

    for _ in range(count):
        (before, width), (after, width_after) = film(), film()
        c = 0.01 * before.ions.density * np.exp(2.0 * rng.standard_normal(width.size))
        arrays = {"cell_width": width, "vacancy_concentration_columns": c[None, None, :], "snapshot_time": np.zeros(1)}
        store.write(
            outputs.dataset(arrays, {"x": np.cumsum(width) - 0.5 * width}, {"case_resolved": before.resolved()}),
            folder / "end.nc",
        )
        start = after.replace({"ions.initial": {"result": str(folder / "end.nc")}})
        try:
            parts = model.members(start)
            there = initial.from_result(start, model.junction(start, parts=parts), parts)["c"][0]
        except ValueError as error:
            found["refused in words" if "site density" in str(error) else str(error)] += 1
            continue
        off = abs((there * width_after).sum() / (c * width).sum() - 1.0)
        most = max(most, off)
        found["kept" if off <= KEPT else "other numbers"] += 1
    said = f"ends of {count} random films as starts of films of other thickness, cells and grading: "
    said += ", ".join(f"{number} {what}" for what, number in sorted(found.items()))
    return f"{said}; ions differ by {most:.0e} at most", set(found) <= {"kept", "refused in words"}


def repeated_records(quick: bool, folder: Path, seed: int = 12) -> tuple[str, bool]:
    """Two records in one file, at the same voltages or at others: the mean is taken of repeats, and of nothing else.

    In half of the files a number is missing in a row, which must not shift the rows after it.
    """
    from otjdd.fitting.curves import points_of
    from otjdd.measurements.datasets import applied_rows
    from otjdd.measurements.read import read_data

    rng, found, count = np.random.default_rng(seed), Counter(), 40 if quick else 400
    for k in range(count):
        n, repeat = int(rng.integers(6, 20)), k % 2 == 0
        t = np.arange(float(n))
        V = np.round(rng.uniform(0.1, 2.0, n), 3)
        later = V if repeat else np.round(V * rng.uniform(1.2, 3.0), 3)
        current = np.concatenate((V, later)) * 1e-6 * (1.0 + 0.01 * rng.standard_normal(2 * n))
        lost = int(rng.integers(2 * n)) if k % 4 > 1 else -1
        given = np.where(np.arange(2 * n) == lost, np.nan, current)
        try:
            ds = read_data({"t": np.tile(t, 2), "V": np.concatenate((V, later)), "I": given})
        except DataError as error:  # the number of the row with which a record begins
            found["refused in words" if "time runs back" in str(error) else str(error)] += 1
            continue
        points = points_of(ds, applied_rows(ds), "current")
        places = (
            [i for i in range(n) if lost % n != i or lost < 0] if repeat else [i for i in range(2 * n) if i != lost]
        )
        expected = 0.5 * (current[:n] + current[n:]) if repeat else current
        close = len(points.y) == len(places) and np.allclose(points.y, expected[places], rtol=1e-3)
        found[("a mean" if repeat else "kept apart") if close else "other numbers"] += 1
    said = f"{count} files with two records: " + ", ".join(f"{number} {what}" for what, number in sorted(found.items()))
    return said, set(found) <= {"a mean", "kept apart", "refused in words"} and found["a mean"] > 0.4 * count


READINGS = {"tables": measured_tables, "starts": other_grids, "records": repeated_records}

"""Random tables of measured numbers with the defects of real ones, and files with two records."""

import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from otjdd.errors import DataError
from otjdd.fitting.curves import points_of
from otjdd.measurements.datasets import applied_rows
from otjdd.measurements.read import read_data

UNITS = {"V": (("V", 1.0), ("V (V)", 1.0), ("U / mV", 1e-3)), "I": (("I", 1.0), ("I (nA)", 1e-9), ("-I [uA]", -1e-6))}


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


@pytest.mark.campaign
def test_a_random_table_is_read_exactly_or_refused_with_its_file(tmp_path):
    rng = random.Random(10)
    tables = [random_table(rng) for _ in range(3000)]
    found = Counter(outcome(tmp_path / "t.csv", table) for table in tables)
    assert set(found) <= {"read", "refused in words"}
    assert found["read"] > 0.9 * sum(table.rows is not None for table in tables)


@pytest.mark.campaign
def test_two_records_become_a_mean_if_they_are_repeats_and_stay_apart_otherwise():
    """In half of the files a number is missing in a row, which must not shift the rows after it."""
    rng, found, faults = np.random.default_rng(12), Counter(), set()
    for k in range(400):
        n, repeat = int(rng.integers(6, 20)), k % 2 == 0
        V = np.round(rng.uniform(0.1, 2.0, n), 3)
        later = V if repeat else np.round(V * rng.uniform(1.2, 3.0), 3)
        current = np.concatenate((V, later)) * 1e-6 * (1.0 + 0.01 * rng.standard_normal(2 * n))
        lost = int(rng.integers(2 * n)) if k % 4 > 1 else -1
        given = np.where(np.arange(2 * n) == lost, np.nan, current)
        try:
            ds = read_data({"t": np.tile(np.arange(float(n)), 2), "V": np.concatenate((V, later)), "I": given})
        except DataError as error:
            faults.add(str(error).partition(":")[0] if "time runs back" not in str(error) else "time runs back")
            continue
        points = points_of(ds, applied_rows(ds), "current")
        places = [i for i in range(n if repeat else 2 * n) if lost < 0 or i != (lost % n if repeat else lost)]
        expected = (0.5 * (current[:n] + current[n:]) if repeat else current)[places]
        np.testing.assert_allclose(points.y, expected, rtol=1e-3)
        found[repeat] += 1
    assert faults == {"time runs back"}
    assert found[True] > 160
    assert found[False] > 100

"""Files of others, from the disk to the numbers, the picture or the sentence that says why not."""

import instruments as make
import numpy as np
from commands import typed

import otjdd


def test_what_stands_in_a_column_is_read_from_that_column_and_drawn(tmp_path):
    """An empty cell, an empty name, a shorter table beside: none of them moves a number to another column."""
    file, picture = tmp_path / "t.tsv", tmp_path / "t.png"
    file.write_text(
        "V\tI\t\tstatus\tx\n0.1\t1e-9\t7\t0\t5\n0.2\t\t7\t0\t6\n0.3\t3e-9\t7\t0\t7\n0.4\t4e-9\t7\t0\t8\n\t\t\t\t9\n"
    )
    said = typed("check", file, "--plot", picture)
    assert "'I' is current, written in none; SI is assumed: 3 numbers, 1e-09 to 4e-09 A" in said
    assert "1 rows without a number left out" in said
    assert picture.stat().st_size > 10_000
    ds = otjdd.read_data(file)
    assert list(ds.voltage.values) == [0.1, 0.3, 0.4]
    assert list(ds.current.values) == [1e-9, 3e-9, 4e-9]


def test_a_long_record_is_read_to_the_last_bit(tmp_path):
    """60 000 rows: several blocks, some with words for missing numbers in them."""
    V = np.tile(np.sin(np.arange(600) * np.pi / 300), 100)
    current = 1e-6 * np.sinh(3 * V)
    rows = [f"{v!r},{i!r}" for v, i in zip(V.tolist(), current.tolist(), strict=True)]
    rows[30_000] = f"{V[30_000]},n/a"
    rows[40_000] = f"{V[40_000]},9.91E+37"
    (tmp_path / "long.csv").write_text("V,I\n" + "\n".join(rows) + "\n")
    ds = otjdd.read_data(tmp_path / "long.csv")
    kept = np.delete(np.arange(60_000), [30_000, 40_000])
    np.testing.assert_array_equal(ds.current, current[kept])
    np.testing.assert_array_equal(ds.line, kept + 2)
    assert "1 numbers over the range" in ds.attrs["understood"]


def test_any_file_is_data_whatever_its_name(tmp_path):
    """A MAT-file, a file without a suffix, a text with the name of a workbook, and several files at once."""
    columns = make.loop()
    for name, content in {
        "save.mat": make.mat(columns),
        "raw": make.buffer(columns),
        "run.xls": make.german(columns),
    }.items():
        (tmp_path / name).write_bytes(content)
        told = typed("check", name)
        assert "'V' is voltage" in told or "is voltage, written in" in told
        assert f"otjdd fit {name} rv-loop --vary device.left.barrier" in told
    for kelvin in (300, 350):
        (tmp_path / f"jv-{kelvin}K.csv").write_text("V,J (A/cm2)\n" + make.rows({"V": columns["V"], "J": columns["I"]}))
    told = typed("check", "jv-300K.csv", "jv-350K.csv", "--from-name", "{temperature}K", "--plot", "jv.png")
    assert "2 files, one after the other" in told
    assert "temperatures: 300, 350 K" in told
    assert "otjdd fit jv-300K.csv jv-350K.csv --from-name '{temperature}K' iv" in told
    assert (tmp_path / "jv.png").stat().st_size > 10_000
    (tmp_path / "case").write_text('base = "rv-loop.toml"\n')
    assert "ok" in typed("check", "case")

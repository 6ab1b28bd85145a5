"""One wrong word in each command: what is wrong, where, what was expected; nothing half written, nothing unexpected.

The commands and the files that they find are in a table, what is said of each in a text beside it; see `messages`.
"""

import os
import shutil
import sys
import tomllib
from pathlib import Path

import h5py
import pytest
from made_results import WRITES, case_attrs, reads
from messages import FOLDER, compared
from walk import BUG, invoked, otjdd

from otjdd.case.document import shipped_cases
from otjdd.results import store

TABLE = tomllib.loads((FOLDER / "commands.toml").read_text(encoding="utf-8"))
FRAME = str.maketrans("╭╮╰╯─│", " " * 6)  # of a message about words
MOST = 300  # letters that are kept of a message
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the words of other systems differ")


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "locked" not in path.parts}


@pytest.fixture
def found(folder):
    """The folder with all files of the table, and those that are no text."""
    for name, text in TABLE["files"].items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    store.write(reads(WRITES, 1e6 * WRITES**2, attrs=case_attrs()), "solved.nc")
    Path("half.nc").write_bytes(Path("solved.nc").read_bytes()[:5000])
    Path("random.toml").write_bytes(bytes(range(256)) * 4)
    with h5py.File("array.h5", "w") as file:
        file["V"], file["I"] = [0.1, 0.2], [1e-9, 2e-9, 3e-9]
    shutil.copy("array.h5", "array.nc")
    Path("link.nc").symlink_to("solved.nc")
    os.link("good.csv", "hard.csv")
    Path("locked").symlink_to("/proc/self")  # where nobody may write, not even root
    for name in ("pipe.toml", "pipe.nc"):
        os.mkfifo(name)
    return folder


def refused(words: str, folder: Path) -> str:
    """Exit code and message of a command that ends in words, changes no file and prints nothing."""
    before = files_of(folder)
    done = invoked(words.replace("LONG", "x" * 300))
    assert done.exit_code in range(2, 7), f"{words}: {done.output}"
    assert BUG not in done.output, words
    assert done.stdout == "", words
    assert files_of(folder) == before, words
    said = " ".join(done.stderr.translate(FRAME).split())
    for long, short in ((str(folder), "FOLDER"), (str(shipped_cases()), "CASES"), ("x" * 300, "LONG")):
        said = said.replace(long, short)
    said = said.partition("for help. Error ")[2] or said  # behind the usage
    return f"{done.exit_code}: {said[:MOST]}"


@needs_linux
def test_a_wrong_word_is_told_before_anything_is_written(found, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    for words in TABLE["usage"]:
        assert refused(words, found).startswith("2: "), words
    compared("commands.txt", [f"$ otjdd {words}\n{refused(words, found)}\n" for words in TABLE["commands"]])


def test_a_base_in_another_folder_is_read_where_it_is_allowed(folder):
    Path("below").mkdir()
    Path("above.toml").write_text('base = "li2019.toml"\ntitle = "above"\n')
    Path("below/case.toml").write_text('base = "../above.toml"\n')
    assert "case.toml: ok" in otjdd("check below/case.toml --allow-outside")
    assert 'title = "above"' in otjdd("show below/case.toml --allow-outside")

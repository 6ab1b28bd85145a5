"""What pages execute: lines of the gallery and cells of the tutorials, run once and kept by their content.

OTJDD_PAGES=execute runs what is not kept yet. Without it pages show what is kept, and the rest as code alone.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from otjdd.system import sources

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / "build" / "executed"
LONGEST = 1500  # s, of the lines of one picture or one tutorial
CELLS = """
import ast, io, json, sys
from contextlib import redirect_stdout
from pathlib import Path
import matplotlib
matplotlib.use("Agg")
from matplotlib.figure import Figure
space, outputs = {"__name__": "__main__"}, []
for number, code in enumerate(json.load(sys.stdin)):
    body = ast.parse(code).body
    last = ast.Expression(body.pop().value) if body and isinstance(body[-1], ast.Expr) else None
    printed, before = io.StringIO(), {path: path.stat().st_mtime_ns for path in Path().glob("*.png")}
    with redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), space)
        value = eval(compile(last, f"cell {number}", "eval"), space) if last else None
    pictures = [path.name for path in sorted(Path().glob("*.png")) if before.get(path) != path.stat().st_mtime_ns]
    if isinstance(value, Figure) and not pictures:
        value.savefig(f"{number}.png")
        pictures = [f"{number}.png"]
    elif value is not None and not isinstance(value, Figure):
        print(value, file=printed)
    outputs.append({"text": printed.getvalue(), "pictures": pictures})
json.dump(outputs, open("outputs.json", "w"))
"""


def folder_of(*contents: str | bytes) -> Path:
    """Folder of what these contents and the sources of otjdd give."""
    digest = hashlib.sha256(sources.digest().encode())
    for content in contents:
        digest.update(content if isinstance(content, bytes) else content.encode())
        digest.update(b"\0")
    return STORE / digest.hexdigest()[:24]


def picture_of(lines: list[str], language: str, name: str, content: bytes) -> bytes | None:
    """The picture that lines of shell or Python leave, or None where it is not kept and pages are not executed."""
    folder = folder_of("\n".join(lines), name, content)
    if not folder.exists() and os.environ.get("OTJDD_PAGES") == "execute":
        commands = (
            [["-c", "\n".join(lines)]] if language == "python" else [["-m", *shlex.split(line)] for line in lines]
        )
        run(commands, folder, [name])
    return (folder / name).read_bytes() if folder.exists() else None


def outputs_of(cells: list[str], beside: Path) -> list[dict[str, Any]] | None:
    """Text and pictures (PNG) of each cell of a notebook whose files are in a folder; None as above."""
    files = [path.read_bytes() for path in sorted(beside.iterdir()) if path.suffix != ".py" and path.is_file()]
    folder = folder_of(*cells, *files)
    if not folder.exists() and os.environ.get("OTJDD_PAGES") == "execute":
        run([["-c", CELLS]], folder, ["*.png", "outputs.json"], beside=beside, words=json.dumps(cells))
    if not folder.exists():
        return None
    outputs: list[dict[str, Any]] = json.loads((folder / "outputs.json").read_text(encoding="utf-8"))
    return [cell | {"pictures": [(folder / name).read_bytes() for name in cell["pictures"]]} for cell in outputs]


def run(
    commands: list[list[str]], folder: Path, patterns: list[str], beside: Path | None = None, words: str = ""
) -> None:
    """Run Python with these words, one after the other in an empty folder, and keep the files of some patterns.

    Raises subprocess.CalledProcessError where a command fails: a page with a line that does not run is not built.
    """
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "place" / (beside.name if beside else "")
        shutil.copytree(beside.parent, place.parent) if beside else place.mkdir()
        for command in commands:
            subprocess.run([sys.executable, *command], cwd=place, input=words, text=True, check=True, timeout=LONGEST,
                           stdout=subprocess.DEVNULL)  # fmt: skip
        (Path(scratch) / "kept").mkdir()
        for path in (path for pattern in patterns for path in place.glob(pattern)):
            shutil.copy(path, Path(scratch) / "kept" / path.name)
        STORE.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(scratch) / "kept", folder)

"""Run commands as a user types them, and find the examples on a page of the documentation."""

import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from otjdd.cli import app

ROOT = Path(__file__).parents[2]
BUG = "This is a bug in otjdd"
SMALL = (
    '--set device.film.cells=12 --set columns.count=1 --set columns.spread="{}" --set circuit.series_resistance="0 ohm"'
)


def otjdd(words: str, *, code: int = 0, smaller: bool = False) -> str:
    """Output of `otjdd WORDS`, run in this process. Fails unless it ends with the exit code `code`.

    smaller : simulate the case with 12 cells and one column, charged at once
    """
    done = invoked(f"{words} {SMALL if smaller else ''}")
    assert done.exit_code == code, f"otjdd {words}: exit code {done.exit_code}\n{done.output}"
    assert BUG not in done.output
    return done.output


def invoked(words: str) -> Result:
    """Outcome of `otjdd WORDS`, run in this process."""
    return CliRunner().invoke(app, shlex.split(words), prog_name="otjdd")


def process(words: str, *, code: int = 0) -> str:
    """Output and errors of `otjdd WORDS`, run in a new process. Fails unless it ends with the exit code `code`."""
    done = subprocess.run(command(words), capture_output=True, text=True)
    assert done.returncode == code, f"otjdd {words}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    assert BUG not in done.stderr
    return done.stdout + done.stderr


def command(words: str) -> list[str]:
    """Command line of the installed `otjdd` with these words."""
    return [str(Path(sysconfig.get_path("scripts")) / "otjdd"), *shlex.split(words)]


def drawn(path: str | Path) -> bool:
    """True if a picture has more than 200 pixels either way, and ink on a plausible share of them."""
    from matplotlib.image import imread

    pixels = imread(path)
    return min(pixels.shape[:2]) > 200 and 0.005 < (pixels[..., :3].min(axis=2) < 0.8).mean() < 0.7


FENCE = re.compile(r"^```(\w+)\n(.*?)^```$|`(otjdd [^`\n]+)`|^    (otjdd [^\n]+)$", re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(r"\.\.\.|(?<![$_])\b[A-Z]{3,}\b")  # as in CASE or KEY=VALUE: a synopsis, not an example
NAME_ALONE = re.compile(r"otjdd (run|check|plot|calibrate|fit|study|compact)")  # the name of a command, not an example


def examples(page: str) -> list[tuple[str, str]]:
    """Examples of a page of the checkout, in order: ("python", text), ("toml", text) or ("otjdd", command)."""
    found = []
    for match in FENCE.finditer((ROOT / page).read_text(encoding="utf-8")):
        language, body, *alone = match.groups()
        inline = alone[0] or alone[1]
        if language in ("python", "toml"):
            found.append((language, body))
        else:
            lines = [inline] if inline else re.split(r"\n| && ", body)
            found += [("otjdd", line.removeprefix(".venv/bin/")) for line in lines if re.search(r"(^|/)otjdd ", line)]
    return [
        (kind, text)
        for kind, text in found
        if kind != "otjdd" or not (PLACEHOLDER.search(text) or NAME_ALONE.fullmatch(text))
    ]

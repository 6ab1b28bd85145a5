"""Diagrams of the pages as SVG: the layers of the house, the flow of a run, the states of a column.

Lines and letters have the colour of the text, so that they show on light and dark pages.
"""

import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEIGHT, GAP = 32, 14  # of a box, and room between boxes, in pixels
STYLE = "max-width: 100%; height: auto; font: 14px sans-serif"


def svg(width: float, height: float, words: str, parts: list[str]) -> str:
    """A figure with its words for those who do not see it."""
    arrow = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    )
    arrow += '<path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>'
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" style="{STYLE}"'
    head = f'<svg {size} role="img" aria-label="{escape(words)}">'
    return f"<figure>{head}{arrow}{''.join(parts)}</svg></figure>"


def box(x: float, y: float, width: float, *lines: str) -> str:
    """A box with lines of text in its middle."""
    height = HEIGHT + 18 * (len(lines) - 1)
    text = "".join(
        f'<text x="{x + width / 2:g}" y="{y + 21 + 18 * k:g}" text-anchor="middle" fill="currentColor"'
        f"{' opacity=' + chr(34) + '.75' + chr(34) if k else ''}>{escape(line)}</text>"
        for k, line in enumerate(lines)
    )
    frame = (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" fill="none" stroke="currentColor"/>'
    )
    return frame + text


def arrow(path: str, x: float = 0, y: float = 0, words: str = "") -> str:
    """An arrow along a path, with words at a point."""
    line = f'<path d="{path}" fill="none" stroke="currentColor" marker-end="url(#arrow)"/>'
    return line + f'<text x="{x:g}" y="{y:g}" text-anchor="middle" fill="currentColor">{escape(words)}</text>' * bool(
        words
    )


def house() -> str:
    """The floors of tests/layers.toml, the ground floor at the bottom."""
    floors: list[list[str]] = tomllib.loads((ROOT / "tests/layers.toml").read_text("utf-8"))["floors"]
    width = 560
    parts = []
    for level, floor in enumerate(reversed(floors)):
        part = (width - GAP * (len(floor) - 1)) / len(floor)
        parts += [box(1 + k * (part + GAP), 1 + level * (HEIGHT + 6), part, name) for k, name in enumerate(floor)]
    words = "Layers of the package, from the top: " + "; ".join(", ".join(floor) for floor in reversed(floors))
    return svg(width + 2, len(floors) * (HEIGHT + 6), words, parts)


def run() -> str:
    """From a case file to a Dataset."""
    stages = [
        ("case file", "TOML, units, bases"), ("Case", "one frozen record"), ("columns", "numbers for the kernels"),
        ("time steps", "ions, fields, current"), ("rows and profiles", "reads, snapshots"), ("Dataset", "NetCDF, figures"),
    ]  # fmt: skip
    width, step = 190, HEIGHT + 18 + 30
    parts = []
    for number, lines in enumerate(stages):
        row, place = divmod(number, 3)
        x = 1 + (place if row == 0 else 2 - place) * (width + 40)
        parts.append(box(x, 1 + row * step, width, *lines))
        if number < 2:
            parts.append(arrow(f"M{x + width} 26h38"))
        elif number == 2:
            parts.append(arrow(f"M{x + width / 2} 51v28"))
        elif number < 5:
            parts.append(arrow(f"M{x} {step + 26}h-38"))
    return svg(3 * width + 82, 2 * step - 26, "Flow of a run: " + ", then ".join(name for name, _ in stages), parts)


def column() -> str:
    """Where the vacancies of a column of the reference device are, and which voltages move them."""
    parts = [
        box(180, 1, 200, "as made", "vacancies spread evenly"),
        box(1, 130, 200, "high resistance", "vacancies at the left metal"),
        box(360, 130, 200, "low resistance", "vacancies at the right oxide"),
        arrow("M200 51L110 128", 110, 86, "V < 0"),
        arrow("M360 51L450 128", 452, 86, "V > 0"),
        arrow("M201 146H358", 280, 140, "V > 0: set"),
        arrow("M360 166H203", 280, 184, "V < 0: reset"),
        arrow("M70 180C60 215 130 215 122 182", 96, 226, "V = 0: kept"),
        arrow("M430 180C420 215 490 215 482 182", 456, 226, "V = 0: kept"),
    ]
    words = (
        "States of a column: as made, vacancies spread evenly; V > 0 drives them to the right oxide, low resistance; "
    )
    words += "V < 0 to the left metal, high resistance; both are kept at 0 V"
    return svg(562, 234, words, parts)


DIAGRAMS = {"house": house, "run": run, "column": column}

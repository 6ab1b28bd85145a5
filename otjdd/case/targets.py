"""Conductances that the cells of a crossbar are programmed to: a number, rows of them, a text file, a picture."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from otjdd.case.base import Record, key
from otjdd.case.problem import KeyPath
from otjdd.errors import NotAsExpected, UnitError
from otjdd.system.files import read_regular
from otjdd.units import Quantity, brief, parse

if TYPE_CHECKING:
    import numpy as np

Siemens = Annotated[float, Quantity("conductance", "1 fS", "1 kS")]
ConductanceRow = Annotated[tuple[Siemens, ...], Field(min_length=1, max_length=256)]
MOST_BYTES = 10_000_000  # of a file of targets or a picture
LIMITS = parse("1 fS", "conductance"), parse("1 kS", "conductance")  # of Siemens


class TargetFile(Record):
    """Targets in a text file: a line for each word line, numbers divided by commas, semicolons, tabs or spaces.

    unit : of the numbers. Lines that begin with # are left out
    """

    model_config = ConfigDict(title="Targets in a text file")

    file: Annotated[str, Field(min_length=1, max_length=4096)] = key(
        "a line of numbers for each word line", example="targets.csv"
    )
    unit: Annotated[str, Field(min_length=1, max_length=20)] = key("unit of the numbers", example="uS")

    @model_validator(mode="after")
    def _is_unit(self) -> Self:
        try:
            parse(f"1 {self.unit}", "conductance")
        except UnitError:
            raise NotAsExpected('a unit of a conductance, such as "uS"', brief(self.unit)) from None
        return self


class TargetPicture(Record):
    """Targets as the grey of a picture, a pixel for each cell: black is one conductance [S], white the other.

    scale : what is proportional to the grey, the conductance ("linear") or its logarithm ("logarithmic")
    """

    model_config = ConfigDict(title="Targets in a picture")

    picture: Annotated[str, Field(min_length=1, max_length=4096)] = key(
        "a picture with a pixel for each cell", example="letter.png"
    )
    black: Siemens = key("conductance of black", example="1 uS")
    white: Siemens = key("conductance of white", example="10 uS")
    scale: Literal["linear", "logarithmic"] = key(
        "what is proportional to the grey: the conductance or its logarithm", "linear", example="logarithmic"
    )


def form_of_targets(value: object) -> str:
    """Tag of the form of `targets` that a value has. What has no known form is taken for a number, and refused as one."""
    if isinstance(value, TargetPicture) or (isinstance(value, dict) and "picture" in value):
        return "picture"
    if isinstance(value, TargetFile | dict):
        return "file"
    return "rows" if isinstance(value, list | tuple) else "number"


Targets = Annotated[
    Annotated[Siemens, Tag("number")]
    | Annotated[tuple[ConductanceRow, ...], Field(min_length=1, max_length=256), Tag("rows")]
    | Annotated[TargetFile, Tag("file")]
    | Annotated[TargetPicture, Tag("picture")],
    Discriminator(form_of_targets),
]


def targets_of(targets: Any, shape: tuple[int, int]) -> "np.ndarray":
    """Conductances [S] (R, C) of a value of `targets`. Raises NotAsExpected for what has no such shape or is no table."""
    import numpy as np

    if isinstance(targets, float):
        return np.full(shape, targets)
    if isinstance(targets, TargetPicture):
        return greys(targets, shape)
    rows = rows_of(targets) if isinstance(targets, TargetFile) else targets
    size = len(rows), *sorted({len(row) for row in rows})
    if size != shape:
        raise NotAsExpected(
            f"{shape[0]} rows of {shape[1]} conductances each, one for each word line",
            f"{size[0]} rows of {' and '.join(map(str, size[1:]))}",
        )
    return np.array(rows)


def rows_of(targets: TargetFile) -> list[list[float]]:
    """Rows of a text file of targets [S]. Raises NotAsExpected with the line of what is no number."""
    unit, rows = parse(f"1 {targets.unit}", "conductance"), []
    try:
        text = read_regular(targets.file, MOST_BYTES).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise NotAsExpected("a text file that can be read", str(error)) from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = []
        for cell in re.split(r"\s*[,;\t]\s*|\s+", line.strip()):
            try:
                value = float(cell) * unit
            except ValueError:
                value = float("nan")
            if not LIMITS[0] <= value <= LIMITS[1]:
                raise NotAsExpected('numbers from "1 fS" to "1 kS"', f"{brief(cell)} in line {number}")
            row.append(value)
        rows.append(row)
    return rows or [[]]


def greys(targets: TargetPicture, shape: tuple[int, int]) -> "np.ndarray":
    """Conductances [S] (R, C) of a picture. Raises NotAsExpected for one that cannot be read or has another size."""
    import numpy as np
    from PIL import Image

    expected = f"a picture of {shape[1]} x {shape[0]} pixels, bit lines x word lines"
    try:
        with Image.open(BytesIO(read_regular(targets.picture, MOST_BYTES))) as opened:
            size = opened.size
            if size == (shape[1], shape[0]):
                grey = np.asarray(opened.convert("L"), float) / 255.0
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAsExpected(f"{expected}, such as a PNG", f"a file that cannot be read as one ({error})") from None
    if size != (shape[1], shape[0]):
        raise NotAsExpected(expected, f"{size[0]} x {size[1]}")
    ends = np.array([targets.black, targets.white])
    ends = np.log(ends) if targets.scale == "logarithmic" else ends
    values: np.ndarray = (1.0 - grey) * ends[0] + grey * ends[1]
    return np.exp(values) if targets.scale == "logarithmic" else values


def faults(parts: Any, shape: tuple[int, int]) -> Iterator[tuple[KeyPath, str, str]]:  # PatternParts of a drive
    """(path, expected, got) for each part whose targets cannot be read or do not fit an array."""
    for i, part in enumerate(parts):
        if part.kind == "program":
            try:
                targets_of(part.targets, shape)
            except NotAsExpected as error:
                yield ("drive", "parts", i, "targets"), error.expected, error.got

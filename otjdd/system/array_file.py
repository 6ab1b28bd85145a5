"""Files of named arrays: a line of JSON with the format, the numbers of the arrays in its order, the seal (`files`).

Points of studies and checkpoints of runs are such files, since NetCDF4 takes a hundred times as long to write. Results,
compact models, fits and searches are NetCDF4 with the same seal, see `otjdd.results.store`.
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.errors import ResultError
from otjdd.system.files import check_format, format_of, sealed, unsealed

NUMBERS = "biuf"  # kinds of dtypes
TEXT = "text"  # in place of a dtype, of an array of texts


def packed(kind: str, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Bytes of a file of a kind.

    head : what else the line of JSON states   arrays : of numbers, or of texts, which the line holds
    """
    listed, numbers = [], []
    for name, values in arrays.items():
        text = values.dtype.kind in "UO"
        own = values.astype(values.dtype.newbyteorder("<"), copy=False)
        listed.append([name, TEXT if text else own.dtype.str, values.shape, values.tolist() if text else None])
        numbers.append(b"" if text else own.tobytes())
    return sealed(
        b"".join([json.dumps({"format": format_of(kind), **head, "arrays": listed}).encode(), b"\n", *numbers])
    )


def opened(path: Path, data: bytes, kind: str, advice: str = "") -> tuple[dict[str, Any], bytes]:
    """What the line of JSON of a file states, and the bytes behind it.

    Raises ResultError for a file that is damaged or of another kind, OtherVersion for one of another version.
    """
    line, _, numbers = unsealed(path, data).partition(b"\n")
    try:
        head = json.loads(line)
        stated = head.get("format")
    except (ValueError, AttributeError, RecursionError) as error:
        raise ResultError(path, f"is no {kind} of otjdd", advice) from error
    check_format(path, kind, stated, advice)
    return head, numbers


def unpacked(listed: Iterable[Any], numbers: bytes) -> dict[str, np.ndarray]:
    """Arrays by name, from the list in the line and the bytes behind it. Raises ValueError, TypeError for a wrong list."""
    arrays, at = {}, 0
    for name, kind, shape, words in listed:
        if kind == TEXT:
            arrays[name] = np.array(words, dtype=object).reshape(shape)
            if not all(isinstance(word, str) for word in arrays[name].ravel()):
                raise ValueError(f"{name} of other things than texts")
            continue
        dtype = np.dtype(kind)
        if dtype.kind not in NUMBERS or not all(isinstance(length, int) and length >= 0 for length in shape):
            raise ValueError(f"{name} of {kind} and the shape {shape}")
        size = math.prod(shape) * dtype.itemsize
        if at + size > len(numbers):
            raise ValueError(f"{len(numbers)} bytes of numbers instead of {at + size} or more")
        arrays[name] = np.frombuffer(numbers[at : at + size], dtype).reshape(shape).copy()
        at += size
    if at != len(numbers):
        raise ValueError(f"{len(numbers)} bytes of numbers instead of {at}")
    return arrays

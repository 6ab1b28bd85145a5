"""Files of named arrays: a line of JSON, the numbers of the arrays in its order, the seal (`otjdd.system.files`).

Points of studies and checkpoints of runs are such files, since NetCDF4 takes a hundred times as long to write. Results,
compact models, fits and searches are NetCDF4 with the same seal, see `otjdd.results.store`.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from otjdd.system.files import sealed

NUMBERS = "biuf"  # kinds of dtypes
TEXT = "text"  # in place of a dtype, of an array of texts


def packed(head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Bytes of a file. head : what else the line of JSON states   arrays : of numbers, or of texts, which the line holds"""
    listed, numbers = [], []
    for name, values in arrays.items():
        text = values.dtype.kind in "UO"
        own = values.astype(values.dtype.newbyteorder("<"), copy=False)
        listed.append([name, TEXT if text else own.dtype.str, values.shape, values.tolist() if text else None])
        numbers.append(b"" if text else own.tobytes())
    return sealed(b"".join([json.dumps({**head, "arrays": listed}).encode(), b"\n", *numbers]))


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

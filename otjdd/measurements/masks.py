"""Masks of numbers that are no measurement, since the instrument reports compliance, an overflow, or a range status."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from otjdd.measurements.columns import Column
from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.names import channel
from otjdd.measurements.rows import TableRows, scaled

NEAR = 1e-3  # relative distance below the compliance within which a current counts as limited
FLAGS = {"t", "true", "1", "1.0", "yes", "on", "c", "compl", "compliance", "limit", "overflow"}


class StatusColumn(NamedTuple):
    """A status column: the pattern of its name, a test of a cell that masks the numbers of its row, the reason in words."""

    header: str
    masks: Callable[[str], bool]
    words: str


def of_pmu(text: str) -> bool:
    """True for a status of a 4225-PMU that reports compliance or a threshold (digit 5) or of an overflow (digit 6).

    Source: Keithley, Model 4200A-SCS Reference Manual, PMU measurement status codes.
    """
    digits = text.split(".")[0].zfill(8)
    return len(digits) == 8 and (digits[4] != "0" or digits[5] != "0")


STATUS = (
    StatusColumn(r"PMU\d_\d_S", of_pmu, "in compliance, at a threshold, or over the range"),
    StatusColumn(
        r"source limit|over temp|(?:in )?compliance|compl\.?|overflow|over ?range|limit",
        lambda text: text.lower() in FLAGS,
        "in compliance, or over the range",
    ),
    # of the channel: C in compliance, V over the range, X oscillating; T: another channel in compliance
    StatusColumn(
        r"(?:[iv]|smu\d|ch\d)?[ _.]?status(?:[ _.]?[iv]?\d?)?", lambda text: text.strip().upper() in {"C", "T", "V", "X"},
        "in compliance, over the range, or oscillating",
    ),
)  # fmt: skip


def masked(block: FileBlock, columns: Mapping[str, Column], rows: TableRows) -> tuple[np.ndarray, list[str]]:
    """(True for each row (row,) that the instrument reports as no measurement, the reasons with counts)."""
    mask, words = np.zeros(rows.lines.size, dtype=bool), []
    for place, cell in enumerate(block.header.cells):
        status = next((s for s in STATUS if re.fullmatch(s.header, cell.text, re.IGNORECASE)), None)
        if status is None or not belongs(cell.text, columns):
            continue
        texts = texts_at(block, place)
        flagged = np.array([status.masks(texts.get(int(line), "")) for line in rows.lines], dtype=bool)
        words += [f"{flagged.sum()} rows masked by {cell.text!r}: {status.words}"] * bool(flagged.any())
        mask |= flagged
    if "current" in columns:
        name = re.sub(r"(?:\(\d+\)|\[\d+\])+$", "", columns["current"].header.text).strip()
        if limit := block.limits.get(name):
            at_limit = np.abs(scaled(columns["current"], rows)) >= limit * (1 - NEAR)
            words += [f"{at_limit.sum()} rows masked: the current is at its compliance of {limit:g} A"] * bool(
                at_limit.any()
            )
            mask |= at_limit
    return mask, words


def belongs(header: str, columns: Mapping[str, Column]) -> bool:
    """True if a status is that of the channel of a used column, or of no channel."""
    name = re.sub(r"[ _.]?S$", "", header).lower() if header.startswith("PMU") else ""
    return not name or name in {channel(column.header.text) for column in columns.values()}


def texts_at(block: FileBlock, place: int) -> dict[int, str]:
    """Line -> text of the cells of a column."""
    return {
        first + i: row[place].strip()
        for first, rows in block.sheet.blocks(block.first, block.last)
        for i, row in enumerate(rows)
        if place < len(row)
    }

"""The columns of a table: the quantity and the unit of each, as its header, the settings or a user name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from otjdd.case.problem import nearest
from otjdd.errors import DataError
from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.names import INDEX, Heading, heading, parted, scale_to
from otjdd.measurements.sheet import Cell
from otjdd.units import quantity

OVER_RESISTOR = re.compile(r"(.+?)\s+/\s+([-+\d.eE]+\s*[a-zA-Zµμ]*(?:ohm|Ohm|Ω|Ω))\s*")


class Column(NamedTuple):
    """A column: its header as written and as read, its place in a line, factor and offset to the unit of the Dataset.

    named : True if a user has chosen it   fault : error for a text that is no unit of its quantity, or None
    """

    header: Cell
    heading: Heading
    place: int
    factor: float
    offset: float
    named: bool = False
    fault: DataError | None = None

    @property
    def quantity(self) -> str:
        """Name of the quantity in a Dataset."""
        return self.heading.quantity


def columns_of(block: FileBlock, names: Mapping[str, str]) -> list[Column]:
    """The columns of a table whose quantity is known. Raises DataError for a name of a user that no column has.

    names : quantity -> header of its column, or its place, or "HEADER / 1 kohm" for a voltage over a resistor
    """
    chosen = user_columns(block, names)
    columns = []
    for place, cell in enumerate(block.header.cells):
        own = [(name, over) for name, at, over in chosen if at == place]
        columns += [named_column(block, place, name, over) for name, over in own]
        if own or not cell.text:
            continue
        stated = block.quantities.get(cell.text)
        read = heading(cell.text, block.unit(place))
        if stated:
            read = Heading(stated, bool(read and read.magnitude), parted(cell.text)[1])
        if read and stated != "" and read.quantity not in names:
            columns.append(column(block, place, read))
    return columns


def user_columns(block: FileBlock, names: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """(quantity, place of its column, resistance that divides its voltage or "") as a user chose. Raises DataError.

    A name without the index behind it, "DrainI" of "DrainI(1)", "DrainI(2)", means all of them.
    """
    texts = block.header.texts
    columns: list[tuple[str, int, str]] = []
    for name, text in names.items():
        over = OVER_RESISTOR.fullmatch(text) if text not in texts and name in ("current", "read_current") else None
        base = over[1] if over else text
        places = [i for i, t in enumerate(texts) if t == base] or [i for i, t in enumerate(texts) if stem(t) == base]
        if not places:
            columns_there = f"columns {', '.join(filter(None, texts))}"
            raise block.sheet.fault(block.header, None, f"a column {base!r}", columns_there, nearest(base, texts))
        columns += [(name, place, over[2] if over else "") for place in places]
    return columns


def stem(text: str) -> str:
    """A name without the index behind it, "DrainI" of "DrainI(2)"."""
    index = INDEX.fullmatch(text)
    return index[1] if index else text


def named_column(block: FileBlock, place: int, name: str, over: str) -> Column:
    """The column that a user named for a quantity. over : resistance whose voltage it holds, "" for none"""
    cell = block.header.cells[place]
    read = heading(cell.text, block.unit(place))
    written = read.unit if read else parted(cell.text)[1]
    if not over:
        own = read._replace(quantity=name) if read else Heading(name, False, written)
        return column(block, place, own)._replace(named=True)
    factor, offset = scale_to(written or block.unit(place), "voltage")
    resistance, _ = quantity(over)
    about = Heading(name, False, f"{written or block.unit(place) or 'V'} over {over}")
    return Column(cell, about, place, factor / resistance, offset / resistance, named=True)


def column(block: FileBlock, place: int, read: Heading) -> Column:
    """The column at a place, with the fault of its unit if it has one."""
    cell = block.header.cells[place]
    written = read.unit or block.unit(place)
    try:
        factor, offset = read.scale(written)
    except ValueError as error:
        fault = block.sheet.fault(block.header, cell, f"a unit of {read.quantity}", f"{written!r}", str(error))
        return Column(cell, read, place, 1.0, 0.0, fault=fault)
    return Column(cell, read._replace(unit=written), place, factor, offset)

"""Records of a form of files, and of a table in a file with the lines of its rows, before its columns are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from otjdd.measurements.sheet import Sheet, SheetLine


class FileBlock(NamedTuple):
    """A table in a file.

    title : by which --sheet chooses it   header : the line of names   units : of each column, "" for none there
    first, last : lines of the rows   settings : text that describes the measurement
    series : tables of the same series and the same names are records of one measurement; "" for a table by itself
    length : rows of a record, 0 for all   quantities : name -> quantity, where the settings say so; "" for none
    preferred : pattern of the names that come first where a quantity has several columns
    limits : name of a current -> the compliance [A] of its channel
    understood : False if no name is understood   numbered : True if the names are the places of the columns
    """

    sheet: Sheet
    title: str
    header: SheetLine
    units: tuple[str, ...]
    first: int
    last: int
    settings: str = ""
    series: str = ""
    length: int = 0
    quantities: Mapping[str, str] = {}
    preferred: str = ""
    limits: Mapping[str, float] = {}
    understood: bool = True
    numbered: bool = False

    def unit(self, place: int) -> str:
        """Unit of a column that does not stand in its name, "" for none."""
        return self.units[place] if place < len(self.units) else ""


class Form(NamedTuple):
    """A form: the instrument and the program that writes it, signs of it in the first lines, and its tables.

    signs : patterns, each of a line   blocks : from a sheet and the names that a user gives to columns
    """

    name: str
    signs: tuple[str, ...]
    blocks: Callable[[Sheet, Mapping[str, str]], list[FileBlock]]

    def recognise(self, head: str) -> float:
        """Share, 0 to 1, of the signs of this form that the first lines of a file contain. head : these lines"""
        return sum(bool(re.search(sign, head, re.MULTILINE)) for sign in self.signs) / len(self.signs)

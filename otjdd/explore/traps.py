"""Traps that the page adds to a film without traps and takes away again: those of the shipped case SOURCE, but for depth.

The measured currents of SOURCE leave the depth open from 0.7 to 2.4 eV. In a film with a lower barrier, traps at the 2 eV
of SOURCE carry 1e-26 of the current (`rv-loop`). So the depth is the barrier at the left electrode: in a flat band, the
traps are at the Fermi level of this electrode.

The `kind` of the traps is "none": they carry a current and no charge, and so are valid in every device.
"""

from collections.abc import Mapping
from typing import Any

from otjdd.case.case import Case, load_case

SOURCE = "hfo2-leakage"
KEY = "device.traps"


def presence_of(data: Any) -> bool:
    """True for a message that adds traps. Raises ValueError for a message that the page would not send."""
    present = data.get("present") if isinstance(data, dict) else None
    if not isinstance(present, bool):
        raise ValueError("expected traps to add or to take away")
    return present


def tables_of(case: Case) -> list[dict[str, Any]]:
    """Tables of the traps of a case."""
    return [dict(table) for table in case.plain()["device"].get("traps", ())]


def beside_traps(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a case, by dotted key, without those of its traps."""
    return {key: value for key, value in changes.items() if key.split("[")[0] != KEY}


def new_tables(case: Case) -> list[dict[str, Any]]:
    """Tables of the traps that are added to a case."""
    barrier = case.plain()["device"]["left"]["barrier"]
    return [table | {"depth": barrier} for table in tables_of(load_case(SOURCE))]


def changes_with_traps(changes: Mapping[str, Any], case: Case, present: bool) -> dict[str, Any]:
    """The changes that led to a case, with those that add traps if `present`, else without changes of traps."""
    return beside_traps(changes) | ({KEY: new_tables(case)} if present else {})

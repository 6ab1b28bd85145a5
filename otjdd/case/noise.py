"""What does not go with ions that hop at random."""

from collections.abc import Iterator
from typing import Any

from otjdd.case.column_values import column_values
from otjdd.case.device import Device
from otjdd.case.kinds import kinds_of, spread_values
from otjdd.case.problem import KeyPath

FEWEST = 1.0  # ions of a column


def column_area(device: Device, share: float) -> float:
    """Area [m2] through which the ions of a column move that has a share of the junction."""
    return share * device.conducting_fraction * device.junction_area


def faults(case: Any) -> Iterator[tuple[KeyPath, str, str, str]]:  # of a Case
    """Path, expected, found and hint of random hops in a column with less than one ion."""
    if case.ions.noise == "none":
        return
    for kind in kinds_of(case):
        if kind.ions.density is None:  # that of a profile, which the run reads
            continue
        try:
            spread, weights = column_values(kind.columns, spread_values(kind, kind.ions.density))
        except (OSError, ValueError):
            continue  # said by `kinds.faults`
        densities = spread.get("ions.density", [kind.ions.density] * len(weights))
        thickness = spread.get("device.film.thickness", [kind.device.film.thickness] * len(weights))
        for k, weight in enumerate(weights):
            ions = densities[k] * thickness[k] * column_area(kind.device, kind.share * weight)
            if not ions >= FEWEST:
                of_kind = "" if case.columns.kinds is None else f" of the kind {kind.name}"
                yield (
                    ("ions", "noise"),
                    f'"none", or {FEWEST:g} ion in each column at least',
                    f"{ions:.2g} ions in column {k + 1} of {len(weights)}{of_kind}",
                    "a column has its share of device.conducting_fraction of the junction: make device.radius, device.area "
                    "or the fraction larger, or take fewer columns",
                )
                return

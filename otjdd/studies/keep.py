"""The arrays that a study keeps of each run: outputs, and numbers of metrics of a run, by name.

read_resistance          all reads
read_resistance[-1]      the last read
bias_current[0,2,35]     one number of an array with three dimensions
loop                     all numbers of a metric
loop.ratio               one number of a metric
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.analysis.metrics import METRICS
from otjdd.case.drive import Drive
from otjdd.case.drive_curves import Curves, Following
from otjdd.case.drive_patterns import Patterns
from otjdd.case.problem import nearest
from otjdd.results.outputs import OUTPUTS, Output, dataset
from otjdd.units import brief

if TYPE_CHECKING:
    import xarray as xr

NAME_FORM = re.compile(r"([a-z_]+)(?:\.([a-z][a-z0-9_]*))?(?:\[(-?[0-9]{1,6}(?:,-?[0-9]{1,6}){0,3})\])?")


class KeptArray(NamedTuple):
    """One array of a point: its dimensions within the point, its values, float64 or text."""

    dims: tuple[str, ...]
    values: np.ndarray


def by_default(drive: Drive) -> tuple[str, ...]:
    """Names that a study of a drive keeps by default."""
    if isinstance(drive, Following):
        return "capacitance", "conductance_ac"
    if isinstance(drive, Curves):
        return ("bias_current",)
    if isinstance(drive, Patterns):
        return ("write_disturb", "step_energy")
    if drive.waveform().read_count:
        return ("read_resistance",)
    return "conduction_current[-1]", "vacancy_mean_position[-1]"


def unknown(names: Sequence[str]) -> str:
    """Message about the first unknown name; "" when all names are known."""
    for name in names:
        base, number, _ = parts(name)
        if not base or (base not in OUTPUTS and base not in METRICS):
            hint = nearest(base or name, [*OUTPUTS, *METRICS])
            return f"{brief(name)} is no output and no metric" + (f" ({hint})" if hint else "")
        if number and number not in (METRICS[base].numbers if base in METRICS else ()):
            return f"{brief(name)}: {base} has {', '.join(METRICS[base].numbers) if base in METRICS else 'no parts'}"
    return ""


def not_one(name: str) -> str:
    """Message about an unknown name; the name if it stands for several numbers of a run; "" if it stands for one number."""
    if wrong := unknown([name]):
        return wrong
    base, number, _ = parts(name)
    if (not number and base in METRICS) or unit_and_name(name).dims:
        return brief(name)
    return ""


@lru_cache(maxsize=1024)
def parts(name: str) -> tuple[str, str, tuple[int, ...]]:
    """(output or metric, number of the metric or "", indices into the output) of a name; ("", "", ()) if malformed."""
    match = NAME_FORM.fullmatch(name)
    if not match:
        return "", "", ()
    return match[1], match[2] or "", tuple(map(int, match[3].split(","))) if match[3] else ()


def is_kept(name: str, names: Sequence[str]) -> bool:
    """True if a name is among `names`, itself or as a number of a metric there."""
    return name in names or (name.partition(".")[0] in names and "[" not in name)


def place(name: str, names: Sequence[str]) -> tuple[int, str]:
    """Key that sorts kept arrays in the order of `names`."""
    base = name if name in names else name.partition(".")[0]
    return names.index(base), name


def outputs_for(names: Sequence[str]) -> set[str] | None:
    """Outputs of a run that are needed for the names; None if a metric may need any output."""
    outputs: set[str] = set()
    for base in (parts(name)[0] for name in names):
        of_metric = METRICS[base].outputs if base in METRICS else (base,)
        if not of_metric:
            return None
        outputs |= set(of_metric)
    return outputs


def measure(ds: xr.Dataset, names: Sequence[str]) -> dict[str, KeptArray]:
    """The arrays to keep of a run, and the coordinates of their dimensions.

    Raises ValueError for an output that the run does not have, and for a metric that does not fit it.
    """
    bases = {base for base, _, _ in map(parts, names) if base in OUTPUTS and base in ds}
    bases |= {dim for base in bases for dim in OUTPUTS[base].dims if dim in ds.coords}
    return measure_arrays({base: ds[base].values for base in bases}, names, lambda: ds)


def measure_arrays(
    arrays: Mapping[str, ArrayLike], names: Sequence[str], whole: Callable[[], xr.Dataset] | None = None
) -> dict[str, KeptArray]:
    """As `measure`, from the arrays of a run by name. whole : returns the Dataset, if a metric needs it"""
    results: dict[str, KeptArray] = {}
    all_dims: set[str] = set()
    for name in names:
        base, number, index = parts(name)
        if base in METRICS:
            numbers = metric_numbers(whole() if whole else dataset(arrays), base)
            for key in [number] if number else METRICS[base].numbers:
                results[f"{base}.{key}"] = KeptArray((), np.asarray(numbers[key], dtype=float))
            continue
        if base not in arrays:
            raise ValueError(f"study.keep: this drive gives no {base}")
        values, dims = np.asarray(arrays[base]), OUTPUTS[base].dims[len(index) :]
        for i in index:
            if not values.ndim or not -len(values) <= i < len(values):
                raise ValueError(f"study.keep: {name} of {len(values) if values.ndim else 'no dimension'}")
            values = values[i]
        results[name] = KeptArray(dims, values)
        all_dims |= set(dims)
    return results | {
        d: KeptArray((d,), np.asarray(arrays[d])) for d in sorted(all_dims) if d in arrays and d not in results
    }


def metric_numbers(ds: xr.Dataset, name: str) -> dict[str, float]:
    """Numbers of a metric. Raises ValueError when the metric does not fit the drive of the run."""
    try:
        return METRICS[name].of(ds)
    except (ValueError, IndexError, ZeroDivisionError, AttributeError) as error:
        raise ValueError(f"study.keep: the metric {name} does not fit this drive ({error})") from error


def unit_and_name(name: str) -> Output:
    """Dimensions, unit and long name of the array that is kept under a name."""
    base, number, index = parts(name)
    if base in METRICS:
        return Output((), *METRICS[base].numbers[number])
    output = OUTPUTS[base]
    if not index:
        return output
    numbers = ", ".join(map(str, index))
    return Output(output.dims[len(index) :], output.unit, f"{output.long_name}, number {numbers}")

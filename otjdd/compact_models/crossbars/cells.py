"""The cells of a crossbar: each has a device and, in series with it, a switch, a selector or nothing.

A switch conducts on the chosen word line, a selector has a law of its own. Cells with the same device and the same state
of the switch form a group, for which the kernels are called once.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otjdd.case.crossbar import Selector, Switch
from otjdd.compact_models.model import READ_STREAM, CompactModel
from otjdd.compact_models.noise import no_streams

if TYPE_CHECKING:
    from otjdd.compact_models.kernels import Lookup


NO_STREAMS = no_streams()


class Cells(NamedTuple):
    """The cells of R word lines and C bit lines, word line by word line."""

    devices: tuple[CompactModel, ...]  # share their tables
    lookups: "tuple[Lookup, ...]"  # arguments of the kernels, for each device
    dealt: np.ndarray  # (R C,) index of the device of each cell
    access: Switch | Selector | None = None
    streams: np.ndarray = NO_STREAMS  # (R C, 3) of random numbers, changed in place as cells move; (0, 3) without noise
    drawn: np.random.Generator | None = None  # random numbers of reads; None without noise

    def per_cell(self, values: "list[Any]") -> np.ndarray:
        """Values (R C, ...) of the cells. values : of the devices"""
        return np.array(values)[self.dealt]


def cells_of_devices(
    devices: tuple[CompactModel, ...],
    dealt: np.ndarray,
    access: Switch | Selector | None = None,
    seed: int | None = None,
) -> Cells:
    """Cells of devices. dealt : (R C,) index of the device of each cell   seed : of their noise, None for none

    Devices with the tables of the first, or drawn from its spread, share its dense tables. Raises NotAsExpected for a seed
    beside a model of the mean.
    """
    first = devices[0].lookup
    lookups = [
        first._replace(
            kind=device.kind.astype(np.int64), speed=device.speed, weight=device.weight,
            ions=device.ions if device.noise is not None else first.ions,
        )._replace(**device.differences) if device.kinds is devices[0].kinds else device.lookup
        for device in devices
    ]  # fmt: skip
    streams = devices[0].streams(dealt.size, seed)
    drawn = None if seed is None else np.random.default_rng([seed, READ_STREAM])
    return Cells(devices, tuple(lookups), dealt, access, streams, drawn)


def calm(cells: Cells) -> Cells:
    """The same cells, whose states move without noise; their reads still scatter."""
    return cells._replace(streams=NO_STREAMS)


def noiseless(cells: Cells) -> Cells:
    """The same cells without noise of their states and of their reads."""
    return calm(cells)._replace(drawn=None)


def alike(model: CompactModel, count: int) -> Cells:
    """Cells that all have one device, without access."""
    return Cells((model,), (model.lookup,), np.zeros(count, np.int64))


def beginning(cells: Cells) -> np.ndarray:
    """Initial states (R C, ...) of the cells, those of their devices; unsettled shares are 0 where a device has none."""
    of_devices = [device.states(1)[0] for device in cells.devices]
    padded = np.zeros((len(of_devices), max(map(len, of_devices))))
    for row, states in zip(padded, of_devices, strict=True):
        row[: states.size] = states
    return cells.per_cell(list(padded))


def groups(cells: Cells, chosen: np.ndarray, which: np.ndarray) -> "Iterator[tuple[np.ndarray, Lookup]]":
    """Yield the groups of the cells `which` (M,): positions within `which`, and the arguments of the kernels.

    chosen : (R C,) True for cells on a word line that is written or read   which : indices of cells
    """
    from otjdd.compact_models.kernels import EXPONENTIAL, THRESHOLD

    access = cells.access
    state = chosen[which] if isinstance(access, Switch) else np.zeros(which.size, bool)
    for number in np.unique(cells.dealt[which]):
        for on in (False, True):
            mine = np.flatnonzero((cells.dealt[which] == number) & (state == on))
            lookup = cells.lookups[number]
            if isinstance(access, Switch):
                more = access.on_resistance if on else access.off_resistance
                lookup = lookup._replace(resistance=lookup.resistance + more)
            elif isinstance(access, Selector):
                lookup = lookup._replace(
                    resistance=lookup.resistance + access.on_resistance,
                    law=THRESHOLD if access.law == "threshold" else EXPONENTIAL,
                    bend_voltage=access.voltage, bend_current=access.current,
                )  # fmt: skip
            if mine.size:
                yield mine, lookup


def linearise_cells(
    cells: Cells, chosen: np.ndarray, which: np.ndarray, states: np.ndarray, voltage: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Currents (M,) [A] of the cells `which` at voltages (M,) [V], and their slopes (M,) [S]; states (M, ...) are fixed."""
    from otjdd.compact_models import kernels as compact

    current, slope = np.empty(which.size), np.empty(which.size)
    for mine, lookup in groups(cells, chosen, which):
        some, steep = np.empty(mine.size), np.empty(mine.size)
        compact.linearise(lookup, states[mine], voltage[mine], some, steep)
        current[mine], slope[mine] = some, steep
    return current, slope


def hold_cells(
    cells: Cells, chosen: np.ndarray, which: np.ndarray, states: np.ndarray, voltage: np.ndarray, duration: float
) -> None:
    """Hold the cells `which` (M,) at voltages (M,) [V] for a duration [s]; their states, of (R C, ...), change in place.

    Raises NotAsExpected for voltages or a duration beyond the range of the model.
    """
    from otjdd.compact_models import kernels as compact

    cells.devices[0].check_duration(duration)
    cells.devices[0].check_voltages(voltage)
    for mine, lookup in groups(cells, chosen, which):
        at = which[mine]
        part, streams = states[at], cells.streams[at] if cells.streams.size else cells.streams
        compact.hold(lookup, part, voltage[mine], float(duration), np.empty(mine.size), streams)
        if streams.size:
            cells.streams[at] = streams
        states[at] = part


def charges_of_cells(cells: Cells, states: np.ndarray, voltage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Charges (R C,) [C] of the junctions, but for a constant, and capacitances (R C,) [F], at voltages (R C,) [V].

    states : (R C, ...)   Beyond the voltages of a model the capacitance is that at the end.
    """
    charge, farads = np.zeros((2, voltage.size))
    for number in np.unique(cells.dealt):
        device, lookup, mine = cells.devices[number], cells.lookups[number], np.flatnonzero(cells.dealt == number)
        at = (voltage[mine] - lookup.low) * lookup.per_volt
        for k, t in enumerate(device.kind):
            table = device.charges[t]
            last, most = (size - 1 for size in table.shape[1:])
            place = np.clip((states[mine, k] - lookup.first[t]) * lookup.per_state[t], 0.0, most)
            j, i = (np.clip(x.astype(int), 0, end - 1) for x, end in ((place, most), (at, last)))
            b = place - j
            (Q, lower), (_, upper) = ((1.0 - b) * table[:, n, j] + b * table[:, n, j + 1] for n in (i, i + 1))
            inside = np.clip(at - i, 0.0, 1.0)
            slope = lower + inside * (upper - lower)
            share = device.area * device.weight[k] / device.weight.sum()
            farads[mine] += share * slope
            charge[mine] += share * (Q + (0.5 * inside * (lower + slope) + (at - i - inside) * slope) / lookup.per_volt)
    return charge, farads

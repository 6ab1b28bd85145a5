"""python -m validation.traps.cost: what traps cost in a read and in a train of pulses, in processor time, in turn.

A read is one evaluation of all channels of `li2019` at 0.1 V, its ions as the case starts with them. The traps are those of
KINDS, beside the coherent channel. A train is that of 4000 pulses in `validation/peers`, or shorter, with the shallow traps
of TRAINS, whose current is a thousand times that of the junction without them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

from otjdd.case.case import Case, load_case
from otjdd.physics.channels.transport import transport
from otjdd.runs.run import simulate
from otjdd.solver import initial, integrate, model
from validation import measured

HERE = Path(__file__).parent

TRAPS = {"name": "traps", "kind": "none", "density": 2e25, "depth": 0.3}
RELAXING = TRAPS | {"relaxation_energy": 0.6}
KINDS: dict[str, list[dict]] = {
    "none": [], "elastic": [TRAPS], "relaxing": [RELAXING],
    "relaxing, depth spread": [RELAXING | {"depth_spread": 0.05}],
    "relaxing, thermal path": [RELAXING | {"frenkel_permittivity": 5.0}],
    "hops": [RELAXING | {"hop_frequency": 1e13}],
}  # fmt: skip
VOLTAGE, READS = 0.1, 100
PART = "traps-cost"
COLUMNS = ("traps", "a read (ms):", "over none:")
SHALLOW = {"name": "traps", "kind": "none", "density": 1e25, "depth": 0.4, "relaxation_energy": 0.3}
TRAINS: dict[str, list[dict]] = {
    "none": [], "steady": [SHALLOW], "kinetic": [SHALLOW | {"occupation": "kinetic"}],
    "kinetic, elastic": [SHALLOW | {"occupation": "kinetic", "relaxation_energy": 0.0}],
}  # fmt: skip
TRAIN_PART = "traps-cost-trains"
TRAIN_COLUMNS = ("traps", "a pulse (ms):", "over none:")


def trapped(traps: list[dict]) -> Case:
    """The reference device with traps."""
    case = load_case("li2019")
    return case.replace({"device.traps": traps}) if traps else case


def reading(case: Case) -> Callable[[], object]:
    """A function that reads the junction of a case READS times."""
    parts = model.members(case)
    junction = model.junction(case, parts=parts)
    run = initial.begin(case, junction, parts, initial.start(case, junction, parts), initial.BEFORE)
    integrate.jump(run, VOLTAGE)
    by_channel = np.empty(len(junction.channels.code))

    def read() -> None:
        for _ in range(READS):
            transport(run.junction, run.state, run.tangent.present, by_channel)

    return read


def train(traps: list[dict], pulses: int) -> Callable[[], object]:
    """A function that simulates a train of pulses of the reference device with traps."""
    pulse = {"kind": "train", "width": "50 ns", "count": pulses // 2, "period": "10 us", "read_each": True}
    parts = [pulse | {"voltage": "2.2 V"}, pulse | {"voltage": "-2.5 V"}]
    drive = {"drive": {"kind": "sequence", "parts": parts}, "record": {"every": "reads"}}
    case = trapped(traps).replace(drive)
    return lambda: simulate(case)


def seconds(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Name -> processor seconds (rounds,) of each task in turn, after one round that compiles and fills the caches."""
    spent: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds + 1):
        for name, task in tasks.items():
            start = process_time()
            task()
            spent[name].append(process_time() - start)
    return {name: np.array(times[1:]) for name, times in spent.items()}


def rows_of(spent: dict[str, np.ndarray], count: int) -> list[tuple[str, str, str]]:
    """Name, least milliseconds of the rounds for one of `count`, and their ratio to those without traps."""
    least = {name: times.min() for name, times in spent.items()}
    return [(name, f"{1e3 * time / count:.2f}", f"{time / least['none']:.2f}") for name, time in least.items()]


def main() -> None:
    """Print and keep the cost of each kind of traps in reads and in trains: least of the rounds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--pulses", type=int, default=4000, help="of a train; 0 for reads alone")
    arguments = options.parse_args()
    command = "python -m validation.traps.cost"
    reads = seconds({name: reading(trapped(traps)) for name, traps in KINDS.items()}, arguments.rounds)
    measured.keep(HERE, PART, COLUMNS, rows_of(reads, READS), command=command)
    if arguments.pulses > 0:
        trains = seconds({name: train(traps, arguments.pulses) for name, traps in TRAINS.items()}, 1)
        command += f" --pulses {arguments.pulses}"
        measured.keep(HERE, TRAIN_PART, TRAIN_COLUMNS, rows_of(trains, arguments.pulses), command=command)


if __name__ == "__main__":
    main()

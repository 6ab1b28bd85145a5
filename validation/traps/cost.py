"""python -m validation.traps.cost: what a read costs with a channel of steady traps, in processor time, in turn.

A read is one evaluation of all channels of `li2019` at 0.1 V, its ions as the case starts with them. The traps are those of
KINDS, beside the coherent channel.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

from otjdd.case.case import Case, load_case
from otjdd.physics.channels.transport import transport
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
            transport(run.junction, run.state, by_channel)

    return read


def seconds(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Name -> processor seconds (rounds,) of each task in turn, after one round that compiles and fills the caches."""
    spent: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds + 1):
        for name, task in tasks.items():
            start = process_time()
            task()
            spent[name].append(process_time() - start)
    return {name: np.array(times[1:]) for name, times in spent.items()}


def main() -> None:
    """Print and keep the cost of each kind of traps: least of the rounds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    rounds = options.parse_args().rounds
    reads = seconds({name: reading(trapped(traps)) for name, traps in KINDS.items()}, rounds)
    least = {name: times.min() for name, times in reads.items()}
    rows = [(name, f"{1e3 * time / READS:.2f}", f"{time / least['none']:.2f}") for name, time in least.items()]
    measured.keep(HERE, PART, COLUMNS, rows, command="python -m validation.traps.cost")


if __name__ == "__main__":
    main()

"""What layers and traps cost, in processor time: runs and reads in turn, with and without.

Layers: one film of 100 equal cells beside two and four layers of the same material with as many cells in all, and two
different layers, under `rv-loop` without electrons. Traps: one evaluation of all channels of `li2019` at 0.1 V, and a
train of 4000 pulses with shallow traps whose current is a thousand times that of the junction without them.
"""

from collections.abc import Callable
from functools import partial
from time import process_time

import numpy as np

from otjdd.case.case import Case, load_case
from otjdd.physics.channels import transport
from otjdd.runs.run import simulate
from otjdd.solver import initial, integrate, model
from validation.benchmarks.benchmark import Asked, Benchmark

CELLS, THICKNESS = 100, 2.8e-9
KEYS = ("permittivity", "fixed_charge", "tunnelling_mass")
TRAPS = {"name": "traps", "kind": "none", "density": 2e25, "depth": 0.3}
RELAXING = TRAPS | {"relaxation_energy": 0.6}
KINDS: dict[str, list[dict]] = {
    "none": [], "elastic": [TRAPS], "relaxing": [RELAXING],
    "relaxing, depth spread": [RELAXING | {"depth_spread": 0.05}],
    "relaxing, thermal path": [RELAXING | {"frenkel_permittivity": 5.0}],
    "hops": [RELAXING | {"hop_frequency": 1e13}],
}  # fmt: skip
VOLTAGE, READS = 0.1, 100
SHALLOW = {"name": "traps", "kind": "none", "density": 1e25, "depth": 0.4, "relaxation_energy": 0.3}
TRAINS: dict[str, list[dict]] = {
    "none": [], "steady": [SHALLOW], "kinetic": [SHALLOW | {"occupation": "kinetic"}],
    "kinetic, elastic": [SHALLOW | {"occupation": "kinetic", "relaxation_energy": 0.0}],
}  # fmt: skip


def films(drive: str = "rv-loop") -> dict:
    """Name -> case of each film, under the drive of a shipped case."""
    one = load_case(drive).replace({
        "device.film.electrons": "none", "device.film.cells": CELLS, "device.film.grading": 1.0,
        "device.film.thickness": THICKNESS, "columns.count": 1, "columns.spread": {},
    })  # fmt: skip
    film = one.plain()["device"]["film"]
    own = {key: film[key] for key in KEYS} | {"grading": 1.0}

    def layered(*changes):
        size = {"cells": CELLS // len(changes), "thickness": THICKNESS / len(changes)}
        return one.replace(
            {"device.film": {"layers": [own | size | change for change in changes], "electrons": "none"}}
        )

    unlike = {"band_offset": 0.1, "activation_energy": 0.5, "site_energy": -0.02, "tunnelling_mass": 0.6}
    return {
        "one film": one,
        "two alike": layered({}, {}),
        "four alike": layered({}, {}, {}, {}),
        "two unlike": layered({}, unlike),
    }


def trapped(traps: list[dict]) -> Case:
    """The reference device with traps."""
    case = load_case("li2019")
    return case.replace({"device.traps": traps}) if traps else case


def reading(case: Case) -> Callable[[], object]:
    """A function that reads the junction of a case READS times."""
    parts = model.members(case)
    junction = model.junction(case, parts=parts)
    run = initial.begin_case(case, junction, parts, initial.start(case, junction, parts), initial.BEFORE)
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


def rows_of(spent: dict[str, np.ndarray], count: int = 1) -> list[tuple[str, str, str]]:
    """Name, least milliseconds of the rounds for one of `count`, and their ratio to those of the first task."""
    least = {name: times.min() for name, times in spent.items()}
    first = next(iter(least.values()))
    return [(name, f"{1e3 * time / count:.2f}", f"{time / first:.2f}") for name, time in least.items()]


def layers(asked: Asked) -> list[tuple[str, str, str]]:
    tasks = {name: partial(simulate, case) for name, case in films().items()}
    return rows_of(seconds(tasks, 3 if asked.quick else 9))


def reads(asked: Asked) -> list[tuple[str, str, str]]:
    tasks = {name: reading(trapped(traps)) for name, traps in KINDS.items()}
    return rows_of(seconds(tasks, 3 if asked.quick else 7), READS)


def trains(asked: Asked) -> list[tuple[str, str, str]]:
    pulses = 200 if asked.quick else 4000
    return rows_of(seconds({name: train(traps, pulses) for name, traps in TRAINS.items()}, 1), pulses)


BENCHMARKS = {
    "layers": Benchmark("what do layers cost in a run?", layers, ("film", "a run (ms):", "over one film:")),
    "traps": Benchmark("what do traps cost in a read?", reads, ("traps", "a read (ms):", "over none:")),
    "trap-trains": Benchmark("and in a train of pulses?", trains, ("traps", "a pulse (ms):", "over none:")),
}

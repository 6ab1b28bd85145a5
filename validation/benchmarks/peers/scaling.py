"""Growth of the cost: time against numbers of cells, pulses and columns, and the exponents of the power laws."""

from time import process_time

import numpy as np

from validation.benchmarks.peers.codes import otjdd
from validation.benchmarks.peers.compare import timed
from validation.benchmarks.peers.problems import conditioning, pulses

CELLS = (100, 200, 400, 800, 1600)
PULSES = (10, 100, 1000, 10000)
SPREADS = (4, 16, 64, 256)  # columns


def exponent(sizes, seconds) -> float:
    """Slope of log time over log size by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def of_cells(cells=CELLS, rounds=3):
    """Seconds of `conditioning` at rtol 1e-3 for each number of cells, and their exponent."""
    solvers = [otjdd(conditioning(n)) for n in cells]
    seconds = timed([lambda s=s: s(1e-3) for s in solvers], rounds)
    return seconds, exponent(cells, seconds)


def of_pulses(counts=PULSES, rounds=1):
    """Seconds of `pulses` (half of them positive) at rtol 1e-2 on 100 graded cells, and their exponent."""
    solvers = [otjdd(pulses(100, 20.0, count // 2)) for count in counts]
    seconds = timed([lambda s=s: s(1e-2) for s in solvers], rounds)
    return seconds, exponent(counts, seconds)


def spread_junction(count, resistance):
    """Case of an interface memristor whose activation energies have a standard deviation of 0.1 eV over the columns."""
    from otjdd.case.case import load_case

    pulse, read = {"kind": "pulse", "rise": "0 s", "fall": "0 s"}, {"voltage": "-1 V"}
    parts = [
        pulse | {"voltage": "1 V", "width": "120 s"},
        pulse | {"voltage": "-4 V", "width": "1.45 s", "read": read},
        pulse | {"voltage": "0.5 V", "width": "1.4 s", "read": read},
    ]
    columns = {"count": count, "nodes": "gauss-legendre", "spread": {"ions.activation_energy": "0.1 eV"}}
    case = load_case("nb-sto-interface")
    cold = case.model_copy(update={"device": case.device.model_copy(update={"heat": None})})
    return cold.replace({
        "device.film.thickness": "3.5 nm", "device.film.electrons": "none", "circuit.series_resistance": resistance,
        "columns": columns,
        "drive": {"kind": "sequence", "parts": parts}, "record.every": "none",
    })  # fmt: skip


def of_columns(resistance, counts=SPREADS):
    """Processor seconds of `spread_junction` for each number of columns, and their exponent."""
    from otjdd.runs.run import simulate

    simulate(spread_junction(1, resistance))
    seconds = []
    for count in counts:
        case, began = spread_junction(count, resistance), process_time()
        simulate(case)
        seconds.append(process_time() - began)
    return seconds, exponent(counts, seconds)


COLUMNS = ("series", "sizes", "seconds", "exponent:")


def rows_of(quick: bool = False) -> list[tuple]:
    """Rows of all series. quick : without the longest train and the most columns"""
    counts, spreads, rows = PULSES[:-1] if quick else PULSES, SPREADS[:-1] if quick else SPREADS, []
    for name, sizes, (seconds, slope) in (
        ("cells", CELLS, of_cells()),
        ("pulses", counts, of_pulses(counts)),
        ("columns", spreads, of_columns("0 ohm", spreads)),
        ("columns, 100 ohm in series", spreads, of_columns("100 ohm", spreads)),
    ):
        rows.append((name, ", ".join(map(str, sizes)), ", ".join(f"{s:.3g}" for s in seconds), f"{slope:.2f}"))
    return rows

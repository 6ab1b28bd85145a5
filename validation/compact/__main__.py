"""Compact models of ten junctions against the solver, under random trains of pulses with ramps.

python -m validation.compact [NAME ...] [--update]    the junctions of junctions.toml, or those whose names begin so

Each junction is extracted at 300 K and at 350 K, for 20 ns to 1e4 s. Trains of 20 pulses of random height, sign, width,
rise, fall and rest begin with a set and a reset; a read at 0.1 V follows each pulse. Their seed is not that of the error
that a model states. A junction is met where log10 of predicted over solved current is 0.1 at most (root mean square).
"""

import argparse
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

import otjdd
from otjdd.case.case import Case, load_case
from otjdd.compact_models import error
from otjdd.compact_models.model import CompactModel
from otjdd.errors import OtjddError
from validation import measured

HERE = Path(__file__).parent
TEMPERATURES = 300.0, 350.0  # K
TRAINS, SEED = 4, 71
MET = 0.1  # decades, rms
COLUMNS = ["junction", "K", "rms:", "95 % within:", "worst:", "processor s:", "met"]


def main() -> int:
    """Exit code of the command line: 8 where fewer than 8 of 10 junctions are met at both temperatures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="beginnings of names")
    parser.add_argument("--kelvin", type=float, nargs="*", default=TEMPERATURES)
    parser.add_argument("--update", action="store_true", help="keep the numbers in measured.json and measured.md")
    chosen = parser.parse_args()
    rows = []
    for junction in tomllib.loads((HERE / "junctions.toml").read_text())["junction"]:
        if not chosen.names or junction["name"].startswith(tuple(chosen.names)):
            for kelvin in chosen.kelvin:
                rows.append(row(junction, kelvin))
                print(*(measured.cell(value) for value in rows[-1]), sep=" | ", flush=True)
                if chosen.update:  # after each row, so that rows stay where a later one is interrupted
                    update(rows[-1])
    missed = {cells[0] for cells in rows if cells[-1] != "yes"}
    return 8 if len(missed) > 2 else 0


def update(cells: list) -> None:
    """Keep a row in measured.json and measured.md."""
    measured.keep(
        HERE, "compact", COLUMNS, [cells], command="python -m validation.compact --update", key=2,
        readme=measured.ONE_PAGE,
    )  # fmt: skip


def row(junction: dict[str, Any], kelvin: float) -> list:
    """Cells of a junction at a temperature [K]; the reason where it has no model."""
    case = load_case(junction["case"], junction["changes"]).replace(temperature=kelvin)
    began = time.process_time()
    try:
        model = otjdd.compact(case, voltage=tuple(junction["voltage"]), measure=False)
    except OtjddError as failure:
        return [junction["name"], f"{kelvin:g}", "", "", "", "", f"no model: {failure}"]
    lasted = time.process_time() - began
    off = np.abs(deviations(model, case))
    rms = float(np.sqrt((off**2).mean()))
    return [
        junction["name"], f"{kelvin:g}", rms, float(np.quantile(off, 0.95)), float(off.max()), lasted,
        "yes" if rms <= MET else "no",
    ]  # fmt: skip


def deviations(model: CompactModel, case: Case) -> np.ndarray:
    """log10 of predicted over solved currents of all reads of the trains."""
    rng, off = np.random.default_rng(SEED), []
    for _ in range(TRAINS):
        drive = error.ramped_train(rng, model.limits)
        solved, _ = error.solved_reads(case, drive)
        off.append(np.log10(model.predicted(error.with_drive(case, drive).drive).read_current.values / solved))
    return np.concatenate(off)


if __name__ == "__main__":
    raise SystemExit(main())

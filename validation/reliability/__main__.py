"""python -m validation.reliability [NAME]... [--quick] [--update]: how accurate random devices are, for the README."""

import argparse
import math
import os
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from validation import measured
from validation.reliability import (
    agreement,
    agreement_electrons,
    agreement_layers,
    agreement_polarised,
    currents,
    devices,
    stated_errors,
)

LONGEST = 300.0  # s, after which a device is ended


def of_devices(quick: bool, written=devices.text) -> tuple[str, bool]:
    """2000 random devices from the whole range that cases allow: solved, or stopped with a reason."""
    count, found = 200 if quick else 2000, Counter()
    for fate in devices.fates(count, seed=1, limit=LONGEST, workers=os.cpu_count() or 1, written=written):
        found[fate.kind] += 1
        if fate.kind != "solved":
            print(f"  device {fate.number}: {fate.kind}: {fate.what}", flush=True)
    outcomes = ", ".join(f"{number} {kind}" for kind, number in found.most_common())
    good = set(found) <= {"solved", "stopped"} and found["solved"] >= 0.995 * count
    return f"{count} random devices: {outcomes}", good


def agreements(quick: bool, compare=agreement.compare) -> tuple[str, bool]:
    """50 random devices by SUNDIALS IDA with equations of its own."""
    count = 5 if quick else 50
    errors = [compare(u, k).error for k, u in enumerate(devices.drawn(count, seed=3))]
    worst = max(errors, key=lambda error: (math.isnan(error), error))
    return f"{count} random devices by SUNDIALS IDA: largest difference {worst:.1e}", worst < 1e-6


def errors_of_reads(quick: bool, written=devices.text) -> tuple[str, bool]:
    """Stated against true errors of the reads of 200 random devices."""
    found = stated_errors.campaign(20 if quick else 200, seed=12, workers=os.cpu_count() or 1, written=written)
    text = "; ".join(
        f"{kind}: {100 * v.within:.1f} % of {v.reads} true errors below three times the stated ones, median of stated "
        f"over true {v.median:.3g}"
        for kind, v in found.verdicts.items()
    )
    return f"{text}; left out: {found.slow} slow, {found.without} without reads", all(
        v.honest for v in found.verdicts.values()
    )


def of_currents(quick: bool) -> tuple[str, bool]:
    """Currents of 1000 random devices against a converged integral."""
    v = currents.campaign(100 if quick else 1000, workers=os.cpu_count() or 1)
    return (
        f"{v.currents} currents: {v.beyond} off by more than the tolerance, {v.far} by ten times it, the worst by "
        f"{v.worst:.1e}; {v.stated} with a stated error, {v.stopped} devices stopped"
    ), v.good


FIGURES = {
    "devices": of_devices,
    "electron-devices": partial(of_devices, written=devices.with_electrons),
    "agreement": agreements,
    "electron-agreement": partial(agreements, compare=agreement_electrons.compare),
    "layer-agreement": partial(agreements, compare=agreement_layers.compare),
    "layer-electron-agreement": partial(agreements, compare=agreement_layers.compare_with_electrons),
    "layer-exchange-agreement": partial(agreements, compare=agreement_layers.compare_with_exchange),
    "polarised-agreement": partial(agreements, compare=agreement_polarised.compare),
    "polarised-electron-agreement": partial(agreements, compare=partial(agreement_polarised.compare, electrons=True)),
    "currents": of_currents,
    "stated-errors": errors_of_reads,
    "stated-errors-trains": partial(errors_of_reads, written=devices.in_trains),
}


def main() -> int:
    """Measure the named figures and print a line for each. Returns 1 if one misses its goal, else 0."""
    parser = argparse.ArgumentParser(prog="python -m validation.reliability", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(FIGURES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of the devices")
    parser.add_argument("--update", action="store_true", help="keep the outcome in measured.json and the README")
    options, failed = parser.parse_args(), False
    if unknown := set(options.names) - set(FIGURES):
        parser.error(f"{', '.join(sorted(unknown))}: not among {', '.join(FIGURES)}")
    for name in options.names or FIGURES:
        text, good = FIGURES[name](options.quick)
        failed |= not good
        print(f"{name:28} {'ok' if good else 'MISSED'} {text}", flush=True)
        if options.update:
            row = (name, f"{text}{'' if good else ' (missed)'}")
            command = "python -m validation.reliability NAME --update"
            measured.keep(Path(__file__).parent, "figures", ("NAME", "outcome"), [row], command=command)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

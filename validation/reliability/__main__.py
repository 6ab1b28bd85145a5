"""python -m validation.reliability [NAME]... [--quick] [--update]: provoke accidents and count their outcomes."""

import argparse
import math
import os
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

from validation import measured
from validation.reliability import (
    accidents,
    agreement,
    agreement_electrons,
    agreement_exchange,
    agreement_polarised,
    attack,
    attack_explorer,
    attack_files,
    bad_inputs,
    currents,
    devices,
    electron_stacks,
    folds,
    free_energy,
    fuzz,
    grid_errors,
    readings,
    stated_errors,
    terminals,
    versions,
)
from validation.reliability.attack import counted

HERE = Path(__file__).parent
CURRENTS = "currents"
# ATTACK stands for all its parts. VERSIONS and LOWEST need a network, and run only if they are named.
ATTACK, VERSIONS, LOWEST = "attack", "versions", "lowest"
LONGEST = 300.0  # s, after which a device is said to hang
MOST_OVERSHOOT = 7e-5  # of the terms of F; a step may leave the same share of the ions outside of their bounds


def told_inputs(quick: bool, folder: Path) -> tuple[str, bool]:
    """Every bad input; also prints the table of the messages."""
    rows = []
    for k, bad in enumerate(bad_inputs.BAD):
        place = folder / str(k)
        place.mkdir()
        rows.append(bad_inputs.meet(bad, place))
    wrong = [row.bad.name for row in rows if row.code != row.bad.code or "Traceback" in row.err]
    print(bad_inputs.table(rows))
    said = f"{len(rows)} bad inputs: {len(rows) - len(wrong)} refused with the right exit code and words"
    said += f"; slowest {max(row.seconds for row in rows):.1f} s"
    return said + "".join(f"; {name}" for name in wrong), not wrong


def mutants(quick: bool, folder: Path) -> tuple[str, bool]:
    """20 000 mutated cases and waveforms."""
    count = 2000 if quick else 20_000
    v = fuzz.fuzz(count, 1, folder)
    for seed, error in v.tracebacks:
        print(f"  mutant {seed}: {error}")
    good = not v.tracebacks and not v.slow and v.grown < 500
    return (
        f"{count} mutated case files and waveforms: {v.taken} taken, {v.refused} refused in words, "
        f"{len(v.tracebacks)} exceptions, {len(v.slow)} over {fuzz.SLOW:g} s (slowest {v.slowest:.2f} s), "
        f"memory grew by {v.grown:.0f} MiB"
    ), good


def killed_writers(quick: bool, folder: Path) -> tuple[str, bool]:
    """100 processes killed while they write results."""
    count = 10 if quick else 100
    found = accidents.kills(count, folder)
    return f"{count} kills of a process that writes: {counted(found)}", not found["damaged"]


def places(quick: bool, folder: Path) -> tuple[str, bool]:
    """Disks and folders that cannot take a result."""
    told = accidents.places(folder)
    wrong = "".join(f"; {place}: {what}" for place, what in told.items() if what)
    return f"{', '.join(told)}: exit code 5, one line, no file{wrong}", not wrong


def damaged_results(quick: bool, folder: Path) -> tuple[str, bool]:
    """200 damaged results."""
    count = 20 if quick else 200
    found = accidents.damaged_results(count, folder)
    return f"{count} damaged results: {counted(found)}", set(found) == {"detected"}


def caches(quick: bool, folder: Path) -> tuple[str, bool]:
    """100 damaged caches of small kernels, and 16 first runs at once."""
    count = 10 if quick else 100
    spoilt, together = accidents.spoilt_caches(count, folder), accidents.first_runs_together(16, folder)
    said = f"{count} spoilt caches of kernels: {counted(spoilt)}; 16 first runs at once: {counted(together)}"
    return said, {*spoilt, *together} == {"right"}


def kernels(quick: bool, folder: Path) -> tuple[str, bool]:
    """A bit flipped in every file of otjdd's own kernels, and in half of them."""
    wrong = accidents.spoilt_kernels(folder)
    return f"a bit flipped in the file of every kernel: {wrong or 'the same numbers'}", not wrong


def signals(quick: bool, folder: Path) -> tuple[str, bool]:
    """Runs interrupted by Ctrl-C and SIGTERM: they have to end within 2 s if a processor is free for them."""
    count = 2 if quick else 20
    found, longest = accidents.signals(count, folder)
    load, cores = os.getloadavg()[0], os.cpu_count()
    said = f"{count} runs interrupted by SIGINT or SIGTERM: {counted(found)}, ended within {longest:.1f} s"
    return f"{said} at a load of {load:.1f} on {cores} cores", set(found) == {"kept"} and longest < 2 * max(
        1, load / cores
    )


def killed_runs(quick: bool, folder: Path) -> tuple[str, bool]:
    """100 kills of runs that are resumed each time."""
    count = 10 if quick else 100
    found, most = accidents.killed_runs(count, folder)
    said = f"{count} kills of runs that go on each time, one result by up to {most} processes: {counted(found)}"
    return said, set(found) == {"the same"}


def random_devices(quick: bool, folder: Path, written=devices.text) -> tuple[str, bool]:
    """2000 random devices from the whole range that cases allow."""
    count, found, slowest = 200 if quick else 2000, Counter(), 0.0
    for fate in devices.fates(count, seed=1, limit=LONGEST, written=written):
        found[fate.kind] += 1
        slowest = max(slowest, fate.seconds)
        if fate.kind != "solved":
            print(f"  device {fate.number}: {fate.kind}: {fate.what}", flush=True)
    good = set(found) <= {"solved", "stopped"} and found["solved"] >= 0.995 * count
    return f"{count} random devices: {counted(found)}; slowest {slowest:.0f} s", good


def random_stacks(quick: bool, folder: Path) -> tuple[str, bool]:
    """2000 random stacks with electrons and fixed vacancies."""
    count = 200 if quick else 2000
    found = electron_stacks.iterations(count)
    lost, middle = sum(n == 0 for n in found), sorted(found)[count // 2]
    return f"{count} random stacks: {lost} not found; {middle} iterations in the median, {max(found)} at most", not lost


def agreement_of_devices(quick: bool, folder: Path, compare=agreement.compare) -> tuple[str, bool]:
    """50 random devices, solved by otjdd and by SUNDIALS IDA with independently written equations."""
    count = 5 if quick else 50
    all_of_them = [compare(u, k) for k, u in enumerate(devices.drawn(count, seed=3))]
    laws = Counter(compared.case.ions.law for compared in all_of_them)
    worst = max((compared.error for compared in all_of_them), key=lambda error: (math.isnan(error), error))
    said = f"{count} random devices ({counted(laws)}) by SUNDIALS IDA: largest difference {worst:.1e}"
    return said, worst < 1e-6


def free_energies(quick: bool, folder: Path, written=devices.text) -> tuple[str, bool]:
    """The free energy of 1000 random devices must not rise at constant voltages."""
    count = 100 if quick else 1000
    found = [fall for k, u in enumerate(devices.drawn(count, seed=5)) for fall in free_energy.falls(u, k, written)]
    risen = [fall for fall in found if not fall.rise <= fall.round_off]
    steps, most = sum(fall.steps for fall in found), max(fall.rise / fall.round_off for fall in found if fall.steps)
    said = f"{count} random devices, {len(found)} constant voltages, {steps} steps: {len(risen)} in which F rises"
    said += f", by {most:.2f} of what round-off may at most"
    beyond = [free_energy.ROUND_OFF * f.overshoot / f.round_off for f in found if f.overshoot > f.round_off]
    said += f"; with overshooting steps {len(beyond)}, by {max(beyond, default=0.0):.0e} of its terms at most"
    return said, not risen and max(beyond, default=0.0) < MOST_OVERSHOOT and steps > 10 * count


def terminal_currents(quick: bool, folder: Path) -> tuple[str, bool]:
    """Charges at both terminals of 400 random devices; half of them have to fulfil the theorem of Shockley and Ramo."""
    count = 40 if quick else 400
    found = [terminals.misfits(terminals.device(u, k, k % 2 == 0)) for k, u in enumerate(devices.drawn(count, seed=7))]
    worst = [max((m[i] for m in found if not math.isnan(m[i])), default=0.0) for i in range(3)]
    said = "terminals {:.0e}, integral {:.0e}, theorem of Shockley and Ramo {:.0e} of the charge that moved".format(
        *worst
    )
    return f"{count} random devices: {said}", max(worst) < 1e-9


def errors_of_reads(quick: bool, folder: Path, written=devices.text) -> tuple[str, bool]:
    """Stated against true errors of the reads of 200 random devices."""
    count = 20 if quick else 200
    found = stated_errors.campaign(count, seed=12, workers=os.cpu_count() or 1, written=written)
    said = "; ".join(
        f"{kind}: {100 * v.within:.1f} % of {v.reads} true errors below three times the stated ones, median of stated over "
        f"true {v.median:.3g}"
        for kind, v in found.verdicts.items()
    )
    left = f"{found.slow} left out that take long, {found.without} without reads"
    return f"{count} random devices, {left}: {said}", all(v.honest for v in found.verdicts.values())


def currents_of_devices(quick: bool, folder: Path, count: int = 1000) -> tuple[str, bool]:
    """Currents of 1000 random devices against a converged integral, and against those of the mirrored device."""
    count = count // 10 if quick else count
    v = currents.campaign(count, workers=os.cpu_count() or 1)
    said = f"{v.currents} currents of {count} random devices: {v.beyond} off by more than the tolerance, {v.far} by 10 "
    said += (
        f"times it, the worst by {v.worst:.1e}; mirrored, {v.turned} apart by two, the worst by {v.worst_turned:.1e}; "
    )
    said += f"{v.stacks} mirrored pairs at two stacks of electrons of one voltage; "
    return said + f"{v.stated} with a stated error by narrow levels, {v.stopped} devices stopped", v.good


def grid_errors_told(quick: bool, folder: Path) -> tuple[str, bool]:
    """Errors of reads by the grid beyond 1 %, told and silent, of 60 random devices of three seeds."""
    v = grid_errors.campaign(6 if quick else 60, workers=os.cpu_count() or 1)
    words = (
        f"reads of {v.compared} random devices with kinds, heat, polarisation, electrons, at default numerics and on "
    )
    words += (
        f"twice the cells: {v.beyond} off by over 1 %, {v.told} of them told, {v.false} others told; {v.slow} left "
    )
    return words + "out that stop or take long" + "".join(f"; silent: {of}" for of in v.silent), not v.silent


CAMPAIGNS = {
    "bad-inputs": told_inputs,
    "mutants": mutants,
    "kills": killed_writers,
    "places": places,
    "damage": damaged_results,
    "caches": caches,
    "kernels": kernels,
    "signals": signals,
    "resume": killed_runs,
    "devices": random_devices,
    "agreement": agreement_of_devices,
    "electron-devices": partial(random_devices, written=devices.with_electrons),
    "electron-stacks": random_stacks,
    "folds": folds.folding_films,
    "electron-agreement": partial(agreement_of_devices, compare=agreement_electrons.compare),
    "polarised-agreement": partial(agreement_of_devices, compare=agreement_polarised.compare),
    "exchange-agreement": partial(agreement_of_devices, compare=agreement_exchange.compare),
    "polarised-electron-agreement": partial(
        agreement_of_devices, compare=partial(agreement_polarised.compare, electrons=True)
    ),
    "free-energy": free_energies,
    "electron-free-energy": partial(free_energies, written=devices.with_electrons),
    "polarised-free-energy": partial(free_energies, written=devices.with_polarisation),
    "polarised-electron-free-energy": partial(free_energies, written=devices.with_both),
    "terminals": terminal_currents,
    CURRENTS: currents_of_devices,
    "grid-errors": grid_errors_told,
    "stated-errors": errors_of_reads,
    "stated-errors-trains": partial(errors_of_reads, written=devices.in_trains),
    VERSIONS: versions.versions,
    LOWEST: versions.lowest,
} | readings.READINGS
ATTACKS = attack.ATTACKS | attack_files.FILES | attack_explorer.EXPLORER
CAMPAIGNS |= {f"{ATTACK}/{name}": part for name, part in ATTACKS.items()}


def main() -> int:
    """Run the named campaigns and print a line for each. Returns 1 if one of them finds a fault, else 0."""
    parser = argparse.ArgumentParser(prog="python -m validation.reliability", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(CAMPAIGNS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    parser.add_argument("--update", action="store_true", help="keep the outcomes in measured.json and the README")
    parser.add_argument("--devices", type=int, default=1000, help=f"number of random devices of {CURRENTS}")
    options = parser.parse_args()
    unknown = set(options.names) - {*CAMPAIGNS, ATTACK}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(CAMPAIGNS)}")
    failed = False
    for name, campaign in CAMPAIGNS.items():
        if {name, name.partition("/")[0]} & set(options.names) or (
            not options.names and name not in (VERSIONS, LOWEST)
        ):
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                more = {"count": options.devices} if name == CURRENTS else {}
                said, good = campaign(options.quick, Path(folder), **more)
            failed |= not good
            mark = "ok" if good else "FAILED"
            print(f"{name:22} {mark:6} {said} ({time.perf_counter() - began:.0f} s)", flush=True)
            if options.update:
                part = ATTACK if name.startswith(ATTACK) else "accidents"
                command = "python -m validation.reliability NAME --update"
                measured.keep(
                    HERE, part, ("NAME", "outcome"), [(name, f"{said}{'' if good else ' (FAILED)'}")], command=command
                )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

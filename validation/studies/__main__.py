"""python -m validation.studies [--quick] [--only efficiency|memory|kills] [--update FILE]

Studies measured: how much of two processors they use, whether memory grows, what is lost when they are killed.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from validation.peers.__main__ import machine

BEGIN, END = "<!-- studies:begin -->", "<!-- studies:end -->"
WORKERS = 2
SHORT = """
base = "li2019.toml"
title = "short"
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
study.sample = { method = "latin-hypercube", count = COUNT, over = { temperature = { low = "290 K", high = "310 K" } } }
"""
TINY = SHORT.replace('"short"', '"tiny"\ncolumns.count = 1\ndevice.film.cells = 12')
OTJDD = [sys.executable, "-c", "from otjdd.cli import main; main()"]


def case_file(folder: Path, text: str, count: int) -> Path:
    path = folder / f"case-{count}.toml"
    path.write_text(text.replace("COUNT", str(count)))
    return path


def efficiency(folder: Path, quick: bool) -> list[str]:
    """A study of a short protocol on two workers, against the time of the same runs one after the other."""
    from otjdd import load_case, points
    from otjdd.plan import plan
    from otjdd.simulate import simulate

    count, out = 100 if quick else 1000, folder / "short"
    path = case_file(folder, SHORT, count)
    made = plan(load_case(path))
    chosen = range(0, count, 20)
    simulate(made.at(0))
    began = time.perf_counter()
    for number in chosen:
        simulate(made.at(number))
    serial = (time.perf_counter() - began) / len(chosen) * count
    began = time.perf_counter()
    subprocess.run([*OTJDD, "study", str(path), "-o", str(out), "--workers", str(WORKERS), "-q"], check=True)
    wall = time.perf_counter() - began
    inside = sum(points.read(out, digest).seconds for digest in made.digests)
    ends = sorted(points.path_of(out, digest).stat().st_mtime for digest in made.digests)
    between = WORKERS * (ends[-1] - ends[WORKERS]) - inside * (count - WORKERS) / count
    return [
        f"| {count} points on {WORKERS} workers, command to Dataset | {wall:.1f} s |",
        f"| the same runs one after the other, from every twentieth | {serial:.1f} s |",
        f"| efficiency: serial time over wall time and workers | {serial / WORKERS / wall:.2f} |",
        f"| share of the workers' time that went into the runs | {inside / WORKERS / wall:.2f} |",
        f"| overhead for each point, from the end of a run to the begin of the next | {1e3 * between / count:.1f} ms |",
    ]


def memory(folder: Path, quick: bool) -> list[str]:
    """Resident memory of the workers over a long study, every point at another temperature, with other tables."""
    import psutil

    count = 1000 if quick else 10_000
    path = case_file(folder, TINY, count)
    command = [*OTJDD, "study", str(path), "-o", str(folder / "tiny"), "--workers", str(WORKERS), "-q"]
    held, seen = folder / "tiny" / "points", {}
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            done = len(os.listdir(held)) if held.is_dir() else 0
            for child in psutil.Process(process.pid).children(recursive=True) if done > count // 20 else ():
                try:
                    seen.setdefault(child.pid, []).append(child.memory_info().rss)
                except psutil.NoSuchProcess:
                    pass
            time.sleep(0.5)
    growth = max((rss[-1] - rss[0]) / 1e6 for rss in seen.values())
    largest = max(max(rss) for rss in seen.values()) / 1e6
    return [
        f"| growth of a worker's memory over {count:,} points | {growth:.1f} MB |",
        f"| memory of a worker, at most | {largest:.0f} MB |",
    ]


def kills(folder: Path, quick: bool) -> list[str]:
    """kill -9 of a study and all its processes at random moments; every finished point must still be there, whole."""
    from otjdd import points, studies

    rounds, rng = 5 if quick else 50, random.Random(0)
    path, out = case_file(folder, SHORT, 8192), folder / "killed"
    command = [*OTJDD, "study", str(path), "-o", str(out), "--workers", str(WORKERS), "--resume", "-q"]
    finished, lost, unreadable, held = {}, 0, 0, out / points.FOLDER
    for _ in range(rounds):
        with subprocess.Popen(command, start_new_session=True) as process:
            before, end = len(finished), time.monotonic() + 60
            while process.poll() is None and time.monotonic() < end and len(whole(held)) <= before:
                time.sleep(0.02)
            time.sleep(2 * rng.random())
            finished |= whole(held)
            os.killpg(process.pid, signal.SIGKILL)
        left = whole(held)
        lost += sum(left.get(name) != inode for name, inode in finished.items())
        finished |= left
        unreadable += studies.status(out)["damaged"]
    return [
        f"| kill -9 at random moments | {rounds} |",
        f"| points finished by then; lost, or computed again | {len(finished)}; {lost} |",
        f"| files that could not be read | {unreadable} |",
    ]


def whole(held: Path) -> dict[str, int]:
    """Finished points and the files that they are: one that is computed again is another file."""
    return {f.name: f.inode() for f in os.scandir(held) if not f.name.startswith(".")} if held.is_dir() else {}


PARTS = {"efficiency": efficiency, "memory": memory, "kills": kills}


def main() -> None:
    """Run, print, and write where asked."""
    parser = argparse.ArgumentParser(prog="python -m validation.studies", description=__doc__.split("\n\n")[1])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", choices=PARTS, help="a part of it")
    parser.add_argument("--update", type=Path, metavar="FILE", help=f"write the table between {BEGIN} and {END}")
    options = parser.parse_args()
    lines = [machine(), "", "| what | |", "|---|--:|"]
    print(*lines, sep="\n", flush=True)
    for name, part in PARTS.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                lines += (found := part(Path(folder), options.quick))
            print(*found, sep="\n", flush=True)
    if options.update:
        before, _, rest = options.update.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        text = "\n".join(lines)
        options.update.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

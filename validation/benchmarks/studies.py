"""Studies measured: how much of two processors they use, and whether memory grows."""

import contextlib
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from validation.benchmarks.benchmark import Asked, Benchmark

WORKERS, ROUNDS = 2, 3
OFTEN = 5  # rounds of the shortest points
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux
SHORT = """
base = "li2019.toml"
title = "short"
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
study.sample = { method = "latin-hypercube", count = COUNT, over = { temperature = { low = "290 K", high = "310 K" } } }
"""
CYCLE = """
base = "li2019.toml"
title = "cycle"
study.sample = { method = "latin-hypercube", count = COUNT, over = { temperature = { low = "290 K", high = "310 K" } } }
[drive]
kind = "sequence"
parts = [
    { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} },
    { kind = "pulse", voltage = "-4.3 V", width = "50 ns", read = {} },
]
"""
TINY = SHORT.replace('"short"', '"tiny"\ncolumns.count = 1\ndevice.film.cells = 12')
ONE_COLUMN = """
base = "li2019.toml"
title = "many"
columns.count = 1
drive = { kind = "write-read-loop", path = PATH, step = "0.1 V", width = "100 ms", read = {} }
record.every = "reads"
[study.sample]
method = "latin-hypercube"
count = COUNT
over = { "ions.activation_energy" = { low = "0.45 eV", high = "0.49 eV" } }
"""
PATHS = {
    "1 write": '["0 V", "0.1 V"]',
    "8 writes": '["0 V", "0.8 V"]',
    "16 writes": '["0 V", "0.8 V", "0 V"]',
}
MANY = {name: ONE_COLUMN.replace("PATH", path) for name, path in PATHS.items()}
MANY["a pulse and a read, each at another temperature"] = SHORT.replace('"short"', '"short"\ncolumns.count = 1')
OTJDD = [sys.executable, "-c", "from otjdd.cli import main; main()"]


def case_file(folder: Path, text: str, count: int) -> Path:
    path = folder / f"case-{count}.toml"
    path.write_text(text.replace("COUNT", str(count)))
    return path


class Use(NamedTuple):
    """Cost of a command with all its processes: wall time [s], processor time [s], memory [bytes] of each over time."""

    wall: float
    cpu: float
    memory: dict[int, list[int]]


def watched(command, settled=lambda: True) -> Use:
    """Run a command and watch its processes; their memory only while settled() is true.

    The processor time includes processes that the command leaves behind (Linux only).
    """
    import psutil

    adopt()
    memory, before, began = {}, of_children(), time.perf_counter()
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                for one in psutil.Process(process.pid).children(recursive=True) if settled() else ():
                    memory.setdefault(one.pid, []).append(one.memory_info().rss)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
    took = time.perf_counter() - began
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return Use(took, of_children() - before, memory)


def adopt() -> None:
    """Make this process the parent of processes whose own parent has ended, so that `of_children` counts them."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def of_children() -> float:
    """Processor time [s] of the ended children and of their children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def serially(path: Path, every: int, first: int) -> tuple[float, float]:
    """Mean wall and processor time [s] of a run of a study: every `every`-th run from `first`, one after the other."""
    from otjdd import load_case
    from otjdd.runs.run import simulate
    from otjdd.studies.points import plan

    made = plan(load_case(path))
    chosen = [made.point(number) for number in range(first, len(made.digests), every)]
    simulate(chosen[0])
    began, cpu = time.perf_counter(), time.process_time()
    for case in chosen:
        simulate(case)
    return (time.perf_counter() - began) / len(chosen), (time.process_time() - cpu) / len(chosen)


def study(path: Path, out: Path, workers: int = WORKERS) -> list[str]:
    return [*OTJDD, "study", str(path), "-o", str(out), "--workers", str(workers), "-q", "--resume"]


class Round(NamedTuple):
    """Times [s] of a study and of the same runs one after the other, and how well the study used its two processors.

    by_wall : serial time per worker over the wall time of the study
    by_cpu : processor time of the runs over that of the study
    """

    wall: float
    serial: float
    by_wall: float
    by_cpu: float


def once(path: Path, out: Path, count: int) -> Round:
    """A study of `count` points on two workers, from command to Dataset, and its runs without a study before and after."""
    before = serially(path, 20, 0)
    use = watched(study(path, out))
    serial, engine = (count * sum(pair) / 2 for pair in zip(before, serially(path, 20, 10), strict=True))
    return Round(use.wall, serial, serial / WORKERS / use.wall, engine / use.cpu)


def efficiency(folder: Path, quick: bool) -> list[tuple[str, ...]]:
    """Studies of short protocols against the same runs without a study, in three rounds: the machine's speed drifts."""
    count, lines = 100 if quick else 1000, []
    for name, text in {"a pulse and a read": SHORT, "a write, a read, an erase and a read": CYCLE}.items():
        path = case_file(folder, text, count)
        rounds = [once(path, folder / f"{name.replace(' ', '-')}-{i}", count) for i in range(ROUNDS)]
        wall, serial, by_wall, by_cpu = (sorted(values) for values in zip(*rounds, strict=True))
        lines.append(
            (f"{count} points of {name}", f"{spread(wall, '.1f')} s", f"{spread(serial, '.1f')} s", spread(by_wall, ".2f"),
             spread(by_cpu, ".2f"))
        )  # fmt: skip
    return lines


def spread(values: list[float], digits: str) -> str:
    """The median of sorted values, lowest and highest."""
    return f"{values[len(values) // 2]:{digits}} ({values[0]:{digits}} to {values[-1]:{digits}})"


@contextlib.contextmanager
def clocked():
    """List to which each kernel call of a run appends its processor time [s]; the kernels of the tables are included."""
    from otjdd.physics import bands, electrostatics, quasistatic
    from otjdd.stepping import course, run_log

    spent: list[float] = []

    def timed(kernel):
        def call(*arguments):
            began = time.process_time()
            status = kernel(*arguments)
            spent.append(time.process_time() - began)
            return status

        return call

    with contextlib.ExitStack() as stack:
        tables = ((electrostatics, "bending_table"), (bands, "ends_of_pieces"))
        for module, name in ((course, "run_course"), (quasistatic, "jump_to"), (run_log, "write_row"), *tables):
            stack.enter_context(mock.patch.object(module, name, timed(getattr(module, name))))
        yield spent


def of_kernels(path: str, first: int) -> None:
    """Print the mean processor time [s] of the kernels in every tenth run of a study. Starts when stdin is closed."""
    from otjdd import load_case
    from otjdd.solver.simulate import outputs_in_steps
    from otjdd.studies.points import plan
    from otjdd.system.steps import finished

    made = plan(load_case(path))
    chosen = [made.point(number) for number in range(first, len(made.digests), 10)]
    finished(outputs_in_steps(chosen[0], made.keep))
    print("ready", flush=True)
    sys.stdin.read()
    with clocked() as spent:
        for case in chosen:
            finished(outputs_in_steps(case, made.keep))
    print(sum(spent) / len(chosen))


def side_by_side(path: Path, first: int, count: int) -> float:
    """Mean of the times that `of_kernels` prints in `count` processes at once, which slow each other as in a study."""
    code = "import sys; from validation.benchmarks.studies import of_kernels; of_kernels(sys.argv[1], int(sys.argv[2]))"
    commands = [[sys.executable, "-c", code, str(path), str(first + i)] for i in range(count)]
    processes = [subprocess.Popen(one, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for one in commands]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.close()
    found = [float(process.stdout.read()) for process in processes]
    for process in processes:
        process.wait()
    return sum(found) / count


def many(folder: Path, quick: bool) -> list[tuple[str, ...]]:
    """Short points of one column: processor time of a whole study over that of its kernels, one worker and two.

    Medians of five rounds, because the machine's speed drifts. In each round the kernels run before and after the study, in
    as many processes as it has workers; then the study runs on one worker.
    """
    count, lines = 50 if quick else 1000, []
    path = case_file(folder, MANY["1 write"], 1)
    start = sorted(watched(study(path, folder / f"start-{i}")).cpu for i in range(5))[2]
    for i, (name, text) in enumerate(MANY.items()):
        path = case_file(folder, text, count)
        rounds = [
            (
                side_by_side(path, j, WORKERS),
                watched(study(path, folder / f"{i}-{j}")),
                side_by_side(path, 5 + j, WORKERS),
                watched(study(path, folder / f"{i}-{j}-one", 1)).wall,
            )
            for j in range(OFTEN)
        ]
        alone = side_by_side(path, 0, 1)
        kernels = sorted((before + after) / 2 for before, _, after, _ in rounds)
        each = sorted((two.cpu - start) / count for _, two, _, _ in rounds)
        over = sorted(2 * two.cpu / count / (before + after) for before, two, after, _ in rounds)
        efficiency = sorted(one / two.wall / WORKERS for _, two, _, one in rounds)
        lines.append(
            (name, f"{1e3 * kernels[OFTEN // 2]:.1f} ms", f"{1e3 * alone:.1f} ms", f"{1e3 * each[OFTEN // 2]:.1f} ms",
             spread(over, ".2f"), spread(efficiency, ".2f"))
        )  # fmt: skip
    return lines


def memory(folder: Path, quick: bool) -> list[tuple[str, ...]]:
    """Tiny runs, each at another temperature and so with other tables: memory of the workers, overhead of a point."""
    from otjdd.studies import points

    count = 1000 if quick else 10_000
    path, out = case_file(folder, TINY, count), folder / "tiny"
    held = out / points.FOLDER
    use = watched(study(path, out), lambda: held.is_dir() and len(os.listdir(held)) > count // 20)
    rows = [rss for rss in use.memory.values() if len(rss) > 5]
    run = sum(points.read_point(out, name).seconds for name in os.listdir(held) if not name.startswith(".")) / count
    return [
        (f"growth of a worker's memory over {count:,} points", f"{max(rss[-1] - rss[0] for rss in rows) / 1e6:.1f} MB"),
        ("memory of a worker, at most", f"{max(max(rss) for rss in rows) / 1e6:.0f} MB"),
        ("a tiny run, as its worker timed it", f"{1e3 * run:.1f} ms"),
        ("overhead for each point: processor time of all less the runs", f"{1e3 * (use.cpu / count - run):.1f} ms"),
    ]


PARTS = {
    "efficiency": (efficiency, "how much of two processors does a study use?"),
    "many": (many, "what do many short points cost?"),
    "memory": (memory, "does memory grow?"),
}
COLUMNS = {
    "efficiency": (
        "on two workers, command to Dataset", "wall time:", "same runs in series:", "efficiency by wall time:",
        "by processor time:",
    ),
    "many": (
        "1000 points of one column", "kernels of a point, two at once:", "alone:", "a point of the study:",
        "with its share of the start, over the kernels:", "efficiency of two workers:",
    ),
    "memory": ("10,000 tiny runs", "value:"),
}  # fmt: skip


def in_folder(part, asked: Asked) -> list[tuple[str, ...]]:
    """Rows of a part, measured in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        return part(Path(folder), asked.quick)


BENCHMARKS = {
    name: Benchmark(question, partial(in_folder, part), COLUMNS[name]) for name, (part, question) in PARTS.items()
}

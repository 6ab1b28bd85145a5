"""Provoked accidents: to files, to the kernel cache and to running commands. Unix only."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from otjdd.errors import ResultError

OTJDD = [sys.executable, "-c", "from otjdd.cli import main; main()"]
# A shell's background job ignores Ctrl-C, and so would its children.
HEEDING = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from otjdd.cli import main; main()",
]
PULSE = """base = "li2019.toml"
title = "a pulse"
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
columns = { count = 1, spread = {} }
device.film.cells = 12
"""
ENDLESS = """base = "li2019.toml"
title = "endless"
drive = { kind = "train", voltage = "2.2 V", width = "50 ns", count = 20000, period = "10 us", read_each = true }
"""
LONG = """base = "li2019.toml"
title = "long"
drive = { kind = "train", voltage = "2.2 V", width = "50 ns", count = 600, period = "10 us", read_each = true }
"""


def otjdd(folder: Path, *words: str, before: str = "", **environment: str) -> subprocess.CompletedProcess:
    """Run a command of otjdd in a folder. before : shell code that comes before it"""
    options = {"cwd": folder, "env": os.environ | environment, "capture_output": True, "text": True, "timeout": 1800}
    if before:
        return subprocess.run(["sh", "-c", f'{before}; exec "$@"', "sh", *OTJDD, *words], **options)
    return subprocess.run([*OTJDD, *words], **options)


def forked(action: Callable[[], object]) -> int:
    """Fork a child that performs an action. Returns its process id; its exit code is 0, or 1 if the action raises."""
    child = os.fork()
    if child:
        return child
    try:
        action()
        os._exit(0)
    except BaseException:
        os._exit(1)


def some_result(number: float = 0.0):
    """A result of some size in which all numbers are equal."""
    import numpy as np

    from otjdd.results import outputs

    return outputs.dataset({"current": np.full(50_000, number)}, {"time": np.arange(50_000.0)})


def kills(count: int, folder: Path, seed: int = 1) -> Counter:
    """Kill a process that writes results at random moments. Counts of its file: "whole", "absent" or "damaged"."""
    from otjdd.results import store

    rng, found, path = random.Random(seed), Counter(), folder / "a.nc"
    some = [some_result(float(number)) for number in range(4)]

    def write_for_ever():
        for k in range(10**6):
            store.write(some[k % len(some)], path)

    for _ in range(count):
        if rng.random() < 0.5:
            path.unlink(missing_ok=True)
        child = forked(write_for_ever)
        time.sleep(rng.uniform(0.0, 0.8))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if not path.exists():
            found["absent"] += 1
            continue
        try:
            values = store.read(path).current.values
            found["whole" if (values == values[0]).all() else "damaged"] += 1
        except ResultError:
            found["damaged"] += 1
    return found


@contextmanager
def mounted(folder: Path, options: str):
    """Context manager: mount a small disk in memory on a folder. Yields None if this user may not mount."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
    try:
        yield folder if done.returncode == 0 else None
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", str(folder)], check=True)


def places(folder: Path) -> dict[str, str]:
    """Run a case whose result cannot be written: place of the result -> fault in words, "" if it is refused properly."""
    (folder / "pulse.toml").write_text(PULSE)
    told = {"a missing folder": refused(folder, "none/a.nc"), "a file for a folder": refused(folder, "pulse.toml/a.nc")}
    told["a limit on file sizes"] = refused(folder, "a.nc", before="ulimit -f 4")
    with mounted(folder / "full", "size=40k") as disk:
        told["a full disk"] = refused(folder, "full/a.nc") if disk else "may not mount"
    with mounted(folder / "closed", "size=1m,ro") as disk:
        told["a read-only disk"] = refused(folder, "closed/a.nc") if disk else "may not mount"
    return told


def refused(folder: Path, target: str, before: str = "") -> str:
    """Faults of a run that must end with exit code 5, one line of text and no file; "" if there are none."""
    done = otjdd(folder, "run", "pulse.toml", "-q", "-o", target, before=before)
    place = (folder / target).parent
    left = [p.name for p in place.iterdir() if p.suffix in (".nc", ".part")] if place.is_dir() else []
    # The short pulse also exceeds a limit of the model, which adds a line to the output.
    said = [line for line in done.stderr.splitlines() if not line.startswith("beyond the limits of the model")]
    if done.returncode == 5 and len(said) == 1 and not left:
        return ""
    return f"exit code {done.returncode}, {done.stderr.strip()[-200:]!r}, left {left}"


def damage(rng: random.Random, data: bytes) -> bytes:
    """Bytes with one bit flipped, cut short, or with a piece overwritten."""
    at = rng.randrange(len(data))
    match rng.randrange(3):
        case 0:
            return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at]
        case _:
            noise = rng.randbytes(min(rng.choice((1, 16, 512)), len(data) - at))
            return data[:at] + noise + data[at + len(noise) :]


def damaged_results(count: int, folder: Path, seed: int = 2) -> Counter:
    """Damage a result in many ways. Counts: "detected", "not detected", or the name of another exception."""
    from otjdd.results import store

    (folder / "pulse.toml").write_text(PULSE)
    done = otjdd(folder, "run", "pulse.toml", "-q", "-o", "a.nc")
    assert done.returncode == 0, done.stderr
    whole, rng, found, path = (folder / "a.nc").read_bytes(), random.Random(seed), Counter(), folder / "bad.nc"
    for _ in range(count):
        data = whole
        while data == whole:
            data = damage(rng, whole)
        path.write_bytes(data)
        try:
            store.read(path)
            found["not detected"] += 1
        except ResultError:
            found["detected"] += 1
        except Exception as error:
            found[type(error).__name__] += 1
    return found


def square(x):
    return x * x


def cube(x):
    return x * x * x


def calling(x):
    return called(x)  # noqa: F821 (as `kernel_calling` says)


def kernel_calling(folder: Path, function):
    """A small kernel that calls another one with its own cache entry; the cache is below a folder."""
    from otjdd.compiler import decorators, kernel_cache

    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    kernel_cache.folder.cache_clear()
    globals()["called"] = decorators.detached(function)
    return decorators.bare(calling)


def ask(folder: Path, function=square) -> tuple[int, float]:
    """Call a small kernel in a child process, with its cache below a folder. Returns the exit code, and the value."""
    answer = folder.parent / "answer"
    answer.unlink(missing_ok=True)

    def work():
        answer.write_text(str(kernel_calling(folder, function)(7.0)))

    _, status = os.waitpid(forked(work), 0)
    return os.waitstatus_to_exitcode(status), float(answer.read_text()) if answer.exists() else float("nan")


def spoil(rng: random.Random, folder: Path) -> str:
    """Damage a kernel cache: the entry of the caller, of the kernel that it calls, or both. Returns what was done."""
    names = rng.choice((("square",), ("calling",), ("square", "calling")))
    entries = [path for name in names for path in sorted(folder.glob(f"otjdd/kernels-*/*{name}*"))]
    others = sorted(folder.glob("otjdd/kernels-*/*cube*"))
    kinds = ("damaged", "damaged", "damaged", "empty", "of another", "a folder", "gone", "no folder")
    kind = rng.choice(kinds)
    if kind == "no folder":
        shutil.rmtree(folder / "otjdd")
        (folder / "otjdd").write_text("a file")
        return kind
    for path in entries:
        content = {"damaged": damage(rng, path.read_bytes()), "empty": b"", "of another": others[0].read_bytes()}
        if kind in content:
            path.write_bytes(content[kind])
        else:
            path.unlink()
            if kind == "a folder":
                path.mkdir()
    return kind


def spoilt_caches(count: int, folder: Path, seed: int = 3) -> Counter:
    """Damage the cache in many ways and call the kernel again. Counts: "right", "wrong number" or "failed"."""
    rng, found = random.Random(seed), Counter()
    for k in range(count):
        cache = folder / str(k)
        ask(cache, cube), ask(cache)
        spoil(rng, cache)
        code, value = ask(cache)
        found["failed" if code else "right" if value == 49.0 else "wrong number"] += 1
    return found


def spoilt_kernels(folder: Path, seed: int = 4) -> str:
    """Flip a bit in every file of otjdd's kernels, then in half of them, and simulate. Returns "" if no number changes.

    With half of the files damaged, some kernels are intact while those that they call are not.
    """
    from otjdd.compiler import kernel_cache
    from otjdd.results import store

    (folder / "pulse.toml").write_text(PULSE)
    done = otjdd(folder, "run", "pulse.toml", "-q", "-o", "before.nc")
    place = folder / "cache" / "otjdd" / kernel_cache.folder().name
    shutil.copytree(kernel_cache.folder(), place)
    rng, entries = random.Random(seed), sorted(place.iterdir())
    for share in (1.0, 0.5):
        for path in rng.sample(entries, round(share * len(entries))):
            data = bytearray(path.read_bytes())
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            path.write_bytes(data)
        done = otjdd(folder, "run", "pulse.toml", "-q", "-o", "after.nc", NUMBA_CACHE_DIR=str(folder / "cache"))
        if done.returncode:
            return f"exit code {done.returncode}: {done.stderr[-300:]}"
        before, after = (store.data_sha256(store.read(folder / f"{name}.nc")) for name in ("before", "after"))
        if before != after:
            return "other numbers"
    return ""


def first_runs_together(count: int, folder: Path) -> Counter:
    """Start many processes at once on one empty cache. Counts how many got the right number."""

    def work():
        assert kernel_calling(folder / "together", square)(7.0) == 49.0

    children = [forked(work) for _ in range(count)]
    return Counter("right" if os.waitpid(child, 0)[1] == 0 else "failed" for child in children)


def killed_runs(count: int, folder: Path, seed: int = 6) -> tuple[Counter, int]:
    """Kill runs at random moments, resume them, and kill them again.

    Returns counts of the final results, and the largest number of processes that one result took.
    """
    from otjdd.results import store

    (folder / "long.toml").write_text(LONG)
    rng, found, kills, tries, most = random.Random(seed), Counter(), 0, 0, 0
    path, whole = folder / "long.nc", folder / "whole.nc"
    otjdd(folder, "run", "long.toml", "-o", whole.name, "-q").check_returncode()
    while kills < count or tries:
        process = subprocess.Popen(
            [*OTJDD, "run", "long.toml", "-q", "--resume", "--checkpoint", "0.1"], cwd=folder, stderr=subprocess.PIPE
        )
        tries, most = tries + 1, max(most, tries + 1)
        try:
            process.communicate(timeout=rng.uniform(1.0, 6.0) if kills < count else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        if process.returncode:
            found[f"exit code {process.returncode}"] += 1
        else:
            same = store.data_sha256(store.read(path)) == store.data_sha256(store.read(whole))
            found["the same" if same else "with other numbers"] += 1
            path.unlink()
        tries = 0
    return found, most


def signals(count: int, folder: Path, seed: int = 5) -> tuple[Counter, float]:
    """Interrupt runs by SIGINT and SIGTERM. Returns counts of the outcomes, and the longest time [s] to end a process."""
    from otjdd.results import store

    (folder / "endless.toml").write_text(ENDLESS)
    rng, found, longest = random.Random(seed), Counter(), 0.0
    for k in range(count):
        number, code = ((signal.SIGINT, 130), (signal.SIGTERM, 143))[k % 2]
        (folder / "endless.nc").unlink(missing_ok=True)
        process = subprocess.Popen([*HEEDING, "run", "endless.toml", "-q"], cwd=folder, stderr=subprocess.PIPE)
        time.sleep(rng.uniform(6.0, 10.0))
        process.send_signal(number)
        began = time.monotonic()
        process.communicate(timeout=100)
        longest = max(longest, time.monotonic() - began)
        kept = (folder / "endless.nc").exists() and store.read(folder / "endless.nc").sizes["time"] > 0
        found["kept" if process.returncode == code and kept else f"exit code {process.returncode}, kept {kept}"] += 1
    return found, longest

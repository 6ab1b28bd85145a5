"""The front page and the guide from top to bottom: commands and Python as they stand, one after the other, in one folder.

Files of the user (loop.csv) are there, and shipped cases are small. What takes long is left to the campaign.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import types
from functools import cache
from pathlib import Path

import pytest
from walk import ROOT, command, drawn, examples, otjdd

from otjdd.claims.papers import load_task

LONG = re.compile(
    r"otjdd (study|calibrate|plot found|validate|selftest|compact|fit|predict|design|explore|run crossbar|export xb)\b"
    r"|\.study\("
)
ELSEWHERE = re.compile(r"otjdd (calibrate|plot found)\b")  # a search over hours: `test_claims.py` types a small one
MADE = {  # what a page leaves in its folder, besides the results of its runs
    "README.md": ("rv-loop.png", "thick.png", "slower-set.png", "iv.png"),
    "cases/README.md": ("rv-loop.png",),
    "cases/device.md": (),
    "cases/ions.md": (),
    "cases/columns.md": (),
    "cases/numerics.md": (),
    "cases/drives.md": (),
    "cases/crossbars.md": (),
    "cases/studies.md": (),
    "cases/compact-models.md": (),
    "cases/fits.md": (),
}
MADE_AT_LENGTH = {
    "README.md": (
        "eightwise/study.nc",
        "thickness/study.nc",
        "rv-loop-fit.png",
        "model/error.png",
        "report/index.html",
    ),
    "cases/crossbars.md": ("xb-netlist/array.cir",),
    "cases/studies.md": ("thickness/study.nc", "sobol/study.nc"),
    "cases/compact-models.md": ("model/otj.va", "small/networks.nc"),
    "cases/fits.md": ("found.png", "band.png"),
}
VISIT = f"""#!{sys.executable}
import os, signal, sys, urllib.request
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())  # the token of the address is for one visit
try:
    assert b"<html" in browser.open(sys.argv[1]).read(10_000)
    open("visited", "w").close()
finally:
    os.kill(int(os.environ["EXPLORER"]), signal.SIGINT)
"""


@cache
def measured_loop() -> bytes:
    """Table of a loop of a slightly different junction; run once, with the small cases of the first page."""
    otjdd('run rv-loop -o hidden.nc -q --set device.left.barrier="0.645 eV"')
    otjdd("export hidden.nc -o hidden.csv")
    return Path("hidden.csv").read_bytes()


@pytest.fixture
def user(small_cases, monkeypatch):
    """The folder of a user, with shipped cases and a measured loop."""
    Path("loop.csv").write_bytes(measured_loop())
    monkeypatch.setenv("SCRATCH", str(small_cases / "scratch"))
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "100")  # the last of the array
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "2")
    (small_cases / "scratch").mkdir()
    return small_cases


def explored(words: str) -> None:
    """The page is served to the browser of the user, who looks at it and presses Ctrl-C."""
    Path("browser").write_text(VISIT, encoding="utf-8")
    Path("browser").chmod(0o755)
    shell = f"EXPLORER=$$ BROWSER='{Path('browser').resolve()} %s' exec {shlex.join(command(words))}"
    with subprocess.Popen(["bash", "-c", shell], preexec_fn=heed) as served:
        assert served.wait() == 0
    assert Path("visited").exists()


def heed() -> None:
    """Ctrl-C is heeded, also where a shell in the background had it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def type_words(text: str) -> None:
    """A command of a page."""
    words = os.path.expandvars(text.removeprefix("otjdd "))
    missed = 8 if words.startswith("validate") else 0  # claims are missed, which the tables tell
    explored(words) if words.startswith("explore") else otjdd(words, code=missed)


def walked(page: str, leave_out: re.Pattern | None = None) -> None:
    """All examples of a page in their order; Python in one session."""
    session = {"__name__": "__main__"}
    named = iter(re.findall(r"Save this as `([\w-]+\.toml)`", (ROOT / page).read_text(encoding="utf-8")))
    for number, (kind, text) in enumerate(examples(page)):
        if leave_out and leave_out.search(text):
            continue
        if kind == "python":
            exec(compile(text, f"{page}, example {number}", "exec"), session)
        elif kind == "toml":
            file = "aims.toml" if text.startswith("case =") else next(named, f"example-{number}.toml")
            Path(file).write_text(text, encoding="utf-8")
            for name in re.findall(r'^file = "([^"]+)"', text, re.MULTILINE):
                Path(name).touch()
            load_task(Path(file)) if "[[run]]" in text else otjdd(f"check {file}")
        else:
            type_words(text)


@pytest.mark.parametrize("page", MADE)
def test_a_page_is_walked_from_top_to_bottom(page, user):
    walked(page, LONG)
    assert all(drawn(picture) for picture in MADE[page])


@pytest.fixture
def cluster(monkeypatch):
    """Stands for the jobs of a queue: dask-jobqueue with workers on this machine."""
    from distributed import LocalCluster

    started = []

    class SLURMCluster(LocalCluster):
        def __init__(self, cores, processes, memory, walltime):
            super().__init__(n_workers=0, threads_per_worker=cores, host="127.0.0.1", dashboard_address=None)
            started.append(self)

        def scale(self, jobs):
            super().scale(min(jobs, 2))

    monkeypatch.setitem(sys.modules, "dask_jobqueue", types.SimpleNamespace(SLURMCluster=SLURMCluster))
    yield
    for made in started:
        made.close()


@pytest.mark.campaign
@pytest.mark.usefixtures("cluster")
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("page", MADE_AT_LENGTH)
def test_a_page_is_walked_from_top_to_bottom_at_length(page, user):
    walked(page, ELSEWHERE)
    assert all(drawn(picture) for picture in MADE[page])
    assert all(Path(file).exists() for file in MADE_AT_LENGTH[page])

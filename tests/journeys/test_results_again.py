"""What is done with results: once more, further on, from the checkpoint, several in one picture, from the shell."""

import json
import re
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from walk import SMALL, command, otjdd, process

import otjdd as package
from otjdd import selftest

TRAIN = 'drive={kind="train", voltage="1.6 V", width="1 us", count=100, period="10 us", read_each=true}'


def test_the_shell_walks_from_a_case_to_its_table(folder):
    cases = otjdd("cases")
    listed = [line.split()[0] for line in cases.splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(case.name for case in package.cases())
    shown = otjdd(f"show li2019 {SMALL}")
    Path("mine.toml").write_text(shown, encoding="utf-8")
    assert tomllib.loads(shown)["device"]["film"]["cells"] == 12
    assert "mine.toml" in otjdd("check mine.toml")
    checked = "rv-loop: ok, 130 writes, 130 reads, 13.0001 s, expects loop.low from "
    assert otjdd("check rv-loop").startswith(checked)
    said = process("run mine.toml --plot mine.png")
    low, high = map(float, re.search(r"2 reads, (\S+) to (\S+) ohm", said).groups())
    otjdd("export mine.nc")
    table = np.genfromtxt("mine.csv", delimiter=",", names=True)
    assert table["read_resistance_ohm"].min() == pytest.approx(low, rel=0.01)
    assert table["read_resistance_ohm"].max() == pytest.approx(high, rel=0.01)
    assert "the same numbers, bit for bit" in process("rerun mine.nc")
    otjdd("plot mine.nc mine.nc --label one --label two -o both.pdf")
    assert Path("both.pdf").read_bytes().startswith(b"%PDF")


def test_the_schema_checks_case_files(folder):
    import jsonschema

    schema = json.loads(otjdd("schema"))
    case = tomllib.loads(otjdd("show rv-loop"))
    jsonschema.validate(case, schema)
    case["device"]["film"]["thicknes"] = "3 nm"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(case, schema)


def test_a_run_that_was_killed_goes_on_from_its_checkpoint_to_the_same_numbers():
    otjdd(f"run li2019 -o whole.nc --set '{TRAIN}'", smaller=True)
    words = command(f"run li2019 -o killed.nc --set '{TRAIN}' {SMALL} --checkpoint 0")
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        while not Path(".killed.nc.checkpoint").exists():
            assert run.poll() is None
            time.sleep(0.002)
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    assert not Path("killed.nc").exists(), "it ended before it was killed"
    otjdd(f"run li2019 -o killed.nc --set '{TRAIN}' --resume", smaller=True)
    whole, killed = package.read("whole.nc"), package.read("killed.nc")
    assert np.array_equal(whole.read_resistance, killed.read_resistance)
    assert {path.name for path in Path().iterdir()} == {"whole.nc", "killed.nc"}


@pytest.mark.campaign  # 11 s: each check fails where it should in test_selftest
def test_the_machine_is_tested(folder):
    outcomes = {outcome["name"]: outcome["passed"] for outcome in json.loads(otjdd("selftest --json"))}
    assert outcomes == dict.fromkeys(selftest.CHECKS, True)
    assert not list(folder.iterdir())

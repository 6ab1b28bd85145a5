"""Calibrations of several cases: parameters of one or shared, runs of each, other calibrations as parts, and faults."""

import numpy as np
import pytest
from commands import otjdd
from messages import refused, told
from small_studies import ONE_READ

from otjdd.case.case import load_case
from otjdd.claims.papers import load_task
from otjdd.fitting.search import evaluator
from otjdd.fitting.targets import files
from otjdd.fitting.targets.task import target_values

OF_ONE = """
case = "small.toml"
coarse = { "device.film.cells" = 10 }
[[parameter]]
key = "device.left.barrier"
low = "0.5 eV"
high = "0.8 eV"
dimension = "energy"
source = "made up"
[[parameter]]
key = "device.film.thickness"
low = "2 nm"
high = "4 nm"
dimension = "length"
source = "made up"
[[run]]
name = "read"
set = { "record.every" = "none" }
[[run.target]]
name = "resistance"
read = 0
value = 3e5
"""
OF_TWO = """
[cases.thin]
calibration = "one.toml"
vary = ["device.left.barrier"]

[cases.thick]
case = "thick.toml"

[[parameter]]
key = "device.film.tunnelling_mass"
low = 0.3
high = 1.0
source = "made up, of both"

[[parameter]]
case = "thick"
key = "device.left.barrier"
low = "0.5 eV"
high = "0.8 eV"
dimension = "energy"
source = "made up"

[[run]]
case = "thick"
name = "read"
set = { "record.every" = "none" }
[[run.target]]
name = "resistance"
read = 0
value = 1e6
"""
THICK = 'base = "small.toml"\ntitle = "thick"\n[device.film]\nthickness = "3.2 nm"\ntunnelling_mass = 0.6\n'


@pytest.fixture
def folder(tmp_path):
    files = {"small.toml": ONE_READ, "thick.toml": THICK, "one.toml": OF_ONE, "two.toml": OF_TWO}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_case_takes_its_runs_and_the_named_parameters_from_another_calibration(folder):
    task = load_task(folder / "two.toml")
    assert task.parameter_names == [
        "device.film.tunnelling_mass",
        "thick: device.left.barrier",
        "thin: device.left.barrier",
    ]
    assert task.target_names == ["thin: resistance", "thick: resistance"]
    assert [part.case.device.film.cells for part in task.cases] == [12, 12]
    assert [part.coarse.device.film.cells for part in task.cases] == [10, 12]
    low, high = task.ends
    x = low + np.array([0.5, 0.0, 1.0]) * (high - low)
    barrier, mass = "device.left.barrier", "device.film.tunnelling_mass"
    assert task.changes(x, "thin") == pytest.approx({mass: 0.65, barrier: 0.8})
    assert task.changes(x, "thick") == pytest.approx({mass: 0.65, barrier: 0.5})


def test_a_run_of_the_same_name_stands_in_the_place_of_that_of_the_other_calibration(folder):
    own = '[[run]]\ncase = "thin"\nname = "read"\nset = {}\n[[run.target]]\nname = "own"\nread = 0\nvalue = 2e5\n'
    (folder / "two.toml").write_text(OF_TWO + own)
    assert load_task(folder / "two.toml").target_names == ["thin: own", "thick: resistance"]


def test_without_vary_all_parameters_are_free_that_the_file_does_not_state(folder):
    text = OF_TWO.replace('vary = ["device.left.barrier"]\n', "").replace(
        'case = "thick"\nkey', 'case = ["thin", "thick"]\nkey'
    )
    (folder / "two.toml").write_text(text)
    assert load_task(folder / "two.toml").parameter_names == [
        "device.film.tunnelling_mass", "device.left.barrier", "thin: device.film.thickness",
    ]  # fmt: skip


def test_a_point_has_the_values_of_both_cases_and_each_is_that_of_its_own_run(folder):
    task = load_task(folder / "two.toml")
    x = task.start
    alone = [target_values(*job).numbers for job in task.jobs(x)]
    with evaluator(task, 1) as evaluate:
        (found,) = evaluate([x])
        (fine,) = evaluate._replace(task=task.with_own_numerics())([x])
    assert task.evaluation(found).values == pytest.approx(np.concatenate(alone), rel=1e-12)
    assert fine[0] != found[0]  # of the cells that are coarse
    assert fine[1] == found[1]


def test_a_shared_parameter_starts_from_its_first_case(folder):
    told = files.task_words(load_task(folder / "two.toml"))
    assert told.splitlines()[0] == "3 parameters, 2 targets of 2 runs of 2 cases"
    assert "device.film.tunnelling_mass: 0.5234 in thin, 0.6 in thick; the search starts from 0.5234" in told
    (folder / "two.toml").write_text(OF_TWO.replace("low = 0.3", "low = 0.3\nstart = 0.58"))
    task = load_task(folder / "two.toml")
    assert task.written(task.start)["device.film.tunnelling_mass"] == 0.58
    assert files.task_words(task) == "3 parameters, 2 targets of 2 runs of 2 cases"


def test_a_start_outside_of_its_bounds_is_told(folder):
    (folder / "one.toml").write_text(OF_ONE.replace('low = "0.5 eV"', 'low = "0.7 eV"'))
    told = files.task_words(load_task(folder / "one.toml")).splitlines()
    assert told == [
        "2 parameters, 1 target of 1 run of 1 case",
        "device.left.barrier: 0.6243 eV; the search starts from 0.7 eV",
    ]


FAULTS = [
    ('case = "thick"\nname', 'case = "thik"\nname'),
    ('case = "thick"\nname', "name"),
    ('case = "thick"\nkey', 'case = ["thick", "thn"]\nkey'),
    ('"device.left.barrier"]', '"device.left.barier"]'),
    ('calibration = "one.toml"', 'calibration = "two.toml"'),
    ('case = "thick.toml"', 'case = "thick.toml"\ncalibration = "one.toml"'),
    ('case = "thick.toml"', 'case = "thick.toml"\nset = { "device.film.cels" = 9 }'),
    ('case = "thick.toml"', 'case = "thick.toml"\ncoarse = { "device.film.cels" = 9 }'),
    ('case = "thick"\nkey', "key"),
    ('key = "device.film.tunnelling_mass"', 'key = "device.film.tunneling_mass"'),
    ("[cases.thick]", '[cases."thick one"]'),
    ('"thick.toml"\n', '"thick.toml"\n[cases.third]\ncase = "thick.toml"\n'),
]  # fmt: skip


def test_a_fault_is_told_with_its_line_and_what_was_expected(folder):
    said = {}
    for old, new in FAULTS:
        (folder / "two.toml").write_text(OF_TWO.replace(old, new, 1))
        said[f"{old!r} -> {new!r}"] = told(load_task, folder / "two.toml")
    (folder / "two.toml").write_text(OF_TWO)
    (folder / "one.toml").write_text(OF_ONE.replace("read = 0", "read = 3"))
    said["a fault of the other calibration"] = told(load_task, folder / "two.toml")
    refused("calibrations.txt", said, folder)


def test_the_command_writes_a_case_for_each(folder):
    words = ["--evaluations", "16", "--rounds", "1", "--no-sensitivity"]
    done = otjdd(folder, "calibrate", "two.toml", "-o", "a.toml", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "a-thin.toml, a-thick.toml, a.nc"
    thin, thick = (load_case(folder / f"a-{case}.toml") for case in ("thin", "thick"))
    assert thin.device.film.tunnelling_mass == thick.device.film.tunnelling_mass != 0.6
    assert thick.device.film.thickness == pytest.approx(3.2e-9)

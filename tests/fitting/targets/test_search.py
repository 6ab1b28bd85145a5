"""Calibration: residuals, bounds, and a search that finds a parameter again."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from commands import otjdd
from messages import refused, told
from small_studies import ONE_READ

from otjdd.analysis.goal import FAILED, Goal, around
from otjdd.analysis.textbook import gruverman
from otjdd.case.case import load_case, shipped_cases
from otjdd.case.keys import value_in_case
from otjdd.claims.papers import ClaimTarget as Target
from otjdd.claims.papers import load_task
from otjdd.errors import ResultError
from otjdd.fitting import least_squares
from otjdd.fitting.search import SearchSettings, evaluator
from otjdd.fitting.targets import files
from otjdd.fitting.targets.task import Evaluation, target_values, weighted
from otjdd.results import outputs, store
from otjdd.runs.run import simulate

QUICK = """
case = "small.toml"
[[parameter]]
key = "device.left.barrier"
low = "0.5 eV"
high = "0.8 eV"
dimension = "energy"
[[parameter]]
key = 'columns.spread."ions.activation_energy"'
low = "1 meV"
high = "50 meV"
dimension = "energy"
[[run]]
name = "resistance"
set = { "record.every" = "none" }
[[run.target]]
name = "high"
read = 0
value = 3e5
within = 1.2
"""


@pytest.fixture(autouse=True)
def case(tmp_path):
    """The case of the calibration, and the calibration, in the folder of a test."""
    (tmp_path / "small.toml").write_text(ONE_READ)
    (tmp_path / "task.toml").write_text(QUICK)


def asked(folder, text):
    """A calibration that is written into the folder of its case."""
    (folder / "task.toml").write_text(text)
    return load_task(folder / "task.toml")


@pytest.mark.parametrize(
    ("goal", "residuals"),
    [
        ({"value": 100.0}, {200.0: 1, 50.0: -1, math.nan: FAILED, -100.0: FAILED}),
        ({"value": -0.4}, {-0.8: 1, -0.4: 0, 0.4: FAILED}),
        ({"value": 0.55, "within": 0.06, "linear": True}, {0.49: -1, -0.55: -1.1 / 0.06}),
        ({"at_least": 10.0, "at_most": 20.0}, {15.0: 0, 40.0: 1, 5.0: -1, math.inf: FAILED}),
    ],
)
def test_a_residual_is_signed_1_at_the_tolerance_and_0_within_limits(goal, residuals):
    target = Target(name="R", read=0, **goal)
    assert [target.goal.residual(x) for x in residuals] == pytest.approx(list(residuals.values()))
    assert around(-2.0, "30 %").residual(-2.6) == pytest.approx(-1.0)


def test_a_target_without_a_read_is_measured_as_its_claim_measures_it():
    """A curve of two barriers by the formula that the claim fits."""
    case = load_case(shipped_cases() / "li2019.toml")
    V = np.linspace(-0.3, 0.3, 31)
    curve = gruverman(V, 0.5, 0.3, case.device.film.thickness) * case.device.junction_area
    axes = {"state": ["LRS"], "temperature": [300.0], "bias": V}
    values = {"bias_current": curve[None, None], "bias_tunnelling_share": np.ones((1, 1, V.size))}
    ds = outputs.dataset(axes | values)
    target = Target(name="Pt", claim="lrs-direct-tunnelling.barrier_metal")
    assert target.measured(case, ds) == pytest.approx(0.3, abs=1e-3)
    assert target.goal.residual(0.3) == pytest.approx(-0.5)


def test_a_target_is_a_read_or_a_claim():
    with pytest.raises(ValueError, match="the index of a read, or a claim"):
        Target(name="R", value=1.0)
    assert Target(name="R", read=0, claim="rv-hrs.pristine", within=1.2).within == 1.2  # and not that of the claim


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("rv-hrs.pristine", {"value": 1.8e8, "within": 2.0, "linear": False}),
        ("hrs-barrier.transport_energy", {"value": 0.55, "within": 0.06, "linear": True}),
        ("ltp-ltd.highest", {"value": 10.5e-6, "within": 2.0}),
        ("lrs-fowler-nordheim.slope", {"value": -0.39, "within": 2.0}),
        ("retention.ratio", {"value": None, "at_least": 3e3}),
        ("switching-time.fold", {"at_least": 0.08, "at_most": 0.33}),
    ],
)
def test_a_target_can_be_the_figure_of_a_claim(claim, expected):
    target = Target(name="as in the paper", read=0, claim=claim)
    assert {key: getattr(target, key) for key in expected} == pytest.approx(expected)


ENERGIES = 'low = "0.5 eV"\nhigh = "0.8 eV"\ndimension = "energy"'
CURVES = 'drive = { kind = "iv", voltages = ["0.1 V"] }'
FAULTS = [
    ("value = 3e5", 'claim = "rv-hrz.low"'),
    ("value = 3e5", 'claim = "rv-lrs.lowest"'),
    ("value = 3e5", ""),
    ("read = 0\nvalue = 3e5", 'claim = "lrs-direct-tunnelling.barrier_metal"'),
    ("within = 1.2", "within = -1"),
    ("read = 0", "raed = 0"),
    ("read = 0", 'read = "first"'),
    ("read = 0", "read = 1"),
    ('set = { "record.every" = "none" }', f"set = {{ {CURVES} }}"),
    ("value = 3e5", "value = 3e5\nover = -2"),
    ('"record.every" = "none"', '"record.every" = "never"'),
    ("read = 0", 'number = "read_resistence[0]"'),
    ("read = 0", 'number = "loop"'),
    ("read = 0", 'read = 0\nagainst = "resistance"'),
    ('set = { "record', 'scale = { "ions.amount" = 2.0 }\nset = { "record'),
    ('key = "device.left.barrier"', 'key = "device.left.barier"'),
    ('key = "device.left.barrier"', 'key = "device.left"'),
    ('low = "0.5 eV"', 'low = "0.5 V"'),
    ('low = "0.5 eV"', "low = 0.5"),
    ('low = "0.5 eV"', 'low = "0.9 eV"'),
    ('low = "0.5 eV"', 'low = "0 eV"\nlog = true'),
    ('"energy"', '"enregy"'),
    ('case = "small.toml"', 'case = "small.toml"\ncoarse = { "device.film.cels" = 8 }'),
    ('case = "small.toml"', ""),
    ('case = "small.toml"', 'case = "small.toml"\nset = { "device.film.cels" = 8 }'),
    ('name = "resistance"', 'name = "resistance"\ncase = "small"'),
    ('low = "0.5 eV"', 'low = "0.5 eV"\nstart = "0.9 eV"'),
    ('[[run]]', f'[[parameter]]\nkey = "device.left.barrier"\n{ENERGIES}\n[[run]]'),
]  # fmt: skip


def test_a_fault_is_told_with_its_line_and_its_key_and_what_was_expected(tmp_path):
    said = {f"{old!r} -> {new!r}": told(asked, tmp_path, QUICK.replace(old, new, 1)) for old, new in FAULTS}
    refused("calibration.txt", said, tmp_path)


FILMS = """
[[run]]
name = "thicker film, as many vacancies per area"
scale = { "ions.density" = 0.5 }
set = { "device.film.thickness" = "5.6 nm", "record.every" = "none" }
[[run.target]]
name = "thicker over thinner"
number = "read_resistance[0]"
against = "resistance"
at_least = 1.0
"""


def test_a_run_can_scale_what_moves_and_be_held_against_another_run(tmp_path):
    task = asked(tmp_path, QUICK + FILMS)
    (part,), x = task.cases, task.start
    moved = part.case.replace(task.changes(x, ""))
    denser = moved.replace("ions.density", 2 * moved.ions.density)
    assert part.runs[1].of(denser).ions.density == pytest.approx(moved.ions.density, rel=1e-12)
    thin, thick = (float(simulate(run.of(moved)).read_resistance[0]) for run in part.runs)
    assert thick != pytest.approx(thin, rel=0.1)
    parts = [target_values(*job).numbers for job in task.jobs(x)]
    assert [len(part) for part in parts] == [2, 1]  # of the first run also what the second is held against
    assert task.evaluation(task.joined(parts)).values == pytest.approx([thin, thick / thin], rel=1e-12)


def test_a_run_that_is_held_against_one_that_failed_has_failed(tmp_path):
    failing = '"numerics.max_steps" = 1, "record.every"'
    task = asked(tmp_path, (QUICK + FILMS).replace('"record.every"', failing, 1))
    with evaluator(task, 1) as evaluate:
        failed = task.evaluation(evaluate([task.start])[0])
    assert list(failed.residuals) == [FAILED, FAILED]


def test_the_score_forgives_what_is_met_and_damps_what_is_hopeless():
    met, missed, hopeless = (Evaluation(np.ones(1), np.array([r])).score for r in (0.5, 2.0, 30.0))
    assert met < 0.02 < missed < hopeless < 30.0**2
    residuals = np.array([-0.5, 2.0, -9.0, 0.0])
    values, slopes = weighted(residuals)
    np.testing.assert_array_equal(np.sign(values), [-1, 1, -1, 0])
    ahead, behind = (weighted(residuals + h)[0] for h in (1e-6, -1e-6))
    np.testing.assert_allclose(slopes, (ahead - behind) / 2e-6, rtol=1e-6)


def test_numbers_are_on_scales_whose_unit_is_the_tolerance():
    for goal in (Goal(-0.4, tolerance=2.0, by_factor=True), Goal(0.55, tolerance=0.06), Goal(low=3.0, tolerance=3.0)):
        value = goal.value or -1.0
        numbers = [goal.scaled(x * value) for x in (1.0, 1.1)]
        assert [goal.unscaled(number) for number in numbers] == pytest.approx([value, 1.1 * value])
        if goal.value:
            moved = goal.residual(1.1 * value) - goal.residual(value)
            assert numbers[1] - numbers[0] == pytest.approx(moved)
    assert [math.isnan(Goal(-0.4, by_factor=True, tolerance=2.0).scaled(x)) for x in (0.4, 0.0, -math.inf)] == [
        True
    ] * 3


def test_targets_within_limits_have_no_slope_and_those_that_failed_a_residual(tmp_path):
    task = asked(tmp_path, QUICK)
    (part,) = task.cases
    (run,) = part.runs
    goals = {"value": None, "at_least": 1.0}
    limited = run.model_copy(update={"target": (run.target[0], run.target[0].model_copy(update=goals))})
    both = replace(task, cases=(part._replace(runs=(limited,)),))
    J = both.jacobian(np.array([70.0, 70.0]), np.ones((2, 2)))
    assert (J[0] > 0.0).all()
    assert not J[1].any()
    failed = np.full(2, math.nan)
    assert list(both.residuals(failed)) == list(weighted(np.full(2, FAILED))[0])
    assert not both.jacobian(failed, np.full((2, 2), math.nan)).any()


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """An evaluator of the calibration, and what a search found."""
    place = tmp_path_factory.mktemp("searched")
    (place / "small.toml").write_text(ONE_READ)
    task = asked(place, QUICK)
    with evaluator(task, 1, {}) as evaluate:
        settings = SearchSettings(120, spread=0.3, seed=2, jacobians=0)
        yield evaluate, least_squares.least_squares_search(evaluate, task.start, settings)[0]


def test_a_search_meets_its_target_and_reports_it(searched):
    evaluate, found = searched
    assert abs(evaluate.task.evaluation(found.values).residuals[0]) < 1.0
    text = files.report_text(evaluate.task, found, found.values)
    assert "no least squares" in text
    assert "high" in text
    assert "most felt by" in text


def test_least_squares_mend_what_is_missed(tmp_path):
    task = asked(tmp_path, QUICK)
    with evaluator(task, 1, {}) as evaluate:
        away = np.array([1.0, 0.0])
        found, scores = least_squares.least_squares_search(evaluate, away, SearchSettings())
        start = task.global_score(evaluate([away])[0])
    assert scores == []
    assert start > 1.0
    assert task.global_score(found.values) < 1e-6 * start
    assert found.evaluations < 12


@pytest.mark.parametrize("stage", ["search", "polish"])
def test_an_interrupted_calibration_leaves_its_best_set_and_goes_on_as_if_it_had_not_been(
    tmp_path, monkeypatch, stage, capsys
):
    from otjdd import cli
    from otjdd.fitting.targets import task as targets

    (tmp_path / "task.toml").write_text(QUICK.replace('high = "0.8 eV"', 'high = "0.8 eV"\nstart = "0.7 eV"'))
    runs, real, stop = [], targets.target_values, 10 if stage == "search" else 6

    def counted(*arguments):
        runs.append(1)
        if len(runs) == stop:
            raise KeyboardInterrupt
        return real(*arguments)

    def typed(name, *more):
        words = ["--evaluations", "32" if stage == "search" else "0", "--rounds", "2", "--no-sensitivity"]
        monkeypatch.setattr(
            sys, "argv", ["otjdd", "calibrate", str(tmp_path / "task.toml"), "-o", str(tmp_path / name), *words, *more]
        )
        runs.clear()
        with pytest.raises(SystemExit) as ended:
            cli.main(own=False)
        return ended.value.code

    monkeypatch.setattr(targets, "target_values", counted)
    assert typed("a.toml") == 130
    assert "The best set until then, with a score of " in capsys.readouterr().err
    assert load_case(tmp_path / "a.toml").device.left.barrier > 0
    stop = 10**6
    assert typed("a.toml", "--resume") == 0
    resumed = len(runs)
    assert typed("b.toml") == 0
    assert (tmp_path / "a.toml").read_text() == (tmp_path / "b.toml").read_text()
    a, b = (store.read(tmp_path / name) for name in ("a.nc", "b.nc"))
    assert np.array_equal(a.visited_values, b.visited_values)
    assert resumed < len(runs)


def test_the_search_of_another_calibration_does_not_go_on(tmp_path):
    words = ["calibrate", "task.toml", "-o", "found.toml", "--evaluations", "0", "--rounds", "0", "--no-sensitivity"]
    begun = otjdd(tmp_path, *words, "--resume")
    assert begun.returncode == 0
    assert "There is no found.nc: the search starts again." in begun.stderr
    (tmp_path / "task.toml").write_text(QUICK.replace("3e5", "4e5"))
    refused = otjdd(tmp_path, *words, "--resume")
    assert refused.returncode == 5
    assert "is the search of another calibration, or of another case; start again, without --resume" in refused.stderr
    assert "name the file of the earlier search by -o" in otjdd(tmp_path, "calibrate", "task.toml", "--resume").stderr


def test_a_search_may_be_coarser_than_the_case_and_tells_what_that_moves(tmp_path):
    coarse = 'coarse = { "device.film.cells" = 8 }\n'
    (tmp_path / "task.toml").write_text(QUICK.replace('case = "small.toml"\n', 'case = "small.toml"\n' + coarse))
    words = ["calibrate", "task.toml", "-o", "found.toml", "--evaluations", "0", "--rounds", "0", "--no-sensitivity"]
    done = otjdd(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert " by numerics)" in done.stdout
    assert "between the coarse numerics of the search and the case's numerics" in done.stdout
    assert load_case(tmp_path / "found.toml").device.film.cells == 12


def test_shares_kinds_and_laws_are_parameters_too(tmp_path):
    kinds = """
[columns]
count = 2
spread = { "ions.activation_energy" = { law = "uniform", width = "100 meV" } }
[[columns.kinds]]
name = "background"
share = 0.01
count = 1
set = { "device.left.barrier" = "0.7 eV" }
[[columns.kinds]]
name = "switching"
share = 0.1
"""
    small = ONE_READ.replace("columns.count = 1\n", "").replace(
        'columns.spread = { "ions.activation_energy" = "10 meV" }\n', ""
    )
    (tmp_path / "small.toml").write_text(small + kinds)
    keys = {
        "columns.kinds[0].share": ("1e-4", "0.1", ""),
        'columns.kinds[0].set."device.left.barrier"': ('"0.5 eV"', '"0.9 eV"', "energy"),
        'columns.spread."ions.activation_energy".width': ('"0 eV"', '"0.2 eV"', "energy"),
    }
    parameters = "".join(
        f"[[parameter]]\nkey = '{key}'\nlow = {low}\nhigh = {high}\ndimension = '{dimension}'\nsource = 'made up'\n"
        for key, (low, high, dimension) in keys.items()
    )
    start = QUICK.index("[[run]]")
    task = asked(tmp_path, 'case = "small.toml"\n' + parameters + QUICK[start:])
    (part,), x = task.cases, task.start
    low, high = task.ends
    there, out = np.array([high[0], low[1], high[2]]), tmp_path / "found.toml"
    out.write_text(files.calibrated_case_text(task, part, there, out))
    moved = load_case(out)
    assert moved.resolved() == part.case.replace(dict(zip(keys, task.written(there).values(), strict=True))).resolved()
    assert moved.columns.kinds[0].share == 0.1
    assert [value_in_case(moved, key)[0] for key in keys] == pytest.approx([0.1, 0.5, 0.2])
    assert np.isfinite([target_values(*job).numbers for job in task.jobs(x)]).all()


def test_a_record_has_the_distances_of_its_sets_and_is_of_one_version(searched, tmp_path, monkeypatch):
    from otjdd.fitting.targets import files
    from otjdd.system import sources

    evaluate, found = searched
    store.write(files.visits_dataset(evaluate.task, evaluate.visited), tmp_path / "a.nc")
    read = files.read_visits(tmp_path / "a.nc", evaluate.task)
    assert read.keys() == evaluate.visited.keys()
    ds = files.visits_dataset(evaluate.task, read)
    (at,) = np.flatnonzero((ds.visited_point.values == found.x).all(axis=1))
    assert float(ds.visited_distance[at, 0]) == abs(evaluate.task.evaluation(found.values).residuals[0])
    assert float(ds.visited_parameter.max()) < 1.0
    monkeypatch.setattr(sources, "digest", lambda: "another")
    with pytest.raises(ResultError, match="is a search by another version of otjdd"):
        files.read_visits(tmp_path / "a.nc", evaluate.task)


def test_the_distance_of_a_claim_is_in_its_own_tolerance():
    target = Target(name="R", read=0, claim="rv-hrs.pristine", within=1.2)
    assert target.distance(3.6e8) == pytest.approx(1.0)
    assert Target(name="own", read=0, value=100.0, within=2.0).distance(25.0) == pytest.approx(2.0)


def test_values_outside_of_what_is_published_are_named():
    task = load_task(shipped_cases() / "calibration" / "li2019.toml")
    said = files.beyond_literature(task, task.start)
    assert [line.split()[5] for line in said] == [
        "device.film.tunnelling_mass", "device.right.doping", "ions.density", "ions.hop_distance",
    ]  # fmt: skip
    assert "outside of what is published: ions.hop_distance 0.7771 nm (0.195 nm to 0.39 nm)" in said


@pytest.mark.parametrize("path", sorted((shipped_cases() / "calibration").glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_calibrations_fit_their_cases_and_their_bounds_have_sources(path):
    task = load_task(path)
    assert np.all(np.isfinite(task.start))
    assert all(parameter.source for parameter in task.stated)

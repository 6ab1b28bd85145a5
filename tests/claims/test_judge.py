"""Claims: read, judged, told. Runs are replaced by Datasets whose answers are known, but for one small real one."""

import json
import math
import tomllib
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_claims import CASE, CLAIM, DEVICE, folder, otjdd_validate

from otjdd.case.base import Record
from otjdd.case.case import load_case, shipped_cases
from otjdd.claims import judge, papers
from otjdd.claims import report as tables
from otjdd.claims.claim import Figure, root_mean_square
from otjdd.claims.report import html_page
from otjdd.errors import CaseError
from otjdd.results import outputs, store

INTERFACE = "tiotto-2020"  # folder of the claims on contacts of several radii


def two_states(low):
    reads = {"read_time": [1.0, 2.0, 3.0], "write_voltage": [0.1, 2.2, -4.3], "read_resistance": [1e8, low, 1e8]}
    return outputs.dataset(reads)


def verdict_of(tmp_path, outcome, text=CLAIM):
    claim = papers.load_claim("small", folder(tmp_path, text) / "small")
    trials = papers.planned(claim)
    return judge.judge("small", claim, trials, {trials[0].case.digest: outcome})


@pytest.fixture(scope="module")
def shipped():
    """(name, claim, planned runs) of each shipped claim."""
    found = papers.discover()
    read = {folder: papers.load_paper(folder) for folder in set(found.values())}
    claims = {name: read[folder].claim[name] for name, folder in found.items()}
    return [(name, claim, papers.planned(claim)) for name, claim in claims.items()]


def test_all_claims_are_found_and_read(shipped):
    assert set(papers.discover().values()) == {file.parent for file in papers.shipped_claims().glob("*/claims.toml")}
    for name, claim, runs in shipped:
        assert runs, name
        assert any(figure.allowed for figure in claim.figure), name
        assert claim.device, name
        assert [f.name for f in claim.figure if not f.allowed and f.window is None] == [], name
        assert bool(claim.reason) == (claim.expected == "missed"), name


def test_the_wheel_has_every_paper_where_it_is_looked_for():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    included = tomllib.loads(text)["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for device in {path.name for path in papers.discover().values()}:
        assert included[f"validation/{device}"] == f"otjdd/validation/{device}"


# What a claim is about may differ from the one device, and nothing else.
LEAKAGE = {"device.left.barrier", "device.film.tunnelling_mass", "device.right.barrier", "device.traps"}
OWN = {
    "thickness-scaling": {"device.film.thickness"},
    "thickness-scaling-area": {"device.film.thickness", "ions.density"},
    "uniformity": {"device.film.thickness", "ions.density", "device.left.barrier"},
    "afm-map": {"device.radius"},
    "xi-ratio": {"device.right.doping"},
    "pulse-scatter": {"device.radius", "columns.kinds", "ions.noise", "ions.seed"},
    "contact-spread": {"columns.count", "columns.nodes", "columns.seed", "columns.kinds", "ions.noise", "ions.seed"},
    "relaxation": {"device.radius", "columns.count", "columns.spread", "ions.noise", "ions.seed"},
    "area": {"device.radius", "ions.initial"},
    "self-limit": {"ions.initial"},
    "polarity": {"device.film", "ions.initial"},
    "slow-layer": {"device.film", "ions.initial"},
    "current": LEAKAGE,
    "acceptors": LEAKAGE,
    "donors": LEAKAGE,
    "forming": {"ions.initial"},
    "oxygen-loss": {
        "temperature",
        "device.film.thickness",
        "device.right.exchange",
        "circuit.series_resistance",
        "ions.density",
        "ions.initial",
    },
    "reset-limit": {"device.left.exchange", "ions.activation_energy", "circuit.series_resistance", "ions.initial"},
}
CONTACT = {"device.radius", "circuit.series_resistance"}
CASES = {"li-2019": "li2019", "tiotto-2020": "nb-sto-interface", "ferroelectric": "ftj-bto"}  # folder -> its device
CASES |= {"variability": "sets/nb-sto-no-background", "layers": "double-barrier", "exchange": "oxygen-exchange"}
CASES |= {"anderson-2017": "hfo2-leakage"}
APART = {
    "coercive-field": "ftj-hzo",
    "relaxation": "li2019",
    "polarity": "bilayer-polarity",
    "slow-layer": "slow-layer",
    "reset-limit": "eightwise",
}  # claim -> its own device
INSTRUMENT = {"time_constant", "range", "compliance"}  # of the circuit: what the current is read with, and its limit


def written(value):
    """A value of a case as one writes it: records as tables."""
    if isinstance(value, Record):
        return value.model_dump(mode="json", exclude_none=True)
    return [one.model_dump(exclude_none=True) for one in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("folder", sorted(set(papers.discover().values())), ids=lambda folder: folder.name)
def test_every_metric_of_a_paper_serves_a_claim_and_has_its_picture(folder):
    used = {claim.metric for claim in papers.load_paper(folder).claim.values()}
    assert set(papers.of_paper(folder, "DRAW")) == used
    assert set(papers.of_paper(folder, "METRICS")) <= used


def without_shares(columns, name):  # of the folder
    """[columns] of a claim, where its contacts may have shares of their kinds of their own."""
    kinds = columns.kinds and tuple(kind.model_copy(update={"share": 1.0}) for kind in columns.kinds)
    return columns.model_copy(update={"kinds": kinds}) if name == INTERFACE else columns


def test_every_claim_stands_on_the_one_device(shipped):
    devices = {name: load_case(shipped_cases() / f"{case}.toml") for name, case in (CASES | APART).items()}
    for name, claim, runs in shipped:
        place = claim.folder.name
        device = devices[name if name in APART else place]
        circuit = device.circuit.model_dump(exclude=INSTRUMENT)
        keys = CONTACT if place == INTERFACE else OWN.get(name, ())
        for trial in runs:
            own = {key: written(reduce(getattr, key.split("."), device)) for key in keys}
            same = trial.case.replace(**{"ions.initial": "uniform"} | own)
            parts = ("temperature", "device", "ions")
            assert [getattr(same, part) for part in parts] == [getattr(device, part) for part in parts], trial
            assert without_shares(same.columns, place) == without_shares(device.columns, place), trial
            assert same.circuit.model_dump(exclude=INSTRUMENT) == circuit, trial


def test_cases_that_claims_share_are_run_once(monkeypatch):
    runs = []
    monkeypatch.setattr(judge, "simulate", lambda case: runs.append(case) or two_states(2e4))
    judge.validate(["rv-hrs", "rv-lrs", "rv-ratio"])
    assert len(runs) == 1


def test_a_validation_that_is_interrupted_reports_what_it_has_judged_and_goes_on(tmp_path, monkeypatch):
    folder(tmp_path / "claims", name="first")
    folder(tmp_path / "claims", case=CASE.replace("2.2 V", "2.3 V"), name="second")
    real, runs = judge.simulate, []

    def simulated(case):
        runs.append(case)
        if len(runs) == 2:
            raise KeyboardInterrupt
        return real(case)

    monkeypatch.setattr(judge, "simulate", simulated)
    words = ["--runs", str(tmp_path / "runs"), "--workers", "1"]
    ended = otjdd_validate(tmp_path / "claims", *words)
    assert ended.returncode == 130
    assert "1 claim judged until then. The same command continues." in ended.stderr
    assert "first" in ended.stdout
    done = otjdd_validate(tmp_path / "claims", *words)
    assert len(runs) == 3, done.stderr
    assert "second" in done.stdout


@pytest.mark.campaign
def test_neither_processes_nor_the_order_of_claims_change_a_number(tmp_path):
    study = '\n[study.grid]\ntemperature = ["300 K", "310 K", "320 K"]\n'
    folder(tmp_path, case=CASE + study, name="swept")
    folder(tmp_path, name="single")
    one = judge.validate(["swept", "single"], folder=tmp_path)
    two = judge.validate(["single", "swept"], folder=tmp_path, workers=2)
    assert [verdict.values for verdict in one] == [verdict.values for verdict in reversed(two)]
    for a, b in zip(one[0].trials, two[1].trials, strict=True):
        assert store.data_sha256(a.ds) == store.data_sha256(b.ds)


@pytest.mark.parametrize(
    ("limits", "distances"),
    [
        ({"value": 2.0, "within": "x2"}, {2.0: 0, 4.0: 1, 1.0: 1, 8.0: 2, 0.5: 2, -2.0: math.inf, 0.0: math.inf}),
        ({"value": -2.0, "within": "x2"}, {-4.0: 1, 2.0: math.inf}),
        ({"value": 2.0, "within": "30 %"}, {2.0: 0, 2.6: 1, 1.7: 0.5}),
        ({"value": -2.0, "within": "30 %"}, {-2.6: 1}),
        ({"value": 0.55, "within": 0.06}, {0.55: 0, 0.58: 0.5, 0.67: 2}),
        ({"at_least": 1.0, "at_most": 2.0}, {1.5: 0, 1.0: 1, 2.0: 1, 2.5: 2}),
        ({"at_least": 100.0}, {100.0: 1, 1e4: 0.01, 50.0: 1.5, -100.0: 3}),
        ({"at_most": 0.05}, {0.05: 1, 0.01: 0.2, -0.1: 0, 0.1: 1.5}),
        ({"at_least": 1.0, "best": 1.0}, {1.0: 0, 0.6: 1.4}),
        ({"at_most": -0.95, "best": -1.0}, {-1.0: 0, -0.95: 1, -0.975: 0.5, 0.95: 3}),
        ({"at_least": 0.0}, {0.0: 0, 5.0: 0, -894.0: 2}),
        ({}, {1.0: math.nan}),
    ],
)
def test_distances_are_0_where_exact_and_1_at_the_limit(limits, distances):
    figure = Figure(name="a", label="a", **limits)
    found = [figure.distance(x) for x in distances]
    assert found == pytest.approx(list(distances.values()), abs=1e-12, nan_ok=True)
    for x, distance in distances.items():
        assert figure.met(x) == (not limits or distance <= 1 + 1e-12)
    assert math.isnan(figure.distance(math.nan))
    assert figure.met(math.nan) == (not limits)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"at_least": 1.0, "best": 0.5}, "keeps the limit"),
        ({"best": 0.5}, "one limit"),
        ({"at_least": 1.0, "at_most": 2.0, "best": 1.5}, "one limit"),
        ({"value": 1.0, "within": 1.0, "at_most": 2.0}, "a value has a tolerance"),
        ({"window": (2.0, 1.0)}, "lower end first"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Figure(name="a", label="a", **wrong)


def judged(tmp_path, low, claim=CLAIM):
    return verdict_of(tmp_path, two_states(low), claim)


def test_a_verdict_that_is_not_as_expected_is_a_surprise(tmp_path):
    assert judged(tmp_path / "a", 3e4).surprises == []
    assert judged(tmp_path / "b", 5e4).surprises == ["expected met, found missed"]
    missed = CLAIM.replace("metric =", 'expected = "missed"\nmetric =')
    assert judged(tmp_path / "c", 5e4, missed).surprises == []
    assert judged(tmp_path / "d", 2e4, missed).surprises == ["expected missed, found met"]


def test_a_number_outside_of_its_window_is_a_surprise(tmp_path):
    told = CLAIM.replace("\n]", '\n  { name = "high", label = "high", unit = "kohm", window = [9e4, 11e4] },\n]')
    assert judged(tmp_path / "a", 2e4, told).surprises == []
    narrow = told.replace("9e4", "10.5e4")
    assert judged(tmp_path / "b", 2e4, narrow).surprises == ["high: 1e5 kohm (expected 1.05e5 to 1.1e5 kohm)"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("value = 20.0, ", "", "value and within belong together"),
        ('"kohm"', '"kilo"', "kilo"),
        ('"x2"', '"about"', "within"),
        ('"loop"', '"magic"', "expected the name of a metric"),
        ("claim =", "clam =", "claim.small.clam: expected a known key"),
        ('name = "low"', 'name = "lowest"',
         "claims.toml:11:5 claim.small.figure[0].name: expected a number of the metric loop: prist"),
        ('"kohm"', '"kV"', 'figure[0].unit: expected a unit of the same quantity as "ohm", got "kV"'),
    ],
)  # fmt: skip
def test_a_claim_that_makes_no_sense_is_refused(tmp_path, old, new, told):
    folder(tmp_path, CLAIM.replace(old, new, 1))
    with pytest.raises((CaseError, ValueError)) as refused:
        papers.load_claim("small", tmp_path / "small")
    assert told in str(refused.value)


STUDY = '\n[study.grid]\n"drive.parts[1].voltage" = ["1 V", "2 V", "3 V"]\n'
QUICK = '\n[claim.NAME.quick.case.study.grid]\n"drive.parts[1].voltage" = ["1 V", "2 V"]\n'


def test_a_case_with_a_study_makes_one_trial_a_point_and_fewer_in_a_quick_look(tmp_path):
    folder(tmp_path, CLAIM + QUICK, CASE + STUDY)
    claim = papers.load_claim("small", tmp_path / "small")
    trials = papers.planned(claim)
    assert [(t.value, t.text, t.case.drive.parts[1].voltage) for t in trials] == [
        (1, "1 V", 1),
        (2, "2 V", 2),
        (3, "3 V", 3),
    ]
    assert {t.key for t in trials} == {"drive.parts[1].voltage"}
    assert {t.source for t in trials} == {CASE + STUDY}
    assert all(t.case.study is None for t in trials)
    assert len(papers.planned(claim, quick=True)) == 2
    folder(tmp_path, CLAIM + QUICK.replace("quick.case", "quick.cases"), name="other")
    with pytest.raises(ValueError, match="cases"):
        papers.planned(papers.load_claim("other", tmp_path / "other"))


def test_a_case_with_a_sample_makes_one_trial_a_draw_and_the_first_of_them_in_a_quick_look(tmp_path):
    sample = '\n[study.sample]\nmethod = "random"\ncount = 3\nseed = 1\n'
    over = 'over = { "device.film.thickness" = { mean = "2.8 nm", deviation = "0.1 nm" } }\n'
    quick = CLAIM + '\n[claim.NAME.quick.case]\n"study.sample.count" = 2\n'
    folder(tmp_path, quick, CASE + sample + over)
    claim = papers.load_claim("small", tmp_path / "small")
    trials = papers.planned(claim)
    assert len({t.case.device.film.thickness for t in trials}) == 3
    few = papers.planned(claim, quick=True)
    assert [t.case for t in few] == [t.case for t in trials[:2]]


def test_a_study_that_does_not_fit_its_case_is_refused_with_its_line(tmp_path):
    folder(tmp_path, case=CASE + STUDY.replace('"2 V"', '"2 nm"'))
    with pytest.raises(CaseError, match=r"case\.toml:13:1 study\.grid.*expected a voltage"):
        papers.planned(papers.load_claim("small", tmp_path / "small"))


def test_a_run_that_fails_is_a_missed_claim_and_a_surprise_even_where_a_miss_is_expected(tmp_path):
    expected = CLAIM.replace("metric =", 'expected = "missed"\nmetric =')
    verdict = verdict_of(tmp_path, "the lights went out", expected)
    assert verdict.status == "missed"
    assert verdict.surprises == ["Two writes on a small grid: the lights went out."]
    assert "the lights went out" in verdict.reason
    assert verdict.row()["otjdd"] == "no result"
    claim = json.loads(tables.to_json([verdict]), parse_constant=lambda name: pytest.fail(name))["claims"][0]
    assert (claim["distance"], claim["values"][0]["value"]) == (None, None)


def test_json_keeps_its_contract(tmp_path):
    verdict = verdict_of(tmp_path, two_states(5e4))
    report = json.loads(tables.to_json([verdict]))
    assert list(report) == ["claims"]
    claim = report["claims"][0]
    assert list(claim)[:6] == ["id", "paper", "otjdd", "tolerance", "status", "reason"]
    assert claim["paper"] == "low: 20 kohm"
    assert claim["otjdd"] == "low: 50 kohm"
    assert (claim["status"], claim["reason"]) == ("missed", "low: 50 kohm (10 to 40 kohm). It is what it is.")
    assert claim["device"] == "Pt | SrTiO3 | Nb:SrTiO3"
    assert claim["expected"] == "met"
    assert claim["distance"] == pytest.approx(np.log(2.5) / np.log(2))
    (value,) = claim["values"]
    assert (value["name"], value["unit"], value["status"]) == ("low", "kohm", "missed")
    assert (value["value"], value["distance"], value["error"]) == (50.0, claim["distance"], None)
    verdict = verdict._replace(errors={"low": 1.2e3})
    assert str(verdict.measured[0]) == "low: 50 ± 1 kohm"
    assert verdict.row()["values"][0]["error"] == pytest.approx(1.2)


OTHER = CLAIM.replace("metric =", 'device = "metal | Nb:SrTiO3"\nmetric =')


def test_claims_on_several_devices_are_named_and_counted_by_device(tmp_path, capsys):
    verdicts = [judged(tmp_path / "a", 5e4), judged(tmp_path / "b", 2e4, OTHER), judged(tmp_path / "c", 3e4, OTHER)]
    assert root_mean_square(verdicts) == pytest.approx(np.sqrt(np.log2([2.5, 1.5]) @ np.log2([2.5, 1.5]) / 3))
    first, second = tables.to_markdown(verdicts).split("\n\n**metal")
    assert first.startswith("**Pt | SrTiO3 | Nb:SrTiO3**: 0 of 1 claims are met; root mean square distance 1.3")
    assert "| small | low: 20 kohm | **low: 50 kohm (1.32)** | x2 | missed |" in first
    assert "- small: It is what it is." in first
    assert second.startswith(" | Nb:SrTiO3**: 2 of 2 claims are met; root mean square distance 0.41 tolerances.")
    tables.print_verdicts(verdicts)
    told = capsys.readouterr().out
    assert "metal | Nb:SrTiO3: 2 of 2 claims are met" in told
    header = html_page(verdicts).partition("<header>")[2].partition("</header>")[0]
    assert "2 of 3 claims are met" in header
    assert "<strong>metal | Nb:SrTiO3</strong>: 2 of 2 met" in header
    assert header.count("https://doi.org/10.1234/nothing") == 3  # of each of three folders


def test_all_claims_of_a_paper_are_taken_by_its_name(tmp_path):
    for paper, names in (("li-2019", "ba"), ("another", "dc")):
        folder(tmp_path, "".join(CLAIM.replace("NAME", name) for name in names), name=paper)
    assert list(papers.discover(tmp_path)) == ["a", "b", "c", "d"]
    assert list(papers.discover(tmp_path, ["another", "b", "c"])) == ["c", "d", "b"]
    with pytest.raises(ValueError, match="there are a, b, c, d; papers: li-2019, another"):
        papers.discover(tmp_path, ["e"])


def test_the_command_gives_8_for_a_miss_0_without_and_2_for_an_unknown_name(tmp_path):
    folder(tmp_path / "claims", CLAIM.replace("20.0", "1e9"), name="hopeless")
    folder(tmp_path / "claims", CLAIM.replace("20.0", "1e3").replace('"x2"', '"x1000"'), name="generous")
    done = otjdd_validate(tmp_path / "claims", "--json", "--pictures", str(tmp_path / "pictures"))
    assert done.returncode == 8, done.stderr
    status = {claim["id"]: claim["status"] for claim in json.loads(done.stdout)["claims"]}
    assert status == {"generous": "met", "hopeless": "missed"}
    assert (tmp_path / "pictures" / "hopeless.png").read_bytes().startswith(b"\x89PNG")
    done = otjdd_validate(tmp_path / "claims", "--expected")
    assert done.returncode == 8
    assert "hopeless: expected met, found missed" in done.stderr
    assert "generous" not in done.stderr
    assert otjdd_validate(tmp_path / "claims", "--expected", "--quick").returncode == 2
    done = otjdd_validate(tmp_path / "claims", "generous", "--expected")
    assert done.returncode == 0, done.stderr
    assert "1 of 1 claims are as expected" in done.stderr
    assert "1 of 1 claims are met" in done.stdout
    done = otjdd_validate(tmp_path / "claims", "nothing")
    assert done.returncode == 2
    assert "hopeless" in done.stderr


def test_runs_beyond_the_limits_of_the_model_are_told(tmp_path):
    (tmp_path / "within").mkdir()
    within = verdict_of(tmp_path / "within", two_states(1e4))
    assert (within.beyond, tables.beyond_limits([within])) == ({}, "")
    told = {"model_limits": "film_electron_ratio: 8 at t = 2 s\ncurrent_density: 1e11"}
    beyond = verdict_of(tmp_path, two_states(1e4).assign_attrs(told))
    assert beyond.row()["model_limits"] == {"film_electron_ratio": 1, "current_density": 1}
    line = "Runs beyond the limits of the model: small (film_electron_ratio in 1 of 1, current_density in 1 of 1)."
    assert tables.to_markdown([within, beyond]).endswith(f"\n\n{line}")


def test_a_claim_whose_measured_table_cannot_be_read_says_so(tmp_path):
    (tmp_path / "measured.csv").write_text("# made up\nR (ohm),V (V)\n1e3,1\n2e3,1\n3e3,2\n")
    table = 'settings.measured = { file = "measured.csv", columns = ["R (ohm)"], by = "V (V)" }\n'

    def read(table):
        (tmp_path / "claims.toml").write_text(DEVICE + CLAIM.replace("NAME", "small") + table)
        return papers.load_claim("small", tmp_path)

    assert read(table).settings == {"measured": [[1e3, 2e3], [3e3]]}
    wrong = (("measured.csv", "mesured.csv"), ("R (ohm)", "R"), ("columns", "colums"), ("measured.csv", "claims.toml"))
    for change in wrong:
        with pytest.raises(CaseError, match=r"settings\.measured: expected file, columns and by of a table of numbers"):
            read(table.replace(*change))


def test_another_set_of_parameters_is_judged_in_the_place_of_the_shipped_one(tmp_path):
    folder(tmp_path / "claims")
    other = tmp_path / "other.toml"
    other.write_text('base = "li2019.toml"\ntitle = "Another set"\n[device.left]\nbarrier = "0.7 eV"\n')

    def low(*more):
        done = otjdd_validate(tmp_path / "claims", "small", "--json", "--workers", "1", *more)
        return json.loads(done.stdout)["claims"][0]["values"][0]["value"]

    assert low("--case", str(other)) > 2 * low()
    done = otjdd_validate(tmp_path / "claims", "--case", str(other), "--expected")
    assert done.returncode == 2
    assert "the shipped set" in done.stderr
    other.write_text(load_case("li2019").resolved())
    done = otjdd_validate(tmp_path / "claims", "--case", str(other))
    assert done.returncode == 3
    assert "a case with a base" in done.stderr


def test_text_of_a_claim_is_no_markup_in_the_table(tmp_path):
    hostile = CLAIM.replace('label = "', 'label = "[/b][red]\\u001b[31m ')
    assert hostile != CLAIM
    done = otjdd_validate(folder(tmp_path, hostile), "--workers", "1")
    assert done.returncode in (0, 8), done.stderr
    assert "[/b][red]" in done.stdout
    assert "\x1b[31m" not in done.stdout


def test_claims_on_the_second_device_hold_its_measured_numbers():
    home = papers.discover()["sweeps"]
    of = papers.load_paper(home).claim

    def table(name):
        return pd.read_csv(home / "data" / name, comment="#")

    sweeps = table("sweeps.csv")
    claim = of["sweeps"]
    runs = sorted(papers.planned(claim), key=lambda trial: trial.case.device.disc_radius)
    contacts = [group for _, group in sweeps.groupby("contact (um)")]
    assert claim.settings["measured"] == [list(group["|I| (A)"]) for group in contacts]
    for trial, group in zip(runs, contacts, strict=True):
        waveform = trial.case.waveform()
        read_at = np.interp(waveform.read_times, waveform.times, waveform.voltages)
        assert read_at == pytest.approx(group["V (V)"].to_numpy(), abs=1e-3)
    slopes = table("trains.csv").sort_values(["V_reset (V)", "V_set (V)"], ascending=[False, True])["slope"]
    assert [figure.value for figure in of["set-slopes"].figure] == list(slopes)
    measured = of["protocols"].settings["measured"]
    assert [list(row) for row in measured] == table("protocols.csv").iloc[:, 3:].to_numpy().tolist()
    low = {float(figure.value) for figure in of["stop-voltage"].figure if figure.value}
    assert low == set(sweeps[(sweeps["V (V)"] == -1)]["|I| (A)"])

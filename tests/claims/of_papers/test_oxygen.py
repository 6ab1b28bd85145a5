"""Numbers of forming and cycles, of a run whose numbers of vacancies are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from otjdd.analysis.metrics import uptake
from otjdd.claims import papers
from otjdd.results.outputs import dataset

exchange = papers.module(papers.shipped_claims() / "exchange" / "exchange.py")
CELLS = np.array(papers.load_claim("oxygen-loss").settings["measured"])


def formed(count):
    """A run with a read at each of these numbers of vacancies, between recorded times."""
    times = [2.0 * i for i in range(len(count))]
    return dataset({
        "time": [t for at in times for t in (at - 0.5, at + 0.5)], "vacancies": [c for n in count for c in (n - 1, n + 1)],
        "read_time": times, "read_resistance": [10.0 + i for i in range(len(count))],
    })  # fmt: skip


def test_forming_is_told_from_cycles_and_the_first_cycle_is_left_out():
    numbers = uptake(formed([200.0, 100.0, 90.0, 80.0, 70.0, 60.0, 55.0, 57.0, 50.0, 54.0]))
    assert numbers["formed"] == pytest.approx(0.5)
    assert numbers["cycle"] == pytest.approx(3 / 57)
    assert numbers["ratio"] == pytest.approx(19 / 18)
    assert uptake(formed([200.0, 100.0, 90.0, 80.0, 70.0, 60.0]), settling=0)["cycle"] == pytest.approx(0.25)


def test_a_run_without_two_cycles_after_the_first_has_no_such_numbers():
    with pytest.raises(ValueError, match="5 reads are less than"):
        uptake(formed([200.0, 100.0, 90.0, 80.0, 70.0]))


def reads(before, after, name="", width=0.0):
    """A run with two resistances, and a case whose last part is a pulse."""
    case = SimpleNamespace(drive=SimpleNamespace(parts=[SimpleNamespace(width=width)]))
    return SimpleNamespace(ds=dataset({"read_resistance": [before, after]}), name=name, case=case)


def test_films_that_lose_what_the_cells_lose_have_no_misfit():
    def cells(share):
        return [reads(1e3 / G, 1e3 / (G * (1 - loss))) for G, loss in zip(CELLS[:, 0], share, strict=True)]

    numbers = exchange.oxygen_loss(cells(0.5 * CELLS[:, 1]), CELLS)  # a thousandth of G, half of the losses
    assert numbers["largest_at"] == 37e-6
    assert numbers["largest"] == pytest.approx(0.235)
    assert numbers["misfit"] == pytest.approx(1.0)
    assert numbers["falls"] == pytest.approx(1 / 47)
    assert exchange.oxygen_loss(cells(np.linspace(0.1, 0.4, 8)), CELLS)["misfit"] == pytest.approx(47.0)
    assert exchange.oxygen_loss(cells([0.2, 0.47, 0.36, 0.18, 0.1, 0.07, 0.03, -0.01]), CELLS)["misfit"] == np.inf
    with pytest.raises(ValueError, match="no cell loses"):
        exchange.oxygen_loss(cells(-CELLS[:, 1]), CELLS)


def test_the_limit_of_resets_is_the_shortest_at_any_voltage():
    blocked = [reads(1e3, R, exchange.BLOCKED, width) for R, width in ((9e3, 1e-9), (4e3, 1e-11), (2e3, 1e-12))]
    exchanged = [
        reads(1e3, R, exchange.EXCHANGED, width) for R, width in ((9e3, 1e-9), (1e2, 1e-11), (2e3, 1e-12), (1e3, 1e-12))
    ]
    numbers = exchange.reset_limit(blocked + exchanged)
    assert (numbers["blocked"], numbers["exchanged"], numbers["unipolar"]) == (1e-11, 1e-9, 0.25)
    assert numbers["factor"] == pytest.approx(100.0)
    assert np.isnan(exchange.reset_limit(blocked + exchanged[1:])["factor"])

"""What a worker says of its job while the page waits: how far it is, and what it compiles kernels for."""

from types import SimpleNamespace

from otjdd.compiler import kernel_cache
from otjdd.explore import workers
from otjdd.explore.turns import Turns
from otjdd.explore.workers import FIRST_NEEDED_BY, Shared, kept_fraction, reporting


def test_a_job_says_what_it_compiles_for_and_how_far_it_is(monkeypatch):
    monkeypatch.setattr(kernel_cache, "ON_COMPILING", [])
    shared = Shared.new()
    monkeypatch.setattr(workers, "SHARED", list(shared))
    job = SimpleNamespace(_shared=shared)
    steps = []

    def state():
        steps.append((workers.RunningJob.fraction.fget(job), workers.RunningJob.compiling.fget(job)))

    def work(progress):
        progress(0.25)
        with kernel_cache.compiling("kinetic_traps.fill_traps"):
            state()
            with kernel_cache.compiling("sites.placed"):  # which the first one calls
                state()
        state()
        with kernel_cache.compiling("tunnelling.of_another_type"):
            state()
        return "done"

    assert reporting(work, ()) == "done"
    state()
    assert steps == [(0.25, "traps"), (0.25, "traps"), (0.25, ""), (0.25, "tunnelling"), (0.25, "")]


def test_the_kernels_that_have_words_are_compiled_when_they_are_first_needed():
    kept_fraction()  # imports all modules of kernels
    names = {kernel.name.partition(".")[0] for kernel in kernel_cache.KERNELS.values() if kernel.deferred}
    assert names >= set(FIRST_NEEDED_BY)


def test_a_tab_without_a_job_compiles_nothing():
    assert Turns(SimpleNamespace()).compiling == ""

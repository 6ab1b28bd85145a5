"""Noise of ions that hop: diffusion of the state, reads, level and corner, against lone crossings and single ions."""

from dataclasses import replace

import layered
import numpy as np
import pytest

import otjdd
from otjdd.case.case import load_case
from otjdd.compact_models import build, hop_noise, noise_error
from otjdd.compact_models.bench import Ends, bench_of, concentrations_after, extreme_profiles, run_from, state_of
from otjdd.compact_models.tables import Range
from otjdd.solver import integrate, model
from otjdd.solver.linear_response import linearised_column
from otjdd.system.pool import one_by_one
from otjdd.units import parse

LIMITS, SETTLING = Range(-4.3, 3.0), 1e-5
RESET, SET = ("-4.3 V", "100 ms"), ("2.2 V", "100 ms")
SEEDS = 8


def small(**changes):
    """230 ions in one column of 20 cells."""
    return load_case("variability", {"device.radius": "1 um"} | changes).without_study().without_noise()


@pytest.fixture(scope="module")
def column():
    """A column on its bench, its ends, states, and columns at rest."""
    case = small()
    bench = bench_of(case, model.members(case)[0])
    ends = Ends(*extreme_profiles(bench, LIMITS), SETTLING)
    states = np.linspace(*(state_of(bench, c, SETTLING) for c in (ends.low, ends.high)), 49)
    return bench, ends, states, hop_noise.columns_at_rest(bench, ends, states, LIMITS)


def test_ions_are_counted_in_layers_with_sites():
    case = layered.stacked(layered.layer(2.0), layered.layer(1.0, ions="none"))
    bench = bench_of(case, model.members(case)[0])
    assert hop_noise.ions_per_area(bench) == pytest.approx(case.ions.density * 2e-9, rel=1e-12)


def test_reads_scatter_least_in_the_low_state(column):
    log_reads = hop_noise.log_reads(*column)
    sigma = np.sqrt(10.0 ** log_reads[[0, -1]] / 234.0)
    assert sigma == pytest.approx([0.0137, 0.0030], rel=0.1)  # the solver's reads after a set: 0.0028 +- 0.0002


@pytest.mark.parametrize("changes", [{}, {"device.film.electrons": "none"}])
def test_an_answer_to_hops_is_that_of_the_propagator(changes):
    """Row by row and turned round: two ways through the same matrix, of films with and without electrons."""
    case = small(**changes)
    bench = bench_of(case, model.members(case)[0])
    run = run_from(bench, concentrations_after(bench, extreme_profiles(bench, LIMITS)[0], 0.0, SETTLING))
    integrate.jump(run, 0.1)
    charges = linearised_column(run.junction, run.state, 0, 1.0).charges
    expected = charges.log_chord_by_ions() @ charges.propagator(1e-6) * 1e-6
    assert charges.log_chord_by_hops(1e6) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("voltage", [0.1, 0.3])
def test_level_and_corner_are_those_of_the_linear_spectrum(column, voltage):
    bench, _, _, columns = column
    for c in columns.c[::4]:
        held = concentrations_after(bench, c, voltage, SETTLING)
        level, corner = (10.0**x for x in hop_noise.level_and_corner(bench, held, voltage, SETTLING))
        f = np.array([0.2, 0.5, 1.0]) * corner
        told = level / (1.0 + (f / corner) ** 2)
        assert hop_noise.spectrum_of_reads(bench, held, voltage, f) == pytest.approx(told, rel=0.12)


@pytest.fixture(scope="module")
def noisy():
    """The noisy model of the same case."""
    case = small()
    made = build.compact(case, voltage=LIMITS[:2], measure=False)
    return replace(made, noise=build.model_noise(made, case, one_by_one))


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("history", "every", "low", "high"),
    [
        ((SET, RESET, ("0.1 V", "10 us")), "50 ns", 2.5e5, 1e6),
        ((RESET, SET, ("0.1 V", "10 us")), "10 ns", 1e6, 4e6),
        ((SET, RESET, ("1.0 V", "30 ms"), ("0.1 V", "10 us")), "10 ns", 3e5, 4e6),
    ],
)
def test_single_ions_within_the_wells_have_the_spectrum_of_the_model(noisy, history, every, low, high):
    """Reads in the octaves below the corner, in units of the mean; further below the model has up to 1.5 times as much."""
    f, S, told = spectra(noisy, history, every)
    apart = np.log(told.well_spectrum.values / told.attrs["current"] ** 2 / S)[(f >= low) & (f <= high)]
    assert abs(apart.mean()) < 0.2


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("history", "every"), [((SET, RESET, ("0.5 V", "1 s")), "10 ms"), ((SET, RESET, ("0.4 V", "20 s")), "50 ms")]
)
def test_single_ions_let_a_state_wander_as_the_model_does(noisy, history, every):
    """1/f^2, above the white floor of wells that are read at single moments."""
    f, S, told = spectra(noisy, history, every)
    low = slice(1, 5)  # the first is dulled by the straight line that is taken off
    wanders = ((S - S[-S.size // 3 :].mean()) * f**2)[low].mean()
    state = told.state_spectrum.values / told.attrs["current"] ** 2
    assert wanders == pytest.approx((state * f**2)[low].mean(), rel=0.25)


def spectra(noisy, history, every):
    """Frequencies, S/I^2 of the solver at the last voltage of a history, mean of SEEDS runs, and that of the model."""
    voltage = history[-1][0]
    case = small().replace({
        "ions.noise": "shot",
        "ions.initial": {"history": [{"voltage": V, "duration": t} for V, t in history]},
        "drive": {"kind": "steps", "voltages": [voltage], "width": every, "cycles": 1024, "read_each": True},
        "record": {"every": "none"},
    })  # fmt: skip
    found = []
    for seed in range(1, SEEDS + 1):
        ds = otjdd.noise(otjdd.run(case.replace("ions.seed", seed)))
        found.append(ds.current_spectrum / ds.mean_current**2)
    q = noisy.states(1)
    for V, t in history:
        noisy.hold(q, parse(V, "voltage"), parse(t, "time"))
    f = ds.frequency.values
    return f, np.mean(found, axis=0), noisy.noise_spectrum(f, parse(voltage, "voltage"), q[0])


@pytest.mark.parametrize(("voltage", "start"), [(-1.0, -1), (0.0, 0), (0.0, -1), (1.0, 1)])
def test_ions_that_leave_a_full_well_cross_one_by_one(column, voltage, start):
    """phi is 1 where few of many ions cross a high barrier: their number is that of Poisson."""
    phi = 10.0 ** hop_noise.row_at(*column[:3], voltage)
    assert phi[start] == pytest.approx(1.0, abs=0.06)


def test_ions_that_repel_each_other_rest_with_less_scatter(column):
    phi = 10.0 ** hop_noise.row_at(*column[:3], 0.0)
    assert phi[np.abs(column[2] - 0.42).argmin()] < 0.2


@pytest.mark.campaign
def test_the_model_scatters_as_the_solver_does(noisy):
    ds = noise_error.with_scatter(noisy, small(), one_by_one).measured
    off = np.abs(ds.sigma_model / ds.sigma_solver - 1.0)
    assert (off < 0.2 + 2.0 * ds.sigma_solver_error / ds.sigma_solver).all()

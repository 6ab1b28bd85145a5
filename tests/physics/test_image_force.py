"""The image force in the transmission, against the equations of its definition solved another way."""

import math
from itertools import pairwise

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, lumpy, needs_speed
from layered import layer, stacked
from scipy.integrate import quad, solve_ivp

from otjdd.constants import ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR, VACUUM_PERMITTIVITY
from otjdd.physics.bands import band_profile, slopes_of_bands, tunnelling_profile
from otjdd.physics.channels import column_spectrum
from otjdd.physics.current import converged_spectrum, energy_panels
from otjdd.physics.tunnelling import TRANSMISSIONS, transmission
from otjdd.runs.run import simulate
from otjdd.solver import electrodes, model

EPS = 5.3
A = ELEMENTARY_CHARGE / (16 * math.pi * VACUUM_PERMITTIVITY * EPS)  # eV m
K0 = 2 * ELECTRON_MASS * ELEMENTARY_CHARGE / HBAR**2
WITH = {"device__film__image_permittivity": EPS}
METALS = BETWEEN_METALS.replace("screening_length", "relative_permittivity = 3\nscreening_length")


def stack(text, V, **changes):
    """A settled run with random ions and an image force."""
    film = case(text, **WITH, **changes) if text else case(**WITH, **changes)
    junction = model.junction(film)
    return begin(film, lumpy(junction, np.random.default_rng(3), 0.3), voltage=V, junction=junction)


def images(x: float, L: float, metals: str) -> float:
    """Image potential [eV] at x: of one metal, or Simmons' sum of all images between two, to 1e-12."""
    if metals == "left":
        return -A / x
    n = np.arange(1, 200_000)
    far = np.sum(n * L / ((n * L) ** 2 - x**2) - 1 / (n * L)) + x**2 / L**3 / (
        2 * n[-1] ** 2
    )  # the rest as an integral
    return -2 * A * (1 / (2 * x) + far)


def band(run, metals):
    """The band that an electron passes: places of its kinks [m], U(x) [eV] and mass(x), from `band_profile` and the sum."""
    profile = band_profile(run.junction, run.state, 0)
    film = run.junction.nodes.size - 1
    bent = profile.length.size - film  # of the right electrode
    ends = np.concatenate(([0.0], np.cumsum(profile.length)))
    L = ends[film]
    depth = case(**WITH).device.left.barrier + 5.0

    def potential(x):
        s = min(int(np.searchsorted(ends, x, side="right")) - 1, film + bent - 1)
        at = (x - ends[s]) / profile.length[s]
        U = profile.left[s] + (profile.right[s] - profile.left[s]) * at
        U += profile.curve[s] * (1.5 * (2.0 * at - 1.0) ** 2 - 0.5)
        return U + (max(images(x, L, metals), -depth) if 0 < x < L else -depth if x == 0 else 0.0)

    kinks = np.unique(np.concatenate((ends, [A / depth] if metals == "left" else [])))
    return kinks, potential, lambda x: profile.mass[int(np.searchsorted(ends, x, side="right")) - 1]


def schroedinger(run, E: float) -> float:
    """T(E) by integrating psi and psi'/m through the band with an image potential of one metal, from right to left."""
    profile = band_profile(run.junction, run.state, 0)
    kinks, U, mass = band(run, "left")
    v_left = math.sqrt(K0 * (E - profile.bottom_left) / profile.mass_left)
    v_right = math.sqrt(K0 * (E - profile.bottom_right) / profile.mass_right)
    y = np.array([1.0, 1j * v_right])
    for a, b in zip(kinks[-2::-1], kinks[:0:-1], strict=True):
        m, inside = mass(0.5 * (a + b)), 1e-9 * (b - a)

        def slopes(x, y, m=m, a=a, b=b, inside=inside):
            return np.array([m * y[1], K0 * (U(min(max(x, a + inside), b - inside)) - E) * y[0]])

        y = solve_ivp(slopes, (b, a), y, method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
    incoming = 0.5 * (y[0] + y[1] / (1j * v_left))
    return v_right / (v_left * abs(incoming) ** 2)


def layered(V):
    """As `stack`, of two layers with a step of the band and of the mass."""
    layers = layer(1.6, tunnelling_mass=0.6), layer(1.2, tunnelling_mass=0.3, band_offset=-0.3)
    film = stacked(*layers).replace("device.film.image_permittivity", EPS)
    junction = model.junction(film)
    return begin(film, lumpy(junction, np.random.default_rng(3), 0.3), voltage=V, junction=junction)


@needs_speed
@pytest.mark.parametrize(("of", "V"), [(lambda V: stack("", V), 0.1), (lambda V: stack("", V), -0.8), (layered, -0.4)])
def test_transmission_is_that_of_schroedingers_equation(of, V):
    run = of(V)
    profile = tunnelling_profile(run.junction, run.state, 0)
    top = max(profile.left.max(), profile.right.max())
    E = np.array([0.05, 0.5 * top, 0.95 * top, top + 0.1]) + max(0.0, -V) * 0.2
    found, _ = transmission(TRANSMISSIONS["transfer-matrix"], profile, E, E[0], E[-1])
    assert found == pytest.approx([schroedinger(run, e) for e in E], rel=1e-4)


@pytest.mark.parametrize(("text", "metals"), [("", "left"), (METALS, "both")])
def test_wkb_transmission_is_the_integral_over_the_forbidden_path(text, metals):
    run = stack(text, 0.2, device__transmission="wkb")
    profile = tunnelling_profile(run.junction, run.state, 0)
    kinks, U, mass = band(run, metals)
    E = 0.35 * profile.left.max()

    def kappa(x):
        return math.sqrt(K0 * mass(x) * max(U(x) - E, 0.0))

    theta = sum(quad(kappa, a, b, epsrel=1e-7, limit=200)[0] for a, b in pairwise(kinks))
    found, _ = transmission(TRANSMISSIONS["wkb"], profile, np.array([E]), E, E + 1.0)
    assert math.log(found[0]) == pytest.approx(-2 * theta, rel=3e-4)


def test_closed_form_between_metals_is_the_sum_of_the_images():
    L = 2.8e-9
    image = electrodes.Image(A, L, 5.7, 5.7)
    for x in (0.05e-9, 0.7e-9, 1.4e-9, 2.6e-9):
        assert electrodes.potential(image, x) == pytest.approx(images(x, L, "both"), rel=1e-9)
    middle = -4 * math.log(2) * A / L
    assert electrodes.potential(image, 0.5 * L) == pytest.approx(middle, rel=1e-14)


def test_without_an_image_force_the_band_and_the_current_are_the_same_to_the_last_bit():
    run = begin(case(), voltage=0.3)
    junction, state = run.junction, run.state
    assert junction.image.shape == (1, 0, 5)
    band, seen = band_profile(junction, state, 0), tunnelling_profile(junction, state, 0)
    for one, other in zip(band, seen, strict=True):
        assert np.array_equal(one, other)
    slopes = np.arange(4.0 * band.length.size).reshape(4, -1)
    assert np.array_equal(slopes_of_bands(junction, state, 0, slopes), slopes)
    tolerance = junction.energy_tolerance
    panels = energy_panels(band, 0.3, junction.kT[0], tolerance, False)
    direct, _ = converged_spectrum(junction.transmission, band, 0.3, junction.kT[0], panels, tolerance)
    assert column_spectrum(junction, state, 0, np.empty(0), False)[0].chord == direct.chord


def test_a_kind_of_columns_has_the_images_of_its_own_layers():
    thick = {"device.film.layers[1].thickness": "1.7 nm"}
    film = stacked(layer(1.6), layer(1.2, band_offset=-0.3), numerics__current_tolerance=1e-6)
    film = film.replace({"device.film.image_permittivity": EPS, "drive": {"kind": "iv", "voltages": [-0.4, 0.4]}})
    kinds = [{"name": "thin", "share": 0.5}, {"name": "thick", "share": 0.5, "set": thick}]
    both = simulate(film.replace("columns.kinds", kinds)).bias_current.values
    alone = [simulate(film.replace(own)).bias_current.values for own in ({"title": "thin"}, thick)]
    assert both == pytest.approx(np.mean(alone, axis=0), rel=1e-5)

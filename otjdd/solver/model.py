"""Conversion of a case to the numbers of the kernels: grid, columns, junction."""

import math
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.solver.electrodes import electrode, permittivity
from otjdd.solver.image_pieces import image_of, image_pieces
from otjdd.solver.profile_start import Profile, read_profile
from otjdd.system.remember import by_record

COARSEST = 3e-4  # largest tolerance of the integral over energy: with fewer energies its error estimate is too low
KINKS = 0.1  # of the current tolerance, for WKB: its T is not smooth where a turning point passes a piece
FILM_SEGMENTS = 32  # straight pieces of the film band for tunnelling, at least; cells where they are larger
MOST_COLUMNS = 64


class Member(NamedTuple):
    """Values of one column that differ between columns, and its share of the area."""

    weight: float
    activation_energy: float
    density: float
    well_left: float
    well_right: float
    thickness: float
    left_shift: float  # eV on the band edge at the left electrode


@lru_cache(maxsize=16)
def grid_faces(thickness: float, cells: int, grading: float) -> np.ndarray:
    """Faces (cells + 1,) [m] from 0 to thickness, finer towards both ends; grading = largest over smallest cell.

    The faces are a smooth image (tanh) of equal steps, so the scheme keeps its second order. They cannot be written to.
    """
    s = np.linspace(-1.0, 1.0, cells + 1)
    if grading > 1.0 + 1e-9:
        stretch = math.acosh(math.sqrt(grading))
        s = np.tanh(stretch * s) / math.tanh(stretch)
    faces = 0.5 * thickness * (1.0 + s)
    faces[0], faces[-1] = 0.0, thickness
    faces.flags.writeable = False
    return faces


def centres(faces: np.ndarray) -> np.ndarray:
    """Cell centres (N,) [m]."""
    return 0.5 * (faces[1:] + faces[:-1])


@cache
def quadrature(rule: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (count,) of zero mean and unit variance, and weights of sum 1, of a rule in QUADRATURES."""
    nodes, weights = QUADRATURES[rule](count)
    return nodes, weights / weights.sum()


def uniform_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights of the uniform distribution of unit variance, which ends at sqrt(3)."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return math.sqrt(3.0) * nodes, weights


QUADRATURES = {"gauss-hermite": np.polynomial.hermite_e.hermegauss, "gauss-legendre": uniform_nodes}


def spread_nodes(columns, keys: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (K, keys) of zero mean and unit variance, weights (K,): quadrature in each key (their product), or draws."""
    if columns.nodes == "draws":
        draws = np.random.default_rng(columns.seed).standard_normal((columns.count, keys))
        return draws, np.full(columns.count, 1.0 / columns.count)
    nodes, weights = quadrature(columns.nodes, columns.count)
    grid = np.array(list(product(nodes, repeat=keys))).reshape(-1, keys)
    return grid, np.array([math.prod(w) for w in product(weights, repeat=keys)])


def profile(case) -> Profile | None:
    """Profile that a case starts from; None when it names none. Raises OSError, ValueError ("file:line: ...")."""
    path = getattr(case.ions.initial, "profile", None)
    return read_profile(path, case.device.film.thickness, case.ions.site_density) if path else None


def members(case) -> list[Member]:
    """The columns of a case. Raises ValueError when a spread leads to unphysical values, and the errors of `profile`."""
    start = profile(case)
    density = case.ions.density if start is None else start.mean(case.device.film.thickness)
    return list(spread_members(case.columns, case.ions, case.device.film, density))


@by_record(most=16, records=3)
def spread_members(columns, ions, film, density: float) -> tuple[Member, ...]:
    """The columns of these sections of a case, of a mean density [1/m3] before it is spread. Raises ValueError."""
    spread = {key: value for key, value in columns.spread.items() if value}
    keys = sorted(spread)
    if keys:
        nodes, weights = spread_nodes(columns, len(keys))
    else:
        nodes, weights = np.zeros((columns.count, 0)), np.full(columns.count, 1.0 / columns.count)
    if len(weights) > MOST_COLUMNS:
        raise ValueError(f"columns: {len(weights)} columns from {len(keys)} spread keys; the limit is {MOST_COLUMNS}")
    found = []
    for node, weight in zip(nodes, weights, strict=True):
        shift = {key: spread[key] * x for key, x in zip(keys, node, strict=True)}
        member = Member(
            weight,
            ions.activation_energy + shift.get("ions.activation_energy", 0.0),
            density + shift.get("ions.density", 0.0),
            ions.well_left + shift.get("ions.well_left", 0.0),
            ions.well_right + shift.get("ions.well_right", 0.0),
            film.thickness + shift.get("device.film.thickness", 0.0),
            shift.get("device.left.barrier", 0.0),
        )
        for what, value, limit in (
            ("an activation energy of {:.3g} eV", member.activation_energy, math.inf),
            ("a density of {:.3g} 1/m^3", member.density, ions.site_density),
            ("a thickness of {:.3g} m", member.thickness, math.inf),
        ):
            if not 0 < value < limit:
                raise ValueError(f"columns.spread: a column would have {what.format(value)}")
        found.append(member)
    return tuple(found)


def site_energy(x, thickness: float, well_left: float, well_right: float, width: float):
    """Site energy W(x) [eV] of a vacancy: wells at the two interfaces on a flat interior."""
    return -well_left * np.exp(-((x / width) ** 2)) - well_right * np.exp(-(((thickness - x) / width) ** 2))


@lru_cache(maxsize=16)
def tunnelling_nodes(thickness: float, cells: int, grading: float) -> np.ndarray:
    """Points 0..N+1 (left end, centres, right end) of a grid that bound the straight pieces of the film band."""
    faces = grid_faces(thickness, cells, grading)
    points = np.concatenate(([faces[0]], centres(faces), [faces[-1]]))
    kept, shortest = [0], faces[-1] / FILM_SEGMENTS
    for i in range(1, len(points) - 1):
        if points[i] - points[kept[-1]] >= shortest and points[-1] - points[i] >= 0.5 * shortest:
            kept.append(i)
    return np.array([*kept, len(points) - 1])


def column_numbers(case, parts: list[Member], temperature: float):
    """Columns of the kernels."""
    from otjdd.physics.junction import Columns

    device, film, ions, kT = case.device, case.device.film, case.ions, BOLTZMANN_EV * temperature
    grid = film.cells, film.grading, film.fixed_charge, ions.well_width
    supply = device.area * device.conducting_fraction * device.richardson * temperature * temperature / kT
    rows = []
    for part in parts:
        along = along_film(part.thickness, part.well_left, part.well_right, *grid)
        D0 = ions.prefactor * math.exp(-part.activation_energy / kT)
        rows.append((*along, D0, part.activation_energy, part.left_shift, part.weight, film.tunnelling_mass, supply))
    return Columns(*(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


@lru_cache(maxsize=MOST_COLUMNS)
def along_film(
    thickness: float, well_left: float, well_right: float, cells: int, grading: float, fixed_charge: float,
    well_width: float,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """Arrays of a column that do not depend on its temperature or its rates, which cannot be written to.

    Widths of the cells [m] and their inverses, distances of the centres [m], steps of the site energy [eV], fixed charge
    [C/m2] right of each face
    """
    faces = grid_faces(thickness, cells, grading)
    x, width = centres(faces), np.diff(faces)
    distance = np.diff(np.concatenate(([0.0], x, [thickness])))
    W = site_energy(x, thickness, well_left, well_right, well_width)
    site = np.concatenate(([0.0], np.diff(W), [0.0]))
    found = width, 1 / width, distance, site, ELEMENTARY_CHARGE * fixed_charge * (thickness - faces)
    for array in found:
        array.flags.writeable = False
    return found


class Materials(NamedTuple):
    """Numbers of the kernels that all columns of one kind share."""

    film: tuple  # electrostatics.Permittivity
    left: tuple  # electrostatics.Electrode
    right: tuple
    ions: tuple  # ions.Ions
    electrons: tuple  # film_electrons.FilmElectrons


def materials(device, ions, temperature: float, current_tolerance: float) -> Materials:
    """Numbers of a device and its ions at a temperature [K]."""
    from otjdd.physics.ions import LAWS, Ions

    return Materials(
        film=permittivity(device.film.permittivity, temperature),
        left=electrode(device.left, temperature, current_tolerance),
        right=electrode(device.right, temperature, current_tolerance),
        ions=Ions(
            LAWS[ions.law],
            int(ions.charge),
            float(ions.hop_distance or 0.0),
            float(ions.attempt_frequency),
            float(ions.site_density),
        ),
        electrons=electrons(
            float(device.film_states(temperature)) if device.film.electrons == "balance" else 0.0,
            math.nan if ions.ionisation_energy is None else float(ions.ionisation_energy),
        ),
    )


def junction(case, temperature: float | None = None, parts: list[Member] | None = None):
    """Kernel numbers of a case, at its own temperature unless another [K] is given."""
    from otjdd.compiler.rows import Row
    from otjdd.physics.junction import Junction
    from otjdd.physics.tunnelling import TRANSMISSIONS

    T = case.temperature if temperature is None else temperature
    device, circuit = case.device, case.circuit
    parts = members(case) if parts is None else parts
    nodes = tunnelling_nodes(device.film.thickness, device.film.cells, device.film.grading).copy()
    made = [materials(device, case.ions, T, case.numerics.current_tolerance) for _ in parts]
    return Junction(
        columns=column_numbers(case, parts, T),
        film=Row(of.film for of in made),
        nodes=nodes,
        left=Row(of.left for of in made),
        right=Row(of.right for of in made),
        ions=Row(of.ions for of in made),
        kT=BOLTZMANN_EV * T,
        transmission=TRANSMISSIONS[device.transmission],
        energy_tolerance=energy_tolerance(case),
        resistance=float(circuit.series_resistance),
        compliance=math.inf if circuit.compliance is None else float(circuit.compliance),
        electrons=Row(of.electrons for of in made),
        image=image_of_columns(device, T, parts, nodes),
    )


@lru_cache(maxsize=64)
def electrons(density_of_states: float, level: float):
    """`film_electrons.FilmElectrons` with its table, which no kernel changes."""
    from otjdd.physics.film_electrons import film_electrons

    return film_electrons(density_of_states, level)


def image_of_columns(device, temperature: float, parts: list[Member], nodes: np.ndarray) -> np.ndarray:
    """Pieces (K, M, PIECES) of `physics.image_force`; M = 0 without an image force. nodes : of the band, by number."""
    from otjdd.physics.image_force import PIECES

    film = device.film
    whole = image_of(device, temperature, film.thickness, 0.0)
    if whole is None:
        return np.zeros((len(parts), 0, PIECES))
    points = np.concatenate(([0.0], centres(grid_faces(film.thickness, film.cells, film.grading)), [film.thickness]))
    images = [image_of(device, temperature, part.thickness, part.left_shift) for part in parts]
    return np.array([image_pieces(image, whole, points[nodes]) for image in images])


def along_profile(case, parts: list[Member]) -> np.ndarray:
    """Concentrations (K, N) [1/m3] of the profile that a case starts from, stretched with the thickness of a column."""
    film, start = case.device.film, profile(case)
    c = start.cells(grid_faces(film.thickness, film.cells, film.grading))
    return np.array([c * (part.density / start.mean(film.thickness)) for part in parts])


def energy_tolerance(case) -> float:
    """Relative tolerance of the integral over energy."""
    tolerance = min(case.numerics.current_tolerance, COARSEST)
    return tolerance if case.device.transmission == "transfer-matrix" else KINKS * tolerance


def uniform(parts: list[Member], cells: int) -> np.ndarray:
    """Concentrations (K, N) [1/m3] of a film with its vacancies spread evenly."""
    return np.repeat(np.array([[part.density] for part in parts]), cells, axis=1)

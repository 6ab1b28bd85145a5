"""From a case to the numbers of the kernels: grid, columns, electrode tables, junction."""

import math
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from otjdd.case.device import Semiconductor
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.solver.profile_start import Profile, read_profile

LARGEST_BENDING = 1000.0  # eV of either sign, where the tables of an electrode end: ten times the highest voltage
TABLE = 8192  # intervals of bending; cubic interpolation is then exact to 1e-9 of the bending, whatever the doping
SMALLEST_BENDING = 0.1  # kT: where the bent region of an electrode is taken to end for the electron wave
PROFILE = 8001  # points of the bent region, evenly in ln u, among which its straight pieces are chosen
BEND_SAG = 1.2e-4  # eV, sag of the band under a straight piece, whose mean is kept: see junction.bent_segments
FILM_SEGMENTS = 32  # straight pieces of the film band for tunnelling, at least; cells where they are larger
MOST_COLUMNS = 64


class Member(NamedTuple):
    """Values of one column that differ from the others, and its share of the area."""

    weight: float
    activation_energy: float
    density: float
    well_left: float
    well_right: float
    thickness: float
    left_shift: float  # eV on the band edge at the left electrode


def grid_faces(thickness: float, cells: int, grading: float) -> np.ndarray:
    """Faces (cells + 1,) [m] from 0 to thickness, finer towards both ends; grading = largest over smallest cell.

    The faces are a smooth image (tanh) of equal steps, so the scheme keeps its second order.
    """
    s = np.linspace(-1.0, 1.0, cells + 1)
    if grading > 1.0 + 1e-9:
        stretch = math.acosh(math.sqrt(grading))
        s = np.tanh(stretch * s) / math.tanh(stretch)
    faces = 0.5 * thickness * (1.0 + s)
    faces[0], faces[-1] = 0.0, thickness
    return faces


def centres(faces: np.ndarray) -> np.ndarray:
    """Cell centres (N,) [m]."""
    return 0.5 * (faces[1:] + faces[:-1])


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
    nodes, weights = QUADRATURES[columns.nodes](columns.count)
    weights = weights / weights.sum()
    grid = np.array(list(product(nodes, repeat=keys))).reshape(-1, keys)
    return grid, np.array([math.prod(w) for w in product(weights, repeat=keys)])


def profile(case) -> Profile | None:
    """Profile that a case starts from, None when it starts from none. Raises OSError, ValueError ("file:line: ...")."""
    path = getattr(case.ions.initial, "profile", None)
    return read_profile(path, case.device.film.thickness, case.ions.site_density) if path else None


def members(case) -> list[Member]:
    """The columns of a case. Raises ValueError when a spread leads out of what is physical; errors of `profile`."""
    start = profile(case)
    density = case.ions.density if start is None else start.mean(case.device.film.thickness)
    spread = {key: value for key, value in case.columns.spread.items() if value}
    keys = sorted(spread)
    if keys:
        nodes, weights = spread_nodes(case.columns, len(keys))
    else:
        nodes, weights = np.zeros((case.columns.count, 0)), np.full(case.columns.count, 1.0 / case.columns.count)
    if len(weights) > MOST_COLUMNS:
        raise ValueError(f"columns: {len(weights)} columns from {len(keys)} spread keys; the limit is {MOST_COLUMNS}")
    found = []
    for node, weight in zip(nodes, weights, strict=True):
        shift = {key: spread[key] * x for key, x in zip(keys, node, strict=True)}
        member = Member(
            weight,
            case.ions.activation_energy + shift.get("ions.activation_energy", 0.0),
            density + shift.get("ions.density", 0.0),
            case.ions.well_left + shift.get("ions.well_left", 0.0),
            case.ions.well_right + shift.get("ions.well_right", 0.0),
            case.device.film.thickness + shift.get("device.film.thickness", 0.0),
            shift.get("device.left.barrier", 0.0),
        )
        for what, value, limit in (
            ("an activation energy of {:.3g} eV", member.activation_energy, math.inf),
            ("a density of {:.3g} 1/m^3", member.density, case.ions.site_density),
            ("a thickness of {:.3g} m", member.thickness, math.inf),
        ):
            if not 0 < value < limit:
                raise ValueError(f"columns.spread: a column would have {what.format(value)}")
        found.append(member)
    return found


def site_energy(x, thickness: float, well_left: float, well_right: float, width: float):
    """Site energy W(x) [eV] of a vacancy: wells at the two interfaces on a flat interior."""
    return -well_left * np.exp(-((x / width) ** 2)) - well_right * np.exp(-(((thickness - x) / width) ** 2))


def permittivity(record):
    """Permittivity record -> kernel numbers."""
    from otjdd.physics.electrostatics import Permittivity

    if record.law == "linear":
        return Permittivity(float(record.eps_r), 0.0, 1.0)
    return Permittivity(float(record.eps_inf), float(record.b), math.sqrt(record.a))


def fermi_level(semiconductor: Semiconductor, temperature: float) -> float:
    """xi = E_F - E_C [eV] of the unbent semiconductor at a temperature [K], donors ionised."""
    from otjdd.physics.fermi_dirac import inverse_fermi_dirac_half

    kT = BOLTZMANN_EV * temperature
    return kT * inverse_fermi_dirac_half(semiconductor.doping / semiconductor.states(temperature))


@lru_cache(maxsize=64)
def semiconductor_tables(record: Semiconductor, temperature: float):
    """xi, and the tables of an Electrode: charge scale, start, step, bending, slope, depletion, accumulation."""
    from otjdd.physics import electrostatics as es

    kT, density_of_states = BOLTZMANN_EV * temperature, record.states(temperature)
    xi, eps = fermi_level(record, temperature), permittivity(record.permittivity)
    bulk = (xi, kT, float(record.doping), float(density_of_states), eps)
    scale = kT * math.sqrt(es.displacement(0.0, eps)[1] * es.doping_stiffness(xi, kT, float(density_of_states)))
    ends = [es.displacement(E, eps)[0] for E in es.bent_fields(np.array([-LARGEST_BENDING, LARGEST_BENDING]), *bulk)]
    accumulated, depleted = (math.asinh(min(Q, es.MOST_CHARGE) / scale) for Q in ends)
    step = (accumulated + depleted) / TABLE
    x = step * np.arange(-math.floor(accumulated / step), math.floor(depleted / step) + 1)
    charges = scale * np.sinh(x)
    bending, slope = es.bending_table(charges, *bulk)
    slope *= np.hypot(scale, charges)  # du/dx from du/dQ
    profiles = [bent_profile(sign, abs(bending[end]), bulk) for sign, end in ((1, -1), (-1, 0))]
    return xi, scale, x[0], step, bending, slope, *profiles


def bent_profile(sign: int, largest: float, bulk) -> np.ndarray:
    """Universal profile of a bent region (3, P): |u| [eV], depth [m] counted from the bulk, |E| [V/m].

    For any surface bending u_s the band follows this one curve up to |u_s|: dx = du/|E(u)|.
    """
    from otjdd.physics.electrostatics import bent_fields

    u = np.geomspace(SMALLEST_BENDING * bulk[1], largest, PROFILE)
    E = bent_fields(sign * u, *bulk)
    log_step = math.log(u[1] / u[0])
    rate = u / E  # dx/d ln u, integrated with Simpson's rule over pairs
    pairs = log_step / 3 * (rate[:-2:2] + 4 * rate[1:-1:2] + rate[2::2])
    depth = np.concatenate(([0.0], np.cumsum(pairs)))
    u, E = u[::2], E[::2]
    # pieces of length h sag by h^2 |u''|/8, u'' = d(E^2)/du/2
    curvature = np.abs(np.gradient(E * E, u)) / 2
    pieces = np.concatenate(([0.0], np.cumsum(np.diff(depth) * np.sqrt(curvature / (8 * BEND_SAG))[1:])))
    index = np.unique(np.searchsorted(pieces, np.linspace(0.0, pieces[-1], max(8, math.ceil(pieces[-1])) + 1)))
    index = index[index < u.size]
    if index[-1] != u.size - 1:
        index = np.append(index, u.size - 1)
    return np.ascontiguousarray(np.stack((u[index], depth[index], E[index])))


def electrode(record, temperature: float):
    """Electrode record -> kernel numbers at a temperature [K]."""
    from otjdd.physics import electrostatics as es

    empty = np.zeros(0), np.zeros(0), np.zeros((3, 0)), np.zeros((3, 0))
    if record.kind == "metal":
        screening = record.screening_length / (VACUUM_PERMITTIVITY * record.relative_permittivity)
        bands = float(record.barrier), -float(record.band_depth), float(record.mass)
        return es.Electrode(es.METAL, *bands, screening, 1.0, 0.0, 1.0, *empty)
    xi, *tables = semiconductor_tables(record, temperature)
    bands = record.band_offset - xi, -xi, float(record.mass)
    return es.Electrode(es.SEMICONDUCTOR, *bands, 0.0, *tables)


def tunnelling_nodes(faces: np.ndarray) -> np.ndarray:
    """Points 0..N+1 (left end, centres, right end) that bound the straight pieces of the film band."""
    points = np.concatenate(([faces[0]], centres(faces), [faces[-1]]))
    kept, shortest = [0], faces[-1] / FILM_SEGMENTS
    for i in range(1, len(points) - 1):
        if points[i] - points[kept[-1]] >= shortest and points[-1] - points[i] >= 0.5 * shortest:
            kept.append(i)
    return np.array([*kept, len(points) - 1])


def column_numbers(case, parts: list[Member], temperature: float):
    """Columns of the kernels."""
    from otjdd.physics.junction import Columns

    film, ions, kT = case.device.film, case.ions, BOLTZMANN_EV * temperature
    rows = []
    for part in parts:
        faces = grid_faces(part.thickness, film.cells, film.grading)
        x = centres(faces)
        distance = np.diff(np.concatenate(([0.0], x, [part.thickness])))
        W = site_energy(x, part.thickness, part.well_left, part.well_right, ions.well_width)
        site = np.concatenate(([0.0], np.diff(W), [0.0]))
        fixed = ELEMENTARY_CHARGE * film.fixed_charge * (part.thickness - faces)
        D0 = ions.prefactor * math.exp(-part.activation_energy / kT)
        width = np.diff(faces)
        rows.append((width, 1 / width, distance, site, fixed, D0, part.activation_energy, part.left_shift, part.weight))
    return Columns(*(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


def junction(case, temperature: float | None = None, parts: list[Member] | None = None):
    """Kernel numbers of a case, at its own temperature unless another [K] is given."""
    from otjdd.physics.ions import LAWS, Ions
    from otjdd.physics.junction import Junction
    from otjdd.physics.tunnelling import TRANSMISSIONS

    T = case.temperature if temperature is None else temperature
    device, ions, circuit = case.device, case.ions, case.circuit
    parts = members(case) if parts is None else parts
    faces = grid_faces(device.film.thickness, device.film.cells, device.film.grading)
    kT = BOLTZMANN_EV * T
    return Junction(
        columns=column_numbers(case, parts, T),
        film=permittivity(device.film.permittivity),
        film_mass=float(device.film.tunnelling_mass),
        nodes=tunnelling_nodes(faces),
        left=electrode(device.left, T),
        right=electrode(device.right, T),
        ions=Ions(
            LAWS[ions.law],
            int(ions.charge),
            float(ions.hop_distance),
            float(ions.attempt_frequency),
            float(ions.site_density),
        ),
        kT=kT,
        transmission=TRANSMISSIONS[device.transmission],
        supply=device.area * device.conducting_fraction * device.richardson * T * T / kT,
        energy_tolerance=float(case.numerics.current_tolerance),
        resistance=float(circuit.series_resistance),
        compliance=math.inf if circuit.compliance is None else float(circuit.compliance),
    )


def along_profile(case, parts: list[Member]) -> np.ndarray:
    """Concentrations (K, N) [1/m3] of the profile that a case starts from, stretched with the thickness of a column."""
    film, start = case.device.film, profile(case)
    c = start.cells(grid_faces(film.thickness, film.cells, film.grading))
    return np.array([c * (part.density / start.mean(film.thickness)) for part in parts])


def uniform(parts: list[Member], cells: int) -> np.ndarray:
    """Concentrations (K, N) [1/m3] of a film with its vacancies spread evenly."""
    return np.repeat(np.array([[part.density] for part in parts]), cells, axis=1)

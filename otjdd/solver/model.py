"""Conversion of a case to the numbers of the kernels: grid, columns, junction."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from otjdd import laws
from otjdd.case.case import Case
from otjdd.case.columns import MOST_COLUMNS, Columns, column_values
from otjdd.case.device import Device, FromResult, Ions
from otjdd.case.electrodes import SIDES, Metal, exchanging_sides
from otjdd.case.film import Film, Layer, LayeredFilm
from otjdd.case.kinds import Kind, covered_by, kinds_of, spread_limits, spread_values
from otjdd.case.traps import AnyLeak, Trap
from otjdd.compiler.pointer_tuples import Row
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.laws import Wall
from otjdd.mechanisms.electrons.density import FilmElectrons, film_electrons
from otjdd.mechanisms.exchange import NO_WALL, WALL_CODES
from otjdd.mechanisms.polarisation import MERZ_KAI, TWO_LEVEL
from otjdd.mechanisms.traps import sites as trap_columns
from otjdd.physics import junction as kernels
from otjdd.physics import leaks
from otjdd.physics.bands import PIECES
from otjdd.physics.channels import CODES, COHERENT
from otjdd.physics.electrostatics import Electrode, Permittivity
from otjdd.physics.ions import HOP_CODES, Layers
from otjdd.physics.junction import Junction
from otjdd.physics.tunnelling import TRANSMISSIONS
from otjdd.results import store
from otjdd.solver.electrodes import edge_beside, electrode, image_of, image_pieces, permittivity
from otjdd.solver.start import ROUND_OFF, read_profile
from otjdd.solver.traps import channels_with_groups
from otjdd.system.late import xr
from otjdd.system.remember import remembered_by_record

COARSEST = 3e-4  # largest tolerance of the integral over energy: with fewer energies its error estimate is too low
KINKS = 0.3  # of the current tolerance, for WKB: its T is not smooth where a turning point passes a piece
FILM_SEGMENTS = 32  # pieces of the film band for tunnelling, at least; cells where they are larger
LONGEST_SEGMENT = 0.3e-9  # m, of these pieces at a current tolerance of 1e-4: that errs as their sixth power
MOST_NUMBERS = max(leaks.NUMBERS, trap_columns.NUMBERS)  # of a channel


class Member(NamedTuple):
    """Values of one column that differ between columns, and its share of the area."""

    weight: float
    activation_energy: float
    density: float
    well_left: float
    well_right: float
    thickness: float
    left_shift: float  # eV on the band edge at the left electrode
    switching_time: float  # s, of a polarisation whose law has one
    kind: int = 0  # number of its kind


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
    middle: np.ndarray = 0.5 * (faces[1:] + faces[:-1])
    return middle


def faces_of(stack: tuple[Layer, ...], thickness: float) -> np.ndarray:
    """Faces (N+1,) [m] of a film that is stretched to a thickness [m], all layers in proportion."""
    if len(stack) == 1:
        return grid_faces(thickness, stack[0].cells, stack[0].grading)
    parts, start, stretch = [np.zeros(1)], 0.0, thickness / sum(sheet.thickness for sheet in stack)
    for sheet in stack:
        parts.append(start + grid_faces(sheet.thickness * stretch, sheet.cells, sheet.grading)[1:])
        start += sheet.thickness * stretch
    return np.concatenate(parts)


def film_faces(film: Film | LayeredFilm) -> np.ndarray:
    """Faces (N+1,) [m] of a film."""
    return faces_of(film.stack, film.thickness)


def first_faces(stack: tuple[Layer, ...]) -> np.ndarray:
    """Number of the first face of each layer, and of the face behind the last one (M+1,)."""
    first = np.concatenate(([0], np.cumsum([sheet.cells for sheet in stack])))
    first[-1] += 1
    return first


def starting_profile(case: Case) -> np.ndarray | None:
    """Concentrations (N,) [1/m3] in the cells of the profile that a case starts from; None when it names none.

    Raises OSError, ValueError ("file:line: ...", or the place of a cell without the sites for it).
    """
    path, film = getattr(case.ions.initial, "profile", None), case.device.film
    if not path:
        return None
    faces, sites = film_faces(film), sites_of_cells(film.stack, case.ions)
    c = read_profile(path, film.thickness, sites.max()).cells(faces)
    c[(sites == 0.0) & (c <= ROUND_OFF * c.max())] = 0.0  # an interface is rounded otherwise in the file
    if (full := (c > 0.0) & (c >= sites)).any():
        i = int(full.argmax())
        raise ValueError(
            f"{path}: {c[i]:.3g} 1/m^3 between x = {1e9 * faces[i]:.3g} and {1e9 * faces[i + 1]:.3g} nm, in a layer with "
            f"{sites[i]:.3g} sites per m^3; a jump at an interface is two rows with the same x"
        )
    return c


def mean_with_sites(c: np.ndarray, film: Film | LayeredFilm) -> float:
    """Mean concentration [1/m3] in the layers of a film that have sites, from that in its cells (N,)."""
    return float(c @ np.diff(film_faces(film))) / film.mobile_thickness


def mean_of_result(case: Case) -> float:
    """Mean concentration [1/m3] at the end of the result that a case starts from. Raises ResultError, ValueError."""
    origin = case.ions.initial
    assert isinstance(origin, FromResult)  # ions have a density, a profile or a result
    ds = store.read(origin.result)
    if "vacancy_concentration_columns" not in ds or not ds.sizes["snapshot"]:
        raise ValueError("ions.initial.result: that result holds no state to start from")
    return mean_of(ds, -1)


def mean_of(ds: xr.Dataset, number: int) -> float:
    """Mean concentration [1/m3] of a snapshot of a result."""
    width = ds.cell_width.values
    of_columns = ds.vacancy_concentration_columns.values[number] @ width / width.sum()
    return float(ds.column_weight.values @ of_columns if "column_weight" in ds else of_columns.mean())


def members(case: Case) -> list[Member]:
    """The columns of a case, kind by kind. Raises ValueError for unphysical values, and as `starting_profile`."""
    kinds, start = kinds_of(case), starting_profile(case)
    columns: list[Member] = []
    for number, kind in enumerate(kinds):
        density = kind.ions.density if start is None else mean_with_sites(start, kind.device.film)
        if density is None:  # a result has it
            density = mean_of_result(case)
        columns += members_of_kind(
            kind.columns, kind.ions, kind.device, density, number, kind.share / covered_by(kinds)
        )
    return columns


@remembered_by_record(most=64, records=3)
def members_of_kind(
    columns: Columns, ions: Ions, device: Device, density: float, number: int, share: float
) -> tuple[Member, ...]:
    """The columns of a kind, of a mean density [1/m3] before it is spread. Raises ValueError, OSError.

    share : of the kind in the area of all columns
    """
    value = spread_values(Kind("", share, device, ions, columns), density)
    spread, weights = column_values(columns, value)
    if getattr(columns.spread.get("device.left.barrier"), "law", "") == "table":
        if not isinstance(device.left, Metal):
            raise ValueError("columns.spread: a table of device.left.barrier needs a metal there, which has a barrier")
        spread["device.left.barrier"] = spread["device.left.barrier"] - device.left.barrier
    alike = []
    for k, weight in enumerate(weights):
        own = value | {key: values[k] for key, values in spread.items()}
        for key in own:
            low, high, unit = spread_limits(key, ions)
            if not low < own[key] < high:
                raise ValueError(f"columns.spread: column {k + 1} would have {key} = {own[key]:.3g} {unit}")
        alike.append(Member._make((share * weight if share != 1.0 else weight, *own.values(), number)))
    return tuple(alike)


def site_energy(x: np.ndarray, thickness: float, well_left: float, well_right: float, width: float) -> np.ndarray:
    """Site energy W(x) [eV] of a vacancy: wells at the two interfaces on a flat interior."""
    return -well_left * np.exp(-((x / width) ** 2)) - well_right * np.exp(-(((thickness - x) / width) ** 2))


def tunnelling_nodes(stack: tuple[Layer, ...], thickness: float, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of a film that bound the pieces of its band, and the first piece of each layer and behind the last (M+1,).

    Points are both ends of each layer with the centres of its cells between. thickness [m] : of a film of one layer
    tolerance : relative, of currents
    """
    if len(stack) == 1:
        nodes = layer_nodes((thickness, thickness), (stack[0].cells, stack[0].cells), stack[0].grading, tolerance)
        return nodes, np.array([0, len(nodes) - 1])
    whole, cells = sum(sheet.thickness for sheet in stack), sum(sheet.cells for sheet in stack)
    start, parts, pieces = 0, [np.zeros(1, int)], [0]
    for sheet in stack:
        own = layer_nodes((sheet.thickness, whole), (sheet.cells, cells), sheet.grading, tolerance)
        parts.append(start + own[1:])
        start += sheet.cells + 1
        pieces.append(pieces[-1] + len(own) - 1)
    return np.concatenate(parts), np.array(pieces)


def film_piece_ends(stack: tuple[Layer, ...], thickness: float, nodes: np.ndarray) -> np.ndarray:
    """Ends (P+1,) [m] of the pieces of the band of a film of a thickness [m]. nodes : of `tunnelling_nodes`"""
    faces, first = faces_of(stack, thickness), first_faces(stack)
    of_layers = [faces[start : behind + 1] for start, behind in pairwise(first)]
    points = [np.concatenate((own[:1], centres(own))) for own in of_layers]
    ends: np.ndarray = np.concatenate((*points, faces[-1:]))[nodes]
    return ends


@lru_cache(maxsize=16)
def layer_nodes(thickness: tuple[float, float], cells: tuple[int, int], grading: float, tolerance: float) -> np.ndarray:
    """Points 0..N+1 (left end, centres, right end) of a layer that bound the pieces of its band.

    Counted from both ends, so that a film turned round has the same. thickness [m], cells : of the layer, and of the film
    """
    faces = grid_faces(thickness[0], cells[0], grading)
    points = np.concatenate(([faces[0]], centres(faces), [faces[-1]]))
    if cells[1] <= FILM_SEGMENTS:  # cells of unlike charge in one piece made currents on 16 cells wrong by 4e-3
        return np.arange(len(points))
    shortest = min(thickness[1] / FILM_SEGMENTS, LONGEST_SEGMENT * (tolerance / 1e-4) ** (1 / 6))
    nodes, last, middle = [0], len(points) - 1, 0.5 * faces[-1]
    for i in range(1, len(points) // 2):
        if points[i] - points[nodes[-1]] >= shortest and middle - points[i] >= 0.25 * shortest:
            nodes.append(i)
    return np.array([*nodes, *(last - i for i in reversed(nodes))])


def column_numbers(case: Case, parts: list[Member], temperature: float) -> kernels.Columns:
    """Columns of the kernels."""
    kinds, kT, rows = kinds_of(case), BOLTZMANN_EV * temperature, []
    for part in parts:
        _, _, device, ions, _ = kinds[part.kind]
        film = device.film
        supply = device.junction_area * device.conducting_fraction * device.richardson * temperature * temperature / kT
        supply *= covered_by(kinds)
        grid = cells_and_faces(film.stack, part.thickness, part.well_left, part.well_right, ions.well_width)
        hops = hops_at_faces(film.stack, part.thickness, ions, part.activation_energy, kT)
        sites = sites_of_cells(film.stack, ions)
        crowding = np.divide(1.0, sites, out=np.zeros(len(sites)), where=sites > 0.0)
        offsets = np.array([sheet.band_offset for sheet in film.stack])
        rise = np.zeros(len(sites) + 1)
        rise[first_faces(film.stack)[1:-1]] = np.diff(offsets)
        masses = [sheet.tunnelling_mass for sheet in film.stack]
        site = with_ends(grid.site, grid.distance, kinds[part.kind].device, part, ions.well_width)
        rows.append((
            grid.width, 1 / grid.width, sites, crowding, grid.distance, site, rise, grid.fixed, *hops,
            part.left_shift, offsets[-1], part.weight, masses, supply,
        ))  # fmt: skip
    return kernels.Columns(*(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


def sites_of_cells(stack: tuple[Layer, ...], ions: Ions) -> np.ndarray:
    """Sites of ions per volume (N,) [1/m3] in the cells of a film; 0 in layers without."""
    return np.repeat([sheet.sites(ions.site_density) for sheet in stack], [sheet.cells for sheet in stack])


class CellsAndFaces(NamedTuple):
    """Arrays of a column that do not depend on its temperature or its rates."""

    width: np.ndarray  # (N,) m, of the cells
    distance: np.ndarray  # (N+1,) m, between the centres beside a face
    site: np.ndarray  # (N+1,) eV, steps of the site energy
    fixed: np.ndarray  # (N+1,) C/m2, fixed charge to the right of a face


@lru_cache(maxsize=MOST_COLUMNS)
def cells_and_faces(
    stack: tuple[Layer, ...], thickness: float, well_left: float, well_right: float, well_width: float
) -> CellsAndFaces:
    """Arrays of a column of a thickness [m], which cannot be written to."""
    faces = faces_of(stack, thickness)
    x, width, ends = centres(faces), np.diff(faces), faces[np.minimum(first_faces(stack), len(faces) - 1)]
    distance = np.diff(np.concatenate(([0.0], x, [faces[-1]])))
    energies = np.repeat([sheet.site_energy for sheet in stack], [sheet.cells for sheet in stack])
    W = site_energy(x, faces[-1], well_left, well_right, well_width) + energies
    site = np.concatenate(([0.0], np.diff(W), [0.0]))
    fixed = np.zeros(len(faces))
    for sheet, start, end in zip(stack, ends, ends[1:], strict=False):
        fixed += ELEMENTARY_CHARGE * sheet.fixed_charge * np.maximum(end - np.maximum(faces, start), 0.0)
    for array in (width, distance, site, fixed):
        array.flags.writeable = False
    return CellsAndFaces(width, distance, site, fixed)


def hops_at_faces(
    stack: tuple[Layer, ...], thickness: float, ions: Ions, activation_energy: float, kT: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Diffusivity [m2/s], migration barrier [eV] and hop distance over that of the ions at the faces of a column (N+1,).

    At an interface they are those of its own barrier if it has one, else the mean of both sides; without sites on one side
    no ion crosses. thickness [m] : of the column   activation_energy : of the column, where a layer has none
    """
    faces, first = faces_of(stack, thickness), first_faces(stack)
    own = [given(sheet.activation_energy, activation_energy) for sheet in stack]
    factor = [given(sheet.prefactor, ions.prefactor) if sheet.mobile else 0.0 for sheet in stack]
    a = float(ions.hop_distance or 1.0)
    hop = [given(sheet.hop_distance, a) / a for sheet in stack]
    energy, prefactor, reach = (np.repeat(np.array(values), np.diff(first)) for values in (own, factor, hop))
    for j, f in enumerate(first[1:-1]):
        energy[f] = given(stack[j].interface_barrier, 0.5 * (own[j] + own[j + 1]))
        prefactor[f], reach[f] = math.sqrt(factor[j] * factor[j + 1]), math.sqrt(hop[j] * hop[j + 1])
    barrier = energy + ions.activation_energy_rise * (faces / faces[-1] - 0.5)
    diffusivity = np.array([D0 * math.exp(-E / kT) for D0, E in zip(prefactor, barrier, strict=True)])
    return diffusivity, barrier, reach


def given(value: float | None, otherwise: float) -> float:
    """A value, or another one where it is not given."""
    return otherwise if value is None else value


def layers(case: Case, parts: list[Member], pieces: np.ndarray) -> Layers:
    """Layers of the films of all columns. pieces : first piece of the band in each layer, and the one behind the last"""
    kinds, rows = kinds_of(case), []
    for part in parts:
        _, _, device, ions, _ = kinds[part.kind]
        stack, a = device.film.stack, float(ions.hop_distance or 0.0)
        width, inner = np.diff(faces_of(stack, part.thickness)), first_faces(stack)[1:-1]
        hops = [
            math.sqrt(given(left.hop_distance, a) * given(right.hop_distance, a)) for left, right in pairwise(stack)
        ]
        barred = [sheet.interface_barrier is not None for sheet in stack[:-1]]
        rows.append((0.5 * width[inner - 1], 0.5 * width[inner], np.where(barred, hops, 0.0)))
    first = first_faces(case.device.film.stack)
    return Layers(first, pieces, *(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


class Materials(NamedTuple):
    """Numbers of the kernels that all columns of one kind share."""

    film: tuple[Permittivity, ...]  # of each layer, as the electrons
    left: Electrode
    right: Electrode
    ions: laws.Ions
    electrons: tuple[FilmElectrons, ...]


def materials(device: Device, ions: Ions, temperature: float, current_tolerance: float) -> Materials:
    """Numbers of a device and its ions at a temperature [K]."""
    level = math.nan if ions.ionisation_energy is None else float(ions.ionisation_energy)
    states = (
        device.states_of_layers(temperature) if device.film.electrons == "balance" else [0.0] * len(device.film.stack)
    )
    return Materials(
        film=tuple(permittivity(sheet.permittivity, temperature) for sheet in device.film.stack),
        left=electrode(device.left, temperature, current_tolerance),
        right=electrode(device.right, temperature, current_tolerance),
        ions=laws.Ions(
            HOP_CODES[ions.law],
            int(ions.charge),
            float(ions.hop_distance or 0.0),
            float(ions.attempt_frequency),
            float(ions.site_density),
        ),
        electrons=tuple(electrons(float(of_layer), level) for of_layer in states),
    )


def junction(case: Case, temperature: float | None = None, parts: list[Member] | None = None) -> Junction:
    """Kernel numbers of a case, at its own temperature unless another [K] is given."""
    T = case.temperature if temperature is None else temperature
    device, circuit = case.device, case.circuit
    parts = members(case) if parts is None else parts
    film = device.film
    nodes, pieces = tunnelling_nodes(film.stack, film.thickness, case.numerics.current_tolerance)
    of_kinds = [materials(kind.device, kind.ions, T, case.numerics.current_tolerance) for kind in kinds_of(case)]
    of_columns = [of_kinds[part.kind] for part in parts]
    columns, kinds = column_numbers(case, parts, T), kinds_of(case)
    # formation energies hold at the temperature of the case
    walls = {side: Row(wall(kinds[part.kind], part, side, case.temperature) for part in parts) for side in SIDES}
    return kernels.Junction(
        columns=columns,
        film=Row(law for of in of_columns for law in of.film),
        layers=layers(case, parts, pieces),
        nodes=nodes.copy(),
        left=Row(of.left for of in of_columns),
        right=Row(of.right for of in of_columns),
        ions=Row(of.ions for of in of_columns),
        kT=np.full(len(parts), BOLTZMANN_EV * T),
        transmission=TRANSMISSIONS[device.transmission],
        energy_tolerance=energy_tolerance(case),
        resistance=float(circuit.series_resistance),
        compliance=math.inf if circuit.compliance is None else float(circuit.compliance),
        area=float(device.junction_area),
        capacitance=float(circuit.parallel_capacitance),
        electrons=Row(layer for of in of_columns for layer in of.electrons),
        image=image_of_columns(case, T, parts, nodes),
        heat=heat(case, columns, T),
        polarisation=polarisation(case, parts, T),
        channels=channels(case, columns, np.diff(film_piece_ends(film.stack, film.thickness, nodes)), pieces),
        left_wall=walls["left"],
        right_wall=walls["right"],
    )


def channels(case: Case, columns: kernels.Columns, length: np.ndarray, pieces: np.ndarray) -> kernels.Channels:
    """Channels of conduction: the coherent one, the leaks and the traps of the case.

    length : (P,) m, of the pieces of the band   pieces : of the first in each layer, and that behind the last
    """
    beside = case.device.beside_coherent.values()
    code = np.array([CODES[COHERENT], *(CODES[record.channel] for record in beside)])
    numbers = np.array([np.zeros(MOST_NUMBERS), *map(kernel_row, beside)])
    area, none = case.device.junction_area * covered_by(kinds_of(case)) * columns.weight, np.zeros(0, np.int64)
    mass = np.repeat(columns.film_mass.max(axis=0), np.diff(pieces))
    of_case = kernels.Channels(code, numbers, area, none, none, none.reshape(0, 0))
    return channels_with_groups(case, of_case, length, mass, pieces)


def kernel_row(record: AnyLeak | Trap) -> np.ndarray:
    """Numbers (MOST_NUMBERS,) of a leak or of traps, in the columns of their kernel."""
    columns, row = trap_columns if isinstance(record, Trap) else leaks, np.zeros(MOST_NUMBERS)
    for name, number in record.numbers_by_column().items():
        row[getattr(columns, name)] = number
    return row


def channel_names(case: Case) -> np.ndarray:
    """Names (C,) of the channels of conduction of a case, the coherent one first."""
    return np.array([COHERENT, *case.device.beside_coherent], dtype=object)


def wall(kind: Kind, part: Member, side: str, temperature: float) -> Wall:
    """The end of the film of a column at an electrode, "left" or "right"."""
    record, ions = getattr(kind.device, side), kind.ions
    given, L, beside = record.exchange, kind.device.film.thickness, kind.device.film.stack[0 if side == "left" else -1]
    if given is None or given.rate == 0.0:
        return NO_WALL
    own, nominal = (
        float(site_energy(np.array(0.0 if side == "left" else thickness), thickness, *wells, ions.well_width))
        + beside.site_energy
        for thickness, wells in (
            (part.thickness, (part.well_left, part.well_right)), (L, (ions.well_left, ions.well_right)),
        )
    )  # fmt: skip
    sites, capacity = beside.sites(ions.site_density), math.inf if given.capacity is None else float(given.capacity)
    edge = edge_beside(kind.device, side, temperature)
    energy = given.energy(edge, nominal, sites, ions.charge, temperature)
    return Wall(
        law=WALL_CODES[given.law], rate=float(given.rate), activation=float(given.activation_energy),
        formation=float(energy + own), log_oxygen=float(given.log_oxygen), transfer=float(given.transfer_coefficient),
        hop=float(given.hop_distance), capacity=capacity, filling=float(given.initial_filling),
    )  # fmt: skip


def with_ends(
    site: np.ndarray, distance: np.ndarray, device: Device, part: Member, well_width: float
) -> np.ndarray:  # fmt: skip
    """Steps of the site energy (N+1,) [eV], with those from the outer centres to the ends that vacancies pass."""
    if not (open_sides := exchanging_sides(device)):
        return site
    L = part.thickness
    beside = np.array([0.0, distance[0], L - distance[-1], L])
    W, whole = site_energy(beside, L, part.well_left, part.well_right, well_width), site.copy()
    whole[0], whole[-1] = (W[1] - W[0]) * ("left" in open_sides), (W[3] - W[2]) * ("right" in open_sides)
    return whole


def polarisation(case: Case, parts: list[Member], temperature: float) -> kernels.Polarisation:
    """Laws of the polarisation of all columns at a temperature [K]; arrays of size 0 where no film is polarised."""
    kinds = kinds_of(case)
    given = [polar for part in parts if (polar := kinds[part.kind].device.film.polarisation) is not None]
    if not given:
        return kernels.Polarisation(TWO_LEVEL, *(np.zeros(0) for _ in kernels.Polarisation._fields[1:]))
    rows = [
        (
            polar.saturation_at(temperature), part.thickness, polar.offset_field, getattr(polar, "barrier", 0.0),
            getattr(polar, "dipole_length", 0.0), part.switching_time, getattr(polar, "activation_field", 0.0),
            getattr(polar, "exponent", 0.0), getattr(polar, "dimension", 0.0),
        )
        for polar, part in zip(given, parts, strict=True)
    ]  # fmt: skip
    law = TWO_LEVEL if given[0].law == "two-level" else MERZ_KAI
    return kernels.Polarisation(law, *(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


def heat(case: Case, columns: kernels.Columns, temperature: float) -> kernels.Heat:
    """How the current warms a junction whose surroundings have a temperature [K]; arrays of size 0 where it does not."""
    given = case.device.heat
    if given is None:
        none = np.zeros(0)
        return kernels.Heat(none, 1.0, float(temperature), True)
    radius = case.device.disc_radius
    resistance = np.full(len(columns.weight), given.share * given.kelvin_per_watt(radius))
    if given.of == "columns":
        resistance /= columns.weight * covered_by(kinds_of(case))
    return kernels.Heat(resistance, given.seconds(radius), float(temperature), given.of == "junction")


@lru_cache(maxsize=64)
def electrons(density_of_states: float, level: float) -> FilmElectrons:
    """`FilmElectrons` with its table, which no kernel changes."""
    with_table: FilmElectrons = film_electrons(density_of_states, level)
    return with_table


def image_of_columns(case: Case, temperature: float, parts: list[Member], nodes: np.ndarray) -> np.ndarray:
    """Pieces (K, M, PIECES) of `physics.bands`; M = 0 without an image force. nodes : of the band, by number."""
    kinds, film = kinds_of(case), case.device.film
    whole = image_of(case.device, temperature, film.thickness, 0.0)
    if whole is None:
        return np.zeros((len(parts), 0, PIECES))
    pieces, ends = [], film_piece_ends(film.stack, film.thickness, nodes)
    for part in parts:
        device = kinds[part.kind].device
        image = image_of(device, temperature, part.thickness, part.left_shift)
        assert image is not None  # all kinds have an image force, or none has
        pieces.append(image_pieces(image, whole, ends, film_piece_ends(device.film.stack, part.thickness, nodes)))
    return np.array(pieces)


def profile_in_cells(case: Case, parts: list[Member]) -> np.ndarray:
    """Concentrations (K, N) [1/m3] of the profile that a case starts from, stretched with each layer of a column."""
    c = starting_profile(case)
    assert c is not None  # `initial.start` asks for it where the case names one
    means = [mean_with_sites(c, kind.device.film) for kind in kinds_of(case)]
    return np.array([c * (part.density / means[part.kind]) for part in parts])


def energy_tolerance(case: Case) -> float:
    """Relative tolerance of the integral over energy."""
    tolerance = min(case.numerics.current_tolerance, COARSEST)
    return tolerance if case.device.transmission == "transfer-matrix" else KINKS * tolerance


def uniform(case: Case, parts: list[Member]) -> np.ndarray:
    """Concentrations (K, N) [1/m3] of a film with its vacancies spread evenly over the layers that have sites."""
    kinds = kinds_of(case)
    return np.array([
        np.repeat([part.density * sheet.mobile for sheet in stack], [sheet.cells for sheet in stack])
        for part in parts
        for stack in [kinds[part.kind].device.film.stack]
    ])  # fmt: skip

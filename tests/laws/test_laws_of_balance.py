"""What any device keeps: its mirror image, ions, charge and electrons, bounds, rest at 0 V, a free energy that falls."""

import copy
import itertools
import math

import any_device as of
import free_energy
import numpy as np
from any_device import Data, number
from any_law import TIGHT, NoStatement, alike, in_table, law, reads_alike, run_of, with_keys
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit

from otjdd.case.case import parse_case
from otjdd.errors import SolverError
from otjdd.solver import initial, model
from otjdd.stepping import step_control

E, EPS0, KB, K, H = 1.602176634e-19, 8.8541878128e-12, 8.617333262e-5, 1.380649e-23, 6.62607015e-34
M0 = 9.1093837015e-31  # kg
SIDES = {"left": "right", "right": "left"}


# the mirror image


def other_side(key: str) -> str:
    """The dotted key of the same thing on the other side."""
    for side, other in SIDES.items():
        if side in key:
            return key.replace(side, other)
    return key


def opposite(text: str) -> str:
    return text.removeprefix("-") if text.startswith("-") else f"-{text}"


def mirrored_layers(layers: list[Data]) -> list[Data]:
    """Layers from right to left, with offsets from the new first one and barriers at the same interfaces."""
    turned, first = [dict(layer) for layer in reversed(layers)], number(layers[-1].get("band_offset", "0 eV"))
    for layer in turned:
        layer["band_offset"] = f"{number(layer.get('band_offset', '0 eV')) - first!r} eV"
        layer.pop("interface_barrier", None)
    turned[0]["band_offset"] = "0 eV"
    for i, layer in enumerate(layers[:-1]):
        if "interface_barrier" in layer:
            turned[len(layers) - 2 - i]["interface_barrier"] = layer["interface_barrier"]
    return turned


def mirrored(data: Data) -> Data:
    """The mirror image of a device: left and right exchanged, voltages and polarisation reversed."""
    data = copy.deepcopy(in_table(data, -1.0))
    device, ions, film = dict(data["device"]), dict(data["ions"]), dict(data["device"]["film"])
    device["left"], device["right"] = device["right"], device["left"]
    whole = parse_case(of.text_of(data)).device.film.thickness
    if "layers" in film:
        film["layers"] = mirrored_layers(film["layers"])
    if "polarisation" in film:
        polar = film["polarisation"] = dict(film["polarisation"])
        polar["initial"] = -polar.get("initial", 0.0)
        polar["offset_field"] = opposite(polar.get("offset_field", "0 V/m"))
    for trap in device.get("traps", []):
        if "position" in trap:
            trap["position"] = f"{whole - number(trap['position'])!r} m"
        if "layer" in trap:
            trap["layer"] = len(film["layers"]) - 1 - trap["layer"]
    for leak in device.get("leaks", []):
        if leak["kind"] == "schottky":
            leak["left_barrier"], leak["right_barrier"] = leak["right_barrier"], leak["left_barrier"]
    ions["well_left"], ions["well_right"] = ions.get("well_right", "0 eV"), ions.get("well_left", "0 eV")
    ions["activation_energy_rise"] = opposite(ions.get("activation_energy_rise", "0 eV"))
    if isinstance(ions.get("initial"), dict):
        history = ions["initial"]["history"]
        ions["initial"] = {"history": [write | {"voltage": opposite(write["voltage"])} for write in history]}
    columns = dict(data.get("columns", {}))
    if "spread" in columns:
        columns["spread"] = {other_side(key): value for key, value in columns["spread"].items()}
    if "kinds" in columns:
        columns["kinds"] = [
            kind | ({"set": {other_side(key): value for key, value in kind["set"].items()}} if "set" in kind else {})
            for kind in columns["kinds"]
        ]
    return data | {"device": device | {"film": film}, "ions": ions, "columns": columns}


@law(seeds=(*range(2, 6), 7, 11, 16, 39, 75, 108), without=(of.noise,))
def test_a_mirrored_device_carries_the_mirrored_current(data):
    """All that has a side changes it; nothing else may: left and right are treated alike."""
    data.get("columns", {}).get("spread", {}).pop("device.left.barrier", None)  # which the right one has none of
    data = in_table(data)
    there, back = run_of(data, **TIGHT), run_of(mirrored(data), **TIGHT)
    reads_alike(there, back, 1e-3, -1.0)
    alike(there.electrode_charge[-1], back.right_electrode_charge[-1], 1e-3, float(abs(there.electrode_charge).max()))
    if "device.film.thickness" not in data.get("columns", {}).get("spread", {}):
        profile = there.vacancy_concentration.values[-1], back.vacancy_concentration.values[-1, ::-1]
        alike(*profile, 2e-3, what="vacancies")
    for name, sign in (("polarisation", -1.0), ("trapped_electrons", 1.0)):
        if name in there:
            alike(there[name][-1], sign * back[name][-1], 2e-3, float(abs(there[name]).max()), name)
    for side, other in SIDES.items():
        if f"reservoir_filling_{side}" in there:
            alike(there[f"reservoir_filling_{side}"][-1], back[f"reservoir_filling_{other}"][-1], 1e-3)


# ions, charge, electrons


@law(seeds=(0, 1, 2, *range(4, 8), 101, 103), in_turn=(of.small_reservoirs, of.exchange, of.layers, of.columns))
def test_ions_are_in_the_film_or_in_a_reservoir(data):
    """What the film gains the reservoirs give; between blocking electrodes each column keeps what it has."""
    ds = run_of(data)
    assert float(abs(ds.vacancy_balance).max()) < 1e-9
    given, finite = np.zeros(ds.sizes["time"]), True
    for side in SIDES:
        table = data["device"][side].get("exchange")
        if table and "capacity" in table:
            filling = ds[f"reservoir_filling_{side}"].values
            given += number(table["capacity"]) * (filling - filling[0])
        finite = finite and (table is None or "capacity" in table)
    if "vacancies" in ds and finite:
        alike(ds.vacancies - ds.vacancies[0], given, 1e-6, float(ds.vacancies.max()), "vacancies from reservoirs")
    if "vacancies" not in ds and "device.film.thickness" not in data.get("columns", {}).get("spread", {}):
        held = (ds.vacancy_concentration_columns * ds.cell_width).sum("x").values
        alike(held[-1], held[0], 1e-9, what="vacancies of each column")


@law(
    seeds=(24, 1, 2, 3, 20, 25, 6, 7), needs=(of.reservoir_that_runs_out,),
    in_turn=(of.nothing, of.columns, of.noise, of.heat), without=(of.initial,),
)  # fmt: skip
def test_a_reservoir_that_runs_out_gives_what_it_has_and_the_run_goes_on(data):
    """Its filling stays from 0 to 1, film and reservoirs keep their sum but for what counts as no ion, and words say it.

    Single ions are counted: no reservoir has less than none, or more than its sites.
    """
    ds, no_ion = run_of(data), step_control.OUTSIDE * parse_case(of.text_of(data)).numerics.rtol
    many, gained, finite = float(ds.vacancies[0]), 0.0, True
    most, off = max(float(ds.vacancies.max()), many), 1e-6 + no_ion * (data["ions"].get("noise") != "shot")
    for side in SIDES:
        table = data["device"][side].get("exchange")
        finite = finite and (table is None or "capacity" in table)
        if table is None or "capacity" not in table:
            continue
        capacity, filling = number(table["capacity"]), ds[f"reservoir_filling_{side}"].values
        assert ((filling >= 0.0) & (filling <= 1.0)).all(), side
        gained = gained + capacity * (filling - filling[0])
        if abs(filling - 0.5).max() > 0.5 - 1e-6:
            assert "the reservoir has run out" in ds.attrs["model_limits"]
    if finite:
        alike(ds.vacancies - many, gained, off, most, "vacancies from reservoirs")


@law(seeds=(0, 1, 2, 4, 5, 6, 7), without=(of.bound_electrons,))
def test_all_charge_adds_up_to_nothing(data):
    """Electrodes, vacancies, fixed charge, electrons and traps: their sum, taken from the outputs, is zero."""
    if "device.film.thickness" in data.get("columns", {}).get("spread", {}):
        raise NoStatement("columns of unlike thickness have no common cells")
    for trap in data["device"].get("traps", []):
        if trap.get("of") == "ions" and trap["kind"] != "none":
            raise NoStatement("an electron on a vacancy is part of no output of its own")
    ds = run_of(data, **TIGHT).isel(time=-1, snapshot=-1)
    film = data["device"]["film"]
    width, fixed, at = ds.cell_width.values, [], 0
    for layer in film.get("layers", [film]):
        fixed += layer["cells"] * [number(layer["fixed_charge"])]
        at += layer["cells"]
    charge = data["ions"]["charge"] * ds.vacancy_concentration.values + np.array(fixed)
    if "film_electrons" in ds:
        charge = charge - ds.film_electrons.values
    inside = E * charge * width + (ds.trap_charge.values * width if "trap_charge" in ds else 0.0)
    whole = float(ds.electrode_charge + ds.right_electrode_charge) + inside.sum()
    assert abs(whole) < 1e-5 * np.abs(inside).sum() + 1e-6 * abs(float(ds.electrode_charge)), whole


def ideal_capacitor(draw: of.Draw, data: Data) -> None:
    """Metals without screening and one permittivity, in which charges that move are seen at the electrodes by a theorem."""
    data["device"] |= {"left": of.metal(draw), "right": of.metal(draw)}
    for side in SIDES:
        data["device"][side].pop("screening_length", None)
    data["device"]["film"]["permittivity"] = {"law": "linear", "eps_r": draw.real(8, 80)}


CHARGED = (of.layers, of.electrons, of.bound_electrons, of.trap, of.polarisation, of.exchange, of.columns, of.kinds)


@law(needs=(ideal_capacitor,), without=(*CHARGED, of.noise), drives=(of.pulse, of.triangle, of.table))
def test_charge_at_the_terminals_follows_the_ions(data):
    """Q_left changes by eps/L dV_j + z e N/L dx (Shockley and Ramo), with N ions per area at the mean place x.

    What enters one terminal leaves the other, and the displacement current is the change of this charge over time.
    """
    ds = run_of(with_keys(data, record={"every": "all"}), **TIGHT)
    case = parse_case(of.text_of(data))
    film, left, right = case.device.film, ds.electrode_charge.values, ds.right_electrode_charge.values
    V, x, moved = ds.junction_voltage.values, ds.vacancy_mean_position.values, np.ptp(ds.electrode_charge.values)
    by_ions = case.ions.charge * E * case.ions.density * (x - x[0])  # z e N/L
    alike(
        left - left[0], EPS0 * film.permittivity.eps_r / film.thickness * (V - V[0]) + by_ions, 1e-6, moved, "theorem"
    )
    alike(np.diff(left), -np.diff(right), 1e-9, moved, "terminals")
    step = np.diff(ds.time.values)
    came = np.cumsum(ds.mean_displacement_current.values[1:] * step)
    stays = case.device.junction_area * (left[1:] - left[0]) + case.circuit.parallel_capacitance * (V[1:] - V[0])
    later = step > 0.0  # the charge of a jump belongs to the interval after it
    alike(came[later], stays[later], 1e-6, case.device.junction_area * moved, "displacement current over time")


@law(seeds=(0, 13, 18, 24, 35), needs=(of.trap,), without=(of.columns, of.kinds))
def test_electrons_on_traps_came_from_the_electrodes(data):
    """What is trapped is what both electrodes gave, and that is the current between traps and electrodes over time."""
    kinetic = [trap for trap in data["device"]["traps"] if trap.get("occupation") == "kinetic"]
    if not kinetic:
        raise NoStatement("steady traps")
    ds = run_of(data | {"record": {"profiles": 2}}, **TIGHT)
    if float(ds.trap_filling.max()) < 1e-12:
        raise NoStatement("traps that stay empty: what they hold is round-off of a share")
    gained = ds.trapped_electrons - ds.trapped_electrons[0]
    given = ds.trapped_from_left + ds.trapped_from_right
    size = float(max(abs(ds.trapped_electrons).max(), abs(ds.trapped_from_left).max()))
    alike(gained, given, 1e-6, size, "electrons on traps")


@law(
    seeds=(0, 2, 3, 4, 6, 7, 13, 25, 80),
    in_turn=(of.small_reservoirs, of.charged_kinetic_trap, of.polarisation, of.electrons),
)
def test_nothing_leaves_its_bounds(data):
    """Concentrations from none to the sites, fillings and shares from 0 to 1, polarisation within its saturation."""
    ds = run_of(data | {"record": {"profiles": 7, "profiles_at_reads": True}})
    case = parse_case(of.text_of(data))
    sites, c = np.asarray(model.sites_of_cells(case.device.film.stack, case.ions)), ds.vacancy_concentration_columns
    if case.ions.noise != "none":  # a part of a site counts as one
        per_ion = ds.cell_width.values * initial.noise_of(case, model.members(case)).area[:, None]
        sites = np.where(sites > 0.0, np.ceil(sites * per_ion * (1.0 - 1e-9)) / per_ion, 0.0)
    assert float(c.min()) >= 0.0
    assert (c.values <= sites * (1.0 + 1e-12)).all()
    for name in ("trap_filling", "trap_filling_groups", "reservoir_filling_left", "reservoir_filling_right"):
        if name in ds and ds[name].size:
            values = ds[name].values[np.isfinite(ds[name].values)]
            assert values.min(initial=0.0) >= 0.0, name
            assert values.max(initial=0.0) <= 1.0, name
    flowing = ds.read_current.values != 0.0
    assert ((ds.tunnelling_share.values[flowing] >= 0.0) & (ds.tunnelling_share.values[flowing] <= 1.0)).all()
    if "read_channel_share" in ds:
        shares = ds.read_channel_share.values[flowing]
        alike(shares.sum(axis=1), np.ones(flowing.sum()), 1e-9, what="sum of the shares of channels")
    for name in ("film_electron_sheet", "junction_temperature", "trapped_electrons"):
        if name in ds:
            assert float(ds[name].min()) >= 0.0, name
    if "polarisation" in ds:
        saturation = case.device.film.polarisation.saturation_at(case.temperature)
        assert float(abs(ds.polarisation).max()) <= saturation * (1.0 + 1e-9)
    if case.device.heat is not None:
        T = case.temperature
        off = case.numerics.rtol * KB * T**2  # of a step, by which hops over 1 eV are rtol slower
        assert float(ds.junction_temperature.min()) >= T - off


# Gauss's law


def displacement(table: Data, field):
    """D [C/m2] of a permittivity as a case states it at a field [V/m]."""
    if table["law"] == "linear":
        return EPS0 * table["eps_r"] * field
    root = math.sqrt(number(table["a"]))
    return EPS0 * (table.get("eps_inf", 0.0) * field + number(table["b"]) * np.arcsinh(field / root))


def field_of(table: Data, D: float) -> float:
    """Field [V/m] at which a permittivity has a displacement [C/m2]."""
    if table["law"] == "linear":
        return D / (EPS0 * table["eps_r"])
    return brentq(lambda x: displacement(table, x) - D, -1e12, 1e12, xtol=1e-3, rtol=1e-14)


def degenerate(eta: float, power: float) -> float:
    """Fermi-Dirac integral over x^power, over Gamma(power + 1)."""
    top = max(eta, 0.0) + 60.0
    points = [max(eta, 0.0)]
    whole = quad(lambda x: x**power * expit(eta - x), 0.0, top, points=points, limit=400, epsrel=1e-12, epsabs=0.0)[0]
    return whole / math.gamma(power + 1.0)


def bulk_of(side: Data, T: float) -> tuple[float, float]:
    """Density of states [1/m3] of a semiconductor, and its Fermi level above the band over kT."""
    of_mass = 2.0 * (2.0 * math.pi * side["mass"] * M0 * K * T / H**2) ** 1.5
    states = number(side["density_of_states"]) if "density_of_states" in side else of_mass
    doping = number(side["doping"])
    return states, brentq(lambda eta: states * degenerate(eta, 0.5) - doping, -60.0, 200.0, xtol=1e-13)


def bending_of(side: Data, D: float, T: float) -> float:
    """Band bending [eV] of an electrode at which a displacement D [C/m2] ends: D > 0 for a charge of depletion."""
    if side["kind"] == "metal":
        return number(side.get("screening_length", "0 nm")) * D / (EPS0 * side.get("relative_permittivity", 2.0))
    kT, doping, (states, bulk) = KB * T, number(side["doping"]), bulk_of(side, T)
    field = field_of(side["permittivity"], abs(D))
    work = field * abs(D) - quad(lambda x: displacement(side["permittivity"], x), 0.0, field, epsrel=1e-12)[0]

    def unbalanced(u: float) -> float:
        electrons = states * kT * (degenerate(bulk - u / kT, 1.5) - degenerate(bulk, 1.5))
        return E * (doping * u + electrons) - work

    sign = math.copysign(1.0, D)
    return sign * brentq(lambda u: unbalanced(sign * u), 0.0, 100.0 if D > 0 else 20.0, xtol=1e-12)


@law(seeds=(0, 2, 3, 4, 5, 6, 7), without=(of.columns, of.kinds, of.bound_electrons, of.noise, of.heat))
def test_the_band_is_that_of_gauss_and_of_fermi(data):
    """The band of the film by a sum of its own over the charges of a result, the bending of both electrodes by integrals.

    Film: E_C rises by the field, from the displacement at each face by the law of each layer. Electrodes: the work of the
    field in a semiconductor is that of its electrons and donors, with Fermi-Dirac integrals by quadrature.
    """
    if data["device"]["film"].get("polarisation", {}).get("law") == "nls":
        raise NoStatement("several columns")
    for trap in data["device"].get("traps", []):
        if trap.get("of") == "ions" and trap["kind"] != "none":
            raise NoStatement("an electron on a vacancy is part of no output of its own")
    ds = run_of(data, **TIGHT).isel(time=-1, snapshot=-1)
    device, T = data["device"], number(data["temperature"])
    film = device["film"]
    laws, offsets, fixed = [], [], []
    for layer in film.get("layers", [film]):
        laws += layer["cells"] * [layer["permittivity"]]
        offsets += layer["cells"] * [number(layer.get("band_offset", "0 eV"))]
        fixed += layer["cells"] * [number(layer["fixed_charge"])]
    charge = data["ions"]["charge"] * ds.vacancy_concentration.values + np.array(fixed)
    charge = E * (charge - (ds.film_electrons.values if "film_electrons" in ds else 0.0))
    charge = charge + (ds.trap_charge.values if "trap_charge" in ds else 0.0)
    width, first = ds.cell_width.values, float(ds.electrode_charge)
    D = first + np.concatenate(([0.0], np.cumsum(charge * width))) - float(ds.get("polarisation", 0.0))
    band = ds.conduction_band.values
    steps = np.array([
        0.5 * width[i] * field_of(laws[i], D[i + 1]) + 0.5 * width[i + 1] * field_of(laws[i + 1], D[i + 1])
        + offsets[i + 1] - offsets[i] for i in range(len(width) - 1)
    ])  # fmt: skip
    rough = 2e-5 * np.abs(steps).max() + 1e-6
    alike(np.diff(band), steps, 1.0, rough, "steps of the band")
    V = float(ds.junction_voltage)
    for side, inner, level, charged in (
        ("left", band[0] - 0.5 * width[0] * field_of(laws[0], D[0]), -V, first),
        ("right", band[-1] + 0.5 * width[-1] * field_of(laws[-1], D[-1]), 0.0, float(ds.right_electrode_charge)),
    ):
        table = device[side]
        base = (
            number(table["barrier"])
            if table["kind"] == "metal"
            else number(table["band_offset"]) - KB * T * bulk_of(table, T)[1]
        )
        alike(inner - level, base + bending_of(table, charged, T), 1.0, 20.0 * rough, f"band at the {side} electrode")


# rest


@law(
    without=(of.noise, of.bound_electrons, of.columns, of.kinds, of.initial, of.polarisation),
    drives=(of.rest,), in_turn=(of.nothing, of.exchange_beside_wells),
)  # fmt: skip
def test_in_equilibrium_nothing_moves_and_nothing_flows(data):
    """The electrochemical potential of the vacancies, by formula, is flat; a hold at 0 V leaves all as it is."""
    for trap in data["device"].get("traps", []):
        trap.pop("initial", None)
    ds = run_of(with_keys(data, ions__initial="equilibrium"), **TIGHT)
    assert np.abs(ds.conduction_current.values).max() <= 1e-17  # A: of the last digits of a filling
    before, after = ds.vacancy_concentration.values[0], ds.vacancy_concentration.values[-1]
    alike(after, before, 1e-5, what="vacancies at rest")
    if "trapped_electrons" in ds:
        assert np.ptp(ds.trapped_electrons.values) <= 1e-5 * ds.trapped_electrons.values.max()
    film, ions = data["device"]["film"], data["ions"]
    layers, kT = film.get("layers", [film]), KB * number(data["temperature"])
    x, c, band = ds.x.values, ds.vacancy_concentration.values[0], ds.conduction_band.values[0]
    whole, W, sites, offset, part = ds.cell_width.values.sum(), [], [], [], []
    wide = number(ions.get("well_width", "0.2 nm"))
    for m, layer in enumerate(layers):
        W += layer["cells"] * [number(layer.get("site_energy", "0 eV"))]
        sites += layer["cells"] * [
            0.0 if layer.get("ions") == "none" else number(layer.get("site_density", ions["site_density"]))
        ]
        offset += layer["cells"] * [number(layer.get("band_offset", "0 eV"))]
        part += layer["cells"] * [m]
    W = np.array(W) - number(ions.get("well_left", "0 eV")) * np.exp(-((x / wide) ** 2))
    W = W - number(ions.get("well_right", "0 eV")) * np.exp(-(((whole - x) / wide) ** 2))
    sites, there = np.array(sites), np.array(sites) > 0.0
    share = np.divide(c, sites, out=np.full_like(c, 0.5), where=there)
    there &= share < 1.0 - 1e-9  # a full cell has no level
    level = kT * np.log(np.where(there, share, 0.5) / np.where(there, 1.0 - share, 0.5)) + W
    level -= ions["charge"] * (band - np.array(offset))
    for _, group in itertools.groupby(np.flatnonzero(there), key=lambda i: i - np.flatnonzero(there).searchsorted(i)):
        cells = list(group)
        if share[cells].min() > 1e-12:
            assert np.ptp(level[cells]) < 1e-5, "electrochemical potential"


@law(without=(of.noise, of.polarisation, of.heat), drives=(of.small_signal,))
def test_in_equilibrium_a_junction_takes_power_at_any_frequency(data):
    """Re Y >= 0 at 0 V, of ions that move where that has an answer: a passive device gives no power."""
    for trap in data["device"].get("traps", []):
        trap.pop("initial", None)
    drive = data["drive"] | {"bias": ["0 V"], "frequencies": {"start": "1 mHz", "stop": "1e13 Hz", "per_decade": 1}}
    moving = of.changed(data, drive=drive | {"ions": "moving"}, ions__initial="equilibrium")
    ds = run_of(moving if of.accepted(moving) else with_keys(data, drive=drive)).squeeze()
    G, B = ds.conductance_ac.values, 2.0 * math.pi * ds.frequency.values * ds.capacitance.values
    assert (G >= -1e-10 * np.hypot(G, B)).all(), G
    assert (G > 0.0).any()


@law(
    seeds=(0, 1, *range(3, 8), 19, 113),  # the last one exchanges past a step of the band
    without=(of.noise, of.heat, of.circuit, of.trap, of.leak, of.bound_electrons, of.initial),
    drives=(of.rest,),
)
def test_the_free_energy_never_rises_at_a_constant_voltage(data):
    """The functional of `free_energy`, after each step of two holds and a rest."""
    if data["device"]["film"].get("polarisation", {}).get("law", "two-level") != "two-level":
        raise NoStatement("growth has no free energy of its own")
    case = parse_case(of.text_of(data))
    case, parts = case.replace({f"numerics.{key}": value for key, value in TIGHT.items()}), model.members(case)
    junction = model.junction(case, parts=parts)
    free = case.device.film.electrons == "none"  # electrons beside a voltage are in balance with two contacts
    try:
        run = initial.begin_case(case, junction, parts, initial.start(case, junction, parts))
        for V in (0.4, -0.7, 0.0) if free else (0.0,):
            fall = free_energy.hold(run, V, case.drive.duration)
            assert fall.rise <= fall.round_off, V
            assert fall.overshoot <= 1e-6 / free_energy.ROUND_OFF * fall.round_off, V
    except SolverError as error:
        raise NoStatement(str(error)) from error


# the rate of a trap of device 346 ends within the step of the differences; electrons screen the traps of device 368
@law(
    seeds=(*range(7), 346, 368), needs=(of.neutral_kinetic_trap,), without=(of.circuit, of.exchange, of.noise, of.heat),
    drives=(of.small_signal,),
)  # fmt: skip
def test_without_voltage_the_noise_is_that_of_nyquist(data):
    """4 kT Re Y of the traps, which is Re Y less that of the device without them; nothing flows there on the mean."""
    drive = data["drive"] | {"bias": ["0 V"]}
    ds = run_of(data | {"drive": drive}).squeeze()
    empty = [
        trap | ({"density": "0 1/m^3"} if trap.get("occupation") == "kinetic" else {})
        for trap in data["device"]["traps"]
    ]
    bare = run_of(data | {"drive": drive, "device": data["device"] | {"traps": empty}}).squeeze()
    assert float(ds.bias_current) == 0.0
    kT = KB * number(data["temperature"]) * E
    conductance = (ds.conductance_ac - bare.conductance_ac).values
    alike(ds.trap_noise, 4.0 * kT * conductance, 2e-3, float(4.0 * kT * abs(ds.conductance_ac).max()), "noise")


# the circuit


def means(rate: np.ndarray) -> np.ndarray:
    """Means of a rate between rows, as of an exponential where it keeps its sign."""
    first, last = rate[:-1], rate[1:]
    steep = (first * last > 0.0) & (np.abs(first - last) > 1e-6 * np.abs(last))
    ratio = np.divide(first, last, out=np.ones(len(last)), where=steep)
    return np.divide(first - last, np.log(ratio), out=0.5 * (first + last), where=steep)


@law(seeds=(0, 45, 50, 52, 60, 61, 76, 95), without=(of.noise,))  # where a quarter or more of the current charges
def test_what_passes_the_resistance_is_conducted_or_charges_the_junction(data):
    """By the voltages on both sides of the resistance, and by current and charge of the junction, at a constant source."""
    R = number(data.get("circuit", {}).get("series_resistance", "1e4 ohm"))
    data = with_keys(data, circuit={"series_resistance": f"{R!r} ohm"}, record={"every": "all"})
    ds = run_of(data, **TIGHT)
    t, V, V_j, conduction = (ds[name].values for name in ("time", "voltage", "junction_voltage", "conduction_current"))
    took = np.diff(t)
    passed, conducted = means((V - V_j) / R) * took, means(conduction) * took
    charged = ds.mean_displacement_current.values[1:] * took
    at_once = np.append(False, (took[:-1] == 0.0) & (np.diff(V_j)[:-1] != 0.0))  # by a jump that nothing else feels
    stays = (took > 0.0) & (np.diff(V) == 0.0) & ~at_once
    uncertain = 0.1 * TIGHT["rtol"] / R * took  # by the error of V_j
    off = np.maximum(np.abs(passed - conducted - charged) - uncertain, 0.0)[stays].sum()
    size = (np.abs(passed) + np.abs(charged))[stays].sum()
    assert off <= 0.01 * size, (off, size)

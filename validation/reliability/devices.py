"""Random devices from the whole range that cases allow, each under a random drive.

A device is a row of a scrambled Sobol sequence, whose columns are named by `SHARES`. Voltages are drawn as mean fields, and
densities as the field of the charge of the vacancies. So both fields stay below 2e9 V/m at any thickness, which is four
times the breakdown field of the best oxides. A device is written as the text of a case, and treated like any case file.
"""

import math
import time
from typing import NamedTuple

import numpy as np

LARGEST_FIELD = 2e9  # V/m: of the voltage over the film, and of the charge in it
MOST_SITES = 0.9  # largest mean share of the sites that vacancies occupy
KT = 8.617333262e-5  # eV/K
ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY = 1.602176634e-19, 8.8541878128e-12
SHARES = (
    "temperature thickness cells grading film_law film_eps film_bend fixed mass radius fraction transmission "
    "left left_barrier left_screening left_doping left_eps right right_barrier right_screening right_doping right_eps "
    "z charge_field crowding law hop attempt diffusivity prefactor well_left well_right well_width initial "
    "columns resistance compliance field_1 field_2 sign time_1 time_2 time_3 rise rtol"
).split()
TRAIN = 25  # pulses of a train
PADDED = ("band_", "spectrum_")  # beginnings of names of variables whose rows may differ in length
OF_A_CURRENT = ("read_resistance", "tunnelling_share", "transport_energy")
TOLD = (" t = ", " V = ", " x = ", " step ", " last error norm ", "Try: ", ", or ")  # parts of the message of a failure


class Shares(NamedTuple):
    """One device: a random number from 0 to 1 for each name of SHARES."""

    of: dict

    def between(self, name: str, low: float, high: float) -> float:
        return low + (high - low) * self.of[name]

    def decades(self, name: str, low: float, high: float) -> float:
        return low * (high / low) ** self.of[name]

    def choice(self, name: str, *values):
        return values[min(int(self.of[name] * len(values)), len(values) - 1)]


def drawn(count: int, seed: int) -> list[Shares]:
    """Rows of a scrambled Sobol sequence."""
    from scipy.stats import qmc

    whole = 1 << (count - 1).bit_length()
    cube = qmc.Sobol(len(SHARES), rng=np.random.default_rng(seed)).random(whole)[:count]
    return [Shares(dict(zip(SHARES, row.tolist(), strict=True))) for row in cube]


def permittivity(law: str, at_zero: float, bend: float) -> tuple[str, float]:
    """TOML table of a permittivity, and the displacement [C/m2] at LARGEST_FIELD. bend : field [V/m] of the nonlinearity"""
    if law == "linear":
        return f'{{law = "linear", eps_r = {at_zero:.6g}}}', VACUUM_PERMITTIVITY * at_zero * LARGEST_FIELD
    floor = 0.05 * at_zero + 1.0
    b = (at_zero - floor) * bend
    table = f'{{law = "nonlinear", b = "{b:.6e} V/m", a = "{bend**2:.6e} V^2/m^2", eps_inf = {floor:.6g}}}'
    return table, VACUUM_PERMITTIVITY * (floor * LARGEST_FIELD + b * math.asinh(LARGEST_FIELD / bend))


def electrode(u: Shares, side: str) -> str:
    """TOML table of an electrode, metal or semiconductor."""
    if u.choice(side, "metal", "semiconductor") == "metal":
        screening = max(0.0, u.between(f"{side}_screening", -0.1, 0.1))
        barrier = u.between(f"{side}_barrier", 0.2, 2.0)
        return f'{{kind = "metal", barrier = "{barrier:.6g} eV", screening_length = "{screening:.6g} nm"}}'
    eps, _ = permittivity(u.choice(f"{side}_screening", "linear", "nonlinear"), u.decades(f"{side}_eps", 10, 300), 5e7)
    offset = u.between(f"{side}_barrier", -0.3, 1.5)
    doping = u.decades(f"{side}_doping", 1e22, 1e27)
    bulk = f'doping = "{doping:.6e} 1/m^3", permittivity = {eps}'
    return f'{{kind = "semiconductor", band_offset = "{offset:.6g} eV", {bulk}}}'


def ions(u: Shares, T: float, thickness: float, largest: float) -> tuple[str, float]:
    """TOML table of the ions, and their density [1/m3]. largest : displacement [C/m2] of LARGEST_FIELD in the film"""
    z = u.choice("z", 1, 2, 2, 3)
    density = largest * u.decades("charge_field", 1e-4, 1.0) / (z * ELEMENTARY_CHARGE * thickness)
    sites = density / u.decades("crowding", 1e-5, MOST_SITES)
    prefactor, D0 = u.decades("prefactor", 1e-8, 1e-2), u.decades("diffusivity", 1e-30, 1e-10)
    barrier = KT * T * math.log(prefactor / D0)
    history = '{history = [{voltage = "0.3 V", duration = "1 us"}]}'
    return (
        f"""[ions]
charge = {z}
density = "{density:.6e} 1/m^3"
site_density = "{min(sites, 1e30):.6e} 1/m^3"
law = "{u.choice("law", "linear", "mott-gurney", "genreith-schriever")}"
hop_distance = "{u.between("hop", 0.1, 1.0):.6g} nm"
attempt_frequency = "{u.decades("attempt", 1e11, 1e14):.6e} Hz"
activation_energy = "{barrier:.6g} eV"
prefactor = "{prefactor:.6e} m^2/s"
well_left = "{u.between("well_left", -0.3, 1.3):.6g} eV"
well_right = "{u.between("well_right", -0.3, 1.3):.6g} eV"
well_width = "{u.decades("well_width", 0.1, 2.0):.6g} nm"
initial = {u.choice("initial", '"uniform"', '"uniform"', '"equilibrium"', history)}
""",
        density,
    )


def heights(u: Shares, thickness: float):
    """Number (1 or 2) and voltage [V] of two pulses of random height and opposite sign."""
    sign = u.choice("sign", 1.0, -1.0)
    for k, side in ((1, sign), (2, -sign)):
        yield k, side * min(u.decades(f"field_{k}", 1e7, LARGEST_FIELD) * thickness, 100.0)


def pulses(u: Shares, thickness: float) -> str:
    """Two pulses of random height, length and rise time with a read after each, and a rest."""
    parts = []
    for k, voltage in heights(u, thickness):
        width = u.decades(f"time_{k}", 1e-9, 1e3)
        rise = u.choice("rise", 0.0, 0.1, 0.0, 1.0) * width
        edges = f'rise = "{rise:.6e} s", fall = "{rise:.6e} s", ' if rise else ""
        parts.append(f'{{kind = "pulse", voltage = "{voltage:.6g} V", width = "{width:.6e} s", {edges}read = {{}}}}')
    rest = u.decades("time_3", 1e-6, 1e4)
    parts.append(f'{{kind = "hold", voltage = "0 V", duration = "{rest:.6e} s"}}')
    return f'drive = {{kind = "sequence", parts = [{", ".join(parts)}]}}'


def trains(u: Shares, thickness: float) -> str:
    """Two trains of TRAIN pulses of random height and length with a read after each, in which errors can add up."""
    parts = []
    for k, voltage in heights(u, thickness):
        # leaves time for a read of 1 us; the shortest pulse is still resolved in the time at the end of the longest train
        width = u.decades(f"time_{k}", 1e-8, 1e2)
        period = width + u.decades("time_3", 2e-6, 1e3)
        timed = f'width = "{width:.12e} s", period = "{period:.12e} s", count = {TRAIN}'
        parts.append(f'{{kind = "train", voltage = "{voltage:.6g} V", {timed}, read_each = true}}')
    return f'drive = {{kind = "sequence", parts = [{", ".join(parts)}]}}'


def text(u: Shares, number: int, drive=pulses) -> str:
    """Case of a row. drive : `pulses` or `trains`"""
    T, thickness = u.between("temperature", 100.0, 600.0), u.decades("thickness", 1e-9, 50e-9)
    film, largest = permittivity(
        u.choice("film_law", "linear", "nonlinear", "nonlinear"), u.decades("film_eps", 5, 300),
        u.decades("film_bend", 1e7, 1e9),
    )  # fmt: skip
    vacancies, density = ions(u, T, thickness, largest)
    compensated = max(0.0, u.between("fixed", -0.5, 1.0))
    fixed = -min(compensated * density * u.choice("z", 1, 2, 2, 3), 1e29)
    resistance = max(0.0, u.between("resistance", -9.0, 9.0))
    circuit = f'series_resistance = "{10 ** (resistance - 2):.6g} ohm"\n' if resistance else ""
    limit = u.between("compliance", -18.0, -1.0)
    circuit += f'compliance = "{10**limit:.6e} A"\n' if limit > -8.0 else ""
    count = u.choice("columns", 1, 1, 1, 3)
    columns = f'columns = {{count = {count}, spread = {{"ions.activation_energy" = "10 meV"}}}}\n' if count > 1 else ""
    return f"""title = "device {number}"
temperature = "{T:.6g} K"
{drive(u, thickness)}
{columns}[numerics]
rtol = {u.decades("rtol", 1e-6, 1e-2):.6g}
[circuit]
{circuit}[device]
radius = "{u.decades("radius", 20e-9, 50e-6) * 1e9:.6g} nm"
conducting_fraction = {u.decades("fraction", 1e-5, 1.0):.6g}
transmission = "{u.choice("transmission", "transfer-matrix", "wkb")}"
left = {electrode(u, "left")}
right = {electrode(u, "right")}
[device.film]
thickness = "{thickness * 1e9:.6g} nm"
cells = {u.choice("cells", 16, 32, 64, 140)}
grading = {u.decades("grading", 1.0, 50.0):.6g}
permittivity = {film}
fixed_charge = "{fixed:.6e} 1/m^3"
tunnelling_mass = {u.decades("mass", 0.1, 3.0):.6g}
{vacancies}"""


def in_trains(u: Shares, number: int) -> str:
    """Case of a row under trains of pulses."""
    return text(u, number, trains)


def with_electrons(u: Shares, number: int) -> str:
    """Case of a row with electrons in the film, whose mass grows with the density of states."""
    states = u.decades("mass", 1e24, 1e27)
    film = f'[device.film]\nelectrons = "balance"\ndensity_of_states = "{states:.6e} 1/m^3"\n'
    return text(u, number).replace("[device.film]\n", film)


def random_stack(number: int, rows: list[Shares]):
    """Junction with electrons in its film, vacancies (N,) [1/m3], and voltage [V] of a row: 100 to 500 K, -3 to 3 V."""
    from otjdd.case.case import parse_case
    from otjdd.compiler.pointer_tuples import Row
    from otjdd.mechanisms.electrons.density import film_electrons
    from otjdd.solver import model

    u = Shares(rows[number].of | {"temperature": 0.8 * rows[number].of["temperature"], "columns": 0.0})
    case, rng = parse_case(text(u, number)), np.random.default_rng(number)
    junction = model.junction(case)
    width = junction.columns.width[0]
    c = 2e26 * np.exp(rng.standard_normal(width.size)) if number % 2 else np.ones(width.size)
    c *= case.ions.density * width.sum() / (c * width).sum()
    V, states = rng.uniform(-3.0, 3.0), 10 ** rng.uniform(24, 27)
    return junction._replace(electrons=Row([film_electrons(states)])), np.minimum(c, 0.99 * case.ions.site_density), V


class Fate(NamedTuple):
    """Outcome of a device: "solved", "stopped" with a reason and a partial result, or a fault.

    what : the reason, or a description of the fault
    """

    number: int
    kind: str
    what: str
    seconds: float


def fate(number: int, case_text: str) -> Fate:
    """Simulate the text of a case and check the result."""
    from otjdd.case.case import parse_case
    from otjdd.errors import SolverError
    from otjdd.solver import simulate

    began = time.perf_counter()
    try:
        kind, what = "solved", holes(simulate.simulate_junction(parse_case(case_text)))
        kind = "not a number" if what else kind
    except SolverError as error:
        whole = error.partial is not None and not holes(error.partial) and all(w in str(error) for w in TOLD)
        kind, what = ("stopped", error.reason) if whole else ("stopped without a result or a word", str(error))
    except Exception as error:
        kind, what = "exception", f"{type(error).__name__}: {error}"[:300]
    return Fate(number, kind, what, time.perf_counter() - began)


def holes(ds) -> str:
    """Names of variables with a nan that is not allowed.

    Allowed are nan after the end of a shorter row, and in resistance and energy of a read without current.
    """
    nothing = ds.read_current.values == 0.0
    found = []
    for name, variable in ds.variables.items():
        if variable.dtype.kind != "f":
            continue
        values = variable.values
        if name in OF_A_CURRENT:
            values = values[~nothing]
        elif name.startswith(PADDED) and filled_up(values):
            continue
        if not np.isfinite(values).all():
            found.append(str(name))
    return " ".join(found)


def filled_up(values) -> bool:
    """True if each row holds numbers, and nan only after its last number."""
    missing = np.isnan(values)
    at_end = missing == np.maximum.accumulate(missing, axis=-1)
    return bool(at_end.all() and not missing[..., :1].any() and not np.isinf(values).any())


def fates(count: int, seed: int, limit: float, workers: int = 1, simulated=fate, written=text):
    """Fates of devices, each in its own process with a time limit [s].

    simulated : function of (number, text of the case)   written : `text` or `with_electrons`
    """
    from otjdd.system.pool import team

    def lost(arguments, error) -> Fate:
        if isinstance(error, TimeoutError):
            return Fate(arguments[0], "hang", f"over {limit:g} s", limit)
        return Fate(arguments[0], "crash", str(error), math.nan)

    jobs = ((number, written(u, number)) for number, u in enumerate(drawn(count, seed)))
    with team(workers, apart=True) as spread:
        yield from in_order(spread(simulated, jobs, limit=limit, lost=lost))


def in_order(found):
    """Results of the pairs (number, result) in the order of the numbers, each as soon as possible."""
    early, following = {}, 0
    for number, result in found:
        early[number] = result
        while following in early:
            yield early.pop(following)
            following += 1

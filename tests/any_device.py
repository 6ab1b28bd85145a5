"""Any device: random features on a random stack, by a seed, as the data of a case file.

A feature is a function that adds its keys to the data of a case. Features are tried in random order, each with even odds;
one that the case refuses beside those before it is left out, so that no rule of a case stands here twice. All times of a
device follow one time, that of its drive, and the voltages are a few tenths of a volt to some volts, so that ions move,
traps fill and polarisation switches within some hundred time steps.
"""

import copy
import itertools
import math
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case, parse_case
from otjdd.errors import CaseError
from otjdd.runs.run import check_inputs

Data = dict[str, Any]  # of a case file, as TOML has it
KT, H = 8.617333262e-5, 4.135667696e-15  # eV/K, eV s
Path = tuple[str | int, ...]


class Draw:
    """Random numbers of a device, and the time [s] and the thermal energy [eV] that its features follow."""

    def __init__(self, seed: int, salt: str):
        self.rng = np.random.default_rng([seed, zlib.crc32(salt.encode())])
        self.T, self.time, self.thickness = self.real(230, 420), self.decades(1e-7, 1e-3), self.real(2e-9, 4e-9)
        self.kT = KT * self.T

    def real(self, low: float, high: float) -> float:
        return float(f"{self.rng.uniform(low, high):.5g}")

    def decades(self, low: float, high: float) -> float:
        return float(f"{low * (high / low) ** self.rng.random():.5g}")

    def of(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def odds(self, share: float) -> bool:
        return bool(self.rng.random() < share)


def nm(length: float) -> str:
    return f"{length * 1e9:.6g} nm"


def seconds(time: float) -> str:
    return f"{time:.6g} s"


def volts(V: float) -> str:
    return f"{V:.5g} V"


def ev(energy: float) -> str:
    return f"{energy:.6g} eV"


def per_m3(density: float) -> str:
    return f"{density:.6g} 1/m^3"


def number(text: str) -> float:
    """The number of a quantity as written here, in SI and eV."""
    value, unit = text.split(maxsplit=1)
    return float(value) * {"nm": 1e-9, "meV": 1e-3, "A/cm^2/K^2": 1e4}.get(unit, 1.0)


def permittivity(draw: Draw, high: float = 80.0) -> Data:
    at_zero = draw.real(8, high)
    if draw.odds(0.5):
        return {"law": "linear", "eps_r": at_zero}
    bend, floor = draw.decades(3e7, 1e9), draw.real(4, 8)
    return {
        "law": "nonlinear", "b": f"{(at_zero - floor) * bend:.6g} V/m", "a": f"{bend**2:.6g} V^2/m^2", "eps_inf": floor,
    }  # fmt: skip


def metal(draw: Draw) -> Data:
    screened = {"screening_length": nm(draw.real(2e-11, 8e-11)), "relative_permittivity": draw.real(1.5, 6)}
    barrier, depth = draw.real(0.6, 1.4), draw.real(2, 8)
    of_metal = {"kind": "metal", "barrier": ev(barrier), "mass": draw.real(0.7, 1.5), "band_depth": ev(depth)}
    return of_metal | (screened if draw.odds(0.5) else {})


def semiconductor(draw: Draw) -> Data:
    doping, states = draw.decades(1e25, 3e26), draw.decades(3e25, 5e26)
    return {
        "kind": "semiconductor", "band_offset": ev(draw.real(0.1, 0.8)), "doping": per_m3(doping),
        "permittivity": permittivity(draw, 300.0), "mass": draw.real(0.5, 3),
    } | ({"density_of_states": per_m3(states)} if draw.odds(0.5) else {})  # fmt: skip


def diffusion(draw: Draw) -> Data:
    """Barrier and prefactor by which ions cross the film in the time of the drive, or in a hundred times of it."""
    prefactor = draw.decades(1e-8, 1e-6)
    D = draw.thickness**2 / draw.time * draw.decades(1e-2, 1.0)
    return {"activation_energy": ev(draw.kT * math.log(prefactor / D)), "prefactor": f"{prefactor:.6g} m^2/s"}


def stack(draw: Draw) -> Data:
    """A film between two electrodes, with ions that are free to move."""
    density, charge = draw.decades(3e24, 3e26), int(draw.of(1, 2, 2, 3))
    return {
        "title": "any device",
        "temperature": f"{draw.T:.6g} K",
        "device": {
            "radius": nm(draw.decades(1e-7, 5e-6)),
            "conducting_fraction": draw.of(1.0, draw.decades(1e-3, 1.0)),
            "richardson": f"{draw.decades(10, 300):.5g} A/cm^2/K^2",
            "transmission": draw.of("transfer-matrix", "wkb"),
            "left": metal(draw) if draw.odds(0.6) else semiconductor(draw),
            "film": {
                "thickness": nm(draw.thickness),
                "cells": int(draw.rng.integers(12, 17)),
                "grading": draw.real(1, 4),
                "permittivity": permittivity(draw),
                "fixed_charge": per_m3(draw.of(0.0, -draw.real(0.2, 1.0) * charge * density, draw.real(0, 1e25))),
                "tunnelling_mass": draw.real(0.15, 0.8),
            },
            "right": metal(draw) if draw.odds(0.5) else semiconductor(draw),
        },
        "ions": {
            "charge": charge,
            "density": per_m3(density),
            "site_density": per_m3(density * draw.decades(5, 300)),
            "law": draw.of("linear", "mott-gurney", "genreith-schriever"),
            "hop_distance": nm(draw.real(2e-10, 6e-10)),
            **diffusion(draw),
        },
        "drive": {"kind": "hold", "voltage": "0 V", "duration": seconds(draw.time)},
    }


# features


def electrons(draw: Draw, data: Data) -> None:
    film = data["device"]["film"]
    film["electrons"] = "balance"
    for layer in film.get("layers", [film]):
        layer["density_of_states"] = per_m3(draw.decades(1e25, 3e26))


def heat(draw: Draw, data: Data) -> None:
    of = {"of": draw.of("junction", "columns"), "share": draw.of(1.0, draw.real(0.2, 1.0))}
    data["device"]["heat"] = (
        of
        | {"resistance": f"{draw.decades(1e2, 1e5):.5g} K/W"}
        | draw.of(
            {"time_constant": seconds(draw.time * draw.decades(1e-3, 1e-1))},
            {"capacity": f"{draw.decades(1e-17, 1e-15):.5g} J/K"},
        )
    )


def polarisation(draw: Draw, data: Data) -> None:
    table = {"saturation": f"{draw.decades(1e-3, 3e-2):.5g} C/m^2", "initial": draw.real(-0.9, 0.9)}
    if draw.odds(0.5):
        table["offset_field"] = f"{draw.real(-3e7, 3e7):.5g} V/m"
    if draw.odds(0.4):
        barrier = draw.kT * math.log(draw.kT / H * draw.time * draw.decades(1e-2, 1.0))
        law = {"law": "two-level", "barrier": ev(barrier), "dipole_length": nm(draw.decades(3e-10, 2e-9))}
    else:
        law = {
            "law": draw.of("merz-kai", "nls"), "time": seconds(draw.time * draw.decades(1e-4, 1e-2)),
            "activation_field": f"{draw.decades(1e8, 1e9):.5g} V/m", "dimension": draw.real(1, 3),
            "exponent": draw.of(1.0, draw.real(0.8, 1.5)),
        }  # fmt: skip
    if law["law"] == "nls":
        spread_of(data)["device.film.polarisation.time"] = {"law": "log-normal", "factor": draw.real(2, 6)}
        data["columns"]["count"] = 3
    data["device"]["film"]["polarisation"] = table | law


def layers(draw: Draw, data: Data) -> None:
    device, whole = data["device"], data["device"]["film"]
    own = ("thickness", "cells", "grading", "permittivity", "fixed_charge", "tunnelling_mass", "density_of_states")
    stacked = []
    for number in range(draw.of(1, 2, 2, 3)):
        layer = {key: whole[key] for key in own if key in whole} if number == 0 else {
            "thickness": nm(draw.real(0.6e-9, 1.6e-9)), "grading": draw.real(1, 4), "permittivity": permittivity(draw),
            "fixed_charge": per_m3(draw.of(0.0, draw.real(-1e25, 1e25))), "tunnelling_mass": draw.real(0.15, 0.8),
            "band_offset": ev(draw.real(-0.3, 0.3)),
        }  # fmt: skip
        layer["cells"] = int(draw.rng.integers(5, 8))
        if number and draw.odds(0.3):
            layer["ions"] = "none"
        else:
            rises = {"site_energy": ev(draw.real(-0.1, 0.1)), "hop_distance": nm(draw.real(2e-10, 6e-10))}
            layer |= {key: value for key, value in (rises | diffusion(draw)).items() if draw.odds(0.5)}
        if "density_of_states" in whole:
            layer["density_of_states"] = per_m3(draw.decades(1e25, 3e26))
        stacked.append(layer)
    for left, right in itertools.pairwise(stacked):
        if "ions" not in left and "ions" not in right and draw.odds(0.5):
            left["interface_barrier"] = ev(draw.kT * math.log(1e13 * draw.time * draw.decades(1e-3, 1.0)))
    device["film"] = {"layers": stacked} | {key: whole[key] for key in ("electrons",) if key in whole}


def leak(draw: Draw, data: Data) -> None:
    dynamic = draw.real(4, 10)
    kinds = [
        {"kind": "ohmic", "conductance": f"{draw.decades(1e1, 1e6):.5g} S/m^2"},
        {"kind": "poole-frenkel", "conductivity": f"{draw.decades(1e-4, 1e-1):.5g} S/m",
         "barrier": ev(draw.real(0.3, 0.8)), "permittivity": dynamic},
        {"kind": "schottky", "left_barrier": ev(draw.real(0.3, 0.9)), "right_barrier": ev(draw.real(0.3, 0.9)),
         "richardson": f"{draw.decades(1e-3, 1):.5g} A/cm^2/K^2", "permittivity": dynamic},
    ]  # fmt: skip
    count = draw.of(1, 1, 2)
    chosen = draw.rng.permutation(3)[:count]
    data["device"]["leaks"] = [kinds[i] for i in chosen]


def trap(draw: Draw, data: Data) -> None:
    listed = data["device"].setdefault("traps", [])
    table = {
        "name": f"trap {len(listed)}", "kind": draw.of("none", "none", "acceptor", "donor"),
        "depth": ev(draw.real(0.3, 1.2)), "attempt_frequency": f"{draw.decades(1e11, 1e13):.5g} Hz",
    }  # fmt: skip
    if draw.odds(0.75):
        table["density"] = per_m3(draw.decades(1e23, 2e25))
    else:
        table |= {"of": "ions", "per_ion": draw.decades(0.01, 1.0)}
    if draw.odds(0.6):
        table["occupation"] = "kinetic"
        table |= draw.of({}, {"initial": draw.of("empty", "full", draw.real(0, 1))})
    elif draw.odds(0.3):
        table["hop_frequency"] = f"{draw.decades(1e11, 1e13):.5g} Hz"
    if draw.odds(0.6):
        table["relaxation_energy"] = ev(draw.real(0.05, 0.8))
    if draw.odds(0.3) and "hop_frequency" not in table:
        table["depth_spread"] = ev(draw.real(0.01, 0.06))
    if draw.odds(0.3):
        table["degeneracy"] = draw.of(2.0, 0.5)
    if draw.odds(0.2):
        table["frenkel_permittivity"] = draw.real(4, 10)
    film = data["device"]["film"]
    if draw.odds(0.3):
        table |= {"position": nm(draw.real(0.4, 0.6) * draw.thickness), "width": nm(draw.real(0.2, 0.6) * 1e-9)}
    elif "layers" in film and draw.odds(0.5):
        table["layer"] = int(draw.rng.integers(len(film["layers"])))
    listed.append(table)


def exchange(draw: Draw, data: Data) -> None:
    density, rate = float(data["ions"]["density"].split()[0]), draw.decades(1e-2, 10.0)
    for side in draw.of(("left",), ("right",), ("left", "right")):
        table = {"rate": f"{draw.thickness / draw.time * rate:.5g} m/s"}
        table["equilibrium_density"] = per_m3(density * draw.decades(0.3, 3.0))
        if draw.odds(0.5):
            holds = density * 3.0 * draw.thickness * draw.decades(1.0, 10.0)
            table |= {"capacity": f"{holds:.5g} 1/m^2", "initial_filling": draw.real(0.1, 0.9)}
        if draw.odds(0.3):
            table["transfer_coefficient"] = draw.real(0, 1)
        if draw.odds(0.3):
            table |= {
                "activation_energy": ev(0.3),
                "rate": f"{draw.thickness / draw.time * math.exp(0.3 / draw.kT):.5g} m/s",
            }
            table |= {"hop_distance": nm(draw.real(1e-10, 4e-10))}
        data["device"][side]["exchange"] = table


def noise(draw: Draw, data: Data) -> None:
    data["ions"] |= {"noise": "shot", "seed": int(draw.rng.integers(1000))}
    data["device"] |= {"radius": nm(draw.real(2e-8, 8e-8)), "conducting_fraction": 1.0}


def wells(draw: Draw, data: Data) -> None:
    depths = {"well_left": ev(draw.real(-0.1, 0.4)), "well_right": ev(draw.real(-0.1, 0.4))}
    data["ions"] |= depths | {"well_width": nm(draw.real(1e-10, 5e-10))}


def rise(draw: Draw, data: Data) -> None:
    data["ions"]["activation_energy_rise"] = ev(draw.real(-0.08, 0.08))


def bound_electrons(draw: Draw, data: Data) -> None:
    data["ions"]["ionisation_energy"] = ev(draw.real(-0.1, 0.2))


def image(draw: Draw, data: Data) -> None:
    data["device"]["film"]["image_permittivity"] = draw.real(4, 10)


def circuit(draw: Draw, data: Data) -> None:
    options = {
        "series_resistance": f"{draw.decades(1e1, 1e6):.5g} ohm",
        "parallel_capacitance": f"{draw.decades(1e-15, 1e-11):.5g} F",
        "compliance": f"{draw.decades(1e-9, 1e-5):.5g} A",
        "range": f"{draw.decades(1e-9, 1e-5):.5g} A",
        "time_constant": seconds(draw.time * draw.decades(1e-4, 1e-1)),
    }
    data["circuit"] = {key: value for key, value in options.items() if draw.odds(0.5)}


def spread_of(data: Data) -> Data:
    return data.setdefault("columns", {}).setdefault("spread", {})


def columns(draw: Draw, data: Data) -> None:
    widths = {
        "ions.activation_energy": f"{draw.real(5, 30):.4g} meV",
        "ions.density": {"law": "log-normal", "factor": draw.real(1.05, 1.5)},
        "ions.well_left": f"{draw.real(5, 30):.4g} meV",
        "device.left.barrier": f"{draw.real(5, 30):.4g} meV",
        "device.film.thickness": {"law": "uniform", "width": nm(draw.real(0.02, 0.1) * 1e-9)},
    }
    key = draw.of(*widths)
    spread_of(data)[key] = widths[key]
    data["columns"] |= {"count": draw.of(2, 3)} | draw.of(
        {}, {"nodes": "gauss-legendre"}, {"nodes": "draws", "seed": 3}
    )


def kinds(draw: Draw, data: Data) -> None:
    share = draw.real(0.05, 0.6)
    changes = {"ions.activation_energy": ev(float(data["ions"]["activation_energy"].split()[0]) - draw.real(0.0, 0.05))}
    if data["device"]["left"]["kind"] == "metal":
        changes["device.left.barrier"] = ev(draw.real(0.5, 1.2))
    data.setdefault("columns", {})["kinds"] = [
        {"name": "some", "share": share, "set": changes}, {"name": "rest", "share": draw.of(1.0 - share, 0.3)},
    ]  # fmt: skip


def initial(draw: Draw, data: Data) -> None:
    history = {"history": [{"voltage": volts(draw.real(-1, 1)), "duration": seconds(draw.time * draw.real(0.1, 1))}]}
    data["ions"]["initial"] = draw.of("equilibrium", history)


def neutral_kinetic_trap(draw: Draw, data: Data) -> None:
    trap(draw, data)
    table = data["device"]["traps"][-1]
    for key in ("of", "per_ion", "hop_frequency", "initial"):
        table.pop(key, None)
    table |= {"kind": "none", "occupation": "kinetic", "density": per_m3(draw.decades(1e24, 3e25))}


def charged_kinetic_trap(draw: Draw, data: Data) -> None:
    neutral_kinetic_trap(draw, data)
    data["device"]["traps"][-1]["kind"] = draw.of("acceptor", "donor")


def small_reservoirs(draw: Draw, data: Data) -> None:
    """Of as much as the film holds or far less, at both electrodes."""
    density = float(data["ions"]["density"].split()[0])
    for side in ("left", "right"):
        holds = density * draw.thickness * draw.decades(0.01, 2.0)
        data["device"][side]["exchange"] = {
            "rate": f"{draw.thickness / draw.time * draw.decades(1.0, 100.0):.5g} m/s",
            "equilibrium_density": per_m3(density * draw.decades(0.1, 3.0)), "capacity": f"{holds:.5g} 1/m^2",
            "initial_filling": draw.real(0.1, 0.9),
        }  # fmt: skip


def reservoir_that_runs_out(draw: Draw, data: Data) -> None:
    """Behind a wall far faster than hops; a voltage empties or fills it, from the film or from the other electrode."""
    sheet, empties = float(data["ions"]["density"].split()[0]) * draw.thickness, draw.odds(0.6)
    side, other = draw.of(("left", "right"), ("right", "left"))
    wall = {"rate": f"{draw.thickness / draw.time * draw.decades(1e2, 1e6):.5g} m/s"}
    wall["equilibrium_density"] = per_m3(sheet / draw.thickness * draw.decades(1e-3, 3.0))
    filling = draw.decades(0.02, 0.5)
    few = {
        "capacity": f"{sheet * draw.real(1.02, 1.5):.5g} 1/m^2",
        "initial_filling": filling if empties else 1 - filling,
    }
    data["device"][side]["exchange"] = wall | few
    if draw.odds(0.5):
        data["device"][other]["exchange"] = wall | draw.of({}, {"capacity": f"{30 * sheet:.5g} 1/m^2"})
    V = draw.real(0.5, 1.5) * (-1 if empties == (side == "left") else 1)
    points = [(0.0, V), (draw.time, V), (draw.time, 0.0), (2.0 * draw.time, 0.0)]
    data["drive"] = {"kind": "table", "points": [[seconds(at), volts(to)] for at, to in points]}


def electrons_on_vacancies(draw: Draw, data: Data) -> None:
    electrons(draw, data)
    bound_electrons(draw, data)


def exchange_beside_wells(draw: Draw, data: Data) -> None:
    """Of one electrode, whose level the film comes to."""
    wells(draw, data)
    exchange(draw, data)
    if "exchange" in data["device"]["left"]:
        data["device"]["right"].pop("exchange", None)


def nothing(draw: Draw, data: Data) -> None:
    """In turn with others: any device."""


def two_films_of_electrons(draw: Draw, data: Data) -> None:
    """Cold layers, each beside an oxide that gives it electrons: some ramps take one of two balances along."""
    device, oxide = data["device"], {"law": "linear", "eps_r": 20}
    for side, offset, doping in (("left", 0.02, 7.5e25), ("right", 0.42, 4.5e24)):
        device[side] = {
            "kind": "semiconductor", "band_offset": ev(offset), "doping": per_m3(doping * draw.real(0.9, 1.1)),
            "permittivity": oxide,
        }  # fmt: skip
    first = {
        "thickness": nm(draw.real(1.95e-9, 2.2e-9)),
        "permittivity": oxide,
        "fixed_charge": per_m3(0.0),
        "cells": 12,
    }
    second = {
        "thickness": nm(draw.real(1.8e-9, 2e-9)), "permittivity": {"law": "linear", "eps_r": draw.real(57, 63)},
        "fixed_charge": per_m3(-9e24), "band_offset": ev(draw.real(0.37, 0.41)), "cells": 12,
        "density_of_states": per_m3(draw.real(3.8e25, 4.2e25)),
    }  # fmt: skip
    device["film"] = {"layers": [first, second], "electrons": "balance"}
    data |= {"temperature": f"{draw.real(190, 205)} K"}
    data["ions"] |= {"charge": 2, "density": per_m3(draw.real(1.6e26, 1.8e26)), "site_density": per_m3(3.4e28)}
    V = draw.real(1.5, 1.65)
    data["drive"] = {"kind": "table", "points": [["0 s", "0 V"], [seconds(draw.time), volts(-V)]]}


def material(draw: Draw, data: Data) -> None:
    data["device"]["left"]["material"] = "Pt"


# drives


def a_read(draw: Draw) -> Data:
    return {
        "voltage": volts(draw.of(0.1, -0.2)),
        "duration": seconds(0.02 * draw.time),
        "delay": seconds(0.01 * draw.time),
    }


def hold(draw: Draw) -> Data:
    marks = sorted(draw.real(0.1, 0.9) * draw.time for _ in range(2))
    marks = [marks[0], max(marks[1], marks[0] + 0.1 * draw.time)]
    return {
        "kind": "hold", "voltage": volts(draw.real(-1.2, 1.2)), "duration": seconds(draw.time),
        "reads_at": [seconds(t) for t in marks], "read": a_read(draw),
    }  # fmt: skip


def steps(draw: Draw) -> Data:
    levels = [volts(draw.real(-1.2, 1.2)) for _ in range(3)]
    return {"kind": "steps", "voltages": levels, "width": seconds(0.3 * draw.time), "read_each": draw.odds(0.7)}


def pulse(draw: Draw) -> Data:
    edge = draw.of(0.0, 0.05, 0.3) * draw.time
    return {
        "kind": "pulse", "voltage": volts(draw.of(-1, 1) * draw.real(0.4, 1.6)), "width": seconds(draw.time * 0.6),
        "rise": seconds(edge), "fall": seconds(edge), "wait": seconds(draw.of(0.0, 0.2) * draw.time),
        "base": volts(draw.of(0.0, draw.real(-0.1, 0.1))), "read": a_read(draw),
    }  # fmt: skip


def train(draw: Draw) -> Data:
    return {
        "kind": "train", "voltage": volts(draw.of(-1, 1) * draw.real(0.4, 1.6)), "width": seconds(0.1 * draw.time),
        "count": 3, "period": seconds(0.3 * draw.time), "read_each": True, "read": a_read(draw),
    }  # fmt: skip


def write_read_loop(draw: Draw) -> Data:
    V = draw.of(-1, 1) * draw.real(0.5, 1.2)
    return {
        "kind": "write-read-loop", "path": ["0 V", volts(V), volts(-V), "0 V"], "step": volts(abs(V) / 2),
        "width": seconds(draw.time / 8), "wait": seconds(draw.time / 50), "read": a_read(draw),
    }  # fmt: skip


def triangle(draw: Draw) -> Data:
    V = draw.of(-1, 1) * draw.real(0.4, 1.2)
    path = {
        "kind": "triangle",
        "path": ["0 V", volts(V), volts(-V), "0 V"],
        "rate": f"{4 * abs(V) / draw.time:.6g} V/s",
    }
    return path | ({"step": volts(abs(V) / 8)} if draw.odds(0.5) else {})


def table(draw: Draw) -> Data:
    """Ramps, plateaus and a jump, with reads within them, at a breakpoint, and at the jump."""
    t = draw.time
    V = [draw.real(-1.2, 1.2) for _ in range(3)]
    points = [(0.0, 0.0), (0.1 * t, V[0]), (0.4 * t, V[0]), (0.4 * t, V[1]), (0.7 * t, V[2]), (t, V[2])]
    return {
        "kind": "table", "points": [[seconds(at), volts(v)] for at, v in points],
        "reads_at": [seconds(share * t) for share in (0.05, 0.2, 0.4, 0.55, 1.0)],
    }  # fmt: skip


def sequence(draw: Draw) -> Data:
    first, second = (draw.of(hold, steps, pulse, train)(draw) for _ in range(2))
    return {"kind": "sequence", "parts": [first, second], "repeat": draw.of(1, 2)}


def spikes(draw: Draw) -> Data:
    V, width = draw.real(0.4, 0.8), seconds(0.2 * draw.time)
    up = {"kind": "pulse", "voltage": volts(V), "width": width}
    down = {"kind": "steps", "voltages": [volts(-V)], "width": width}
    delay = seconds(draw.of(-1, 1) * 0.1 * draw.time)
    spike = {
        "kind": "spikes",
        "pieces": {"up": up, "down": down},
        "pre": ["up", "down"],
        "post": ["up"],
        "delay": delay,
    }
    after = {"kind": "steps", "voltages": ["0.1 V"], "width": width, "read_each": True}
    return {"kind": "sequence", "parts": [spike, after]}


def rest(draw: Draw) -> Data:
    return {"kind": "hold", "voltage": "0 V", "duration": seconds(draw.time)}


def small_signal(draw: Draw) -> Data:
    bias = [volts(draw.real(-0.6, 0.6))]
    return {"kind": "impedance", "bias": bias, "frequencies": {"start": "1 Hz", "stop": "1e13 Hz", "per_decade": 1}}


def curve(draw: Draw) -> Data:
    states = {"new": [], "set": [{"voltage": volts(draw.real(-1, 1)), "duration": seconds(draw.time)}]}
    biases = sorted({round(draw.real(-1, 1), 3) for _ in range(3)} | {0.0, 0.1})
    return {"kind": "iv", "voltages": [volts(V) for V in biases], "states": states}


DRIVES = (hold, steps, pulse, train, write_read_loop, triangle, table, sequence, spikes)
FEATURES = (
    electrons, heat, polarisation, layers, leak, trap, trap, exchange, noise, wells, rise, bound_electrons, image,
    circuit, columns, kinds, initial, material,
)  # fmt: skip


def text_of(data: Data) -> str:
    return toml_text.write(data)


def case_of(data: Data) -> Case:
    """Raises CaseError."""
    return parse_case(text_of(data))


def accepted(data: Data) -> bool:
    """True where `otjdd check` accepts the data."""
    try:
        check_inputs(case_of(data))
    except CaseError:
        return False
    return True


def any_device(
    seed: int, salt: str = "", needs: tuple[Callable, ...] = (), without: tuple[Callable, ...] = (),
    drives: tuple[Callable, ...] = DRIVES, odds: float = 0.35, in_turn: tuple[Callable, ...] = (),
) -> Data:  # fmt: skip
    """Data of a random device that `check` accepts.

    salt : gives other devices for the same seeds
    needs : features that it has for certain, where they go with its drive   without : that it does not have
    drives : one of these   odds : of each other feature   in_turn : one of these is needed too, by the seed
    """
    draw, needs = Draw(seed, salt), (*needs, *in_turn[seed % max(len(in_turn), 1) :][:1])
    data = stack(draw)
    data["drive"] = draw.of(*drives)(draw)
    others = [FEATURES[i] for i in draw.rng.permutation(len(FEATURES)) if FEATURES[i] not in without]
    for feature in (*needs, *(other for other in others if draw.odds(odds) and other not in needs)):
        for _ in range(6 if feature in needs else 1):
            trial = copy.deepcopy(data)
            feature(draw, trial)
            if accepted(trial):
                data = trial
                break
    return data


def changed(data: Data, **changes: Any) -> Data:
    """Data with other values by dotted key, whose dots are double underscores here. None drops a key."""
    new = copy.deepcopy(data)
    for key, value in changes.items():
        *tables, last = key.split("__")
        table = new
        for name in tables:
            table = table.setdefault(name, {})
        table.pop(last, None) if value is None else table.__setitem__(last, value)
    return new


# the smallest case


def paths_of(data: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of the keys and items of data, tables before what is in them."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in inner:
        yield (*path, name)
        yield from paths_of(value, (*path, name))


def dropped(data: Data, path: Path) -> Data | None:
    """Data without what is at a path, and without a list that it leaves empty; None where nothing is there."""
    new = copy.deepcopy(data)
    inner: Any = new
    for name in path[:-1]:
        try:
            inner = inner[name]
        except (KeyError, IndexError, TypeError):
            return None
    try:
        del inner[path[-1]]
    except (KeyError, IndexError, TypeError):
        return None
    return dropped(data, path[:-1]) if isinstance(inner, list) and not inner else new


def smallest(data: Data, fails: Callable[[Data], bool], tries: int = 120) -> Data:
    """Data that still fail after each key that is not needed for it has been dropped. tries : most calls of `fails`"""
    left, shorter = tries, True
    while shorter and left > 0:
        shorter = False
        for path in sorted(paths_of(data), key=len):
            trial = dropped(data, path)
            if trial is None or left <= 0 or not accepted(trial):
                continue
            left -= 1
            if fails(trial):
                data, shorter = trial, True
    return data

"""Films whose solutions fold while the ions drift: reads that depend on the tolerance have to say so.

The film is some tens of nanometres thick, its charges nearly cancel, and it is on a Schottky barrier, under a voltage that
pulls the top of its band to an electrode. At the fold the electrons change sides and the field jumps. The ions follow the
field and pull the stack back over the fold. So the model oscillates with periods of nanoseconds, and the current changes by
factors. A read takes the current at one moment of that.
"""

import random
from pathlib import Path

import numpy as np

CASE = """title = "a stack that leaps to and fro"
temperature = "272 K"
numerics = {{rtol = {rtol}, current_tolerance = 1e-3, max_steps = 4000}}
record = {{every = "none"}}
[drive]
kind = "pulse"
voltage = "{voltage:.6g} V"
rise = "0.7 us"
width = "30 ns"
read = {{voltage = "{voltage:.6g} V", duration = "1 ps", delay = "0 s"}}
[device]
radius = "6 um"
conducting_fraction = 3e-3
transmission = "wkb"
right = {{kind = "metal", barrier = "0.795 eV", screening_length = "0.0755 nm"}}
[device.left]
kind = "semiconductor"
band_offset = "1.19 eV"
doping = "2.95e25 1/m^3"
permittivity = {{law = "linear", eps_r = 168}}
[device.film]
electrons = "balance"
density_of_states = "1.165e26 1/m^3"
thickness = "{thickness:.6g} nm"
cells = 16
grading = 44.8
permittivity = {{law = "linear", eps_r = 188}}
fixed_charge = "-{fixed:.6e} 1/m^3"
[ions]
charge = 2
density = "3.36e25 1/m^3"
site_density = "6.36e26 1/m^3"
law = "{law}"
hop_distance = "0.4 nm"
attempt_frequency = "2.84e13 Hz"
activation_energy = "{barrier:.6g} eV"
prefactor = "4.55e-3 m^2/s"
"""
FOLDING = {"voltage": 9.0, "thickness": 36.36, "fixed": 6.21e25, "law": "genreith-schriever", "barrier": 0.44}
STRICT = (1e-4, 1e-5)  # tolerances whose reads are compared
ALIKE = 1e-2  # relative difference; reads that differ by more have to say so
TOLD = "stack_leaps"


def text(rtol: float = STRICT[0], **changes) -> str:
    """Case of a film that folds, or of a similar one with changes."""
    return CASE.format(rtol=rtol, **FOLDING | changes)


def beside(rng: random.Random) -> dict:
    """Changes that make a random similar film; about half of these fold."""
    return {
        "voltage": rng.uniform(-14.0, 14.0),
        "thickness": rng.uniform(20.0, 45.0),
        "fixed": 6.72e25 * rng.uniform(0.8, 1.0),
        "barrier": rng.uniform(0.38, 0.48),
        "law": rng.choice(("genreith-schriever", "genreith-schriever", "mott-gurney")),
    }


def folding_films(quick: bool, folder: Path, seed: int = 18) -> tuple[str, bool]:
    """Reads of 200 random similar films at two tolerances: those that differ have to say so."""
    from otjdd.case.case import parse_case
    from otjdd.errors import SolverError
    from otjdd.runs.run import simulate

    rng, count = random.Random(seed), 20 if quick else 200
    leapt = oscillate = differ = silent = stopped = 0
    for _ in range(count):
        film = beside(rng)
        try:
            runs = [simulate(parse_case(text(rtol, **film))) for rtol in STRICT]
        except SolverError as error:
            stopped += 1
            told = TOLD in error.partial.attrs["model_limits"]
            print(f"  {film}: {error.reason}{', told' if told else ''}", flush=True)
            continue
        R = np.array([ds.read_current.values for ds in runs])
        told = all(TOLD in ds.attrs["model_limits"] for ds in runs)
        apart = bool((np.abs(R[0] / R[1] - 1.0) > ALIKE).any())
        leapt += told
        oscillate, differ = oscillate + all(ds.stack_leaps > 1 for ds in runs), differ + apart
        silent += apart and not told
        if apart and not told:
            print(f"  {film}: {R.ravel()}, {[float(ds.stack_leaps) for ds in runs]} leaps", flush=True)
    said = f"{count} random films whose stacks of electrons may fold: {leapt} leap, {oscillate} of them to and fro, "
    said += f"{stopped} stopped with a named reason; reads at rtol 1e-4 and 1e-5 differ by more than 1 % in {differ}, "
    said += f"{silent} in silence"
    return said, silent == 0 and oscillate > 0.05 * count

"""python -m validation.traps.estimate [ROW]...: can a trap in a Schottky barrier remember, where enough current passes?

A model of its own, which shares nothing with otjdd: a parabolic barrier whose width grows with the root of the bend, traps
without charge, their rates by WKB and a sum over energies, the filling by the exponentials of constant rates. Barrier,
width at 0 V, mass, depth, relaxation energy and place of the trap are searched for the largest change of the filling by
two resets of -4 V after 120 s of +1 V (0.49 V at the junction), with a read at -1 V after each pulse. The lattice:

    classical   L(d) = exp[-(r + d)^2/(4 r kT)]/sqrt(4 pi r kT), that of otjdd        d = E_t - E, r: relaxation energy
    phonons     L(d) = e^(-S(2n + 1) - d/2kT) I_p(2S sqrt(n(n + 1)))/w        p = |d|/w, S = r/w, n = 1/(e^(w/kT) - 1)

of one phonon energy w (Huang and Rhys, Proc. R. Soc. A 204, 406 (1950)), between whole numbers p by its continuation.
"""

import argparse
from typing import NamedTuple

import numpy as np
from scipy.optimize import differential_evolution
from scipy.special import ive

from validation import measured
from validation.traps.interface import AREA, HERE, START

KT = 0.025852  # eV
RICHARDSON = 120e4 * 300.0**2  # A/m2, of free electrons
PHONON = 0.058  # eV, a longitudinal optical one of SrTiO3: Devreese et al., Phys. Rev. B 81, 125119 (2010)
ATTEMPTS = 1e13  # Hz
SET, REST, READ, RESET = 0.49, 0.0, -1.0, -4.0  # V
LEAST = 1e-6  # change of the filling that counts as none
PLACES, ENERGIES = 64, 241  # of the integrals
BOUNDS = {
    "barrier (eV)": (0.6, 1.3), "width at 0 V (nm)": (1.0, 8.0), "mass": (0.3, 1.5), "depth (eV)": (0.3, 1.5),
    "relaxation energy (eV)": (0.02, 1.0), "place over the width at -1 V": (0.02, 1.2),
}  # fmt: skip
RELAXATION = list(BOUNDS).index("relaxation energy (eV)")
ROWS = {  # law and least relaxation energy [eV]
    f"{law}, {least:g}": (law, least)
    for law, energies in (("classical", (0.02, 0.05, 0.1, 0.2)), ("phonons", (0.02, 0.2)))
    for least in energies
}  # fmt: skip


class Rates(NamedTuple):
    """Captures and emissions of n traps (n,) [1/s], and the current density at that voltage (n,) [A/m2]."""

    capture: np.ndarray
    emission: np.ndarray
    current: np.ndarray

    @property
    def rate(self) -> np.ndarray:
        """Of the way to rest (n,) [1/s]."""
        return self.capture + self.emission

    @property
    def rest(self) -> np.ndarray:
        """Filling of rest (n,)."""
        return self.capture / self.rate

    def after(self, filling: np.ndarray, time: float) -> np.ndarray:
        """Filling a time [s] later."""
        return self.rest + (filling - self.rest) * np.exp(-self.rate * time)


def of_lattice(d: np.ndarray, r: np.ndarray, law: str) -> np.ndarray:
    """L [1/eV] at differences d (n, m) [eV] for relaxation energies r (n, 1)."""
    if law == "classical":
        return np.exp(-((r + d) ** 2) / (4.0 * r * KT)) / np.sqrt(4.0 * np.pi * r * KT)
    n, S = 1.0 / np.expm1(PHONON / KT), r / PHONON
    z = 2.0 * S * np.sqrt(n * (n + 1.0))
    return ive(np.abs(d) / PHONON, z) * np.exp(z - S * (2.0 * n + 1.0) - d / (2.0 * KT)) / PHONON


def occupied(E: np.ndarray, mu: float) -> np.ndarray:
    """Fermi function."""
    return 1.0 / (1.0 + np.exp(np.clip((E - mu) / KT, -300.0, 300.0)))


def rates(sets: np.ndarray, V: float, law: str, energies: int = ENERGIES) -> Rates:
    """Rates of traps at a voltage [V] of the metal.

    sets : (6, n) values of BOUNDS   The band is 0 eV from the end of the barrier on, as is the Fermi level of the crystal.
    """
    barrier, width, mass, depth, r, place = sets[:, :, None]
    bend, x = barrier - V, place * width * np.sqrt((barrier - READ) / barrier)
    w = width * np.sqrt(bend / barrier)
    level = bend * np.clip(1.0 - x / w, 0.0, None) ** 2 - depth
    low, high = np.minimum(level, 0.0) - r - 0.5, np.maximum(barrier - V, level) + 0.1
    E = low + (high - low) * np.linspace(0.0, 1.0, energies)
    step, there = (high - low)[:, 0] / (energies - 1), E >= 0.0
    middles = (np.arange(PLACES) + 0.5) / PLACES

    def passed(start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """WKB probability (n, energies) between two places (n, 1) [nm]."""
        band = bend * np.clip(1.0 - (start + (end - start) * middles) / w, 0.0, None) ** 2
        forbidden = np.sqrt(np.maximum(band[:, None, :] - E[:, :, None], 0.0)).mean(axis=2)
        return np.exp(-2.0 * 5.123 * np.sqrt(mass) * forbidden * (end - start))

    left, right = passed(np.zeros_like(x), x), passed(x, np.maximum(w, x)) * there
    lattice, capture, emission = of_lattice(level - E, r, law), [], []
    for probability, mu in ((left, -V), (right, 0.0)):
        capture.append(ATTEMPTS * (probability * occupied(E, mu) * lattice).sum(axis=1) * step)
        emission.append(capture[-1] * np.exp(np.clip((level[:, 0] - mu) / KT, -300.0, 300.0)))
    supply = np.logaddexp(0.0, (-V - E) / KT) - np.logaddexp(0.0, -E / KT)
    return Rates(sum(capture), sum(emission), RICHARDSON / KT * (left * right * supply).sum(axis=1) * step)


def all_rates(sets: np.ndarray, law: str, energies: int = ENERGIES) -> dict[float, Rates]:
    """Rates at each voltage of the protocol."""
    return {V: rates(sets, V, law, energies) for V in (SET, REST, READ, RESET)}


def run(at: dict[float, Rates]) -> tuple[np.ndarray, np.ndarray]:
    """Fillings (3, n) after the reads that follow 120 s of sets and each of two resets; share of the area needed (n,).

    at : rates at SET, REST, READ and RESET
    """
    filling, read = at[REST].rest, []
    for V, time in ((SET, 120.0), (RESET, 1.45), (RESET, 1.45)):
        for V_next, length in ((V, time), (REST, 0.47), (READ, 0.36)):
            filling = at[V_next].after(filling, length)
        read.append(filling)
        filling = at[REST].after(filling, 0.36)
    return np.array(read), START / AREA / np.maximum(np.abs(at[READ].current), 1e-300)


def decades_lacking(at: dict[float, Rates]) -> np.ndarray:
    """Decades by which reads are too fast, sets and resets too slow, and both rests too much alike (n,)."""
    fast = np.log10(at[READ].rate * 0.36)
    slow = -np.log10(at[SET].rate * 120.0), -np.log10(at[RESET].rate * 1.45)
    full = np.log10(at[SET].rest + 1e-300) + 0.3, 0.1 * (-0.3 - np.log10(at[RESET].rest + 1e-300))
    return sum(np.maximum(0.0, lacking) for lacking in (fast, *slow, *full))


def cost(sets: np.ndarray, law: str) -> np.ndarray:
    """-log10 of the change of the filling, more where a larger area than the contact is needed (n,)."""
    at = all_rates(sets, law)
    filling, share = run(at)
    change = filling[2] - filling[0]
    lacking = np.where(change > LEAST, 0.0, decades_lacking(at))
    return -np.log10(np.maximum(change, LEAST)) + lacking + 2.0 * np.maximum(0.0, np.log10(share))


def row_of(law: str, least: float, generations: int = 60, size: int = 12) -> tuple[str, ...]:
    """Cells of the best set: change of the filling, on twice the energies too, share, and values."""
    bounds = [(max(low, least) if i == RELAXATION else low, high) for i, (low, high) in enumerate(BOUNDS.values())]
    best = differential_evolution(
        cost, bounds, args=(law,), popsize=size, maxiter=generations, seed=59, polish=False, tol=0.0, vectorized=True,
        updating="deferred", init="sobol",
    ).x[:, None]  # fmt: skip
    changes = []
    for energies in (ENERGIES, 2 * ENERGIES):
        filling, share = run(all_rates(best, law, energies))
        changes.append(float(filling[2, 0] - filling[0, 0]))
    return (*(f"{change:.2g}" for change in changes), f"{share[0]:.2g}", *(f"{value:.3g}" for value in best[:, 0]))


def main() -> None:
    """Search, and keep the rows."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("rows", nargs="*", default=list(ROWS), help="rows; all if absent")
    columns = ("law, least relaxation energy (eV)", "change of the filling:", "with energies twice as fine:", "share:")
    for name in asked.parse_args().rows:
        row = (name, *row_of(*ROWS[name]))
        measured.keep(
            HERE, "traps-estimate", (*columns, *(f"{key}:" for key in BOUNDS)), [row],
            command="python -m validation.traps.estimate",
        )  # fmt: skip


if __name__ == "__main__":
    main()

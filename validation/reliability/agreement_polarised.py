"""Random devices with a polarised film of two levels by SUNDIALS IDA, as in `agreement`: P is one more unknown there.

The dielectric has D - P, the electrodes D: D_left = D(0), the displacement of the film is D_left - P. In the mean field E

    dP/dt = k+ (P_s - P) - k- (P_s + P)

The faster rate is (kT/h)/{1 + exp[(w_b - |E - E_off| d_e)/kT]}, the slower one less by exp(-2 |E - E_off| d_e/kT).
"""

import math

import numpy as np

from validation.reliability import agreement, agreement_electrons
from validation.reliability.agreement import K_EV, Compared, Equations, compared
from validation.reliability.agreement_electrons import ElectronEquations
from validation.reliability.devices import Shares

PLANCK_EV = 4.135667696923859e-15


class Polarised:
    """A polarisation P beside the concentrations, for the equations with electrons or without."""

    P = 0.0  # C/m2, at which the stack is solved

    @property
    def P_s(self) -> float:
        return self.case.device.film.polarisation.saturation

    def memory(self):
        return np.array([self.case.device.film.polarisation.initial * self.P_s]), np.array([self.P_s])

    def memory_of(self, kept):
        return kept.start["P"][:1]

    def settled_at(self, c, memory, V):
        self.P = memory[0]
        return self.settled(c, V)

    def slopes(self, c, memory, stack, V):
        self.P = memory[0]
        return super().slopes(c, memory, stack, V)

    def flows(self, c, E, memory, stack, V):
        return super().flows(c, E, memory, stack, V)[0], np.array([self.rate(E)])

    def rate(self, E) -> float:
        """dP/dt [C/(m2 s)] at the present P in fields E (N+1,) [V/m]."""
        polar = self.case.device.film.polarisation
        gain = ((E * self.d).sum() / self.d.sum() - polar.offset_field) * polar.dipole_length
        fast = self.kT / PLANCK_EV / (1.0 + math.exp((polar.barrier - abs(gain)) / self.kT))
        slow = fast * math.exp(-2.0 * abs(gain) / self.kT)
        up, down = (fast, slow) if gain > 0.0 else (slow, fast)
        return up * (polar.saturation - self.P) - down * (polar.saturation + self.P)


class PolarisedEquations(Polarised, Equations):
    """The discrete equations of a case with a polarised film. D is that of the electrodes, D - P that of the dielectric."""

    def fields(self, c, D_left):
        D, E = super().fields(c, D_left - self.P)
        return D + self.P, E


class PolarisedElectronEquations(Polarised, ElectronEquations):
    """The same with electrons in the film."""


def polarised(case, u: Shares, first: float, duration: float):
    """The case with a polarisation that moves within a hold [s] at a voltage [V]."""
    kT, L = K_EV * case.temperature, case.device.film.thickness
    dipole = min(u.decades("film_bend", 0.2e-9, 5e-9), 0.5 * 0.4 * L / abs(first))  # gains of 0.4 eV at most
    wanted = u.decades("rise", 0.1, 30.0) / duration  # rate at the first voltage [1/s]
    barrier = kT * math.log(kT / PLANCK_EV / wanted) + abs(first) / L * dipole
    polar = {
        "law": "two-level", "saturation": u.decades("fraction", 1e-4, 0.05), "initial": u.between("mass", -0.9, 0.9),
        "barrier": min(max(barrier, 0.3), 20.0), "dipole_length": dipole, "offset_field": u.between("left_eps", -5e7, 5e7),
    }  # fmt: skip
    return case.replace({"device.film.polarisation": polar})


def compare(u: Shares, number: int, electrons: bool = False) -> Compared:
    """Integrate a device by both codes and compare them at the end of two holds; with electrons in the film or without."""
    made = agreement_electrons if electrons else agreement
    plain = agreement_electrons.electron_device(u, number) if electrons else agreement.device(u, number)
    holds = list(made.holds(plain, u))
    case = polarised(plain, u, *holds[0])
    equations = (PolarisedElectronEquations if electrons else PolarisedEquations)(case)
    return compared(case, equations, *zip(*holds, strict=True), P=equations.memory()[0])

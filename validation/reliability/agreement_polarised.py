"""Random devices with a polarised film of two levels by SUNDIALS IDA, as in `agreement`: P is one more unknown there.

The dielectric has D - P, the electrodes D: D_left = D(0), the displacement of the film is D_left - P. In the mean field E

    dP/dt = k+ (P_s - P) - k- (P_s + P)

The faster rate is (kT/h)/{1 + exp[(w_b - |E - E_off| d_e)/kT]}, the slower one less by exp(-2 |E - E_off| d_e/kT).
"""

import math

import numpy as np

from otjdd.solver import integrate, model
from otjdd.waveform.waveform import Waveform
from validation.reliability import agreement
from validation.reliability.agreement import E_CHARGE, FLOOR, IDA_RTOL, K_EV, RTOL, Compared
from validation.reliability.devices import Shares

PLANCK_EV = 4.135667696923859e-15


class PolarisedEquations(agreement.Equations):
    """The discrete equations of a case with a polarised film; unknowns c, P, D(0), u_left, u_right."""

    P = 0.0  # C/m2, at which the stack is solved

    def fields(self, c, D_left):
        D, E = super().fields(c, D_left - self.P)
        return D + self.P, E

    def rate(self, E) -> float:
        """dP/dt [C/(m2 s)] at the present P in fields E (N+1,) [V/m]."""
        polar = self.case.device.film.polarisation
        gain = ((E * self.d).sum() / self.d.sum() - polar.offset_field) * polar.dipole_length
        fast = self.kT / PLANCK_EV / (1.0 + math.exp((polar.barrier - abs(gain)) / self.kT))
        slow = fast * math.exp(-2.0 * abs(gain) / self.kT)
        up, down = (fast, slow) if gain > 0.0 else (slow, fast)
        return up * (polar.saturation - self.P) - down * (polar.saturation + self.P)

    def polarised_residual(self, V: float, duration: float):
        """As `residual`, with y = (c/mean, P/P_s, D(0), u_left, u_right)."""
        N, P_s = self.h.size, self.case.device.film.polarisation.saturation

        def residual(t, y, yp, res):
            c, (share, D, u_left, u_right) = y[:N] * self.mean, y[N:]
            self.P = share * P_s
            missing, D_right, E = self.unclosed(c, D, u_left, u_right, V)
            res[:N] = yp[:N] - self.rates(c, E) * duration / self.mean
            res[N] = yp[N] - self.rate(E) * duration / P_s
            res[N + 1] = missing
            res[N + 2] = self.left.mismatch(u_left, D)
            res[N + 3] = self.right.mismatch(u_right, -D_right)

        return residual

    def settled_at(self, c, P, V):
        self.P = P
        return self.settled(c, V)

    def solve(self, voltages, durations, rtol):
        """c (N,), D(0) and P at the end of each hold; None if IDA gives up."""
        from sksundae.ida import IDA

        polar, N, found = self.case.device.film.polarisation, self.h.size, []
        c, P = np.full(N, self.mean), polar.initial * polar.saturation
        for V, duration in zip(voltages, durations, strict=True):
            start = self.settled_at(c, P, V)
            E = self.fields(c, start[0])[1]
            rate, turn = self.rates(c, E), self.rate(E)
            moment = 1e-7 / max(np.abs(rate).max() / self.mean, abs(turn) / polar.saturation)
            later = (self.settled_at(c + moment * rate, P + moment * turn, V) - start) / moment
            solver = IDA(
                self.polarised_residual(V, duration), algebraic_idx=[N + 1, N + 2, N + 3], rtol=rtol, atol=1e-3 * rtol,
                max_num_steps=10**6, first_step=moment / duration,
            )  # fmt: skip
            y = np.concatenate((c / self.mean, [P / polar.saturation], start))
            yp = np.concatenate((rate / self.mean, [turn / polar.saturation], later)) * duration
            reached = solver.solve(np.array([0.0, 1.0]), y, yp)
            if not reached.success:
                return None
            c, P = reached.y[-1][:N] * self.mean, reached.y[-1][N] * polar.saturation
            found.append((c, reached.y[-1][N + 1], P))
        return found


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


def compare(u: Shares, number: int) -> Compared:
    """Integrate a device by both codes and compare them at the end of two holds."""
    plain = agreement.device(u, number)
    holds = list(agreement.holds(plain, u))
    return compared(PolarisedEquations(polarised(plain, u, *holds[0])), *zip(*holds, strict=True))


def compared(equations, voltages, durations) -> Compared:
    """Compare concentrations, D(0) and P of both codes at the end of holds at voltages [V] for durations [s]."""
    case = equations.case
    times = np.cumsum((0.0, *durations))
    waveform = Waveform(np.repeat(times, 2)[1:-1], np.repeat(voltages, 2))
    parts, polar = model.members(case), case.device.film.polarisation
    junction, c = model.junction(case, parts=parts), model.uniform(case, parts)
    start = np.array([polar.initial * polar.saturation])
    run = integrate.begin(junction, c, rtol=RTOL, atol=1e-3 * RTOL, polarisation=start)
    integrate.follow_waveform(run, waveform, stops=times[1:])
    theirs, error, moved = equations.solve(voltages, durations, IDA_RTOL), 0.0, 0.0
    if theirs is None:
        return Compared(case, math.nan, math.nan)
    for kept, (c, D, P) in zip(run.kept_states, theirs, strict=True):
        size = np.abs(c) + FLOOR * c.mean()
        charge = abs(D) + 1e-3 * E_CHARGE * case.ions.charge * case.ions.density * case.device.film.thickness
        charge += 1e-3 * polar.saturation
        error = max(error, np.abs((kept.c[0] - c) / size).max(), abs(kept.D_left[0] - D) / charge)
        error = max(error, abs(kept.start.polarisation[0] - P) / polar.saturation)
        moved = max(moved, abs(P - start[0]) / polar.saturation)
    return Compared(case, float(error), float(moved))

"""Random devices with electrons and two levels of a polarisation in one film, by otjdd and by SUNDIALS IDA.

As in `agreement_electrons` and `agreement_polarised`: the unknowns are concentrations, P, the band in all cells, D(0), and
the bending or potential step of both electrodes. D is that of the electrodes, D - P that of the dielectric.
"""

import numpy as np

from validation.reliability import agreement_electrons, agreement_polarised
from validation.reliability.agreement import Compared
from validation.reliability.agreement_polarised import PolarisedEquations
from validation.reliability.devices import Shares


class Equations(agreement_electrons.ElectronEquations):
    """The discrete equations of a case with electrons and a polarisation."""

    rate = PolarisedEquations.rate

    def slopes(self, c, start, V):
        """dc/dt (N,) and dP/dt at the present P and a solution of the stack."""
        U, (D, u_left, u_right) = start[: c.size], start[c.size :]
        E = self.missing(c, U, D, u_left, u_right, V)[2]
        return self.flow(c, E, U, u_left, u_right, V), self.rate(E)

    def settled_at(self, c, P, V):
        """As `settled`, at a polarisation P [C/m2]."""
        self.P = P
        return self.settled(c, V)

    def polarised_residual(self, V: float, duration: float):
        """Residual function for IDA of a hold: y = (c/mean, P/P_s, U, D(0), u_left, u_right), time per duration."""
        N, P_s = self.h.size, self.case.device.film.polarisation.saturation

        def residual(t, y, yp, res):
            c, share, U, (D, u_left, u_right) = y[:N] * self.mean, y[N], y[N + 1 : 2 * N + 1], y[2 * N + 1 :]
            self.P = share * P_s
            missing, D_right, E = self.missing(c, U, D, u_left, u_right, V)
            res[:N] = yp[:N] - self.flow(c, E, U, u_left, u_right, V) * duration / self.mean
            res[N] = yp[N] - self.rate(E) * duration / P_s
            res[N + 1 : 2 * N + 2] = missing
            res[2 * N + 2] = self.left.mismatch(u_left, D)
            res[2 * N + 3] = self.right.mismatch(u_right, -D_right)

        return residual

    def solve(self, voltages, durations, rtol):
        """c (N,), D(0) and P at the end of each hold; None if IDA gives up."""
        from sksundae.ida import IDA

        polar, N, found = self.case.device.film.polarisation, self.h.size, []
        c, P, P_s = np.full(N, self.mean), polar.initial * polar.saturation, polar.saturation
        for V, duration in zip(voltages, durations, strict=True):
            start = self.settled_at(c, P, V)
            rate, turn = self.slopes(c, start, V)
            moment = 1e-7 / max(np.abs(rate).max() / self.mean, abs(turn) / P_s)
            later = (self.settled_at(c + moment * rate, P + moment * turn, V) - start) / moment
            solver = IDA(
                self.polarised_residual(V, duration), algebraic_idx=list(range(N + 1, 2 * N + 4)), rtol=rtol,
                atol=1e-3 * rtol, max_num_steps=10**6, first_step=moment / duration,
            )  # fmt: skip
            y = np.concatenate((c / self.mean, [P / P_s], start))
            yp = np.concatenate((rate / self.mean, [turn / P_s], later)) * duration
            reached = solver.solve(np.array([0.0, 1.0]), y, yp)
            if not reached.success:
                return None
            c, P = reached.y[-1][:N] * self.mean, reached.y[-1][N] * P_s
            found.append((c, reached.y[-1][2 * N + 1], P))
        return found


def compare(u: Shares, number: int) -> Compared:
    """Integrate a device by both codes and compare them at the end of both holds."""
    plain = agreement_electrons.electron_device(u, number)
    holds = list(agreement_electrons.holds(plain, u))
    case = agreement_polarised.polarised(plain, u, *holds[0])
    return agreement_polarised.compared(Equations(case), *zip(*holds, strict=True))

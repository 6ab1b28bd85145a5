"""I-V curves at frozen ions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.case import Case
from otjdd.physics.channels.transport import transport
from otjdd.physics.electrostatics import edge
from otjdd.solver import at_rest, integrate
from otjdd.solver.at_rest import CHANNEL_SHARE
from otjdd.solver.integrate import Run
from otjdd.solver.trail import Trail

if TYPE_CHECKING:
    import xarray as xr


CURVES = (
    "bias_current", "bias_junction_voltage", "bias_tunnelling_share", "bias_transport_energy", "bias_band_bending",
    "bias_electrode_charge", "bias_right_electrode_charge", "bias_current_level_error",
)  # fmt: skip


def iv(
    case: Case, progress: Callable[[float], object] | None = None, trail: Trail | None = None
) -> xr.Dataset:  # fmt: skip
    """I-V curves at frozen ions: every state of the drive, at every temperature; nan where the run ended early."""
    return at_rest.curves_at_rest(case, CURVES, bias_point, progress=progress, trail=trail)


def bias_point(frozen: Run, voltage: float) -> dict[str, Any]:
    """Values of CURVES at a source voltage, means over the columns, and CHANNEL_SHARE (C,). Raises SolverError."""
    integrate.jump(frozen, voltage)
    by_channel = np.empty(len(frozen.junction.channels.code))
    conductance, unseen, share, energy, good = transport(
        frozen.junction, frozen.state, frozen.tangent.present, by_channel
    )
    if not good:
        integrate.fail(frozen, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
    state, weight, V_j = frozen.state, frozen.junction.columns.weight, float(frozen.state.V[0])
    bending = weight @ [edge(at, -D)[2] for at, D in zip(frozen.junction.right, state.D_right, strict=True)]
    charges = weight @ state.D_left, -weight @ state.D_right
    values = dict(zip(CURVES, (conductance * V_j, V_j, share, energy, bending, *charges, unseen), strict=True))
    return values | ({CHANNEL_SHARE: by_channel / conductance} if len(by_channel) > 1 else {})

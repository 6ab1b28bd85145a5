"""The circuit in series with the junction: voltage lost at a current, and the inverse."""

import math

from otjdd.compiler.decorators import bare, inlined
from otjdd.physics.junction import Junction

GIVING_WAY = 1e5  # resistance of the source beyond its compliance, in units of 1 V over the compliance


@inlined
def stiffness(junction: Junction) -> float:
    """Resistance [ohm] with which the source gives way beyond its compliance; 0 without one."""
    return GIVING_WAY / junction.compliance


@inlined
def drop(junction: Junction, current: float):
    """Voltage lost between source and junction at a current [A], and its derivative [ohm]."""
    R = junction.resistance
    if abs(current) <= junction.compliance:
        return R * current, R
    stiff = stiffness(junction)
    return R * current + math.copysign(stiff * (abs(current) - junction.compliance), current), R + stiff


@inlined
def drop_from(junction: Junction, before: float, current: float) -> float:
    """Voltage lost [V] at a current [A] if the source stays below or beyond its compliance, as at a current before."""
    lost, resistance = drop(junction, before)
    return lost + resistance * (current - before)


@inlined
def coupled(junction: Junction) -> bool:
    """True when the current acts back on the junction voltage."""
    return junction.resistance > 0.0 or junction.compliance < math.inf


@bare
def current_of(junction: Junction, lost: float) -> float:
    """Current [A] that loses a voltage [V], both positive: the inverse of `drop`."""
    R = junction.resistance
    if lost <= R * junction.compliance:
        return lost / R
    stiff = stiffness(junction)
    return (lost + stiff * junction.compliance) / (R + stiff)

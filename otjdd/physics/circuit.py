"""The circuit in series with the junction: voltage lost at a current, and the inverse.

The current is that of the source: what the junction conducts, and what charges it.
"""

import math

from otjdd.compiler.decorators import bare, inlined
from otjdd.physics.junction import Junction

GIVING_WAY = 1e5  # resistance of the source beyond its compliance, in units of 1 V over the compliance
LEAST_DROP = 1e-6  # V, lost at the compliance at least: a source turns from a voltage into a current within it


@inlined
def stiffness(junction: Junction) -> float:
    """Resistance [ohm] with which the source gives way beyond its compliance; 0 without one."""
    return GIVING_WAY / junction.compliance


@inlined
def resistance(junction: Junction) -> float:
    """Resistance [ohm] in series below the compliance."""
    return max(junction.resistance, LEAST_DROP / junction.compliance)


@inlined
def drop(junction: Junction, current: float):
    """Voltage lost between source and junction at a current [A], and its derivative [ohm]."""
    R = resistance(junction)
    if abs(current) <= junction.compliance:
        return R * current, R
    stiff = stiffness(junction)
    return R * current + math.copysign(stiff * (abs(current) - junction.compliance), current), R + stiff


@inlined
def coupled(junction: Junction) -> bool:
    """True when the current acts back on the junction voltage."""
    return junction.resistance > 0.0 or junction.compliance < math.inf


@bare
def current_of(junction: Junction, lost: float) -> float:
    """Current [A] that loses a voltage [V], both positive: the inverse of `drop`."""
    R = resistance(junction)
    if lost <= R * junction.compliance:
        return lost / R
    stiff = stiffness(junction)
    return (lost + stiff * junction.compliance) / (R + stiff)


@bare
def source_current(junction: Junction, lost: float) -> float:
    """Current [A] of the source, of either sign, that loses a voltage [V]."""
    return math.copysign(current_of(junction, abs(lost)), lost)


@inlined
def limited(junction: Junction, current: float) -> bool:
    """True where the source limits its current [A]."""
    return abs(current) > junction.compliance

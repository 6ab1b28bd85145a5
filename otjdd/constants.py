"""Physical constants in SI units; values of CODATA 2022."""

import math

# The first four are exact since 2019.
ELEMENTARY_CHARGE = 1.602176634e-19  # C
BOLTZMANN = 1.380649e-23  # J/K
PLANCK = 6.62607015e-34  # J s
HBAR = PLANCK / (2 * math.pi)  # J s
ELECTRON_MASS = 9.1093837139e-31  # kg
VACUUM_PERMITTIVITY = 8.8541878188e-12  # F/m
BOLTZMANN_EV = BOLTZMANN / ELEMENTARY_CHARGE  # eV/K

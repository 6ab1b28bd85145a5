"""Compiled kernels: numbers in, numbers out. Electrostatics, ions, tunnelling, current, and the step in time."""

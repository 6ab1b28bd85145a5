"""Kernels: numbers in, numbers out (SI, energies in eV); numpy, numba and math only."""

"""The laws of a junction as compiled kernels: electrostatics, ions, bands, tunnelling, current; numbers in, numbers out."""

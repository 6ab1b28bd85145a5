"""Steps in time as compiled kernels: Rosenbrock methods, error control, the course of a waveform, the record of a run."""

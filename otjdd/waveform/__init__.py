"""Voltages in time: the waveform, its usual shapes, and the reads that belong to it."""

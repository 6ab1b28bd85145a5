"""Voltage against time: waveforms with their reads, the usual shapes, long trains, text files."""

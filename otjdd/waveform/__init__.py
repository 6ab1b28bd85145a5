"""Voltage against time: waveforms, their usual shapes, long trains as rules, text files, and the reads they carry."""

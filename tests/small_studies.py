"""Texts of small cases: of a study, under one pulse with a read, and one whose run is one read, for searches."""

POINT = """
base = "li2019.toml"
title = "small"
columns.count = 1
circuit.series_resistance = "0 ohm"
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
[device.film]
cells = 12
"""
ONE_READ = """
base = "li2019.toml"
title = "small"
device.film.cells = 12
device.film.grading = 1.0
ions.law = "linear"
columns.count = 1
circuit.series_resistance = "0 ohm"
columns.spread = { "ions.activation_energy" = "10 meV" }
[drive]
kind = "pulse"
voltage = "0 V"
width = "1 ns"
read = { voltage = "0.1 V" }
"""

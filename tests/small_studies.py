"""The case of a small study: the device of the paper in one column and 12 cells, under one pulse with a read."""

POINT = """
base = "li2019.toml"
title = "small"
columns.count = 1
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
[device.film]
cells = 12
"""

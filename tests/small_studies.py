"""Parts of small studies: a junction of the paper under one pulse, read after it."""

POINT = """
base = "li2019.toml"
title = "small"
columns.count = 1
drive = { kind = "pulse", voltage = "2.2 V", width = "50 ns", read = {} }
[device.film]
cells = 12
"""

"""Channels of conduction: each carries a part of the current through a column, and their chord conductances add up.

`coherent` is the Tsu-Esaki spectrum; `leaks` are closed formulas of the band of the film; `table` lists all and adds them
up. Other modules know the sum, `table.conductance_of_column`, and the share of each channel, but no channel by name.
"""

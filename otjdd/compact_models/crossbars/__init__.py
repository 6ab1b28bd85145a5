"""Crossbars of compact models: Kirchhoff's law on the lines, pulses on them, and the patterns of a case."""

"""Crossbars of compact models: Kirchhoff's law on their lines, pulses on them, and the patterns of a case."""

"""Crossbars of compact models: Kirchhoff's law on the lines, pulses on them, and the patterns of a case."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

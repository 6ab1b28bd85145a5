"""Fits with targets, or calibrations: find parameters of a case with which its runs meet given numbers."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

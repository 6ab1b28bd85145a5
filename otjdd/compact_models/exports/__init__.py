"""Compact models as files for other programs: one module for each program, which returns text."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

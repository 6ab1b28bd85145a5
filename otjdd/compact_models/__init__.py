"""Compact models: tables that are extracted from the solver, models that run on them, their measured error."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

"""Runs of cases, and repeated runs of stored results. Only `run.simulate` chooses the solver for a kind of drive."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

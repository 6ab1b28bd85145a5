"""Parameters of a case from measured data, with their uncertainty."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

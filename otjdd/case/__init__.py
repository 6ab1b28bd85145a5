"""Case files: a text with units becomes one frozen record in SI, or a list of all its faults."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

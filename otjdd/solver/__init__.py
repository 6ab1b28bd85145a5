"""From a case to its Dataset: the model's numbers, the start, the run, the reads, the record."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

"""Results: the table of outputs, files, provenance, summaries."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

"""Claims of a paper: their runs and metrics, their verdicts, and reports and pictures of these."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

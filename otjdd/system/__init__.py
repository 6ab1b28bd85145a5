"""The machine around a run: files that are whole or absent, signals and limits, processes, imports."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

"""Studies of many cases: the varied keys, the processes that compute, the Dataset of all points."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

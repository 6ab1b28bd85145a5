"""Files of measured numbers, written by instruments or by hand, read into Datasets with units."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

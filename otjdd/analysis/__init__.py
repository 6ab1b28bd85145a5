"""Numbers from measured or simulated curves: metrics of synapses and plasticity, fits, textbook formulas."""

from otjdd.system.late import room

__getattr__, __dir__ = room(__name__, __file__)

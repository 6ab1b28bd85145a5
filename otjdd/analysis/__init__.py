"""Numbers from measured or simulated curves: metrics of synapses and plasticity, fits, textbook formulas."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

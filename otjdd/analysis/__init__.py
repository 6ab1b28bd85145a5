"""Numbers from measured or simulated curves: metrics of synapses and plasticity, fits, textbook formulas."""

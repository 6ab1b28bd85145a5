"""Numbers from curves, measured or simulated: synapse and plasticity metrics, fits, text-book formulas."""

"""Scatter of network pulses, measured on devices whose ions hop one by one: runs of the solver, and numbers from them."""

"""Traps in the film: their places, the paths to both electrodes, the rates of capture, the filling, and the charge.

sites      traps on the band, and the action of an electron between a trap and an electrode
capture    rates of capture from both electrodes
steady     filling and current of single traps and of chains of hops at rest; the channel of traps
kinetic    filling that takes time, and the current by which it goes to rest
charge     what charged traps add to the cells, and the fields with it: filling and band move together
step       what traps add to a time step
"""

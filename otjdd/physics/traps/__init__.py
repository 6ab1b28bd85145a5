"""Traps in the film: their places, the paths to both electrodes, the rates of capture, the filling, and the charge.

`sites` puts traps on the band and has the action of an electron between a trap and an electrode, `capture` the
rates, `steady` the filling and the current of single traps and of chains of hops at rest, `kinetic` the filling that
takes time. `charge` has what charged traps add to the cells, the band that this bends, and how filling and band move
together. `channels.traps` makes traps a channel.
"""

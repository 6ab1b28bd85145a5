"""Traps in the film: their places, the paths to both electrodes, the rates of capture, and the steady filling.

`sites` puts traps on the band, `paths` has the action of an electron between a trap and an electrode, `capture` the rates,
`steady` the filling and the current of single traps and of chains of hops. `channels.traps` makes them a channel.
"""

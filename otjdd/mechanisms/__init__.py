"""What moves with the ions in a step, or follows from its end: a module or a folder each, of equations and hooks.

A hook is a function with the name and the arguments of one in `physics.quasistatic`, for settled states, or in
`stepping.hooks`, for steps, which say when it is called. Modules are called in the order of their names; of a folder it is
the module `step`. The function `answer` is that to a small signal, see `solver.linear_response`; a mechanism without
it says in ANSWERED_BY what answers instead. Variables are declared in `otjdd.variables`; arrays of what a junction does
not have are of size 0, so that loops over them do nothing.
"""

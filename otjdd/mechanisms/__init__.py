"""What moves with the ions in a step, or follows from its end: a module each, of equations, work space and hooks.

A hook is a function with the name and the arguments of one in `stepping.hooks`, which says when it is called. Modules are
called in the order of their names. Their variables are declared in `otjdd.variables`; arrays of what a junction does not
have are of size 0, so that loops over them do nothing.
"""

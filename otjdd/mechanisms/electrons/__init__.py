"""Electrons in the film, in balance with the contact on their side of the barrier: they follow the band at once.

density    density by the band and by the weight of each contact
stack      bands and charges of a column, and its equations, linear around a stack
search     the static stack at frozen vacancies, by Newton's method
rows       equations of a time step or a small signal, with the vacancies as third unknown
step       what they add to a time step: the electrode from which each came, which is the charge of the terminals
"""

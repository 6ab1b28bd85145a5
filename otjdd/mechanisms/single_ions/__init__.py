"""Single ions: whole numbers that hop at random around the smooth density that a step moves, in three chapters.

walk        of the ions of a column through a part of a step, its random numbers, and the work space `Noise`
deviation   of the ions from the smooth density, by which they act on their hops
step        rates of the walk, by which ions feel each other, and what the hops add to a time step
"""

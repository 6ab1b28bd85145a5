"""Single ions: whole numbers that hop at random around the smooth density that a step moves, in four chapters.

random_numbers    of a seed, a column, a step and a place
walk              of the ions of a column through a part of a step, and the work space `Noise`
hops              rates of the walk, by which ions feel each other, and the end of the step
"""

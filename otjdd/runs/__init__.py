"""Runs of cases, and repeated runs of stored results. The solver for a kind of drive is chosen here and nowhere else."""

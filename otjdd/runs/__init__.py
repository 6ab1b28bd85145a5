"""Runs of cases, and repeated runs of stored results. Only `run.simulate` chooses the solver for a kind of drive."""

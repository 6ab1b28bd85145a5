"""Many cases: what is varied, who computes it, and the Dataset of all points."""

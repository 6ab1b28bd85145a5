"""A case into its result, and a result once more: who computes a drive is chosen here and nowhere else."""

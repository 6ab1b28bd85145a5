"""Claims of a paper: their runs and metrics, their verdicts, and reports and pictures of these."""

"""Parameters of a case from claims that its runs should meet."""

"""Results: the table of outputs, files, and where a result came from."""

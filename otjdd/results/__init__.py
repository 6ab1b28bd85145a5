"""Results: the table of outputs, files, provenance, summaries."""

"""From a case to its Dataset: the model's numbers, the start, the run, the reads, the record."""

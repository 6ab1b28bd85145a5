"""Case files: a text with units becomes one frozen record in SI, or a list of all its faults."""

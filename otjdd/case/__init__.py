"""Case files: from text with units to one frozen record, or to a list of all that is wrong with it."""

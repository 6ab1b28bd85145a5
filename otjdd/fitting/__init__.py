"""Parameters of a case from measured data, with their uncertainty."""

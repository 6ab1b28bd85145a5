"""Calibration: parameters of a case from the claims that its runs should meet."""

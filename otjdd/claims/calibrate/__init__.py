"""Calibration: find parameters of a case with which its runs meet the numbers of claims."""

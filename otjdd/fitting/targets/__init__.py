"""Fits with targets, or calibrations: find parameters of a case with which its runs meet given numbers."""

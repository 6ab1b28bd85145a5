"""Compact models as files for other programs: one module for each program, which returns text."""

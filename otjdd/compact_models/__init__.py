"""Compact models: tables that are extracted from the solver, models that run on them, their measured error."""

"""Compact models extracted from the solver: tables, their extraction, their error, and the model that runs on them."""

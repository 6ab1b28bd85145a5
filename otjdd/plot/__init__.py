"""Figures of results and studies."""

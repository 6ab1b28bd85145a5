"""Metrics of trials and pictures of claims that serve one paper each."""

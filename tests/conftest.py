"""Puts tests/ on the path, so that tests below it can import `devices`."""

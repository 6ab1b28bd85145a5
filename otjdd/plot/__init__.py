"""Figures of results and studies.

Here matplotlib is imported for all of them, so that it does not read `matplotlibrc` from the working folder.
"""

from otjdd.system.imports import elsewhere

with elsewhere():
    import matplotlib  # noqa: F401

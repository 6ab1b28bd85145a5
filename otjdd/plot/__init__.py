"""Figures of results and studies.

matplotlib is imported here first, in another folder, so that it does not read a `matplotlibrc` of the working folder.
"""

from otjdd.system.interpreter import in_own_folder

with in_own_folder():
    import matplotlib  # noqa: F401

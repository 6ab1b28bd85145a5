"""Figures of results and studies.

matplotlib is imported here first, in another folder, so that it does not read a `matplotlibrc` of the working folder.
"""

from otjdd.system.interpreter import in_own_folder
from otjdd.system.late import room

with in_own_folder():
    import matplotlib  # noqa: F401

__getattr__, __dir__ = room(__name__, __file__)

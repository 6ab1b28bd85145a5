"""The version of otjdd as it is installed, read from its metadata when this module is imported."""

from importlib.metadata import version

__version__ = version("otjdd")

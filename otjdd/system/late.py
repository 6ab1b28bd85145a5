"""xarray as `xr`, which is imported when a name of it is first used: commands that need no Dataset do without its 0.3 s."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["xr"]


class Late:
    """A module that is imported when one of its names is first used."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.module), name)


if TYPE_CHECKING:
    import xarray as xr
else:
    xr = Late("xarray")

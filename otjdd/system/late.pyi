from collections.abc import Callable
from types import ModuleType

import xarray as xr

__all__ = ["room", "when_imported", "xr"]

def room(package: str, file: str) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]: ...
def when_imported(first: str, then: str) -> None: ...

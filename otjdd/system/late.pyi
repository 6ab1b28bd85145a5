import xarray as xr

__all__ = ["when_imported", "xr"]

def when_imported(first: str, then: str) -> None: ...

"""Imports that libraries try, use little of, and do without: kept from happening, for they take longer than a run."""

import sys
from contextlib import contextmanager

DASK = "dask", "distributed"  # a second, by xarray, wherever they are installed


@contextmanager
def absent(*modules: str):
    """Within the block, modules that were not imported before cannot be, as where they are not installed."""
    kept_out = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(kept_out))
    try:
        yield
    finally:
        for name in kept_out:
            sys.modules.pop(name, None)

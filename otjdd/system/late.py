"""Imports that stand at the top of a file and cost nothing until a name of theirs is used: rooms of otjdd, and libraries.

Type checkers read late.pyi, where each name is the module itself, and the stubs of the rooms, which list their modules.
"""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

import lazy_loader


def submodule(package: str, name: str) -> ModuleType:
    """A module of a package, which is imported. Raises AttributeError where there is none, and of names with "_"."""
    full = f"{package}.{name}"
    if not name.startswith("_"):
        try:
            return import_module(full)
        except ModuleNotFoundError as error:
            if error.name != full:
                raise
    raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)


def room(package: str, file: str) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose modules are imported as they are named (SPEC 1).

    Type checkers know them by the stub beside `file`, its __init__.py. An import is had without reading the stub.
    """

    def names() -> list[str]:
        stated: list[str] = lazy_loader.attach_stub(package, file)[2]
        return stated

    return partial(submodule, package), names


class Late:
    """A module that is imported when one of its names is first used, as are modules within it."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __getattr__(self, name: str) -> object:
        module = import_module(self.module)
        return getattr(module, name) if hasattr(module, name) else submodule(self.module, name)


# Rooms whose own import brings numba or matplotlib.
compiler, plot, selftest = Late("otjdd.compiler"), Late("otjdd.plot"), Late("otjdd.selftest")
# Libraries that take time, of which xarray takes 0.3 s and parts of scipy as much, or that not every system has.
np, pd, scipy, tomllib, xr = map(Late, ("numpy", "pandas", "scipy", "tomllib", "xarray"))
elementwise = Late("scipy.optimize.elementwise")  # which no other module of scipy imports
h5py, jinja2, metadata, PIL, rich = map(Late, ("h5py", "jinja2", "importlib.metadata", "PIL", "rich"))
cma, dask, distributed, emcee, imageio_ffmpeg = map(Late, ("cma", "dask", "distributed", "emcee", "imageio_ffmpeg"))


class Following:
    """Import hook: finds one module by the other finders, and imports another one when the first has been executed."""

    def __init__(self, first: str, then: str) -> None:
        self.first, self.then, self.looking = first, then, False

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self.first or self.looking:
            return None
        self.looking = True
        try:
            spec = find_spec(name)
        finally:
            self.looking = False
        if spec and spec.loader:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                load(module)
                import_module(self.then)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def when_imported(first: str, then: str) -> None:
    """Import a second module as soon as the first is imported, or now if it is already."""
    if first in sys.modules:
        import_module(then)
    else:
        sys.meta_path.insert(0, Following(first, then))

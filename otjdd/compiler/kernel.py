"""Kernels: functions that numba compiles, and that Python and other kernels call by a symbol.

numba compiles a function whole and links a copy of all its callees into it. Here a callee is copied only where that pays.
Others stand `apart` and are called by their symbols. The machine code of a kernel is an object file of its own
(`machine_code`), which `kernel_cache` keeps on disk. Calls are typed and lowered by numba's interface for extensions:
https://numba.readthedocs.io/en/stable/extending/low-level.html and, for the compiler,
https://numba.readthedocs.io/en/stable/developer/custom_pipeline.html

Parts of numba that are not documented are listed in PRIVATE. Importing this module fails where one of them is missing.
"""

from __future__ import annotations

import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

import numba
from llvmlite import ir
from numba.core import types
from numba.core.compiler import CompilerBase, CompileResult, DefaultPassBuilder, Flags
from numba.core.compiler_machinery import PassManager
from numba.core.funcdesc import FunctionDescriptor
from numba.core.typing import Signature, signature
from numba.extending import lower_builtin, type_callable, typeof_impl

from otjdd.compiler import kernel_cache, machine_code
from otjdd.compiler.kernel_cache import Made, Types

if TYPE_CHECKING:
    from numba.core.base import BaseContext
    from numba.core.dispatcher import Dispatcher

SAMPLE = numba.njit(lambda: None)
PRIVATE = (  # parts of numba that it does not document
    (SAMPLE, ("_cache",)),
    (CompileResult, ("_reduce", "_rebuild", "fndesc")),
    (FunctionDescriptor, ("mangled_name",)),
    (SAMPLE.targetctx, ("cached_internal_func", "call_internal", "refresh")),
)
for owner, names in PRIVATE:
    for name in names:
        getattr(owner, name)


class Kernel:
    """A function with machine code of its own.

    function : in Python
    apart : other kernels call it by its symbol, and do not copy its code. Python does so always
    options : of numba.njit
    """

    def __init__(self, function: Callable[..., Any], apart: bool, **options: Any):
        self.apart = apart
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__
        self.py_func, self.parameters = function, inspect.signature(function)
        self.loaded: dict[Types, FunctionDescriptor] = {}  # descriptions of machine code
        alone = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": Compiler}
        self.inner = numba.njit(**alone, **options)(function)
        self.by_symbol = self if apart else partial(self)  # for numba a copied kernel itself is its inner function
        self.door = door(self, options.get("_nrt", True))
        type_callable(self.by_symbol)(lambda context: self.typer())
        lower_builtin(self.by_symbol, types.VarArg(types.Any))(self.lower)
        kernel_cache.KERNELS[self.name] = self

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.door(*arguments, **named)

    def typer(self) -> Callable[..., Signature]:
        """What numba asks for the signature of a call."""

        def typer(*arguments: types.Type, **named: types.Type) -> Signature:
            bound = tuple(map(plain, self.parameters.bind(*arguments, **named).args))
            return signature(self.provide(bound).restype, *bound)

        vars(typer).update(__signature__=self.parameters, pysig=self.parameters)
        return typer

    def lower(
        self, context: BaseContext, builder: ir.IRBuilder, call: Signature, arguments: list[ir.Value]
    ) -> ir.Value:
        """A call in the code of another kernel."""
        return context.call_internal(builder, self.provide(call.args), call, arguments)

    def provide(self, arguments: Types) -> FunctionDescriptor:
        """Load or compile the machine code for types of arguments; numba's description of it."""
        if arguments not in self.loaded:
            found = kernel_cache.load(self.name, arguments)
            if found is None:
                found = self.compile(arguments)
                kernel_cache.write(self.name, arguments, found)
            description, code, _ = found
            machine_code.load(code, description.mangled_name)
            self.loaded[arguments] = description
        return self.loaded[arguments]

    def compile(self, arguments: Types) -> Made:
        """Description, machine code, and the symbols that it needs."""
        self.inner.compile(arguments)
        description = copy(self.inner.overloads[arguments].fndesc)
        symbol = kernel_cache.symbol(self.name, arguments)
        code, needed = machine_code.object_file(self.inner.inspect_llvm(arguments), description.mangled_name, symbol)
        description.mangled_name, description.typemap, description.calltypes = symbol, None, None
        return description, code, [kernel_cache.SYMBOLS.get(name, name) for name in needed]


@typeof_impl.register(Kernel)
def typeof_kernel(kernel: Kernel, context: object) -> types.Type | None:
    """Type of a kernel in another one: numba's own function, or what stands for a symbol."""
    return None if kernel.apart else numba.typeof(kernel.inner)


def plain(kind: types.Type) -> types.Type:
    """Type of an argument whatever its value is: numba compiles a function anew for each number written in a call."""
    return numba.typeof(kind.value) if isinstance(kind, types.Omitted) else types.unliteral(kind)


def door(kernel: Kernel, counting: bool) -> Dispatcher:
    """What Python calls: it takes Python's objects apart and calls the kernel, while Python's lock is free.

    counting : the kernel counts references to arrays
    """
    words = ", ".join(kernel.parameters.parameters)
    space: dict[str, Any] = {"kernel": kernel.by_symbol}
    exec(f"def {kernel.__name__}({words}): return kernel({words})", space)
    function = space[kernel.__name__]
    function.__defaults__, function.__module__ = kernel.py_func.__defaults__, kernel.__module__
    made = numba.njit(nogil=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=counting)(function)
    made._cache = Doors(kernel)
    return made


class Doors:
    """The cache of the door of a kernel, as numba asks for one: files."""

    cache_path = None

    def __init__(self, kernel: Kernel):
        self.kernel, self.name = kernel, f"{kernel.name}.door"

    def enable(self) -> None:
        """Nothing: it is always on."""

    disable = flush = enable

    def load_overload(self, arguments: Types, target: BaseContext) -> CompileResult | None:
        target.refresh()  # which makes numba's memory management known to LLVM
        parts = kernel_cache.read(self.name, arguments)
        if parts is None:
            return None
        self.kernel.provide(tuple(map(plain, arguments)))
        with undisturbed():
            return CompileResult._rebuild(target, *parts)

    def save_overload(self, arguments: Types, result: CompileResult) -> None:
        kernel_cache.write(self.name, arguments, result._reduce())


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within the block SIGINT and SIGTERM wait for its end; in threads other than the main one they never come.

    LLVM asks numba for the machine code of a door. An exception of a signal is lost in that answer, LLVM goes on without
    the code, and the first call of it ends the process by SIGSEGV: 3 % of the runs that were stopped meanwhile.
    """
    came: list[int] = []
    before: dict[signal.Signals, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    try:
        if threading.current_thread() is threading.main_thread():
            before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for each in came:
            signal.raise_signal(each)


class Options(Flags):
    """Options of numba's own functions in all kernels, as one object.

    numba compiles its own functions, such as max(x, y), for the options of the kernel that calls them, and looks for them
    by these options a thousand times a kernel. It also notes which one was asked for last, so that a kernel may get that
    of another kernel. Here they are the same for all.
    """

    __slots__ = ()
    __hash__, __eq__ = object.__hash__, object.__eq__

    def copy(self) -> Options:
        return self


SHARED = Options()
SHARED.nrt, SHARED.error_model = True, "numpy"


class Compiler(CompilerBase):
    """numba's compiler. A kernel gets the same code whatever was compiled before it.

    Operations such as x**2 are functions too: numba would take the one that it compiled first, with the rounding of another
    kernel. Here each kernel has its own.
    """

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.state.targetctx.cached_internal_func = {}
        self.own, self.state.flags = self.state.flags, SHARED  # until the passes begin

    def define_pipelines(self) -> list[PassManager]:
        self.state.flags = self.own
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]

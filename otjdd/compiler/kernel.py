"""Kernels: functions that numba compiles, and that Python and other kernels call by a symbol.

numba compiles a function whole and links a copy of all its callees into it. Here a callee is copied only where that pays
(`Copied`). A `Kernel` is called by its symbol; its machine code is an object file of its own (`machine_code`), which
`kernel_cache` keeps on disk. Calls are typed and lowered by numba's interface for extensions:
https://numba.readthedocs.io/en/stable/extending/low-level.html and, for the compiler,
https://numba.readthedocs.io/en/stable/developer/custom_pipeline.html

Parts of numba that are not documented are listed in PRIVATE. Importing this module fails where one of them is missing.
"""

import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy

import numba
from llvmlite import ir
from numba.core import types
from numba.core.compiler import CompilerBase, CompileResult, DefaultPassBuilder, Flags
from numba.core.compiler_machinery import PassManager
from numba.core.funcdesc import FunctionDescriptor
from numba.core.typing import Signature, signature
from numba.extending import lower_builtin, type_callable, typeof_impl

from otjdd.compiler import kernel_cache, machine_code

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
    options : of numba.njit
    """

    stands_apart = True  # False for one that only Python calls

    def __init__(self, function: Callable, **options):
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__
        self.py_func, self.parameters = function, inspect.signature(function)
        self.loaded = {}  # types of arguments -> description of the machine code
        self.inner = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=Compiler, **options)(
            function
        )
        self.inner._cache = self.results = Results()
        self.door = door(self, options.get("_nrt", True))
        type_callable(self)(lambda context: self.typer())
        lower_builtin(self, types.VarArg(types.Any))(self.lower)
        kernel_cache.KERNELS[self.name] = self

    def __call__(self, *arguments, **named):
        return self.door(*arguments, **named)

    def typer(self) -> Callable:
        """What numba asks for the signature of a call."""

        def typer(*arguments, **named) -> Signature:
            arguments = tuple(map(plain, self.parameters.bind(*arguments, **named).args))
            return signature(self.provide(arguments).restype, *arguments)

        typer.__signature__ = typer.pysig = self.parameters
        return typer

    def lower(self, context: object, builder: ir.IRBuilder, call: Signature, arguments: list) -> ir.Value:
        """A call in the code of another kernel."""
        return context.call_internal(builder, self.provide(call.args), call, arguments)

    def provide(self, arguments: tuple) -> FunctionDescriptor:
        """Load or compile the machine code for types of arguments; numba's description of it."""
        if arguments not in self.loaded:
            found = kernel_cache.load(self, arguments)
            if found is None:
                found = self.compile(arguments)
                kernel_cache.save(self, arguments, *found)
            description, code, _ = found
            machine_code.load(code, description.mangled_name)
            self.loaded[arguments] = description
        return self.loaded[arguments]

    def compile(self, arguments: tuple) -> tuple[FunctionDescriptor, bytes, list[str]]:
        """Description, machine code, and the symbols that it needs."""
        self.inner.compile(arguments)
        description = copy(self.results.found[arguments].fndesc)
        symbol = kernel_cache.symbol(self, arguments)
        code, needed = machine_code.object_file(self.inner.inspect_llvm(arguments), description.mangled_name, symbol)
        description.mangled_name, description.typemap, description.calltypes = symbol, None, None
        return description, code, needed


class Copied:
    """A function that is copied into the kernels that call it. For Python it is a kernel as well."""

    def __init__(self, function: Callable, **options):
        self.kernel = Kernel(function, **options)
        self.kernel.stands_apart = False
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__
        self.py_func, self.door, self.provide = function, self.kernel.door, self.kernel.provide

    def __call__(self, *arguments, **named):
        return self.door(*arguments, **named)


@typeof_impl.register(Copied)
def typeof_copied(copied: Copied, context: object) -> types.Type:
    """Other kernels see numba's own function."""
    return numba.typeof(copied.kernel.inner)


def plain(kind: types.Type) -> types.Type:
    """Type of an argument whatever its value is: numba compiles a function anew for each number written in a call."""
    return numba.typeof(kind.value) if isinstance(kind, types.Omitted) else types.unliteral(kind)


def door(kernel: Kernel, counting: bool) -> Callable:
    """What Python calls: it takes Python's objects apart and calls the kernel, while Python's lock is free.

    counting : the kernel counts references to arrays
    """
    words = ", ".join(kernel.parameters.parameters)
    space = {"kernel": kernel}
    exec(f"def {kernel.__name__}({words}): return kernel({words})", space)
    function = space[kernel.__name__]
    function.__defaults__, function.__module__ = kernel.py_func.__defaults__, kernel.__module__
    made = numba.njit(nogil=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=counting)(function)
    made._cache = Doors(kernel)
    return made


class Results:
    """What numba asks of the cache of a function. This one is empty, and holds what was compiled."""

    cache_path = None

    def __init__(self):
        self.found = {}  # types of arguments -> result of the compiler

    def enable(self) -> None:
        """Nothing: it is always on."""

    disable = flush = enable

    def load_overload(self, arguments, target):
        return None

    def save_overload(self, arguments, result):
        self.found[arguments] = result


class Doors(Results):
    """The cache of the door of a kernel: files."""

    def __init__(self, kernel: Kernel):
        self.kernel, self.name = kernel, f"{kernel.name}.door"

    def load_overload(self, arguments, target):
        target.refresh()  # which makes numba's memory management known to LLVM
        parts = kernel_cache.read(self.name, arguments)
        if parts is None:
            return None
        self.kernel.provide(tuple(map(plain, arguments)))
        with undisturbed():
            return CompileResult._rebuild(target, *parts)

    def save_overload(self, arguments, result):
        kernel_cache.write(self.name, arguments, result._reduce())


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within the block SIGINT and SIGTERM wait for its end; in threads other than the main one they never come.

    LLVM asks numba for the machine code of a door. An exception of a signal is lost in that answer, LLVM goes on without
    the code, and the first call of it ends the process by SIGSEGV: 3 % of the runs that were stopped meanwhile.
    """
    came, before = [], {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before[number] = signal.signal(number, lambda number, frame: came.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in came:
            signal.raise_signal(number)


class Options(Flags):
    """Options of numba's own functions in all kernels, as one object.

    numba compiles its own functions, such as max(x, y), for the options of the kernel that calls them, and looks for them
    by these options a thousand times a kernel. It also notes which one was asked for last, so that a kernel may get that
    of another kernel. Here they are the same for all.
    """

    __slots__ = ()
    __hash__, __eq__ = object.__hash__, object.__eq__

    def copy(self):
        return self


SHARED = Options()
SHARED.nrt, SHARED.error_model = True, "numpy"


class Compiler(CompilerBase):
    """numba's compiler. A kernel gets the same code whatever was compiled before it.

    Operations such as x**2 are functions too: numba would take the one that it compiled first, with the rounding of another
    kernel. Here each kernel has its own.
    """

    def __init__(self, typing, target, library, arguments, return_type, flags, locals):
        super().__init__(typing, target, library, arguments, return_type, flags, locals)
        self.state.targetctx.cached_internal_func = {}
        self.own, self.state.flags = flags, SHARED  # until the passes begin

    def define_pipelines(self) -> list[PassManager]:
        self.state.flags = self.own
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]

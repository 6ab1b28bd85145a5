"""Kernels: functions that numba compiles, and that Python and other kernels call by a symbol.

numba links a copy of all its callees into each function. Here a callee is copied only where that pays; the others are
`apart`, and called by their symbols. The machine code of each kernel is an object file, which `kernel_cache` loads and
keeps on disk. Calls are typed and lowered by numba's interface for extensions:
https://numba.readthedocs.io/en/stable/extending/low-level.html and, for the compiler,
https://numba.readthedocs.io/en/stable/developer/custom_pipeline.html

What a device does not have, such as traps, is called through a few kernels, which are `deferred`. Other kernels call these
by their symbols, as they call the rest. At first a stub has such a symbol: machine code that asks Python for the address
of the kernel, which is compiled or loaded then, and goes on there, now and at every later call. Arguments are passed on as
they are, whatever their types, and an exception that Python raises ends the call as one of a kernel does.

The type of what a deferred kernel returns must be known before it is compiled: it is that of its annotation.

PRIVATE lists the undocumented parts of numba that are used. The import of this module fails if one of them is missing.
"""

from __future__ import annotations

import inspect
import os
import signal
import threading
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import cached_property
from types import FrameType
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import types
from numba.core.base import BaseContext
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, CompileResult, DefaultPassBuilder, Flags
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.dispatcher import Dispatcher
from numba.core.funcdesc import ExternalFunctionDescriptor, FunctionDescriptor
from numba.core.runtime import rtsys
from numba.core.typing import Signature, signature
from numba.extending import lower_builtin, type_callable, typeof_impl

from otjdd.compiler import kernel_cache
from otjdd.compiler.kernel_cache import Compiled, Types
from otjdd.system.limits import interrupt_later, shielded

FAILED = -1  # status by which numba's functions tell their callers that Python has raised an exception
# The other functions are those of Python's C interface. A call that must be the last one of a function passes on all
# arguments: https://llvm.org/docs/LangRef.html#call-instruction (musttail)
STUB = """
@address = internal global i8* null
@module = internal constant [{module_size} x i8] c"{module}\\00"
@method = internal constant [11 x i8] c"address_of\\00"
@format = internal constant [2 x i8] c"s\\00"
@symbol = internal constant [{symbol_size} x i8] c"{symbol}\\00"
declare i32 @PyGILState_Ensure()
declare void @PyGILState_Release(i32)
declare i8* @PyImport_ImportModule(i8*)
declare i8* @PyObject_CallMethod(i8*, i8*, i8*, ...)
declare i8* @PyLong_AsVoidPtr(i8*)
declare void @Py_DecRef(i8*)
define i32 @"{symbol}.stub"(...) {{
start:
  %present = load i8*, i8** @address
  %missing = icmp eq i8* %present, null
  br i1 %missing, label %import, label %go
import:
  %lock = call i32 @PyGILState_Ensure()
  %imported = call i8* @PyImport_ImportModule(i8* bitcast ([{module_size} x i8]* @module to i8*))
  %absent = icmp eq i8* %imported, null
  br i1 %absent, label %fail, label %ask
ask:
  %number = call i8* (i8*, i8*, i8*, ...) @PyObject_CallMethod(
    i8* %imported, i8* bitcast ([11 x i8]* @method to i8*), i8* bitcast ([2 x i8]* @format to i8*),
    i8* bitcast ([{symbol_size} x i8]* @symbol to i8*))
  call void @Py_DecRef(i8* %imported)
  %raised = icmp eq i8* %number, null
  br i1 %raised, label %fail, label %note
note:
  %fresh = call i8* @PyLong_AsVoidPtr(i8* %number)
  call void @Py_DecRef(i8* %number)
  store i8* %fresh, i8** @address
  call void @PyGILState_Release(i32 %lock)
  br label %go
fail:
  call void @PyGILState_Release(i32 %lock)
  ret i32 {failed}
go:
  %target = phi i8* [%present, %start], [%fresh, %note]
  %function = bitcast i8* %target to i32 (...)*
  %status = musttail call i32 (...) %function(...)
  ret i32 %status
}}
"""


def put_stub(symbol: str) -> None:
    """Give the symbol of a kernel to a stub, which goes on at its `address_of`. The stub is kept on disk as kernels are."""
    name, arguments = kernel_cache.SYMBOLS[symbol]
    code = kernel_cache.read_entry(f"{name}.stub", arguments)
    if code is None:
        sizes = {"module_size": len(__name__) + 1, "symbol_size": len(symbol) + 1}
        code = kernel_cache.assembled(STUB.format(module=__name__, symbol=symbol, failed=FAILED, **sizes))
        kernel_cache.write_entry(f"{name}.stub", arguments, code)
    kernel_cache.link(code, f"{symbol}.stub")
    binding.add_symbol(symbol, binding.address_of_symbol(f"{symbol}.stub"))


def address_of(symbol: str) -> int:
    """Address of a deferred kernel, which is compiled or loaded: its stub asks for it."""
    name, arguments = kernel_cache.SYMBOLS[symbol]
    address: int = kernel_cache.KERNELS[name].find(arguments)
    return address


def return_type(function: Callable[..., Any]) -> types.Type:
    """numba's type of what a function returns, by its annotation. Raises TypeError for an annotation that tells none."""
    return type_of(typing.get_type_hints(function).get("return", type(None)))


def type_of(annotation: Any) -> types.Type:
    """numba's type of an annotation. Arrays are of floating point numbers in one dimension."""
    simple = {type(None): types.none, bool: types.boolean, int: types.int64, float: types.float64}
    if annotation in simple:
        return simple[annotation]
    if annotation is np.ndarray:
        return types.float64[::1]
    if typing.get_origin(annotation) is tuple:
        return types.BaseTuple.from_types([type_of(part) for part in typing.get_args(annotation)])
    if inspect.isclass(annotation) and issubclass(annotation, IntEnum):
        return numba.typeof(next(iter(annotation)))
    if inspect.isclass(annotation) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
        hints = typing.get_type_hints(annotation)
        return types.BaseTuple.from_types([type_of(hints[field]) for field in annotation._fields], annotation)
    raise TypeError(f"a deferred kernel returns numbers, arrays, tuples of them or nothing, not {annotation}")


SAMPLE = numba.njit(lambda: None)
PRIVATE = (  # parts of numba that it does not document
    (SAMPLE, ("_cache",)),
    (CompileResult, ("_reduce", "_rebuild", "fndesc")),
    (FunctionDescriptor, ("mangled_name",)),
    (SAMPLE.targetctx, ("cached_internal_func", "call_internal")),
    (global_compiler_lock, ("acquire", "release")),
    (rtsys, ("initialize",)),
    (JITCodeLibrary, ("_finalize_final_module", "_verify_declare_only_symbols", "codegen")),
)
for owner, names in PRIVATE:
    for name in names:
        getattr(owner, name)


FINDING = threading.RLock()  # the kernels that threads call for the first time are loaded one after the other


def hold_compiler() -> None:
    """Wait until no other thread loads or compiles a kernel, and let none begin, in the order in which `find` locks."""
    FINDING.acquire()
    global_compiler_lock.acquire()


def release_compiler() -> None:
    """Let threads load and compile again, in a forked process its one thread."""
    global_compiler_lock.release()
    FINDING.release()


# A lock that another thread holds is copied by a fork, and nobody releases the copy: a fork waits until kernels are loaded.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=hold_compiler, after_in_parent=release_compiler, after_in_child=release_compiler)


class BySymbol:
    """A kernel that other kernels call by its symbol. numba keeps it in a class, which would bind a function."""

    def __init__(self, kernel: Kernel):
        self.kernel = kernel

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.kernel(*arguments, **named)


class Kernel:
    """A function with machine code of its own.

    function : in Python   options : of numba.njit
    apart : other kernels call it by its symbol instead of copying its code. Python always does so
    deferred : it is compiled or loaded at the first call; it is apart
    """

    def __init__(self, function: Callable[..., Any], apart: bool, deferred: bool = False, **options: Any):
        self.apart, self.deferred, self.options = apart or deferred, deferred, options
        path = function.__module__.split(".")
        self.name = f"{'_'.join(path[2:] or path[-1:])}.{function.__qualname__}"
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__
        self.py_func = function
        self.loaded: dict[Types, FunctionDescriptor] = {}  # descriptions of machine code
        self.addresses: dict[Types, int] = {}  # of a deferred kernel that was called
        # numba takes a copied kernel itself for its inner function
        self.by_symbol = self if self.apart else BySymbol(self)
        type_callable(self.by_symbol)(lambda context: self.typer())
        lower_builtin(self.by_symbol, types.VarArg(types.Any))(self.lower)
        if other := kernel_cache.KERNELS.get(self.name):  # a session may define one again
            assert other.__module__ == self.__module__, f"{self.name} is a kernel of {other.__module__} already"
        kernel_cache.KERNELS[self.name] = self

    # Made at their first use: a command uses few of the kernels, and to make these three takes most of the import of all.
    @cached_property
    def parameters(self) -> inspect.Signature:
        """Parameters of the function."""
        return inspect.signature(self.py_func)

    @cached_property
    def inner(self) -> Dispatcher:
        """numba's function, which compiles."""
        alone = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": Compiler}
        return numba.njit(**alone, **self.options)(self.py_func)

    @cached_property
    def entry_point(self) -> Dispatcher:
        """The function that Python calls."""
        return entry_point(self, self.options.get("_nrt", True))

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.entry_point(*arguments, **named)

    def typer(self) -> Callable[..., Signature]:
        """Function from the types of arguments to the signature of a call, as numba asks for it."""

        def typer(*arguments: types.Type, **named: types.Type) -> Signature:
            bound = tuple(map(plain_kind, self.parameters.bind(*arguments, **named).args))
            return signature(self.provide(bound).restype, *bound)

        vars(typer).update(__signature__=self.parameters, pysig=self.parameters)
        return typer

    def lower(
        self, context: BaseContext, builder: ir.IRBuilder, call: Signature, arguments: list[ir.Value]
    ) -> ir.Value:
        """Code of a call in another kernel."""
        return context.call_internal(builder, self.provide(call.args), call, arguments)

    def provide(self, arguments: Types) -> FunctionDescriptor:
        """Let a symbol stand for the kernel with types of arguments. Returns numba's description of it."""
        if arguments not in self.loaded:
            self.loaded[arguments] = self.announce(arguments) if self.deferred else self.load(arguments)
        return self.loaded[arguments]

    def load(self, arguments: Types) -> FunctionDescriptor:
        """Load or compile the machine code for types of arguments. Returns numba's description of it."""
        compiled = kernel_cache.load(self.name, arguments)
        if compiled is None:
            compiled = self.compile(arguments)
            kernel_cache.write_entry(self.name, arguments, compiled)
        description, code, _ = compiled
        kernel_cache.link(code, description.mangled_name)
        return description

    def announce(self, arguments: Types) -> FunctionDescriptor:
        """Put a stub in the place of a deferred kernel. Returns numba's description of what the kernel will be."""
        symbol = kernel_cache.kernel_symbol(self.name, arguments)
        put_stub(symbol)
        return ExternalFunctionDescriptor(symbol, return_type(self.py_func), arguments)

    def find(self, arguments: Types) -> int:
        """Address of a deferred kernel, which is loaded or compiled. Signals wait until its callers have ended.

        Raises TypeError if it does not return what its annotation says.
        """
        with FINDING, shielded(interrupt_later):
            if arguments not in self.addresses:  # another thread may have been here
                actual, announced = self.load(arguments), self.provide(arguments)
                if actual.restype != announced.restype:
                    raise TypeError(f"{self.name} returns {actual.restype}, its annotation says {announced.restype}")
                self.addresses[arguments] = kernel_cache.address(actual.mangled_name)
        return self.addresses[arguments]

    def compile(self, arguments: Types) -> Compiled:
        """Compile for types of arguments. Returns description, machine code, and the symbols that it needs."""
        with kernel_cache.compiling(self.name):
            self.inner.compile(arguments)
        own, symbol = self.inner.overloads[arguments].fndesc, kernel_cache.kernel_symbol(self.name, arguments)
        code, needed = kernel_cache.object_file(self.inner.inspect_llvm(arguments), own.mangled_name, symbol)
        description = ExternalFunctionDescriptor(symbol, own.restype, own.argtypes)
        return description, code, [kernel_cache.SYMBOLS.get(name, name) for name in needed]


@typeof_impl.register(Kernel)
def typeof_kernel(kernel: Kernel, context: object) -> types.Type | None:
    """Type of a kernel within another one: its inner function, or None for a kernel that is called by its symbol."""
    return None if kernel.apart else numba.typeof(kernel.inner)


def plain_kind(kind: types.Type) -> types.Type:
    """Type of an argument without its value. numba would compile a function again for each literal number in a call."""
    return numba.typeof(kind.value) if isinstance(kind, types.Omitted) else types.unliteral(kind)


def entry_point(kernel: Kernel, counting: bool) -> Dispatcher:
    """The function that Python calls: it unboxes the arguments, releases Python's lock, and calls the kernel.

    counting : the kernel counts references to arrays
    """
    words = ", ".join(kernel.parameters.parameters)
    space: dict[str, Any] = {"kernel": kernel.by_symbol}
    exec(f"def {kernel.__name__}({words}): return kernel({words})", space)
    function = space[kernel.__name__]
    function.__defaults__, function.__module__ = kernel.py_func.__defaults__, kernel.__module__
    dispatcher = numba.njit(nogil=True, no_cfunc_wrapper=True, error_model="numpy", _nrt=counting)(function)
    dispatcher._cache = EntryPointCache(kernel)
    return dispatcher


class EntryPointCache:
    """The cache of the entry point of a kernel, with the methods that numba calls."""

    cache_path = None

    def __init__(self, kernel: Kernel):
        self.kernel, self.name = kernel, f"{kernel.name}.entry"

    def enable(self) -> None:
        """Do nothing: the cache is always enabled."""

    disable = flush = enable

    def load_overload(self, arguments: Types, target: BaseContext) -> CompileResult | None:
        rtsys.initialize(target)  # makes numba's memory management known to LLVM
        parts = kernel_cache.read_entry(self.name, arguments)
        if parts is None:
            return None
        code, needed = parts
        for name, kinds in needed:
            kernel_cache.KERNELS[name].provide(kinds)
        with undisturbed():
            return CompileResult._rebuild(target, *code)

    def save_overload(self, arguments: Types, result: CompileResult) -> None:
        functions = binding.parse_assembly(result.library.get_llvm_str()).functions
        needed = [
            kernel_cache.SYMBOLS[function.name] for function in functions if function.name in kernel_cache.SYMBOLS
        ]
        kernel_cache.write_entry(self.name, arguments, (result._reduce(), needed))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within the block, SIGINT and SIGTERM are held back until its end. Threads other than the main one never get them.

    LLVM calls back for the machine code of an entry point. An exception that a signal raises in this callback is lost, LLVM
    goes on without the code, and the first call of it ends the process by SIGSEGV. That happens to 3 % of the runs that are
    stopped at that time.
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
        for late in came:
            signal.raise_signal(late)


class Options(Flags):
    """Options of numba's own functions, one object for all kernels.

    numba compiles its own functions, such as max(x, y), with the options of the kernel that calls them, and compares these
    options a thousand times for each kernel. It also remembers the last one that was used, so that a kernel may get the
    function of another kernel. With one object for all, neither matters.
    """

    __slots__ = ()
    __hash__, __eq__ = object.__hash__, object.__eq__

    def copy(self) -> Options:
        return self


SHARED = Options()
SHARED.nrt, SHARED.error_model = True, "numpy"


class Library(JITCodeLibrary):
    """LLVM code of a kernel, of which `kernel_cache.object_file` makes the object file.

    numba would first make machine code of it for an engine of its own, which nobody calls.
    """

    def _finalize_final_module(self) -> None:
        self._verify_declare_only_symbols()
        self._finalized = True

    @property
    def codegen(self) -> Library:
        """What numba gives the environment of a function, to put it into the machine code in its engine."""
        return self

    def set_env(self, name: str, environment: object) -> None:
        """Do nothing."""


class Compiler(CompilerBase):
    """numba's compiler, with the same code for a kernel whatever was compiled before it.

    Operations such as x**2 are functions too. numba would reuse the first one that it compiled, with the rounding of
    another kernel. Here each kernel has its own.
    """

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.state.targetctx.cached_internal_func = {}
        self.own, self.state.flags = self.state.flags, SHARED  # until the passes begin

    def define_pipelines(self) -> list[PassManager]:
        self.state.flags = self.own
        self.state.library = Library(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]

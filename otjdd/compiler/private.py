"""All that otjdd uses of numba's private parts. Importing it fails where one of them is missing.

numba promises nothing about them: `pyproject.toml` therefore has an upper end for its version, which the tests have seen,
and `kernel_cache` does without this module, and without a cache, where it cannot be imported.

A kernel that stands apart is called by its name in machine code instead of being copied into its callers.
"""

import hashlib
import signal
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy

from llvmlite import binding
from numba.core import types
from numba.core.codegen import JITCodeLibrary, JitEngine
from numba.core.compiler import Compiler, CompileResult, Flags, compile_result
from numba.core.dispatcher import Dispatcher
from numba.core.environment import Environment
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps
from numba.core.targetconfig import ConfigStack

__all__ = [
    "Alone", "Copied", "Named", "announce", "cache_of", "called", "copied_parts", "door_of", "dumps", "for_callers",
    "get_ready", "hide", "is_of_process", "loaded", "object_code", "parts", "rebuilt", "rebuilt_copied", "reset",
    "set_cache", "undisturbed", "untimed", "wanted",
]  # fmt: skip

# Parts that are only touched when a kernel is compiled: asked for here, so that it is known at once when they are missing.
USED = (
    (
        JITCodeLibrary,
        ("_finalize_final_module", "serialize_using_object_code", "_unserialize", "enable_object_caching"),
    ),
    (JitEngine, ("is_symbol_defined", "_load_defined_symbols")),
    (Compiler, ("_compile_bytecode", "compile_extra")),
    (CompileResult, ("_reduce", "_rebuild", "_replace")),
    (
        cpu_target.target_context,
        ("cached_internal_func", "create_cpython_wrapper", "get_executable", "insert_user_function"),
    ),
    (cpu_target.typing_context, ("_lookup_global", "resolve_function_type")),
    (rtsys, ("initialize",)),
    (binding.ffi.lib._lock, ("_cblist", "_lock")),
    (Flags, ("_summary_args", "_values", "get_mangle_string")),
    (
        Dispatcher,
        ("_reset_overloads", "_make_finalizer", "add_overload", "get_call_template", "get_overload", "is_compiling"),
    ),
)
for owner, names in USED:
    for name in names:
        getattr(owner, name)

HELPERS = {}  # options of a kernel -> numba's own functions, as compiled for kernels with these options
SIGNATURES = {}  # function, types of its arguments, options of the kernel -> signature
PLAIN = (types.Number, types.Boolean, types.Array)  # types of arguments whose signatures are remembered
UNDEFINED = 0  # section of a symbol that an ELF file does not define
SYMBOL_TABLE = 2  # type of an ELF section


class Library(JITCodeLibrary):
    """Machine code that does not depend on what else a process has compiled or loaded.

    numba lets the linker see the copies that a caller has of its callees, and of all copies in a process the linker takes
    the first. In the process that compiles these are others than in later ones, optimised in other surroundings, with
    sums in another order: results differed by 1e-9. Here each caller's copies are internal to it.

    A caller gets one copy of each kernel, by its name. The names of numba's own functions count what the process has
    compiled before, so that two of them can have one name in files of two processes: they are internal here as well.
    """

    own = ""  # part of the names of kernels that are the same in all processes
    copied = False  # only ever copied into callers: no machine code is made of it

    def _optimize_functions(self, ll_module):
        """As numba's, without the many functions that are only declared: each took a millisecond."""
        ll_module.data_layout = self._codegen._data_layout
        for function in ll_module.functions:
            if not function.is_declaration:
                manager, builder = self._codegen._function_pass_manager()
                manager.run(function, builder)

    def _optimize_final_module(self):
        """Once: numba does it twice, to find more pairs of references to arrays that cancel."""
        manager, builder = self._codegen._module_pass_manager()
        manager.run(self._final_module, builder)

    def _finalize_final_module(self):
        if self._shared_module is None:  # compiled here, not loaded from a file
            # Written and read again, for what LLVM makes of a module depends on whether it has been.
            self._shared_module = binding.parse_bitcode(self._final_module.as_bitcode())
            for function in definitions(self._shared_module, "linkonce_odr"):
                if not self.own or self.own not in function.name:
                    function.linkage = "internal"
            for function in definitions(self._shared_module, "external"):
                function.linkage = "linkonce_odr"
            for function in definitions(self._final_module, "linkonce_odr"):
                function.linkage = "internal"
        if self.copied:
            self._finalized = True
        else:
            super()._finalize_final_module()


def definitions(module, linkage: str) -> list:
    """Functions that a module defines with a linkage: "external", "internal", "linkonce_odr"."""
    return [f for f in module.functions if not f.is_declaration and f.linkage.name == linkage]


@contextmanager
def helpers(compiler: Compiler):
    """Have numba take its own functions, such as that of x**2, from those compiled for kernels of the same options.

    numba compiles them once in a process, with the options of floating point of the first kernel that uses them, and
    gives them to all kernels. What a kernel computes then depends on which was compiled first: weighted_square of
    `stepper` came in two versions, and reads differed by 1e-7.
    """
    target, own = cpu_target.target_context, HELPERS.setdefault(compiler.state.flags.copy(), {})
    before, target.cached_internal_func = target.cached_internal_func, own
    compiler.state.targetctx.cached_internal_func = own
    try:
        yield
    finally:
        target.cached_internal_func = before


class Options(Flags):
    """numba's options of a kernel, compared and named by those that are given.

    numba looks its own functions up by the options, a hundred times a kernel. It compares all of them each time, by name,
    which took a tenth of the time of compilation. It puts them into the names of kernels, in an order that differs between
    processes.
    """

    __slots__ = ()

    def __hash__(self):
        return hash(frozenset(self._values))

    def __eq__(self, other):
        return self._values == other._values if isinstance(other, Options) else super().__eq__(other)

    def get_mangle_string(self) -> str:
        given = {name: getattr(value, "flags", value) for name, value in self._summary_args()}
        ordered = [(name, sorted(value) if isinstance(value, set) else value) for name, value in given.items()]
        return hashlib.sha256(repr(ordered).encode()).hexdigest()[:8]


@contextmanager
def signatures(compiler: Compiler):
    """Have numba remember the signatures of operators and functions of numbers and arrays.

    It tries its many candidates, those for strings, sets and dates among them, anew for each x + y of a kernel.
    """
    typing = compiler.state.typingctx
    if "resolve_function_type" in vars(typing):  # for the kernel that calls this one
        yield
        return
    find = typing.resolve_function_type

    def remember(function, arguments, named):
        options = ConfigStack.top_or_none()
        kernel = isinstance(function, types.Dispatcher)
        if named or kernel or not isinstance(options, Options) or not all(isinstance(a, PLAIN) for a in arguments):
            return find(function, arguments, named)
        chosen = implementations(typing, function)
        key = function, arguments, options
        if key not in SIGNATURES:
            signature = find(function, arguments, named)
            SIGNATURES[key] = signature, signature and chosen.get(signature.args)
        signature, implementation = SIGNATURES[key]
        if implementation is not None:  # numba lowers a call to what was typed last, with whatever options
            chosen[signature.args] = implementation
        return signature

    typing.resolve_function_type = remember
    try:
        yield
    finally:
        del typing.resolve_function_type


def implementations(typing, function) -> dict:
    """Types of arguments -> the implementation that a call of a builtin function is lowered to."""
    found = function if isinstance(function, types.Function) else typing._lookup_global(function)
    return found._impl_keys if isinstance(found, types.Function) else {}


class Alone(Compiler):
    """numba's compiler, into a Library, with helpers of its own options."""

    own = ""  # see Library

    def _compile_bytecode(self):
        self.state.flags = Options(self.state.flags)
        self.state.library = Library(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        self.state.library.own = self.own
        self.state.library.enable_object_caching()
        with helpers(self), signatures(self):
            return super()._compile_bytecode()


class Named(Alone):
    """The same for a kernel that is kept: its name is the same in all processes.

    numba puts into a name how many functions the process has compiled before, so files of two processes would not fit
    together. Here `number` takes that place.
    """

    def number(self) -> int:
        """The number that tells this kernel from others of its name."""
        raise NotImplementedError

    def _compile_bytecode(self):
        number, self.state.flags.no_cpython_wrapper = self.number(), True
        self.state.func_id.unique_id, self.own = number, f"v{number}B"
        return super()._compile_bytecode()


class Copied(Named):
    """The same for a kernel that is copied into its callers."""

    def _compile_bytecode(self):
        self.state.flags.no_compile = True
        result = super()._compile_bytecode()
        result.library.copied = True
        result.library.finalize()
        return entered(result)


def entered(result: CompileResult) -> CompileResult:
    """A kernel without machine code, as callers find it."""
    nobody_calls = [].append  # numba asks for a builtin function that stands for this kernel and no other
    result = result._replace(entry_point=nobody_calls)
    result.target_context.insert_user_function(result.entry_point, result.fndesc, [result.library])
    return result


def door_of(inner) -> type[Compiler]:
    """Compiler of the door of a kernel: what Python calls."""

    class Door(Alone):
        def compile_extra(self, function):
            inner.compile(self.state.args)
            return opened(self.state.targetctx, inner.overloads[self.state.args])

    return Door


def opened(target, result: CompileResult) -> CompileResult:
    """A kernel in a library of its own with a way in from Python; it contains the kernel unless that stands apart.

    Python's lock is free while the kernel runs, so that threads run kernels beside each other.

    It has an environment of its own, numba's list of the Python objects that it returns, such as classes.
    """
    description = copy(result.fndesc)
    description.env_name += ".door"
    environment = Environment.from_fndesc(description)
    library = Library(target.codegen(), result.library.name)
    library.enable_object_caching()
    target.create_cpython_wrapper(library, description, environment, None, release_gil=True)
    library.add_linking_library(rtsys.library)
    library.add_linking_library(result.library)
    return result._replace(
        library=library, fndesc=description, environment=environment, metadata={},
        entry_point=target.get_executable(library, description, environment),
    )  # fmt: skip


def for_callers(door, inner) -> None:
    """Have kernels that call a kernel, which they know by its door, find what is inside.

    Compiled once for all values of a number: numba compiles it anew for each that is written as such in a call.
    """

    def call_template(arguments, named):
        plain = {name: types.unliteral(argument) for name, argument in named.items()}
        return inner.get_call_template(tuple(map(types.unliteral, arguments)), plain)

    door.get_call_template, door.get_overload = call_template, inner.get_overload
    door._compiling_counter = inner._compiling_counter  # of kernels that call themselves


def set_cache(dispatcher, cache) -> None:
    """Have a dispatcher ask `cache` for its machine code."""
    dispatcher._cache = cache


def cache_of(dispatcher):
    """The cache that `set_cache` has given a dispatcher."""
    return dispatcher._cache


def get_ready(target) -> None:
    """Prepare a target context for kernels that are loaded: numba's memory management, which they call.

    numba looks through all its registries as well, and imports sets, dictionaries and linear algebra for them. Only what
    is compiled needs those, and then numba does it again: a tenth of the time of loading all kernels.
    """
    rtsys.initialize(target)


def loaded(dispatcher, signature: tuple) -> bool:
    """Load a kernel from its file, as a dispatcher does before it compiles; False where there is none to be trusted.

    Without the timers of a dispatcher: one kernel loads those that it calls, and each call of LLVM is told to the timers
    of all of them, an eighth of the time. The lock of the compiler is held by the first.
    """
    if signature in dispatcher.overloads:
        return True
    target = dispatcher.targetctx
    result = cache_of(dispatcher).load_overload(signature, target)
    if result is None:
        return False
    target.insert_user_function(result.entry_point, result.fndesc, [result.library])
    dispatcher.add_overload(result)
    return True


def reset(dispatcher) -> list:
    """Forget what a dispatcher has compiled; returns the signatures of it."""
    signatures = list(dispatcher.overloads)
    dispatcher._make_finalizer()()
    dispatcher._reset_overloads()
    return signatures


def parts(result) -> tuple:
    """A compiled kernel as a tuple that can be pickled."""
    return result._reduce()


def copied_parts(result) -> tuple:
    """The form of a kernel for its callers as a tuple that can be pickled."""
    library, description = result.library, result.fndesc
    description.typemap = description.calltypes = None  # numba leaves them out as well
    return library.name, library._shared_module.as_bitcode(), description, result.environment, result.signature


def rebuilt_copied(target, parts: tuple) -> CompileResult:
    """The form of a kernel for its callers, of such parts."""
    name, code, description, environment, signature = parts
    library = Library(target.codegen(), name)
    library._shared_module = binding.parse_bitcode(code)
    library._finalized = library.copied = True
    return entered(compile_result(
        typing_context=target.typing_context, target_context=target, library=library, environment=environment,
        fndesc=description, signature=signature, objectmode=False, lifted=(),
    ))  # fmt: skip


def object_code(parts: tuple) -> bytes:
    """Machine code among these parts, as an object file."""
    _, kind, (code, _) = parts[0]
    if kind != "object":
        raise ValueError(f"machine code of the kind {kind!r}")
    return code


def rebuilt(target, parts: tuple, apart: bool):
    """The compiled kernel of such parts, loaded into this process for a target context."""
    if apart:
        description = parts[1]
        announce(target.codegen(), (description.llvm_func_name, description.llvm_cpython_wrapper_name))
    with undisturbed(), untimed():
        return CompileResult._rebuild(target, *parts)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within the block SIGINT and SIGTERM wait for its end; in threads other than the main one they never come.

    LLVM asks Python for the machine code that it loads. An exception of a signal is lost in that answer, LLVM goes on
    without the code, and the first call of it ends the process by SIGSEGV: 3 % of the runs that were stopped while they
    loaded kernels.
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


@contextmanager
def untimed() -> Iterator[None]:
    """Within the block numba's timers are not told of each call of LLVM, a seventh of the time of loading kernels."""
    lock = binding.ffi.lib._lock
    with lock._lock:  # no thread is within a call then, of which the timers would only see the beginning or the end
        told, lock._cblist = lock._cblist, []
    try:
        yield
    finally:
        with lock._lock:
            lock._cblist = told + lock._cblist


def announce(codegen, names: Iterable[str]) -> None:
    """Tell numba that symbols are defined, of code that is loaded without a description of what is in it."""
    codegen._engine._defined_symbols.update(names)


def hide(result) -> str:
    """Take the code of a kernel out of its callers' sight; returns the name that they call it by."""
    library = result.library
    library._shared_module = binding.parse_assembly(str(library.codegen._create_empty_module(library.name)))
    return result.fndesc.llvm_func_name


def called(library) -> set[str]:
    """Names of the functions that a library declares and does not define."""
    return {function.name for function in library._final_module.functions if function.is_declaration}


def is_of_process(symbol: str) -> bool:
    """True for a symbol of the process: of the C library, of Python, of numba's own helpers."""
    return binding.address_of_symbol(symbol) is not None


def wanted(code: bytes) -> set[str]:
    """Symbols that an object file needs and does not define; empty for files that are not 64-bit ELF (Linux).

    LLVM ends the process when it cannot find one of them. Raises ValueError for a file that contradicts itself.
    """
    if code[:6] != b"\x7fELF\x02\x01":
        return set()
    try:
        table = struct.unpack_from("<Q", code, 0x28)[0]
        size, count = struct.unpack_from("<HH", code, 0x3A)
        sections = [struct.unpack_from("<IIQQQQIIQQ", code, table + k * size) for k in range(count)]
        found = set()
        for _, kind, _, _, start, length, link, _, _, entry in sections:
            if kind != SYMBOL_TABLE:
                continue
            _, _, _, _, names, extent, *_ = sections[link]
            for at in range(start + entry, start + length, entry):  # the first symbol is no symbol
                name, _, _, section, _, _ = struct.unpack_from("<IBBHQQ", code, at)
                if section == UNDEFINED:
                    end = code.index(b"\0", names + name, names + extent)
                    found.add(code[names + name : end].decode())
        return found
    except (struct.error, IndexError, ValueError) as error:
        raise ValueError(f"no object file ({error})") from error

"""Kernels that are compiled when a run first calls them.

What a device does not have, such as traps, is called through a few kernels, which are `deferred`. Other kernels call these
by their symbols, as they call the rest. At first a stub has such a symbol: machine code that asks Python for the address
of the kernel, which is compiled or loaded then, and goes on there, now and at every later call. Arguments are passed on as
they are, whatever their types, and an exception that Python raises ends the call as one of a kernel does.

The type of what a deferred kernel returns must be known before it is compiled: it is that of its annotation.
"""

import inspect
import typing
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import numba
import numpy as np
from llvmlite import binding
from numba.core import types

from otjdd.compiler import kernel_cache, machine_code

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
    code = kernel_cache.read(f"{name}.stub", arguments)
    if code is None:
        sizes = {"module_size": len(__name__) + 1, "symbol_size": len(symbol) + 1}
        code = machine_code.emitted(STUB.format(module=__name__, symbol=symbol, failed=FAILED, **sizes))
        kernel_cache.write(f"{name}.stub", arguments, code)
    machine_code.load(code, f"{symbol}.stub")
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

"""Rows of named tuples, one tuple for each column of a junction: kernels take the address of a row and index it.

numba's tuples have their length in their type, and its lists count references. A Row is a block of memory that Python fills
once with items, and that lives as long as the Row. In a kernel `row[k]` is the address of item k, a `TuplePointer`; in
Python it is the tuple itself.

The interface is numba's for extensions: https://numba.readthedocs.io/en/stable/extending/low-level.html
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.base import BaseContext
from numba.core.cgutils import create_struct_proxy
from numba.core.typing.templates import AbstractTemplate, Signature, infer_global, signature
from numba.extending import NativeValue, intrinsic, lower_builtin, models, register_model, typeof_impl, unbox
from numpy.typing import NDArray

from otjdd.compiler.decorators import bare
from otjdd.compiler.pointer_tuples import TuplePointer, Unboxing

Item = TypeVar("Item", bound=tuple[object, ...])  # a `by_pointer` class
Values = Sequence[ir.Value]  # of the arguments of a call
Lowered = tuple[Signature, Callable[..., ir.Value]]  # types of a call, and the function that makes its code


class Row(list[Item]):
    """Named tuples of one `by_pointer` class. Only the elements of their arrays may change.

    It is a list because numba recognises a list by its first item, in C. For any other object it would find the types
    of all arguments in Python at each call, which takes 150 us.
    Raises TypeError if numba sees items of different types.
    """

    def __init__(self, items: Iterable[Item]):
        super().__init__(items)
        if not numba.config.DISABLE_JIT:
            self.memory = filled_memory(self)
            self.address, self.type = self.memory.ctypes.data, RowType(numba.typeof(self[0]))

    def __reduce__(self) -> tuple[Any, ...]:
        return Row, (list(self),)


def filled_memory(items: list[Item]) -> NDArray[np.uint8]:
    """Memory of a row, filled with its items."""
    if len(different := {numba.typeof(item) for item in {id(item): item for item in items}.values()}) != 1:
        raise TypeError(f"the items of a row are of one type, not of {len(different)}")
    memory = np.zeros((len(items), size_of(items[0])), np.uint8)
    for k, item in enumerate(items):
        put_item(memory.ctypes.data, k, item)
    return memory


class RowType(types.Type):
    """Type of the address of a row.

    item : type of its items
    """

    def __init__(self, item: TuplePointer):
        self.item = item
        super().__init__(name=f"Row_{item.name}")


@typeof_impl.register(Row)
def typeof_row(row: Row[Any], context: object) -> RowType:
    return row.type


def address_of_items(manager: Any, item: TuplePointer) -> ir.PointerType:
    return ir.PointerType(manager.lookup(item.content).get_value_type())


@register_model(RowType)
class RowModel(models.PrimitiveModel):
    """Representation in machine code: a pointer to the first item."""

    def __init__(self, manager: Any, row: RowType):
        super().__init__(manager, row, address_of_items(manager, row.item))


@unbox(RowType)
def unbox_row(row: RowType, instance: ir.Value, c: Unboxing) -> NativeValue:
    """Address of the memory of a Row."""
    number = c.pyapi.object_getattr_string(instance, "address")
    address = c.pyapi.long_as_ulonglong(number)
    c.pyapi.decref(number)
    kind = address_of_items(c.context.data_model_manager, row.item)
    return NativeValue(c.builder.inttoptr(address, kind), is_error=c.pyapi.c_api_error())


@infer_global(operator.getitem)
class RowItem(AbstractTemplate):
    """row[k] has the type of an item."""

    def generic(self, args: tuple[types.Type, ...], kws: object) -> Signature | None:
        row, k = args
        if isinstance(row, RowType) and isinstance(k, types.Integer):
            return signature(row.item, row, types.intp)
        return None


@lower_builtin(operator.getitem, RowType, types.Integer)
def address_of_item(context: BaseContext, builder: ir.IRBuilder, call: Signature, args: Values) -> ir.Value:
    return builder.gep(args[0], [args[1]], inbounds=True)


@intrinsic
def bytes_of(typing_context: object, item: TuplePointer) -> Lowered:
    """Size of an item in a row."""

    def size(context: BaseContext, builder: ir.IRBuilder, call: Signature, args: Values) -> ir.Value:
        kind = context.data_model_manager.lookup(call.args[0].content).get_value_type()
        return ir.Constant(context.get_value_type(types.intp), context.get_abi_sizeof(kind))

    return types.intp(item), size


@intrinsic
def put(typing_context: object, address: types.Type, k: types.Type, item: TuplePointer) -> Lowered:
    """Copy an item to place k of a row, without references to its arrays, which Python keeps alive."""

    def copy(context: BaseContext, builder: ir.IRBuilder, call: Signature, args: Values) -> ir.Value:
        content, value = call.args[2].content, builder.load(args[2])
        for i, kind in enumerate(content):
            if isinstance(kind, types.Array):
                array = create_struct_proxy(kind)(context, builder, builder.extract_value(value, i))
                array.meminfo, array.parent = array.meminfo.type(None), array.parent.type(None)
                value = builder.insert_value(value, array._getvalue(), i)
        row = builder.inttoptr(args[0], ir.PointerType(value.type))
        builder.store(value, builder.gep(row, [args[1]]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, item), copy


@bare
def size_of(item: tuple[object, ...]) -> int:
    size: int = bytes_of(item)
    return size


@bare
def put_item(address: int, k: int, item: tuple[object, ...]) -> None:
    put(address, k, item)

"""Named tuples of arrays that kernels receive by their address, and rows of them, one for each column of a junction.

numba passes a tuple as all the numbers in it. A Junction and a State are 320 numbers, which would be copied at each call,
and would take most of the compile time. `by_pointer` marks a class of tuples that Python makes and that live as long as a
call: a kernel gets one address, and loads the fields that it uses.

The fields of a tuple do not change while a kernel runs, only the elements of its arrays do. The loads tell LLVM so, which
may then move them out of loops, as it does with arguments.

numba's tuples have their length in their type, and its lists count references. A Row is a block of memory that Python fills
once with items, and that lives as long as the Row. In a kernel `row[k]` is the address of item k, a `TuplePointer`; in
Python it is the tuple itself.

The interface is numba's for extensions: https://numba.readthedocs.io/en/stable/extending/low-level.html
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.base import BaseContext
from numba.core.cgutils import alloca_once
from numba.core.dispatcher import Dispatcher
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import (
    AbstractTemplate,
    AttributeTemplate,
    Signature,
    infer_getattr,
    infer_global,
    signature,
)
from numba.extending import (
    NativeValue,
    intrinsic,
    lower_builtin,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numpy.typing import NDArray

from otjdd.compiler.decorators import bare, detached

Tuples = TypeVar("Tuples", bound=type[tuple[Any, ...]])  # a class of named tuples


class Unboxing(Protocol):
    """Argument that numba passes to a function that unboxes a Python object."""

    context: BaseContext
    builder: ir.IRBuilder
    pyapi: Any


class TuplePointer(types.Type):
    """Type of the address of a named tuple.

    content : numba's type of the tuple
    """

    def __init__(self, content: types.BaseNamedTuple):
        self.content = content
        digest = hashlib.sha256(str(content).encode()).hexdigest()[:12]
        super().__init__(name=f"{content.instance_class.__name__}_{digest}")  # short, as it is part of names of kernels

    @property
    def key(self) -> types.BaseNamedTuple:
        return self.content

    def __hash__(self) -> int:
        """Hash of the name: that of the content, a hundred nested types, is slow, and numba asks for it often."""
        return hash(self.name)

    __eq__ = types.Type.__eq__


def by_pointer(cls: Tuples) -> Tuples:
    """Class decorator: kernels receive these named tuples by their address."""

    @typeof_impl.register(cls)
    def typeof_tuple(value: tuple[Any, ...], context: object) -> TuplePointer:
        fields = [typeof_impl(field, context) for field in value]
        return TuplePointer(types.BaseTuple.from_types(fields, cls))

    return cls


@register_model(TuplePointer)
class PointerModel(models.PrimitiveModel):
    """Representation in machine code: a pointer to the fields in order."""

    def __init__(self, manager: Any, kind: TuplePointer):
        super().__init__(manager, kind, ir.PointerType(manager.lookup(kind.content).get_value_type()))


@unbox(TuplePointer)
def unbox_tuple(kind: TuplePointer, tuple_object: ir.Value, c: Unboxing) -> NativeValue:
    """Copy the fields of a Python tuple to the stack of the function that calls the kernel."""
    room = ir.ArrayType(ir.IntType(64), size_with_inner(c.context, kind) // 8)
    address = c.builder.bitcast(alloca_once(c.builder, room), c.context.get_value_type(kind))
    return NativeValue(address, is_error=copied_fields(c.context, c.builder, kind, tuple_object, address))


def size_of_fields(context: BaseContext, kind: TuplePointer) -> int:
    """Bytes of the fields of a tuple, whole numbers of 8 bytes."""
    size: int = context.get_abi_sizeof(context.get_value_type(kind.content))
    return -(-size // 8) * 8


def size_with_inner(context: BaseContext, kind: TuplePointer) -> int:
    """Bytes of the fields of a tuple, with those of the tuples within, which lie behind them in order."""
    inner = sum(size_with_inner(context, field) for field in kind.content if isinstance(field, TuplePointer))
    return size_of_fields(context, kind) + inner


def copied_fields(
    context: BaseContext, builder: ir.IRBuilder, kind: TuplePointer, tuple_object: ir.Value, address: ir.Value
) -> ir.Value:
    """Code that copies the fields of a Python tuple to an address; true where that fails.

    One kernel does so for all functions that Python calls with such a tuple: compiled into each of them, the two hundred
    arrays of a junction take two seconds.
    """
    if isinstance(fill, Dispatcher):
        return put_fields(context.subtarget(enable_nrt=False), builder, kind, tuple_object, address)
    kinds = types.voidptr, kind
    call = signature(types.boolean, *kinds)
    return context.call_internal_no_propagate(builder, fill.provide(kinds), call, (tuple_object, address))[1]


def put_fields(
    context: BaseContext, builder: ir.IRBuilder, kind: TuplePointer, tuple_object: ir.Value, address: ir.Value
) -> ir.Value:
    """The same, within the function that is compiled. No references to arrays are counted: Python keeps the tuple alive.

    A tuple passed by value within may hold none by address, which would be an address in the frame of this function.
    """
    api, failed = context.get_python_api(builder), ir.Constant(ir.IntType(1), 0)
    behind = builder.ptrtoint(address, ir.IntType(64))
    behind = builder.add(behind, behind.type(size_of_fields(context, kind)))
    for i, field in enumerate(kind.content):
        item = api.tuple_getitem(tuple_object, i)
        assert not (isinstance(field, types.BaseTuple) and any(isinstance(inner, TuplePointer) for inner in field))
        if isinstance(field, TuplePointer):
            value = builder.inttoptr(behind, context.get_value_type(field))
            wrong = copied_fields(context, builder, field, item, value)
            behind = builder.add(behind, behind.type(size_with_inner(context, field)))
        else:
            native = api.to_native_value(field, item)
            value, wrong = native.value, native.is_error
        builder.store(value, part_of(builder, address, i))
        failed = builder.or_(failed, wrong)
    return failed


@intrinsic
def put_all(typing_context: object, tuple_object: types.Type, kind: TuplePointer) -> Lowered:
    """Copy the fields of a Python tuple to an address, see `put_fields`."""

    def put(context: BaseContext, builder: ir.IRBuilder, call: Signature, args: Values) -> ir.Value:
        return put_fields(context, builder, call.args[1], *args)

    return types.boolean(tuple_object, kind), put


def fill_tuple(tuple_object: int, address: tuple[object, ...]) -> bool:
    failed: bool = put_all(tuple_object, address)
    return failed


fill: Any = detached(fill_tuple)


@infer_getattr
class PointerFields(AttributeTemplate):
    """Types of the fields behind an address: those of the tuple."""

    key = TuplePointer

    def generic_resolve(self, kind: TuplePointer, name: str) -> types.Type | None:
        content = kind.content
        return content[content.fields.index(name)] if name in content.fields else None


@lower_getattr_generic(TuplePointer)
def load_field(
    context: BaseContext, builder: ir.IRBuilder, kind: TuplePointer, address: ir.Value, name: str
) -> ir.Value:
    """Load a field of a tuple from its address."""
    at = kind.content.fields.index(name)
    field = load_unchanging(builder, part_of(builder, address, at))
    return impl_ret_borrowed(context, builder, kind.content[at], field)


def load_unchanging(builder: ir.IRBuilder, address: ir.Value) -> ir.Value:
    """Load the contents of an address, number by number, marked for LLVM as unchanging."""
    kind = address.type.pointee
    if isinstance(kind, ir.LiteralStructType | ir.ArrayType):
        whole = ir.Constant(kind, ir.Undefined)
        for i in range(len(kind)):
            whole = builder.insert_value(whole, load_unchanging(builder, part_of(builder, address, i)), i)
        return whole
    value = builder.load(address)
    value.set_metadata("invariant.load", builder.module.add_metadata([]))
    return value


def part_of(builder: ir.IRBuilder, address: ir.Value, i: int) -> ir.Value:
    """Address of part i of the contents of an address."""
    number = ir.IntType(32)
    return builder.gep(address, [number(0), number(i)], inbounds=True)


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
def item_bytes(typing_context: object, item: TuplePointer) -> Lowered:
    """Size of an item in a row."""

    def size(context: BaseContext, builder: ir.IRBuilder, call: Signature, args: Values) -> ir.Value:
        kind = context.data_model_manager.lookup(call.args[0].content).get_value_type()
        return ir.Constant(context.get_value_type(types.intp), context.get_abi_sizeof(kind))

    return types.intp(item), size


@intrinsic
def put(typing_context: object, address: types.Type, k: types.Type, item: TuplePointer) -> Lowered:
    """Copy an item to place k of a row."""

    def copy(context: BaseContext, builder: ir.IRBuilder, call: Signature, args: Values) -> ir.Value:
        value = builder.load(args[2])
        row = builder.inttoptr(args[0], ir.PointerType(value.type))
        builder.store(value, builder.gep(row, [args[1]]))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, item), copy


@bare
def size_of(item: tuple[object, ...]) -> int:
    size: int = item_bytes(item)
    return size


@bare
def put_item(address: int, k: int, item: tuple[object, ...]) -> None:
    put(address, k, item)

"""Named tuples of arrays that kernels receive by their address.

numba passes a tuple as all the numbers in it. A Junction and a State are 320 numbers, which would be copied at each call,
and would take most of the compile time. `by_pointer` marks a class of tuples that Python makes and that live as long as a
call: a kernel gets one address, and loads the fields that it uses.

The fields of a tuple do not change while a kernel runs, only the elements of its arrays do. The loads tell LLVM so, which
may then move them out of loops, as it does with arguments.

The interface is numba's for extensions: https://numba.readthedocs.io/en/stable/extending/low-level.html
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from llvmlite import ir
from numba.core import types
from numba.core.cgutils import alloca_once_value
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, lower_getattr_generic, models, register_model, typeof_impl, unbox

if TYPE_CHECKING:
    from numba.core.base import BaseContext

Tuples = TypeVar("Tuples", bound=type[tuple[Any, ...]])  # a class of named tuples


class Unboxing(Protocol):
    """Argument that numba passes to a function that unboxes a Python object."""

    context: BaseContext
    builder: ir.IRBuilder
    pyapi: Any

    def unbox(self, kind: types.Type, value: ir.Value) -> NativeValue: ...


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
    """Copy the fields of a Python tuple to the stack of the function that calls the kernel.

    Where references are counted, this counts one for each array, and numba releases at the end those of the arguments that
    it knows: not of what is behind an address.
    """
    content = c.unbox(kind.content, tuple_object)
    address = alloca_once_value(c.builder, content.value)

    def release() -> None:
        if content.cleanup is not None:
            content.cleanup()
        if c.context.enable_nrt:
            c.context.nrt.decref(c.builder, kind.content, content.value)

    return NativeValue(address, is_error=content.is_error, cleanup=release)


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

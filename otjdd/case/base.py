"""The base class of all frozen inputs, and the types of their numbers."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    ValidationInfo,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticSerializationError, core_schema

from otjdd.errors import UnitError
from otjdd.units import DIMENSIONS, brief, parse, write

Count = Annotated[int, Strict()]  # refuses text, 2.0 and true
Number = Annotated[float, Strict()]
Mass = Annotated[Number, Field(ge=0.01, le=100)]  # in electron masses
Material = Annotated[str, StringConstraints(min_length=1, max_length=60)]  # a name, such as "SrTiO3"


class WrittenInt(int):
    """An integer that was given as text. It may be a count, but not a quantity, because it has no unit."""


class WrittenFloat(float):
    """A number that was given as text. It is not accepted as a quantity, because it has no unit."""


WRITTEN: dict[type, type] = {int: WrittenInt, float: WrittenFloat}


class Quantity(NamedTuple):
    """Marks a float field of a pydantic record as a quantity: text with a unit in files and JSON, SI in the record.

    low, high : inclusive bounds as text with a unit; "" is no bound
    A bare number is SI. It is refused if it was given as text (WRITTEN), or if the validation context has `strict_units`,
    as for case files.
    """

    dimension: str
    low: str = ""
    high: str = ""

    def read(self, value: object, info: ValidationInfo) -> float:
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        if isinstance(value, str):
            si = parse(value, self.dimension)
        elif (
            number is not None and type(value) not in WRITTEN.values() and not (info.context or {}).get("strict_units")
        ):
            si = number
        else:
            raise UnitError(
                DIMENSIONS[self.dimension].words,
                brief(value) + (" (a number without a unit)" if number is not None else ""),
            )
        above = not self.low or si >= parse(self.low, self.dimension)
        below = not self.high or si <= parse(self.high, self.dimension)
        if not (above and below and abs(si) < math.inf):
            raise UnitError(self.bounds, brief(value))
        return si

    @property
    def bounds(self) -> str:
        spec = DIMENSIONS[self.dimension]
        if self.low and self.high:
            return f'{spec.name} from "{self.low}" to "{self.high}"'
        bound = f' of at least "{self.low}"' if self.low else f' of at most "{self.high}"' if self.high else ""
        return spec.name + bound

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        to_text = core_schema.plain_serializer_function_ser_schema(
            lambda value: write(value, self.dimension), when_used="json"
        )
        number = handler(source)  # schema of the float with the other constraints of the field
        return core_schema.with_info_before_validator_function(self.read, number, serialization=to_text)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        example = DIMENSIONS[self.dimension].example
        expected = self.bounds if self.low or self.high else f'{self.bounds} such as "{example}"'
        return {"type": "string", "dimension": self.dimension, "expected": expected, "examples": [example]}


class Facts(NamedTuple):
    """What is known of a key besides its type, bounds, default, meaning and example."""

    kernel: str = ""  # name of the column of its kernel that has its value
    shared: str = ""  # why all columns of a junction have one value
    spread: str | bool = ""  # largest deviation between columns, "1 eV"; False for a table in which no key differs
    of_material: bool = False  # a number of the material of its table, which another material does not have
    not_with_layers: str = ""  # why a film of several layers does not have it
    instead_of: tuple[str, ...] = ()  # keys in whose place it stands
    replaced: bool = False  # a table that replaces the table of a base instead of being merged with it
    removable: bool = False  # "none" takes it away, as any table that may be absent where it stands


def key(says: str, default: Any = ..., *, example: Any = None, factory: Any = None, **others: Any) -> Any:
    """A field of a record, with all that is known of its key; it is required without a default.

    says : its meaning   default : as in a case file, text with a unit, or a value   example : as in a case file
    factory : of a default that is a table   others : bounds and title of `pydantic.Field`, and `Facts`
    """
    facts = {name: others.pop(name) for name in Facts._fields if name in others}
    start = {"default_factory": factory} if factory else {"default": default}
    field = Field(**start, description=says or None, examples=None if example is None else [example], **others)
    field.metadata += [Facts(**facts)] if facts else []
    return field


def form_by(signs: Mapping[str | type, str], otherwise: str) -> Callable[[object], str]:
    """Function that returns the tag of the form of a value: the tag of its first sign, else `otherwise`.

    signs : a key of a table, or a type of values -> tag. A record counts as a table with its keys
    """

    def tag(value: object) -> str:
        table = vars(value) if isinstance(value, Record) else value
        keys = table if isinstance(table, dict) else ()
        present = (sign in keys if isinstance(sign, str) else isinstance(table, sign) for sign in signs)
        return next((tag for tag, there in zip(signs.values(), present, strict=True) if there), otherwise)

    return tag


def records_of(annotation: Any) -> list[type[BaseModel]]:
    """Records among the alternatives of a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return list(dict.fromkeys(record for inner in get_args(annotation) for record in records_of(inner)))


def is_list(annotation: Any) -> bool:
    """True where values of a type are lists."""
    return get_origin(annotation) is tuple or (
        get_origin(annotation) is not dict and any(map(is_list, get_args(annotation)))
    )


def selectors(annotation: Any) -> Iterator[str]:
    """Keys, such as "kind", that tell the alternatives of a type apart."""
    own = [getattr(mark, "discriminator", None) for mark in getattr(annotation, "__metadata__", ())]
    yield from (name for name in own if isinstance(name, str))
    for inner in get_args(annotation):
        yield from selectors(inner)


@cache
def tables_in_record(record: type[BaseModel]) -> dict[str, tuple[bool, list[type[BaseModel]]]]:
    """Key of a table in a record -> True if "none" takes that table away, and the records that it may be."""
    tables = {}
    for name, field in record.model_fields.items():
        if records := records_of(field.annotation):
            tables[name] = type(None) in get_args(field.annotation) or facts_of(field).removable, records
    return tables


def marks_of(field: FieldInfo) -> list[Any]:
    """Bounds, quantity and facts of a field and of the alternatives of its type."""
    parts = (field.annotation, *get_args(field.annotation))
    return [*field.metadata, *(mark for part in parts for mark in getattr(part, "__metadata__", ()))]


def facts_of(field: FieldInfo) -> Facts:
    """Facts of the key of a field."""
    return next((mark for mark in field.metadata if isinstance(mark, Facts)), Facts())


class Record(BaseModel):
    """Frozen data. Unknown keys, nan and inf are refused; a default may be text with a unit, which is converted to SI."""

    alternatives: ClassVar[
        list[tuple[frozenset[str], frozenset[str]]]
    ] = []  # keys of all records, either of which stand
    switches: ClassVar[
        dict[str, str]
    ] = {}  # of all records: key of a table -> the key that decides which others it has

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        """Note the keys of a new record that stand in the place of others, and those that decide on a table."""
        for name, field in cls.model_fields.items():
            for switch in (field.discriminator, *selectors(field.annotation)):
                if isinstance(switch, str):
                    cls.switches[name] = switch
            if facts_of(field).replaced:
                cls.switches[name] = ""
            if others := facts_of(field).instead_of:
                cls.alternatives.append((frozenset({name}), frozenset(others)))

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As in pydantic, except that an exception raised by a signal handler meanwhile is not wrapped."""
        try:
            return super().model_dump(**options)
        except PydanticSerializationError as error:
            raise (error.__cause__ or error) from None


def kernel_numbers(record: Record) -> dict[str, float]:
    """Values of the keys of a record by the names of the columns of its kernel; 0 for one that is not stated."""
    of_keys = {facts_of(field).kernel: getattr(record, name) for name, field in type(record).model_fields.items()}
    return {column: float(value or 0.0) for column, value in of_keys.items() if column}


HIGHEST = 100.0  # V, of either sign

Volts = Annotated[float, Quantity("voltage", f"-{HIGHEST:g} V", f"{HIGHEST:g} V")]
Step = Annotated[float, Quantity("voltage", "1 uV", "100 V")]
Duration = Annotated[float, Quantity("time", "1 fs", "1e9 s")]
Pause = Annotated[float, Quantity("time", "0 s", "1e9 s")]
Delay = Annotated[float, Quantity("time", "-1e9 s", "1e9 s")]
SweepRate = Annotated[float, Quantity("voltage rate", "1e-9 V/s", "1e15 V/s")]
Hertz = Annotated[float, Quantity("frequency", "1e-9 Hz", "1e15 Hz")]
Kelvin = Annotated[float, Quantity("temperature", "1 K", "2000 K")]
Times = Annotated[Count, Field(ge=1, le=1_000_000)]
Vertices = Annotated[tuple[Volts, ...], Field(min_length=2, max_length=1000)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+.-]{0,31}$")]
Spike = Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)]

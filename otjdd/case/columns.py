"""The [columns] of a case: parallel columns that share the junction voltage, their kinds, and the keys that differ."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, create_model, model_validator
from typing_extensions import TypedDict

from otjdd.case.base import Count, Number, Record, facts_of, is_list, key, quantity_of, records_of
from otjdd.case.device import Device, Ions
from otjdd.case.distributions import Flat
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief

MOST_COLUMNS = 256
Nodes = Literal["gauss-hermite", "gauss-legendre", "draws"]
HowMany = Annotated[Count, Field(ge=1, le=MOST_COLUMNS)]
Seed = Annotated[Count, Field(ge=0, lt=2**63)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+.-]{0,31}$")]
SIGN = "-"  # before a key of `together` that falls where the first key rises


def law(name: str, dimension: str, **fields: Any) -> Any:
    """Make the record of a law of distribution, tagged by its name.

    The class becomes a global name of this module, so that its instances can be pickled.
    """
    title = f"{name.title().replace('-', '')}Of{dimension.title()}"
    keys: dict[str, Any] = {"law": (Literal[name], ...)} | {name: (kind, ...) for name, kind in fields.items()}
    record = globals()[title] = create_model(title, __base__=Record, **keys)
    return Annotated[record, Tag(name)]


def form(value: Any) -> str:
    """Tag of the value of a key of `spread`: the name of its law, or "deviation"."""
    name = value.get("law", "") if isinstance(value, dict) else getattr(value, "law", None)
    return "deviation" if name is None else name


@cache
def spread_of(dimension: str, most: str) -> Any:
    """Type of the distribution of a key around its value in the case.

    It is a standard deviation, whose distribution `nodes` names, or a table with a law and its keys:

        normal                  deviation
        uniform                 width, from end to end
        exponential             scale, positive for a tail to larger values ("deeper"), negative to smaller ones
        two-sided-exponential   scale
        log-normal              factor of one standard deviation; the value in the case is the median
        table                   file with two columns, value and weight, which replace the value in the case
    """
    unit = most.partition(" ")[2]
    size = Annotated[float, Quantity(dimension, f"0 {unit}", most)]
    signed = Annotated[float, Quantity(dimension, f"-{most}", most)]
    laws = (
        Annotated[size, Tag("deviation")]
        | law("normal", dimension, deviation=size)
        | law("uniform", dimension, width=size)
        | law("exponential", dimension, scale=signed)
        | law("two-sided-exponential", dimension, scale=size)
        | law("table", dimension, file=Annotated[str, Field(min_length=1, max_length=4096)])
    )
    if dimension != "energy":  # positive by nature
        laws = laws | law("log-normal", dimension, factor=Annotated[Number, Field(gt=1, le=1e6)])
    return Annotated[laws, Discriminator(form)]


def keys_of_spread(path: str, record: type[BaseModel]) -> Iterator[tuple[str, tuple[str, str]]]:
    """(dotted key, its dimension and the largest deviation) of the keys of a table that may differ between columns."""
    for name, field in record.model_fields.items():
        most, quantity, place = facts_of(field).spread, quantity_of(field), f"{path}.{name}"
        if isinstance(most, str) and most and quantity:
            yield place, (quantity.dimension, most)
        elif most is not False and not is_list(field.annotation):
            for inner in records_of(field.annotation):
                yield from keys_of_spread(place, inner)


OF_SPREAD = dict(  # in the order of `solver.model.Member`
    sorted({*keys_of_spread("ions", Ions), *keys_of_spread("device", Device)}, key=lambda of: (of[0].count("."), of[0]))
)
if TYPE_CHECKING:
    Spread = dict[str, Any]
else:
    Spread = TypedDict("Spread", {name: spread_of(*of) for name, of in OF_SPREAD.items()}, total=False)
    Spread.__pydantic_config__ = ConfigDict(extra="forbid")


class Columns(Record):
    """Parallel columns that share the junction voltage and differ in the values of some keys.

    count : of each key that is spread, or of all keys that move together
    nodes : of standard deviations: "gauss-hermite" quadrature; "gauss-legendre" quadrature of a uniform distribution of the
        same standard deviation, which has ends; or seeded "draws", of all laws
    together : keys of `spread`; "-ions.density" moves against the first of them
    """

    count: HowMany = key("columns for each key that is spread", 1, example=5)
    nodes: Nodes = key(
        "where values with a standard deviation lie: normal, uniform, or drawn",
        "gauss-hermite",
        example="gauss-legendre",
    )
    seed: Seed = key("seed of draws", 0, example=1)
    spread: Spread = key(
        "dotted key -> standard deviation or law", example={"ions.activation_energy": "60 meV"}, factory=dict
    )
    together: Annotated[tuple[str, ...], Field(min_length=2)] | None = key(
        "keys that move along one quantile", None, example=["ions.activation_energy", "-device.left.barrier"]
    )
    kinds: Annotated[tuple["ColumnKind", ...], Field(min_length=1, max_length=16)] | None = key(
        "parts of the area that differ in device or ions", None, title="A kind of columns"
    )

    @model_validator(mode="after")
    def check_together(self) -> Self:
        check_together(self.together, self.spread)
        return self


class ColumnKind(Record):
    """A part of the area whose columns are of one kind. Keys that it leaves out are those of [columns]."""

    name: Name = key("name in results and pictures", example="background")
    share: Annotated[Number, Field(gt=0, le=1)] = key("share of the area; what all leave insulates", example=0.01)
    set: Annotated[dict[str, Any], Flat] = key(
        "dotted keys of device and ions with their values here", example={"device.left.barrier": "0.7 eV"}, factory=dict
    )
    count: HowMany | None = key("columns of this kind; as in [columns] if absent", None, example=1)
    nodes: Nodes | None = key("as in [columns] if absent", None, example="gauss-legendre")
    seed: Seed | None = key("as in [columns] if absent", None, example=1)
    spread: Spread | None = key("as in [columns] if absent", None, example={"ions.activation_energy": "60 meV"})
    together: Annotated[tuple[str, ...], Field(min_length=2)] | None = key(
        "as in [columns] if absent", None, example=["ions.activation_energy", "ions.density"]
    )

    @model_validator(mode="after")
    def check_together(self) -> Self:
        if self.together is not None and self.spread is not None:
            check_together(self.together, self.spread)
        return self


def check_together(together: tuple[str, ...] | None, spread: Mapping[str, Any]) -> None:
    """Raise NotAsExpected for a key that moves together with others and is not spread, or is named twice."""
    keys = [name.removeprefix(SIGN) for name in together or ()]
    for name in keys:
        if name not in spread or keys.count(name) > 1:
            raise NotAsExpected("keys of the spread, each once" if spread else "keys of a spread", brief(name))

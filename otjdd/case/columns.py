"""The [columns] of a case: parallel columns that share the junction voltage, their kinds, and the keys that differ."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, StringConstraints, Tag, create_model, model_validator
from typing_extensions import TypedDict

from otjdd.case.base import Count, Number, Record
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
    keys: dict[str, Any] = {"law": (Literal[name], ...)} | {key: (kind, ...) for key, kind in fields.items()}
    record = globals()[title] = create_model(title, __base__=Record, **keys)
    return Annotated[record, Tag(name)]


def form(value: Any) -> str:
    """Tag of the value of a key of `spread`: the name of its law, or "deviation"."""
    name = value.get("law", "") if isinstance(value, dict) else getattr(value, "law", None)
    return "deviation" if name is None else name


def spread_of(dimension: str, most: str, logarithmic: bool = False) -> Any:
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
    if logarithmic:
        laws = laws | law("log-normal", dimension, factor=Annotated[Number, Field(gt=1, le=1e6)])
    return Annotated[laws, Discriminator(form)]


Energy = spread_of("energy", "1 eV")
# Keys that may differ from column to column, with the bounds of their distributions.
if TYPE_CHECKING:
    Spread = dict[str, Any]
else:
    Spread = TypedDict(
        "Spread",
        {
            "ions.activation_energy": Energy,
            "ions.density": spread_of("density", "1e30 1/m^3", logarithmic=True),
            "ions.well_left": Energy,
            "ions.well_right": Energy,
            "device.film.thickness": spread_of("length", "100 nm", logarithmic=True),
            "device.left.barrier": Energy,
            "device.film.polarisation.time": spread_of("time", "1e12 s", logarithmic=True),
        },
        total=False,
    )
    Spread.__pydantic_config__ = ConfigDict(extra="forbid")


class Columns(Record):
    """Parallel columns that share the junction voltage and differ in the values of some keys.

    count : number of columns of each key that is spread, or of all keys that move together
    nodes : of standard deviations: "gauss-hermite" quadrature; "gauss-legendre" quadrature of a uniform distribution of the
        same standard deviation, which has ends; or seeded "draws", of all laws
    spread : dotted key of the case -> its distribution, see `spread_of`
    together : keys of `spread` that move along one quantile; "-ions.density" moves against the first of them
    kinds : parts of the area whose columns differ in device or ions
    """

    count: HowMany = Field(default=1, description="columns for each key that is spread", examples=[5])
    nodes: Nodes = Field(
        default="gauss-hermite",
        description="where values with a standard deviation lie: normal, uniform, or drawn",
        examples=["gauss-legendre"],
    )
    seed: Seed = Field(default=0, description="seed of draws", examples=[1])
    spread: Spread = Field(
        default_factory=dict,
        description="dotted key -> standard deviation or law",
        examples=[{"ions.activation_energy": "60 meV"}],
    )
    together: Annotated[tuple[str, ...], Field(min_length=2)] | None = Field(
        default=None,
        description="keys that move along one quantile",
        examples=[["ions.activation_energy", "-device.left.barrier"]],
    )
    kinds: Annotated[tuple["ColumnKind", ...], Field(min_length=1, max_length=16)] | None = Field(
        default=None, title="A kind of columns", description="parts of the area that differ in device or ions"
    )

    @model_validator(mode="after")
    def check_together(self) -> Self:
        check_together(self.together, self.spread)
        return self


class ColumnKind(Record):
    """A part of the area whose columns are of one kind. Keys that it leaves out are those of [columns].

    share : of the area of the junction   set : dotted keys of device and ions with the values of this kind
    """

    name: Name = Field(description="name in results and pictures", examples=["background"])
    share: Annotated[Number, Field(gt=0, le=1)] = Field(
        description="share of the area; what all leave insulates", examples=[0.01]
    )
    set: Annotated[dict[str, Any], Flat] = Field(
        default_factory=dict,
        description="dotted keys of device and ions with their values here",
        examples=[{"device.left.barrier": "0.7 eV"}],
    )
    count: HowMany | None = Field(
        default=None, description="columns of this kind; as in [columns] if absent", examples=[1]
    )
    nodes: Nodes | None = Field(default=None, description="as in [columns] if absent", examples=["gauss-legendre"])
    seed: Seed | None = Field(default=None, description="as in [columns] if absent", examples=[1])
    spread: Spread | None = Field(
        default=None, description="as in [columns] if absent", examples=[{"ions.activation_energy": "60 meV"}]
    )
    together: Annotated[tuple[str, ...], Field(min_length=2)] | None = Field(
        default=None, description="as in [columns] if absent", examples=[["ions.activation_energy", "ions.density"]]
    )

    @model_validator(mode="after")
    def check_together(self) -> Self:
        if self.together is not None and self.spread is not None:
            check_together(self.together, self.spread)
        return self


def check_together(together: tuple[str, ...] | None, spread: Mapping[str, Any]) -> None:
    """Raise NotAsExpected for a key that moves together with others and is not spread, or is named twice."""
    keys = [key.removeprefix(SIGN) for key in together or ()]
    for key in keys:
        if key not in spread or keys.count(key) > 1:
            raise NotAsExpected("keys of the spread, each once" if spread else "keys of a spread", brief(key))

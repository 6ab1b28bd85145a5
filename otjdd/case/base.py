"""The base of all frozen inputs, and the plain numbers that stand in them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints
from pydantic_core import PydanticSerializationError

Count = Annotated[int, Strict()]  # no text, no 2.0, no true
Number = Annotated[float, Strict()]
Mass = Annotated[Number, Field(ge=0.01, le=100)]  # in electron masses
Material = Annotated[str, StringConstraints(min_length=1, max_length=60)]  # a name, such as "SrTiO3"


def as_text(default: str | tuple[str, ...]) -> Any:
    """A default written as in a case file: the records validate their defaults, and so read it."""
    return default


class Record(BaseModel):
    """Frozen data: unknown keys, nan and inf are refused, defaults may be written as text with units."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As of pydantic, but an exception that a user's signal handler raises meanwhile comes as it is."""
        try:
            return super().model_dump(**options)
        except PydanticSerializationError as error:
            raise (error.__cause__ or error) from None

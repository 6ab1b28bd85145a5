"""The base class of all frozen inputs, and the types of their plain numbers."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints
from pydantic_core import PydanticSerializationError

Count = Annotated[int, Strict()]  # refuses text, 2.0 and true
Number = Annotated[float, Strict()]
Mass = Annotated[Number, Field(ge=0.01, le=100)]  # in electron masses
Material = Annotated[str, StringConstraints(min_length=1, max_length=60)]  # a name, such as "SrTiO3"


def as_text(default: str | tuple[str, ...]) -> Any:
    """A default written as in a case file, for a checker of types: the record converts the text to SI."""
    return default


class Record(BaseModel):
    """Frozen data. Unknown keys, nan and inf are refused; a default may be text with a unit, which is converted to SI."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As in pydantic, except that an exception raised by a signal handler meanwhile is not wrapped."""
        try:
            return super().model_dump(**options)
        except PydanticSerializationError as error:
            raise (error.__cause__ or error) from None

"""Building blocks for Lamina objects: a base model, and field types that tolerate invalid values."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from runs.lamina import coerce


class Remote(BaseModel):
    """A Lamina object, created from JSON (with names in camelCase) or with our own field names."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="ignore", frozen=True
    )


def require_value(value: str) -> str:
    if not value:
        raise ValueError("no usable id")
    return value


def readable[T: BaseModel](model: type[T], items: Any) -> list[T]:
    """Return the `items` that can be read as `model`, or an empty list if `items` isn't a list."""
    rows: list[T] = []
    for item in items if isinstance(items, list | tuple) else ():
        if isinstance(item, dict | model):
            try:
                rows.append(model.model_validate(item))
            except ValidationError:
                continue
    return rows


def each[T: BaseModel](model: type[T]) -> Callable[[Any], list[T]]:
    return lambda items: readable(model, items)


def or_none[T: BaseModel](model: type[T]) -> Callable[[Any], T | None]:
    return lambda item: next(iter(readable(model, [item])), None)


def word_or(default: str) -> BeforeValidator:
    return BeforeValidator(lambda value: coerce.as_word(value) or default)


Text = Annotated[str, BeforeValidator(coerce.as_text)]
Word = Annotated[str, BeforeValidator(coerce.as_word)]
MaybeId = Annotated[str, BeforeValidator(coerce.as_id)]
NeededId = Annotated[str, BeforeValidator(coerce.as_id), AfterValidator(require_value)]
NeededText = Annotated[str, BeforeValidator(coerce.as_text), AfterValidator(require_value)]
Texts = Annotated[list[str], BeforeValidator(coerce.as_texts)]
Flag = Annotated[bool, BeforeValidator(lambda value: bool(coerce.as_flag(value)))]
MaybeNumber = Annotated[float | None, BeforeValidator(coerce.as_number)]
Credits = Annotated[Decimal | None, BeforeValidator(coerce.as_credits)]
Time = Annotated[datetime | None, BeforeValidator(coerce.as_time)]

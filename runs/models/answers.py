"""A form's answers in a JSON column."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models

from runs.schema_forms.answers import Answer, dump_answers, load_answers

if TYPE_CHECKING:
    _JSONField = models.JSONField[Iterable[Answer], list[Answer]]
else:
    _JSONField = models.JSONField


class AnswersField(_JSONField):
    """A list of `Answer`. To migrations, it looks like a plain JSON field."""

    def from_db_value(self, value: Any, *args: Any) -> list[Answer]:
        return load_answers(super().from_db_value(value, *args))

    def get_prep_value(self, value: Iterable[Answer]) -> Any:
        return dump_answers(value)

    def value_to_string(self, obj: models.Model) -> Any:
        return dump_answers(self.value_from_object(obj))

    def to_python(self, value: Any) -> list[Answer]:
        """Return the answers that `value_to_string` has written."""
        return load_answers(value)

    def deconstruct(self) -> Any:
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.JSONField", args, options

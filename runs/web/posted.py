"""What is posted, by way of forms: fields that take whatever comes, for buttons, hidden values and small questions.

A view never reads a field of `request.POST` itself. Where nothing can be wrong with what was posted, it reads a
`PostedForm`; where something can, it shows an ordinary form again.
"""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict

DAYS = re.compile(r"[0-9]{1,6}")


def posted_of(request: HttpRequest) -> QueryDict | None:
    """The data of a page's form: None while somebody only looks at it."""
    return request.POST if request.method == "POST" else None


class CutField(forms.CharField):
    """A text just as it was sent, "" if it was not; cut after LENGTH characters instead of refused."""

    def __init__(self, length: int | None = None, **options: Any) -> None:
        super().__init__(**({"required": False, "strip": False} | options))
        self.length = length

    def to_python(self, value: Any) -> str:
        # PostgreSQL takes no NUL. In a body there is none (`StorablePostMiddleware`), in an address there may be.
        return str(super().to_python(value)).replace("\0", "\ufffd")[: self.length]


class NameField(CutField):
    """A name in one line, without spaces around it or doubled in it."""

    def to_python(self, value: Any) -> str:
        return " ".join(str(forms.CharField.to_python(self, value)).split())[: self.length]


class RepeatedField(forms.Field):
    """Every value sent under one name, in order."""

    widget = forms.MultipleHiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> list[str]:
        return [str(one) for one in value or []]


class SwitchField(forms.BooleanField):
    """What a button or hidden field says: "1" is on; "0" and nothing are off."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)


class DaysField(forms.Field):
    """A number of days from FEWEST to MOST, in ASCII digits; None for nothing. SENTENCE says what to give."""

    widget = forms.NumberInput

    def __init__(self, fewest: int, most: int, sentence: str, **options: Any) -> None:
        super().__init__(**options, error_messages={"required": sentence, "invalid": sentence})
        self.fewest, self.most = fewest, most

    def to_python(self, value: Any) -> int | None:
        days = str(value or "").strip()
        if not days:
            return None
        if not DAYS.fullmatch(days) or not self.fewest <= int(days) <= self.most:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return int(days)


class PostedForm(forms.Form):
    """Fields of the kinds above, which refuse nothing."""

    @classmethod
    def read(cls, given: QueryDict) -> dict[str, Any]:
        """What the fields hold, by name; of a field that was not sent, its empty value."""
        form = cls(given)
        form.full_clean()
        return form.cleaned_data

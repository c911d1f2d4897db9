"""Forms for values posted by buttons, hidden fields and short questions. Their fields accept any value.

Views never read the fields of `request.POST` directly. A view uses a `PostedForm` if every value is acceptable.
Otherwise, it uses an ordinary form, which it shows again with any errors.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from runs.words.numbers import number_in

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_CREDITS = 10_000_000
CREDITS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")


def posted_of(request: HttpRequest) -> QueryDict | None:
    """Return the posted data to fill a form with; None if the request isn't a POST."""
    return request.POST if request.method == "POST" else None


def number_seen(text: str) -> int:
    """Return the version number that a page showed and posted back; if `text` isn't a number, return -1, which is never
    current."""
    return number_in(text, 0, 999_999_999, -1)


class CutField(forms.CharField):
    """Text exactly as sent, or "" if it wasn't sent. Text longer than `length` characters is cut off rather than
    rejected."""

    def __init__(self, length: int | None = None, **options: Any) -> None:
        super().__init__(**({"required": False, "strip": False} | options))
        self.length = length

    def to_python(self, value: Any) -> str:
        # PostgreSQL can't store NUL. Bodies don't contain any (`StorablePostMiddleware`), but a URL may.
        return str(super().to_python(value)).replace("\0", "\ufffd")[: self.length]


class NameField(CutField):
    """A one-line name, without leading, trailing or double spaces."""

    def to_python(self, value: Any) -> str:
        return " ".join(str(forms.CharField.to_python(self, value)).split())[: self.length]


class OneOfField(forms.ChoiceField):
    """A value from a list of choices; "" if anything else was sent."""

    def to_python(self, value: Any) -> str:
        text = str(value or "")
        return text if self.valid_value(text) else ""

    def validate(self, value: Any) -> None:
        pass


class RepeatedField(forms.Field):
    """All values sent under one field name, in order."""

    widget = forms.MultipleHiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> list[str]:
        return [str(one) for one in value or []]


class SwitchField(forms.BooleanField):
    """The value of a button or a hidden field: "1" means on; "0" or no value means off."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)


class DaysField(forms.Field):
    """A number of days from `fewest` to `most`, in ASCII digits; None if empty. `sentence` is the error message."""

    widget = forms.NumberInput

    def __init__(self, fewest: int, most: int, sentence: "StrOrPromise", **options: Any) -> None:
        super().__init__(**options, error_messages={"required": sentence, "invalid": sentence})
        self.fewest, self.most = fewest, most

    def to_python(self, value: Any) -> int | None:
        days = str(value or "").strip()
        if not days:
            return None
        number = number_in(days, self.fewest, self.most, None)
        if number is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return number


class CreditsField(forms.Field):
    """An amount of credits with at most two decimal places; None if empty."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        hint = _lazy("Enter a number of credits, such as 100 or 12.5, or leave the field empty.")
        super().__init__(required=False, widget=widget, error_messages={"invalid": hint}, **options)

    def to_python(self, value: Any) -> Decimal | None:
        text = str(value or "").strip().replace(",", ".")
        if not text:
            return None
        if not CREDITS.fullmatch(text) or Decimal(text) > MOST_CREDITS:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return Decimal(text)


class PostedForm(forms.Form):
    """A form that only has fields like the ones above, which accept any value."""

    @classmethod
    def read(cls, data: QueryDict) -> dict[str, Any]:
        """Return the values keyed by field name; a field that wasn't sent gets its empty value."""
        form = cls(data)
        form.full_clean()
        return form.cleaned_data


class BackForm(PostedForm):
    """The page to return to."""

    back = CutField()


class SeenForm(forms.Form):
    """A form that can tell whether someone else has saved different values since its page was opened. `seen` records
    the values that the page showed."""

    seen = CutField(200, widget=forms.HiddenInput)

    def overtake(self, name: str, stored: "SeenForm") -> None:
        """Add an error saying that `name` saved first, and show the values now in `stored`. Saving again replaces
        them."""
        words = _(
            "%(name)s has saved different values since you opened this page, so yours haven't been saved yet. Save "
            "again to replace theirs."
        )
        self.add_error(None, words % {"name": name or _("Somebody")})
        if values := "; ".join(_stored_words(self, stored)):
            self.add_error(None, _("Currently saved: %(values)s") % {"values": values})
        self.data = dict(self.data.items()) | {"seen": stored.initial["seen"]}


def _stored_words(form: SeenForm, stored: SeenForm) -> Iterator[str]:
    """Yield the stored values that differ from what was entered, such as "Each person: 100"."""
    for name, value in stored.initial.items():
        field = stored.fields[name]
        if name != "seen" and field.clean(value) != form.cleaned_data.get(name):
            yield f"{field.label}: {_value_words(field, value)}"


def _value_words(field: forms.Field, value: Any) -> str:
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return str(dict(choices)[value])
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value or _("empty"))

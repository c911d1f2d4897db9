"""The form for choosing what to get emails about."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _lazy

from runs.models import Member, NoticeKind, Way
from runs.notices import choices

HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]


class MailChoicesForm(forms.Form):
    """Lets a member choose how they get emails about each kind of notice, whether they get reminders, and what time
    daily emails go out."""

    prefix = "mail"
    reminder = forms.BooleanField(
        label=_lazy("Remind me about decisions that are due"),
        required=False,
        help_text=_lazy("One email a day, from two days before the due date until you've decided."),
    )
    hour = forms.TypedChoiceField(label=_lazy("Time for daily emails and reminders"), choices=HOURS, coerce=int)

    def __init__(self, member: Member, data: QueryDict | None = None) -> None:
        self.member, self.ways = member, choices.chosen_by(member)
        initial: dict[str, Any] = {kind: way for kind, way in self.ways.items() if kind != choices.REMINDER}
        initial |= {"reminder": self.ways[choices.REMINDER] != Way.OFF, "hour": member.mail_hour}
        super().__init__(data, initial=initial)
        for kind in self._kinds():
            self.fields[kind] = forms.ChoiceField(label=NoticeKind(kind).label, choices=Way.choices)

    def _kinds(self) -> list[str]:
        return [kind for kind in self.ways if kind != choices.REMINDER]

    def kind_fields(self) -> list[forms.BoundField]:
        """Return a field for each kind of notice, asking how to email the member about it."""
        return [self[kind] for kind in self._kinds()]

    def save(self) -> None:
        """Save what has changed."""
        data = self.cleaned_data
        ways = {kind: data[kind] for kind in self._kinds()}
        ways[choices.REMINDER] = Way.DAILY.value if data["reminder"] else Way.OFF.value
        choices.choose(self.member, {kind: way for kind, way in ways.items() if way != self.ways[kind]}, data["hour"])

"""Forms for the review queue and for asking for decisions."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from runs.models import Decision, Member, ReviewRequest, Selection
from runs.web.posted import CutField, NameField, OneOfField, PostedForm, RepeatedField, number_seen
from runs.words.moments import portal_day

NOTE_READ = 5_000  # in characters; above the limit, so that a note that's too long can still be shown again in full


class QueueDecideForm(PostedForm):
    """A verdict on `result`. `seen` is the state that the page showed; `after` is the result to show next."""

    result = CutField(16)
    seen = CutField(10)
    verdict = OneOfField(choices=Decision.Verdict.choices)
    note = CutField(NOTE_READ)
    after = CutField(16)

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])


class UndoBatchForm(PostedForm):
    """The batch of decisions to undo, and what to show next: the page `back` or, in the queue, `result`."""

    batch = CutField(16)
    result = CutField(16)
    back = CutField()


class ShownField(CutField):
    """Each result's id and state as shown on the page, such as "id.3 id.0". The cleaned value maps each id to its
    state."""

    def clean(self, value: Any) -> dict[str, int]:
        pairs = (one.partition(".") for one in super().clean(value).split())
        return {public_id: decided_in for public_id, _, text in pairs if (decided_in := number_seen(text)) >= 0}


class PlaceField(CutField):
    """A place with a selection (`Selection.Place`); "" if there is no such place."""

    def clean(self, value: Any) -> str:
        place = str(super().clean(value))
        return place if place in Selection.Place.values else ""


class ManyForm(PostedForm):
    """One verdict on many results: those that the page showed (`shown`), which were selected in a place
    (`selected`)."""

    shown = ShownField()
    selected = PlaceField()
    verdict = OneOfField(choices=Decision.Verdict.choices)
    note = CutField(NOTE_READ)


class RequestForm(PostedForm):
    """Which page of the request list to return to."""

    page = CutField(6)


class WhatForm(PostedForm):
    """What to ask about: results (`f`), all results of a run (`run`), or the selection in a place (`selected`). `shown`
    lists the results that the page showed."""

    f = RepeatedField()
    run = CutField(16)
    selected = PlaceField()
    shown = ShownField()

    def clean(self) -> dict[str, Any]:
        """Add `shown_text`, which is `shown` as it was posted."""
        self.cleaned_data["shown_text"] = self.data.get("shown", "") if self.cleaned_data["shown"] else ""
        return self.cleaned_data


class AskForm(forms.Form):
    """Who to ask, by when, and a message for them. `people` are the members who can be picked; guests can be asked only
    if `may_make_links` is set."""

    who = forms.CharField(required=False)
    members = RepeatedField()
    audience = NameField(150)
    message = forms.CharField(required=False, max_length=200)
    due_on = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    def __init__(self, people: list[Member], *args: Any, may_make_links: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people, self.may_make_links = people, may_make_links
        self.fields["message"].error_messages["max_length"] = _("Use at most %(limit_value)d characters.")
        self.fields["due_on"].error_messages["invalid"] = _("Choose a day, or leave the field empty.")

    @property
    def first_day(self) -> str:
        return portal_day().isoformat()

    @property
    def chosen_who(self) -> str:
        """The posted choice of who to ask; "anyone" by default."""
        return str(self["who"].value() or ReviewRequest.Audience.ANYONE)

    @property
    def choices(self) -> list[tuple[Member, bool]]:
        """The members to pick from, and whether each one is picked."""
        member_ids = set(self["members"].value() or [])
        return [(member, member.public_id in member_ids) for member in self.people]

    def clean_who(self) -> str:
        who = str(self.cleaned_data["who"]) or str(ReviewRequest.Audience.ANYONE)
        if who not in ReviewRequest.Audience.values or (who == "guests" and not self.may_make_links):
            raise ValidationError(_("Choose who to ask."))
        return who

    def clean_members(self) -> list[Member]:
        return [member for member in self.people if member.public_id in self.cleaned_data["members"]]

    def clean_message(self) -> str:
        return " ".join(str(self.cleaned_data["message"]).split())

    def clean_due_on(self) -> Any:
        day = self.cleaned_data["due_on"]
        if day is not None and day < portal_day():
            raise ValidationError(_("Choose today or a later day."))
        return day

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("who") == ReviewRequest.Audience.NAMED and not data.get("members"):
            self.add_error("members", _("Choose at least one person."))
        return data

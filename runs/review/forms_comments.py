"""Forms for posting, replying to and editing comments."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from runs.models import Member, StoredFile
from runs.review import spots
from runs.review.comment_text import CommentRefusedError, cleaned
from runs.review.typed_places import spot_typed, time_typed
from runs.web.posted import CutField, PostedForm, RepeatedField, SwitchField

MOST_PICKED = 50


class TextForm(forms.Form):
    """A reply, or an edit to the member's own comment.

    `act` says which button was pressed: empty to send, "people" to pick who to mention, "share" to share the run with
    the team first, "skip" to leave out mentions of people who can't see the run. `back` is the page to return to.
    """

    text = forms.CharField(required=False, strip=False)
    guests_see = forms.BooleanField(required=False)
    mention = RepeatedField()
    act = CutField(10)
    back = CutField(2_000)

    def typed(self, name: str) -> str:
        """Return what was typed in the field `name`, unchanged."""
        return str(self[name].value() or "") if name in self.fields else ""

    @property
    def picked(self) -> list[Member]:
        """The active members who were picked from the list."""
        ids = [one for one in self["mention"].value() or [] if len(one) <= 16][:MOST_PICKED]
        return list(Member.objects.filter(public_id__in=ids, is_active=True)) if ids else []

    def clean_text(self) -> str:
        try:
            return cleaned(self.cleaned_data["text"])
        except CommentRefusedError as refused:
            raise ValidationError(refused.sentence, code=refused.code) from refused


class CommentForm(TextForm):
    """A comment, and, if the page shows a file, the place in `file` that the comment is about. `n` is the file's
    number."""

    n = CutField(4)
    x = CutField(20)
    y = CutField(20)
    at = CutField(20)

    def __init__(self, *args: Any, file: StoredFile | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file = file

    def clean_at(self) -> int | None:
        try:
            return time_typed(self.file, str(self.cleaned_data["at"]))
        except CommentRefusedError as refused:
            raise ValidationError(refused.sentence, code=refused.code) from refused

    def clean(self) -> dict[str, Any]:
        clicked = spots.clicked(self.file, self.data)
        self.cleaned_data["spot"] = clicked or self._typed_spot()
        return self.cleaned_data

    def _typed_spot(self) -> tuple[int, int] | None:
        """Return the typed spot in ten-thousandths; None if nothing valid was typed."""
        try:
            return spot_typed(self.file, *(str(self.cleaned_data.get(name, "")) for name in ("x", "y")))
        except CommentRefusedError as refused:
            self.add_error("x", ValidationError(refused.sentence, code=refused.code))
            return None


class NumberForm(PostedForm):
    """The number `n` of the file that the page shows, counting from 1."""

    n = CutField(4)


class ResolveForm(PostedForm):
    """Whether to resolve (`on`) or reopen a comment, and the page to return to."""

    on = SwitchField()
    back = CutField()


class CarryForm(PostedForm):
    """The comments to carry over (empty means all), and the page to return to."""

    comment = RepeatedField()
    back = CutField()


class PeopleForm(PostedForm):
    """The beginning of the name to look for."""

    q = CutField(100)

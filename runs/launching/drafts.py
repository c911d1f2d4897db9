"""Drafts: what a person has typed into an app's form, saved on the server until Run is pressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from runs.models import App, Draft, Member
from runs.schema_forms.answers import Answer, dump_answers, load_answers

KEPT = timedelta(days=90)  # after the last change


@dataclass(frozen=True)
class Kept:
    """The contents of a draft: answers, and indexes of the wanted results (None = all)."""

    answers: list[Answer]
    wanted: list[int] | None
    source: str


def save_draft(
    member: Member, app: App, answers: Sequence[Answer], wanted: Sequence[int] | None, source: str = ""
) -> None:
    """Save `answers`, valid or not, in one statement, since simultaneous posts may write the same draft."""
    draft = Draft(
        member=member,
        app=app,
        answers=dump_answers(answers),
        wanted_outputs=wanted,
        source=source[:16],
        updated_at=timezone.now(),
    )
    Draft.objects.bulk_create(
        [draft],
        update_conflicts=True,
        unique_fields=["member", "app"],
        update_fields=["answers", "wanted_outputs", "source", "updated_at"],
    )


def load_draft(member: Member, app: App) -> Kept | None:
    """Return the draft of `member` for `app`, or None."""
    draft = Draft.objects.filter(member=member, app=app).first()
    return kept_in(draft) if draft else None


def kept_in(draft: Draft) -> Kept:
    """Return the contents of `draft`."""
    return Kept(load_answers(draft.answers), draft.wanted_outputs, draft.source)


def clear_draft(member: Member, app: App) -> None:
    """Delete the draft, so that the form starts over."""
    Draft.objects.filter(member=member, app=app).delete()


def tidy(now: datetime) -> None:
    """Delete drafts that haven't changed for 90 days."""
    Draft.objects.filter(updated_at__lt=now - KEPT).delete()

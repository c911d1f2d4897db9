"""What a person has typed into an app's form, kept on the server until Run is pressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from runs.models import App, Draft, Member
from runs.schema_forms.answers import Answer, dump_answers, load_answers

KEPT = timedelta(days=90)  # without a change


@dataclass(frozen=True)
class Kept:
    """A draft as a form takes it: answers, and indexes of the outputs wanted (None = all)."""

    answers: list[Answer]
    wanted: list[int] | None
    source: str


def save_draft(
    member: Member, app: App, answers: Sequence[Answer], wanted: Sequence[int] | None, source: str = ""
) -> None:
    """Keep ANSWERS as they are, valid or not. One statement: posts at once save, and press, the same draft."""
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
    """What MEMBER had typed for APP, or None."""
    draft = Draft.objects.filter(member=member, app=app).first()
    return kept_in(draft) if draft else None


def kept_in(draft: Draft) -> Kept:
    """What stands in DRAFT."""
    return Kept(load_answers(draft.answers), draft.wanted_outputs, draft.source)


def clear_draft(member: Member, app: App) -> None:
    """Start the form anew."""
    Draft.objects.filter(member=member, app=app).delete()


def tidy(now: datetime) -> None:
    """Forget drafts that nobody has touched for three months."""
    Draft.objects.filter(updated_at__lt=now - KEPT).delete()

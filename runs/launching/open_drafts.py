"""Drafts listed on Home and Apps: forms that someone has started to fill in but hasn't run yet."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import ngettext

from runs.launching.drafts import dropped_draft
from runs.models import App, Draft, Member
from runs.schema_forms.answers import Answer
from runs.schema_forms.questions import shortened
from runs.words.numbers import number_words

READ = 24  # how many drafts are read for a page, latest first
WORDS_LENGTH = 100


@dataclass(frozen=True)
class DraftLine:
    """One draft, with a few words of its content."""

    app: App
    words: str
    changed_at: datetime


@dataclass(frozen=True)
class NotStarted:
    """The drafts on a page, latest first, and the app whose draft has just been discarded there, if any."""

    lines: list[DraftLine]
    dropped: App | None


def not_started(member: Member, dropped_id: str = "", at_most: int = READ) -> NotStarted:
    """Return the latest drafts that `member` can continue, using a single query. Empty drafts are left out."""
    if not member.can_run:
        return NotStarted([], None)
    is_open = Q(app__in=App.objects.open_to(member))
    drafts = Draft.objects.current().filter(is_open, member=member, app__gone_at=None, app__forbidden_at=None)
    latest = drafts.select_related("app__thumbnail").order_by("-updated_at", "-pk")[:at_most]
    lines = [DraftLine(draft.app, first_words(draft.answers), draft.updated_at) for draft in latest]
    dropped = dropped_draft(member, dropped_id[:16]) if dropped_id else None
    return NotStarted([line for line in lines if line.words], dropped.app if dropped else None)


def first_words(answers: list[Answer]) -> str:
    """Return a label for the draft: its first text or, failing that, its first choice or link, or the number of files;
    "" if it is empty."""
    filled = [answer for answer in answers if answer.is_given]
    texts = [answer.text for answer in filled if answer.type != "options"]
    choices = [answer.text or answer.link for answer in filled]
    label = next((" ".join(text.split()) for text in [*texts, *choices] if text.strip()), "")
    count = sum(len(answer.upload_ids) for answer in filled)
    files = ngettext("%(count)s file", "%(count)s files", count) % {"count": number_words(count)} if count else ""
    return shortened(label, WORDS_LENGTH) or files

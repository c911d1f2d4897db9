"""Drafts listed on Home and Apps: forms that someone has started to fill in but hasn't run yet."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import ngettext

from runs.launching.drafts import dropped_draft
from runs.models import App, Draft, Member
from runs.models.file import PICTURE_COLUMNS
from runs.schema_forms.questions import shortened
from runs.words.numbers import number_words

READ = 24  # how many drafts are read for a page, latest first
WORDS_LENGTH = 100
COLUMNS = (
    "answers",
    "updated_at",
    "app__public_id",
    "app__name",
    *(f"app__thumbnail__{one}" for one in PICTURE_COLUMNS),
)


@dataclass(frozen=True)
class NotStarted:
    """The drafts on a page, latest first, and the app whose draft has just been discarded there, if any."""

    drafts: list[Draft]
    dropped: App | None


def not_started(member: Member, dropped_id: str = "", at_most: int = READ) -> NotStarted:
    """Return the latest drafts that `member` can continue, using a single query. Empty drafts are left out."""
    if not member.can_run:
        return NotStarted([], None)
    is_open = Q(app__in=App.objects.open_to(member))
    drafts = Draft.objects.current().filter(is_open, member=member, app__gone_at=None, app__forbidden_at=None)
    latest = drafts.select_related("app__thumbnail").only(*COLUMNS).order_by("-updated_at", "-pk")[:at_most]
    dropped = dropped_draft(member, dropped_id[:16]) if dropped_id else None
    return NotStarted([draft for draft in latest if draft_words(draft)], dropped.app if dropped else None)


def draft_words(draft: Draft) -> str:
    """Return a label for the draft: its first text or, failing that, its first choice or link, or the number of files;
    "" if it is empty."""
    filled = [answer for answer in draft.answers if answer.is_given]
    texts = [answer.text for answer in filled if answer.type != "options"]
    choices = [answer.text or answer.link for answer in filled]
    label = next((" ".join(text.split()) for text in [*texts, *choices] if text.strip()), "")
    count = sum(len(answer.upload_ids) for answer in filled)
    files = ngettext("%(count)s file", "%(count)s files", count) % {"count": number_words(count)} if count else ""
    return shortened(label, WORDS_LENGTH) or files

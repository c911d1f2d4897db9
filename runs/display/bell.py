"""The bell: the member's unread notices (`models.Notice`)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.display.cards import RunCard, run_cards
from runs.display.verdicts import VERDICT_ICONS
from runs.models import Member, Notice, Run
from runs.notices import notice_text
from runs.notices.kinds import ENDS, KINDS

LISTED = 20
FRESH_FOR = timedelta(minutes=2)  # a page that opens this soon after an event still announces it


@dataclass(frozen=True)
class NoticeLine:
    """A notice in a list. In lists with pictures, `card` is the card for the run that ended."""

    notice: Notice
    title: str
    words: str
    url: str
    card: RunCard | None = None

    @property
    def told_id(self) -> str:
        """The id that pages remember once they have announced the notice: the id of the run that ended or, for other
        notices, the notice's own id."""
        run = self.notice.run
        return run.public_id if run is not None and self.is_end else self.notice.public_id

    @property
    def is_end(self) -> bool:
        return self.notice.kind in ENDS

    @property
    def is_unread(self) -> bool:
        return self.notice.read_at is None

    @property
    def is_fresh(self) -> bool:
        return self.notice.created_at > timezone.now() - FRESH_FOR

    @property
    def icon(self) -> str:
        notice = self.notice
        if notice.run is not None and self.is_end and notice.run.status == Run.Status.CANCELLED:
            return "cancelled"
        verdict = notice.decision.verdict if notice.decision is not None else ""
        return VERDICT_ICONS.get(verdict) or KINDS[notice.kind].icon

    @property
    def is_conversation_muted(self) -> bool:
        """Whether the conversation is muted; always False in lists that don't look it up (only `inbox.inbox_page`
        does)."""
        return bool(getattr(self.notice, "is_conversation_muted", False))

    @property
    def conversation(self) -> str:
        """The value to post for muting the conversation; "" if the notice isn't about one."""
        return f"comment-{self.notice.comment.public_id}" if self.notice.comment is not None else ""


@dataclass(frozen=True)
class Bell:
    """The contents of the bell. `token` changes whenever the list changes; pages send it back when they poll."""

    token: str = ""
    lines: list[NoticeLine] = field(default_factory=list)
    has_more: bool = False
    is_watching: bool = False  # more notices are expected, because one of the member's runs is active or saving results

    @property
    def count(self) -> str:
        """The number of unread notices, such as "3" or "20+"; "" if there are none."""
        return f"{len(self.lines)}+" if self.has_more else str(len(self.lines) or "")

    @property
    def title_mark(self) -> str:
        """A prefix for the page title, such as "(3) "; "" if nothing is unread."""
        return f"({self.count}) " if self.count else ""

    @property
    def words(self) -> str:
        """The label of the bell for screen readers."""
        if not self.lines:
            return _("Inbox: nothing new")
        return ngettext("Inbox: %(count)s new", "Inbox: %(count)s new", len(self.lines)) % {"count": self.count}

    @property
    def ids(self) -> str:
        """The ids of all listed notices. The form posts them if JavaScript is off."""
        return " ".join(line.notice.public_id for line in self.lines)

    @property
    def end_ids(self) -> str:
        """The ids of listed notices about runs that ended. Opening the list marks these as read, because seeing them
        there is enough."""
        return " ".join(line.notice.public_id for line in self.lines if line.is_end)


def bell_of(member: Member, *, is_watching: bool = False, has_pictures: bool = True) -> Bell:
    """Return `member`'s bell. Makes no queries if there's nothing new; otherwise one, or four with pictures."""
    if member.news_at is None:
        return Bell(is_watching=is_watching)
    notices = list(Notice.objects.of(member).unread().for_lists()[: LISTED + 1])
    lines = lines_of(notices[:LISTED], member if has_pictures else None)
    return Bell(
        token=token_of(member.news_at),
        lines=lines,
        has_more=len(notices) > LISTED,
        is_watching=is_watching or any(line.card.is_active for line in lines if line.card),
    )


def lines_of(notices: Iterable[Notice], viewer: Member | None = None) -> list[NoticeLine]:
    """Return lines for notices fetched with `for_lists`; with a `viewer`, include pictures of runs that ended."""
    notices = list(notices)
    cards: dict[int, RunCard] = {}
    if viewer is not None and (ended := [notice.pk for notice in notices if notice.kind in ENDS]):
        runs = Run.objects.filter(notices__in=ended).for_cards()
        cards = {card.run.pk: card for card in run_cards(runs, viewer)}
    return [
        NoticeLine(
            notice=notice,
            title=notice_text.title_of(notice),
            words=notice_text.words_of(notice),
            url=notice_text.path_of(notice),
            card=cards.get(notice.run_id or 0) if notice.kind in ENDS else None,
        )
        for notice in notices
    ]


def token_of(news_at: datetime | None) -> str:
    """Return a token based on the time of the member's latest news; pages send it back when they poll."""
    return f"{news_at.timestamp():.6f}" if news_at else ""


def bell_context(request: HttpRequest) -> dict[str, object]:
    """Context processor: add the bell for signed-in people; it is loaded only if the page shows it."""
    user = getattr(request, "user", None)
    return {"bell": SimpleLazyObject(lambda: bell_of(user) if isinstance(user, Member) else Bell())}

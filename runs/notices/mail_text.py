"""The content of an email: who did what to which result and why, one link, and a small picture. It never contains
inputs or comments.

The content is written when the email is sent, in the reader's language and time zone. The text part has everything but
the picture; a small HTML part repeats it for mail programs that prefer HTML. The picture is part of the email, since
mail programs can't sign in to load it.
"""

from collections import Counter
from dataclasses import dataclass
from email.message import MIMEPart
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Exists, OuterRef, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import (
    Mail,
    MailWhenReady,
    Member,
    Notice,
    NoticeKind,
    Output,
    OutputFile,
    ReviewItem,
    Run,
    StoredFile,
    Way,
)
from runs.notices import choices, notice_text, reminders, unsubscribe
from runs.notices.kinds import ENDS
from runs.team import mail
from runs.web import secret_links
from runs.words.due_dates import due_words
from runs.words.messages import say
from runs.words.one_line import one_line
from runs.words.run_failures import failure_sentence

LISTED = 20  # maximum number of lines in an email; the portal shows the rest
SUBJECT_LENGTH = 150
PICTURE_ID = "picture@lamina-portal"
RELATED = (
    "run__app",
    "output",
    "comment__member",
    "comment__output",
    "decision__member",
    "decision__output",
    "request",
)


@dataclass(frozen=True)
class Letter:
    """The text of an email, with one line for each event, and the path that its link opens."""

    subject: str
    intro: str
    lines: list[str]
    path: str
    kinds: list[str]
    more: int = 0  # number of further events that didn't get a line
    picture: StoredFile | None = None  # a file with a thumbnail
    picture_label: str = ""

    @property
    def more_words(self) -> str:
        return ngettext("And %(count)s more.", "And %(count)s more.", self.more) % {"count": self.more}

    @property
    def address(self) -> str:
        return secret_links.full_address(self.path)


def message_of(row: Mail) -> EmailMultiAlternatives | None:
    """Return the email to send now; None if there is nothing left to say, or nobody to send it to."""
    member = Member.objects.filter(mails=row, is_active=True, mail_dead_at=None).first()
    if member is None:
        return None
    with mail.as_read_by(member):
        letter = _reminder(member) if row.sort == Mail.Sort.REMINDER else _notices(row, member)
        return _message(row, member, letter) if letter else None


# --- The words --------------------------------------------------------------------------------------------------------
def _notices(row: Mail, member: Member) -> Letter | None:
    notices = _still_news(row, member)
    if not notices:
        return None
    lines = _each_once([_line(notice) for notice in notices[:LISTED]])
    runs = {notice.run_id for notice in notices}
    is_one_place = len(runs) == 1 and (None not in runs or len(notices) == 1)
    count = {"count": len(notices)}
    if row.sort == Mail.Sort.DAILY:
        intro = _("Here's what has happened since your last daily email:")
        subject = ngettext("Your daily email: %(count)s notice", "Your daily email: %(count)s notices", len(notices))
        subject %= count
    else:
        intro = ""
        words = ngettext("%(first)s, and %(count)s more", "%(first)s, and %(count)s more", len(notices) - 1)
        first = notice_text.title_of(notices[0])
        subject = first if len(notices) == 1 else words % {"first": first.removesuffix("."), "count": len(notices) - 1}
    return Letter(
        subject=subject,
        intro=intro,
        lines=lines,
        path=_path_to(notices) if is_one_place else reverse("runs:inbox"),
        kinds=[notice.kind for notice in notices],
        more=max(0, len(notices) - LISTED),
        **_picture([notice.output_id for notice in notices if notice.output_id], runs),
    )


def _line(notice: Notice) -> str:
    """Return what happened and, if somebody gave one, the reason or message."""
    values = {"what": notice_text.title_of(notice), "why": one_line(_reason(notice))}
    if not values["why"]:
        return values["what"]
    words = _("%(what)s: %(why)s") if notice.kind == NoticeKind.FAILED else _("%(what)s: “%(why)s”")
    return words % values


def _reason(notice: Notice) -> str:
    """Return the message of a request, the note of a verdict, or why a run failed."""
    if notice.request is not None:
        return notice.request.message
    if notice.decision is not None:
        return notice.decision.note
    if notice.kind == NoticeKind.FAILED and notice.run is not None and notice.run.status == Run.Status.FAILED:
        return " ".join(filter(None, [failure_sentence(notice.run.failure), say(notice.run.failure_text)]))
    return ""


def _picture(outputs: list[int], runs: set[int | None]) -> dict[str, Any]:
    """Return the fields of a letter that shows the first of these results that has a picture, or else the first result
    of these runs."""
    candidates = Output.objects.filter(pk__in=outputs) if outputs else Output.objects.filter(run__in=runs - {None})
    file = (
        OutputFile.objects.filter(output__in=candidates, file__isnull=False)
        .exclude(file__thumb_400="")
        .select_related("file", "output")
        .order_by("output__run", "output__position", "pk")
        .first()
    )
    return {"picture": file.file, "picture_label": one_line(file.output.label)} if file else {}


def _path_to(notices: list[Notice]) -> str:
    """Return the path that the first of `notices` links to; all of them are about the same run. Opening it marks all
    notices in the email as read."""
    path, mark = notice_text.path_of(notices[0]), f"notice={notices[0].public_id}"
    return path.replace(mark, f"{mark}&by=mail") if len(notices) > 1 else path


def _each_once(lines: list[str]) -> list[str]:
    """Return `lines` without duplicates; a repeated line ends with the number of times it occurred."""
    return [line if times == 1 else f"{line} ({times}×)" for line, times in Counter(lines).items()]  # noqa: RUF001


def _still_news(row: Mail, member: Member) -> list[Notice]:
    """Return the email's notices that are still worth sending: unread, not undone, about runs that the member may still
    see, and of kinds that they still want emails about. A notice about a request is worth sending as long as any result
    in that request is undecided."""
    ways = choices.chosen_by(member)
    unwanted = Q(kind__in=[kind for kind, way in ways.items() if way == Way.OFF])
    when_ready = Q(kind__in=ENDS, run__in=MailWhenReady.objects.filter(member=member).values("run"))
    open_items = ReviewItem.objects.undecided().filter(output__run__in=Run.objects.visible_to(member))
    is_open = ~Q(kind=NoticeKind.ASKED) | Exists(open_items.filter(request=OuterRef("request")))
    notices = Notice.objects.of(member).unread().filter(~unwanted | when_ready, is_open, mail=row)
    return list(notices.select_related(*RELATED).order_by("created_at", "pk"))


def _reminder(member: Member) -> Letter | None:
    if choices.chosen_by(member)[choices.REMINDER] == Way.OFF:
        return None
    due = reminders.items_due(member, timezone.localdate()).select_related("output__run__app", "request")
    items = list({item.output_id: item for item in due}.values())
    if not items:
        return None
    words = ngettext("%(count)s decision is due soon", "%(count)s decisions are due soon", len(items))
    return Letter(
        subject=words % {"count": len(items)},
        intro=_("Someone is waiting for your decision on:"),
        lines=[one_line(_due_line(item)) for item in items[:LISTED]],
        path=items[0].output.get_absolute_url() if len(items) == 1 else reverse("runs:review"),
        kinds=[choices.REMINDER],
        more=max(0, len(items) - LISTED),
    )


def _due_line(item: ReviewItem) -> str:
    run, output = item.output.run, item.output
    values = {
        "run": notice_text.run_name(run),
        "when": due_words(item.due_day, timezone.localdate()) if item.due_day else "",
    }
    if not output.label:
        return _("%(run)s: %(when)s") % values
    return _("“%(result)s” from %(run)s: %(when)s") % {"result": output.numbered_label, **values}


# --- The email --------------------------------------------------------------------------------------------------------
def _message(row: Mail, member: Member, letter: Letter) -> EmailMultiAlternatives:
    context = {"letter": letter, "name": one_line(member.display_name)}
    message = EmailMultiAlternatives(
        subject_of(letter),
        render_to_string("notices/mail.txt", context),
        settings.DEFAULT_FROM_EMAIL,
        [member.email],
        headers=headers_of(row, unsubscribe.address_for(member, letter.kinds)),
    )
    thumbnail = _thumbnail(letter.picture) if letter.picture else None
    context |= {"picture_size": thumbnail.size if thumbnail else None, "picture_id": PICTURE_ID}
    message.attach_alternative(render_to_string("notices/mail.html", context), "text/html")
    if thumbnail:
        message.attach(thumbnail.part())
    return message


@dataclass(frozen=True)
class MailPicture:
    """A picture in an email: a JPEG, since some mail programs don't show WebP."""

    data: bytes
    size: tuple[int, int]

    def part(self) -> MIMEPart:
        part = MIMEPart()
        part.set_content(
            self.data,
            maintype="image",
            subtype="jpeg",
            disposition="inline",
            filename="result.jpg",
            cid=f"<{PICTURE_ID}>",
        )
        return part


def _thumbnail(file: StoredFile) -> MailPicture | None:
    """Return a file's thumbnail, which the portal made itself; None if it can't be read now."""
    from PIL import Image  # few emails show a picture

    data = BytesIO()
    try:
        with file.thumb_400.open() as stored, Image.open(stored) as picture:
            picture.convert("RGB").save(data, "JPEG", quality=80)
            return MailPicture(data.getvalue(), picture.size)
    except OSError:
        return None


def subject_of(letter: Letter) -> str:
    """Return the subject on one line, cut off if it is too long."""
    subject = one_line(letter.subject)
    return subject if len(subject) <= SUBJECT_LENGTH else f"{subject[: SUBJECT_LENGTH - 1]}…"


def headers_of(row: Mail, stop_address: str) -> dict[str, str]:
    """Return the headers of an email, including `stop_address`, the reader's unsubscribe URL."""
    return {
        "Message-ID": f"<{row.public_id}@{urlsplit(settings.PORTAL_URL).hostname}>",
        "List-Unsubscribe": f"<{stop_address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "Content-Language": translation.get_language() or settings.LANGUAGE_CODE,
    }

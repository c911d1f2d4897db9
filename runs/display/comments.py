"""Comments as plain values for templates: on a result, with numbered spots and times, and on a whole run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.utils.html import conditional_escape, format_html, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.display.result_page import Slide
from runs.models import Comment, Member, Output, OutputFile, Run
from runs.review import spots, threads
from runs.review.carry_over import is_narrowed, share_first_words
from runs.review.comment_text import finder
from runs.review.spots import DotPlace
from runs.review.threads import Thread
from runs.words.media_times import parse_seconds, seconds_words
from runs.words.numbers import number_words

MAYBE_LINK = re.compile(r"\.\w|://|\w@\w")  # most comments have no links, and it takes a whole millisecond to look
SAFE_REL = 'rel="nofollow noopener noreferrer"'
SUMMARY_LENGTH = 80  # how many characters of a resolved comment to show


@dataclass(frozen=True)
class Dot:
    """A numbered dot on the picture."""

    number: int
    place: DotPlace
    dom_id: str  # the comment's id on the page
    is_resolved: bool


@dataclass(frozen=True)
class CommentLine:
    """One comment or reply. `number` is the number on its dot, or 0 if it has none. `place` is the time in the file
    that it refers to, as pages show it ("0:12"); `seconds` is the same time for URLs."""

    comment: Comment
    html: SafeString
    summary: str
    also: list[Member]  # mentioned people whose names aren't in the text
    is_mine: bool
    number: int = 0
    place: str = ""
    seconds: str = ""
    file_number: int = 1  # on the result's page, the number of the file that the comment is about
    can_act: bool = True  # the viewer can reply, resolve and edit
    carry_to: str = ""  # id of the result that this comment can be carried over to
    came_from: str = ""  # where it was written ("From version 1"), if it was carried over
    came_from_url: str = ""  # "" if the viewer can't see that version
    back_words: str = ""  # label of the button that moves the comment back; "" if the viewer can't do that
    replies: "list[CommentLine]" = field(default_factory=list)

    @property
    def dom_id(self) -> str:
        return f"comment-{self.comment.public_id}"

    @property
    def play_at(self) -> str:
        """The value of `at` in the URL that plays the file from the comment's time."""
        file = f"&n={self.file_number}" if self.file_number > 1 else ""
        return f"{self.seconds}{file}#file"


@dataclass(frozen=True)
class OlderComments:
    """Comments under one heading that are about another version or an earlier file, not the one on the page."""

    heading: str
    url: str  # URL of the other version; "" for an earlier file
    lines: list[CommentLine]


@dataclass(frozen=True)
class CommentPanel:
    """All comments on a result or run."""

    lines: list[CommentLine]
    dots: list[Dot] = field(default_factory=list)
    hidden: int = 0  # number of earlier comments that aren't shown
    older: list[OlderComments] = field(default_factory=list)
    older_hidden: int = 0
    carry_words: str = ""  # label of the button that carries a comment over to this version
    carry_refusal: str = ""  # why comments can't be carried over

    @property
    def older_words(self) -> str:
        """The label of the collapsed older comments, such as "5 comments on other versions or files"."""
        count = self.older_hidden + sum(len(group.lines) for group in self.older)
        words = ngettext(
            "%(count)s comment on another version or file", "%(count)s comments on other versions or files", count
        )
        return words % {"count": number_words(count)}

    @property
    def carriable(self) -> list[CommentLine]:
        return [line for group in self.older for line in group.lines if line.carry_to]


def result_comments(slide: Slide, viewer: Member, *, most: int = threads.LATEST) -> CommentPanel:
    """Return the comments on the result of `slide`, with dots for the file that it shows. Only the latest `most`
    comments are included, so that the page stays fast."""
    output, position = slide.output, position_of(slide.output, slide.number)
    result_threads = threads.threads_on(output, viewer, position, most=most)
    builder = _LineBuilder(output, viewer, numbers_of(output))
    lines = [builder.line(thread) for thread in result_threads.threads]
    narrows = output.run.shared_at is None and any(one.is_open and one.is_shared for one in result_threads.older)
    return CommentPanel(
        lines=lines,
        dots=_dots([line for line in lines if line.number]),
        hidden=result_threads.hidden,
        older=builder.older(result_threads.older, may_carry=not narrows and output.status == Output.Status.COMPLETED),
        older_hidden=result_threads.older_hidden,
        carry_words=_carry_words(output),
        carry_refusal=share_first_words(output) if narrows else "",
    )


def player_start(at: str) -> str:
    """Return what to append to a file's URL so that the file plays from the time `at`; "" if `at` is invalid."""
    at_ms = parse_seconds(at)
    return f"#t={at_ms / 1000:.1f}" if at_ms is not None else ""


def run_comments(run: Run, viewer: Member, *, shows_all: bool = False) -> CommentPanel:
    """Return the comments on the whole run: all of them if `shows_all`, otherwise only the latest."""
    run_threads = threads.threads_on_run(run, most=threads.MOST if shows_all else threads.LATEST)
    lines = [_line(thread.comment, viewer, thread.replies) for thread in run_threads.threads]
    return CommentPanel(lines, hidden=run_threads.hidden)


@dataclass(frozen=True)
class _LineBuilder:
    """Builds the comments on a result's page."""

    output: Output
    viewer: Member
    file_numbers: dict[int, int]

    def line(self, thread: Thread) -> CommentLine:
        comment, origin = thread.comment, thread.comment.carried_from
        line = _line(comment, self.viewer, thread.replies)
        line = replace(line, number=thread.number, file_number=self.file_numbers.get(comment.file_position, 1))
        if origin is None:
            return line
        is_seen = origin.run.is_visible_to(self.viewer)
        is_elsewhere = origin.pk != self.output.pk
        may_return = is_seen and not is_narrowed(self.output.run, origin.run)
        return replace(
            line,
            came_from=_from_words(origin) if is_elsewhere else _("From an earlier file"),
            came_from_url=origin.get_absolute_url() if is_seen and is_elsewhere else "",
            back_words=_back_words(origin, is_elsewhere=is_elsewhere) if may_return else "",
        )

    def older(self, older_threads: Sequence[Thread], *, may_carry: bool) -> list[OlderComments]:
        """Return the older comments: first those on an earlier file, then those on earlier versions (newest first),
        then those carried over to later versions."""
        groups: dict[int, list[Thread]] = {}
        for thread in older_threads:
            groups.setdefault(thread.comment.output.number if thread.comment.output else 0, []).append(thread)
        own = self.output.number
        numbers = sorted(groups, key=lambda number: (number > own, number if number > own else -number))
        return [self._group(groups[number], may_carry=may_carry and number <= own) for number in numbers]

    def _group(self, group: Sequence[Thread], *, may_carry: bool) -> OlderComments:
        place, is_here = group[0].comment.output or self.output, group[0].comment.output_id == self.output.pk
        words = _("Carried over to version %(number)s")
        if place.number < self.output.number:
            words = _("On version %(number)s")
        lines = []
        for thread in group:
            line = _line(thread.comment, self.viewer, thread.replies)
            carry_to = self.output.public_id if may_carry and thread.is_open else ""
            lines.append(replace(line, carry_to=carry_to, can_act=place.number <= self.output.number))
        heading = _("On an earlier file") if is_here else words % {"number": place.number}
        return OlderComments(heading, "" if is_here else place.get_absolute_url(), lines)


def _dots(lines: list[CommentLine]) -> list[Dot]:
    places = spots.places([(line.comment.spot_x or 0, line.comment.spot_y or 0, 0) for line in lines])
    return [
        Dot(line.number, place, line.dom_id, line.comment.resolved_at is not None)
        for line, place in zip(lines, places, strict=True)
    ]


def _carry_words(output: Output) -> str:
    if output.number == 1:
        return _("Carry over to this file")
    return _("Carry over to version %(number)s") % {"number": output.number}


def _from_words(origin: Output) -> str:
    return _("From version %(number)s") % {"number": origin.number}


def _back_words(origin: Output, *, is_elsewhere: bool) -> str:
    if not is_elsewhere:
        return _("Move back to the earlier file")
    return _("Move back to version %(number)s") % {"number": origin.number}


def comment_line(comment: Comment) -> CommentLine:
    """Return one comment without its replies, for its own page."""
    return _line(comment, None)


def text_html(comment: Comment) -> SafeString:
    """Return the text of a comment as HTML: escaped, with links and with the current names of the members it
    mentions."""
    mentions = {row.words.casefold(): row.member for row in comment.mention_rows.all() if row.words}
    if not mentions:
        return _linked(comment.text)
    pieces, end = [], 0
    for match in finder(words[1:] for words in mentions).finditer(comment.text):
        member = mentions[match[0].casefold()]
        pieces.append(_linked(comment.text[end : match.start()]))
        pieces.append(format_html('<span class="mention">@<bdi>{}</bdi></span>', member.display_name))
        end = match.end()
    pieces.append(_linked(comment.text[end:]))
    return mark_safe("".join(pieces))  # noqa: S308 - each piece is escaped


def editable_text(comment: Comment) -> str:
    """Return the text of a comment for editing, with the current names of the members it mentions."""
    mentions = {row.words.casefold(): row.member.display_name for row in comment.mention_rows.all() if row.words}
    return finder(words[1:] for words in mentions).sub(lambda match: f"@{mentions[match[0].casefold()]}", comment.text)


def numbers_of(output: Output) -> dict[int, int]:
    """Return the number (from 1) that each saved file has on the result's page, keyed by the file's position."""
    positions = [f.position for f in output.files.all() if f.status == OutputFile.Status.SAVED]
    return {position: number for number, position in enumerate(positions, 1)}


def position_of(output: Output, number: int) -> int:
    """Return the position of file number `number` on the result's page."""
    return {file_number: position for position, file_number in numbers_of(output).items()}.get(number, 0)


def _linked(text: str) -> SafeString:
    """Return `text` escaped, with web and email addresses as links. Quotes are escaped, so the text can't add
    attributes."""
    if not MAYBE_LINK.search(text):
        return conditional_escape(text)
    html = str(urlize(text, nofollow=True, autoescape=True))
    return mark_safe(html.replace('rel="nofollow"', SAFE_REL))  # noqa: S308 - escaped above


def _line(comment: Comment, viewer: Member | None, replies: Sequence[Comment] = ()) -> CommentLine:
    return CommentLine(
        comment=comment,
        html=text_html(comment),
        summary=_shortened(comment.text),
        also=[row.member for row in comment.mention_rows.all() if not row.words],
        is_mine=viewer is not None and comment.belongs_to(viewer),
        place=seconds_words(comment.at_ms) if comment.at_ms is not None else "",
        seconds=f"{comment.at_ms / 1000:.1f}" if comment.at_ms is not None else "",
        replies=[_line(reply, viewer) for reply in replies],
    )


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_LENGTH else f"{line[: SUMMARY_LENGTH - 1]}…"

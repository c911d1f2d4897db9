"""The boxes below a link's results: what guests can say about each result, and what they have already said.

Guests never see other people's verdicts, or comments that aren't meant for them.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count

from django.utils.translation import gettext as _

from runs.models import Comment, Decision, Guest, GuestLink, Output, OutputFile, ReviewRules
from runs.models.comments import COMMENT_LENGTH
from runs.models.decisions import NOTE_LENGTH
from runs.notices import guest_contacts
from runs.review import guest_answers, guest_comments, review_queries, spots
from runs.review.spots import DotPlace
from runs.review.versions import newer_of_each
from runs.sharing import guest_identity, links
from runs.sharing.forms_guest import GuestForm
from runs.sharing.guest_addresses import Addresses
from runs.words.media_times import seconds_words
from runs.words.numbers import number_words

NOTHING = GuestForm()
PLAYED = ("video", "audio")


@dataclass(frozen=True)
class Visit:
    """One visit to the page: who is visiting, what they just answered, what they typed, and what went wrong.

    `offered` is the guest whose email someone opened, as long as they haven't said that it's them. `answered`,
    `commented` and `wrong_at` are result ids; without `wrong_at`, the `problem` concerns the whole page.
    """

    guest: Guest | None = None
    addressee: Guest | None = None
    answered: str = ""
    commented: str = ""
    form: GuestForm = NOTHING
    problem: str = ""
    wrong_at: str = ""
    code_problem: str = ""


@dataclass(frozen=True)
class GuestComment:
    """One comment as a guest sees it. `number` is shown on its dot, which is at `spot` on one of the files; 0 means
    that the comment has no dot."""

    who: str
    is_own: bool
    text: str
    created_at: datetime
    is_edited: bool
    time_words: str  # its time in the video or audio, such as "0:12"
    number: int
    spot: tuple[int, int]  # in ten-thousandths
    file_position: int
    replies: "list[GuestComment]" = field(default_factory=list)


@dataclass(frozen=True)
class EarlierAnswer:
    """What the guest answered on an earlier version of a result."""

    version: int
    verdict_words: str
    note: str
    answered_at: datetime


@dataclass(frozen=True)
class AnswerBox:
    """The box below one result: the guest's answer, and buttons to give or change it."""

    result: str
    label: str
    place: str  # the box's id on the page
    verdict: str
    verdict_words: str
    note: str
    answered_at: datetime | None
    earlier: EarlierAnswer | None
    is_just_recorded: bool
    is_superseded: bool
    typed: str
    error: str
    content_key: str
    decide_url: str
    next_place: str  # the id of the next unanswered box below this one; "" if there is none
    comment_url: str
    is_just_commented: bool
    place_kind: str  # "image", "video" or "audio" if a comment can mark a place in the result; otherwise ""
    lets_decide: bool
    lets_comment: bool
    comments: list[GuestComment]
    files: int  # how many files the guest's answer is for

    @property
    def dots(self) -> list[tuple[GuestComment, DotPlace]]:
        marked = [comment for comment in self.comments if comment.number]
        places = spots.places([(*comment.spot, comment.file_position) for comment in marked])
        return list(zip(marked, places, strict=True))

    @property
    def decides(self) -> bool:
        """Whether guests can decide on the result."""
        return self.lets_decide and not self.is_superseded

    @property
    def may_write(self) -> bool:
        return self.lets_comment or self.decides

    @property
    def unsent(self) -> list[str]:
        """What the guest typed, to be shown if it can no longer be sent."""
        return [self.typed] if self.typed.strip() else []

    @property
    def is_open(self) -> bool:
        """Whether the buttons show right away, not just after pressing "Change your answer"."""
        return not self.verdict or bool(self.typed or self.error)


@dataclass(frozen=True)
class Answers:
    """What the page says about answering, apart from the boxes."""

    sender: str
    last_day: date
    last_second: datetime
    due_on: date | None  # the day by which the sender wants an answer
    lets_decide: bool
    lets_comment: bool
    needs_reason: bool
    words_length: int
    name: str  # the guest's name; empty until they have answered, or have shown who they are
    code: str  # with which the guest can come back
    gets_email: bool
    addressee_name: str  # name of the guest whose email was opened; empty if it's known who is visiting
    asks_code: bool  # whether guests who come back can enter their code
    code_problem: str
    done: int
    total: int
    problem: str
    unsent: list[str] = field(default_factory=list)  # what was typed but can't be shown in a box any more

    @property
    def is_done(self) -> bool:
        return self.lets_decide and 0 < self.total <= self.done

    @property
    def progress_words(self) -> str:
        values = {"done": number_words(self.done), "count": number_words(self.total)}
        return _("%(done)s of %(count)s answered") % values


def boxes_of(
    outputs: list[Output], labels: dict[Output, str], first: int, addresses: Addresses, visit: Visit
) -> dict[str, AnswerBox]:
    """Return the box below each of `outputs`, keyed by result id. Results are numbered from `first`. If guests can't
    respond and can't see comments either, there are no boxes."""
    link = addresses.link
    if not (link.lets_decide or link.lets_comment or link.shows_comments):
        return {}
    decisions = guest_answers.given_by(visit.guest, outputs) if link.lets_decide else {}
    earlier = guest_answers.earlier_by(visit.guest, outputs) if link.lets_decide else {}
    newer = newer_of_each(outputs) if link.lets_decide else {}
    comments = guest_comments.seen_by_guest(link, visit.guest, outputs)
    places = {output.pk: f"r{number}" for number, output in enumerate(outputs, first)}
    boxes = {}
    for number, output in enumerate(outputs):
        decision, is_wrong = decisions.get(output.pk), visit.wrong_at == output.public_id
        later = (
            places[other.pk] for other in outputs[number + 1 :] if other.pk not in decisions and other.pk not in newer
        )
        boxes[output.public_id] = AnswerBox(
            result=output.public_id,
            label=labels[output],
            place=places[output.pk],
            verdict=decision.verdict if decision else "",
            verdict_words=verdict_words(decision),
            note=decision.note if decision else "",
            answered_at=decision.created_at if decision else None,
            earlier=_earlier(earlier.get(output.pk)),
            is_just_recorded=decision is not None and visit.answered == output.public_id,
            is_superseded=output.pk in newer,
            typed=visit.form.words.get(output.public_id, ""),
            error=visit.problem if is_wrong else "",
            content_key=guest_answers.content_key(output),
            decide_url=addresses.decide(places[output.pk]),
            next_place=next(later, ""),
            comment_url=addresses.comment(places[output.pk]),
            is_just_commented=visit.commented == output.public_id,
            place_kind=place_kind(output),
            lets_decide=link.lets_decide,
            lets_comment=link.lets_comment,
            comments=_comments(comments.get(output.pk, []), output, link, visit.guest),
            files=len(output.files.all()),
        )
    return boxes


def _earlier(decision: Decision | None) -> EarlierAnswer | None:
    if decision is None:
        return None
    return EarlierAnswer(decision.output.number, verdict_words(decision), decision.note, decision.created_at)


def _has_place(box: AnswerBox | None) -> bool:
    """Return whether the box can still show what was typed into it."""
    return box is not None and (box.may_write or box.is_superseded)


def placed_file(output: Output) -> OutputFile | None:
    """Return the file that comments can mark a place in: the result's first file, if it's a kind that allows that."""
    first = next((output_file for output_file in output.files.all() if output_file.file is not None), None)
    is_placed = first is not None and (spots.can_mark(first.file) or (first.file and first.file.kind in PLAYED))
    return first if is_placed else None


def place_kind(output: Output) -> str:
    output_file = placed_file(output)
    return output_file.file.kind if output_file is not None and output_file.file is not None else ""


def _comments(comments: list[Comment], output: Output, link: GuestLink, guest: Guest | None) -> list[GuestComment]:
    """Return the comments on a result with their replies. If the guest can see a reply but not the comment it answers,
    the reply is shown by itself."""
    numbers = count(1)
    there = {comment.pk for comment in comments}
    lines: dict[int, GuestComment] = {}
    for comment in comments:
        has_dot = comment.has_spot and not comment.is_on_earlier_content(output)
        line = _comment(comment, link, guest, next(numbers) if has_dot else 0)
        if comment.parent_id in there:
            lines[comment.parent_id].replies.append(line)
        else:
            lines[comment.pk] = line
    return list(lines.values())


def _comment(comment: Comment, link: GuestLink, guest: Guest | None, number: int) -> GuestComment:
    is_own = guest is not None and comment.belongs_to_guest(guest)
    return GuestComment(
        who=_("You") if is_own else _who(comment, link),
        is_own=is_own,
        text=comment.text,
        created_at=comment.created_at,
        is_edited=comment.edited_at is not None,
        time_words=seconds_words(comment.at_ms) if comment.at_ms is not None else "",
        number=number,
        spot=(comment.spot_x or 0, comment.spot_y or 0),
        file_position=comment.file_position,
    )


def _who(comment: Comment, link: GuestLink) -> str:
    """Return who wrote someone else's comment, if the link reveals that."""
    if not link.hides_names:
        return comment.who
    return _("Another guest") if comment.is_guest else _("The team")


def verdict_words(decision: Decision | None) -> str:
    """Return the guest's decision, in words addressed to them."""
    if decision is None:
        return ""
    return _("You approved this") if decision.verdict == Decision.Verdict.APPROVED else _("You asked for changes")


def answers_of_page(link: GuestLink, outputs: Collection[Output], visit: Visit, boxes: dict[str, AnswerBox]) -> Answers:
    """Return what the page says about answering. `outputs` contains all results that the link shows; `boxes` covers
    only those on this page."""
    guest = visit.guest
    decisions = guest_answers.given_by(guest) if link.lets_decide else {}
    is_placed = visit.wrong_at in boxes
    return Answers(
        sender=link.member.display_name,
        last_day=links.last_day_of(link),
        last_second=link.last_second,
        due_on=review_queries.day_for_guests(link) if link.lets_decide else None,
        lets_decide=link.lets_decide,
        lets_comment=link.lets_comment,
        needs_reason=ReviewRules.current().needs_reason,
        words_length=COMMENT_LENGTH if link.lets_comment else NOTE_LENGTH,
        name=guest.name if guest else "",
        code=guest_identity.code_of(guest) if guest else "",
        gets_email=guest is not None and guest_contacts.gets_email(guest),
        addressee_name=visit.addressee.name if visit.addressee else "",
        asks_code=guest is None and link.guests.exists(),
        code_problem=visit.code_problem,
        done=sum(output.pk in decisions for output in outputs),
        total=len(outputs),
        problem=visit.problem if not is_placed else "",
        unsent=[
            words for result, words in visit.form.words.items() if words.strip() and not _has_place(boxes.get(result))
        ],
    )
